"""What `farm faces` does: finds everybody in a video or in pictures, and lists them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from farm.cli.exits import DONE
from farm.cli.options import GalleryOptions, HostingOptions
from farm.cli.outcome import conclude, to_json
from farm.cli.rendering import render_request
from farm.cli.wording import columns, json_line
from farm.people.album import Album, Person
from farm.people.page import PAGE, counted, pictures_of
from farm.schemas import JobView
from farm.states import JobState

#: Ranges of frames, or names of pictures, that are listed of a person; the gallery has all.
_MOST_RANGES = 3


def show_faces(gallery: GalleryOptions, hosting: HostingOptions, *, as_json: bool) -> int:
    """Look for everybody, and print who is there; return the exit code."""
    view = render_request(gallery.request(), hosting)
    if view.state != JobState.DONE:
        return conclude(view, as_json=as_json)
    directory = Path(view.output)
    album = Album.load(directory)
    if as_json:
        people = [_body(person, album.video.names) for person in album.people]
        sys.stdout.write(json_line(to_json(view) | {"people": people}))
        return DONE
    for note in view.notes:
        sys.stderr.write(f"note: {note}\n")
    _say(view, album, directory)
    return DONE


def _say(view: JobView, album: Album, directory: Path) -> None:
    count = len(album.people)
    who = f"{count} {'person' if count == 1 else 'people'}"
    names = album.video.names
    where = counted(view.frames, "picture" if names else "frame")
    sys.stderr.write(f"done: {who} in {where}, {view.seconds:.1f} s\n")
    header = ("ID", "PICTURES", "LARGEST", "IN") if names else ("ID", "FRAMES", "LARGEST", "TRACKS", "SEEN")
    sys.stdout.write(columns(header, (_row(person, names) for person in album.people)) + "\n")
    sys.stdout.write(f"{directory / PAGE}\n")


def _row(person: Person, names: Sequence[str]) -> tuple[str, ...]:
    seen = (
        list(pictures_of(person, names)) if names else [f"[{start}, {end})" for start, end in person.ranges]
    )
    more = len(seen) - _MOST_RANGES
    listed = ", ".join(seen[:_MOST_RANGES]) + (f" and {more} more" if more > 0 else "")
    width, height = person.largest
    tracks = () if names else (str(len(person.tracks)),)
    return (str(person.id), str(person.frames), f"{width}x{height}", *tracks, listed)


def _body(person: Person, names: Sequence[str]) -> dict[str, object]:
    pictures = {"pictures": list(pictures_of(person, names))} if names else {}
    return pictures | {
        "id": person.id,
        "picture": person.picture,
        "frames": person.frames,
        "ranges": person.ranges,
        "largest_face": person.largest,
        "tracks": len(person.tracks),
    }
