"""Whether those whom a request chooses can be meant, and can be known: told before anything is done."""

from __future__ import annotations

from pathlib import Path

from farm.album.album import Album as Pictures
from farm.album.picture import is_called, readable
from farm.errors import BadInput, SourceRefused
from farm.people.album import Album, pictured
from farm.people.parts import numbers_in
from farm.portraits import check_portrait
from farm.requests import JobRequest
from farm.requests.whom import At, Numbered


def check_people(request: JobRequest) -> None:
    """Look at how people are chosen: whether it can be meant, and whether it can be known.

    Raises:
        BadInput: it cannot; the message and hint are for the user.
    """
    if not request.is_cast:
        if request.gallery is not None:
            raise BadInput("--gallery alone chooses nobody", hint="say who is changed: --map 1=FACE.jpg")
        return
    if request.faces != "all":
        raise BadInput(
            f"--faces {request.faces} and a choice of people exclude each other", hint="leave one of them out"
        )
    if request.source is None and (request.reference is not None or request.face_at is not None):
        raise SourceRefused("who is chosen gets --source, and there is none", hint="give --source FACE.jpg")
    for reference in request.references:
        check_portrait(Path(reference))
    if request.gallery is not None:
        Album.load(Path(request.gallery))
    elif _is_part(request) and any(isinstance(role.whom, Numbered) for role in request.roles):
        raise BadInput(
            "people are numbered in the whole video, and this job looks at a part of it",
            hint="make a gallery first, `farm faces INPUT -o DIR`, and give --gallery DIR",
        )


def check_places(request: JobRequest, album: Pictures) -> None:
    """Refuse places in pictures that are not there, and a gallery that lacks some of them.

    Raises:
        BadInput: as `check_people`.
    """
    names = [entry.picture.name for entry in album.entries]
    for role in request.roles:
        moment = role.whom.moment if isinstance(role.whom, At) else None
        if moment is not None and not any(is_called(name, moment) for name in names):
            example = readable(names[0])
            raise BadInput(
                f"{role.text}: no picture is called {moment}",
                hint=f"behind the @ is a picture's name, as {example}; without it the place counts in each",
            )
    if request.gallery is not None:
        numbers_in(Path(request.gallery), pictured(album))


def _is_part(request: JobRequest) -> bool:
    return request.start is not None or request.end is not None
