"""What `farm faces` does: finds everybody in a video, and lists them."""

from __future__ import annotations

import sys
from pathlib import Path

from farm.cli.exits import DONE
from farm.cli.options import GalleryOptions, HostingOptions
from farm.cli.outcome import conclude, to_json
from farm.cli.rendering import render_request
from farm.cli.wording import columns, json_line
from farm.people.album import Album, Person
from farm.people.page import PAGE
from farm.schemas import JobView
from farm.states import JobState

#: Ranges of frames that are listed of a person; the gallery has all.
_MOST_RANGES = 3


def show_faces(gallery: GalleryOptions, hosting: HostingOptions, *, as_json: bool) -> int:
    """Look for everybody, and print who is there; return the exit code."""
    view = render_request(gallery.request(), hosting)
    if view.state != JobState.DONE:
        return conclude(view, as_json=as_json)
    directory = Path(view.output)
    album = Album.load(directory)
    if as_json:
        sys.stdout.write(json_line(to_json(view) | {"people": [_body(person) for person in album.people]}))
        return DONE
    for note in view.notes:
        sys.stderr.write(f"note: {note}\n")
    _say(view, album, directory)
    return DONE


def _say(view: JobView, album: Album, directory: Path) -> None:
    count = len(album.people)
    who = f"{count} {'person' if count == 1 else 'people'}"
    sys.stderr.write(f"done: {who} in {view.frames} frames, {view.seconds:.1f} s\n")
    header = ("ID", "FRAMES", "LARGEST", "TRACKS", "SEEN")
    sys.stdout.write(columns(header, (_row(person) for person in album.people)) + "\n")
    sys.stdout.write(f"{directory / PAGE}\n")


def _row(person: Person) -> tuple[str, ...]:
    seen = ", ".join(f"[{start}, {end})" for start, end in person.ranges[:_MOST_RANGES])
    more = len(person.ranges) - _MOST_RANGES
    width, height = person.largest
    return (
        str(person.id),
        str(person.frames),
        f"{width}x{height}",
        str(len(person.tracks)),
        f"{seen} and {more} more" if more > 0 else seen,
    )


def _body(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "picture": person.picture,
        "frames": person.frames,
        "ranges": person.ranges,
        "largest_face": person.largest,
        "tracks": len(person.tracks),
    }
