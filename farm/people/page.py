"""A gallery as a page to look at: a picture of everybody, their number, and when or where they are seen."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from farm.album.picture import readable
from farm.people.album import Album, Person

PAGE = "index.html"

#: Ranges, or names of pictures, that are shown of a person; the JSON has all.
_MOST_RANGES = 8

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; background: #fafafa; color: #222 }
ol { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; list-style: none }
li { width: 192px; background: #fff; border: 1px solid #ddd; padding: 8px }
img, .none { width: 192px; height: 192px; display: block; background: #ddd }
h2 { margin: .4rem 0 0; font-size: 1.1rem } p { margin: .2rem 0 } small { color: #666 }
"""


def page(album: Album, seconds: Callable[[int], float]) -> str:
    """Return the page as HTML; `seconds` says when a frame is shown."""
    title = html.escape(Path(album.video.path).name)
    people = "\n".join(_card(person, album, seconds) for person in album.people)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Who is in {title}</title><style>{_STYLE}</style>
<h1>Who is in {title}</h1>
<p>{_told(album)}</p>
<p>Give somebody a face by their number: <code>farm render {title} --map 1=FACE.jpg</code></p>
<ol>
{people}
</ol>
</html>
"""


def told(album: Album) -> str:
    """Return in a sentence how people were told apart."""
    if album.recogniser:
        return f"People were told apart by {album.recogniser}."
    if len(album.video.pictures) == 1:
        return "People are numbered from the left: in one picture, nobody need be known again."
    place = "picture" if album.video.pictures else "shot"
    return (
        f"No recogniser is installed: one person may be here several times, once for each {place}. "
        "`farm models pull buffalo_l --accept-licence` gets one."
    )


def _told(album: Album) -> str:
    return html.escape(told(album))


def _card(person: Person, album: Album, seconds: Callable[[int], float]) -> str:
    picture = (
        f'<img src="{html.escape(person.picture)}" alt="Person {person.id}">'
        if person.picture
        else '<span class="none"></span>'
    )
    width, height = person.largest
    names = album.video.names
    told = list(pictures_of(person, names)) if names else list(_times(person, seconds))
    more = [f"and {len(told) - _MOST_RANGES} more"] if len(told) > _MOST_RANGES else []
    lines = "".join(f"<p><small>{html.escape(line)}</small></p>" for line in told[:_MOST_RANGES] + more)
    seen = (
        counted(person.frames, "picture")
        if names
        else f"{counted(person.frames, 'frame')}, {counted(len(person.tracks), 'track')}"
    )
    return f"<li>{picture}<h2>{person.id}</h2><p>{seen}, up to {width} × {height} px</p>{lines}</li>"


def pictures_of(person: Person, names: Sequence[str]) -> Iterator[str]:
    """Yield the names of the pictures that somebody is in, as messages can have them."""
    for start, end in person.ranges:
        yield from map(readable, names[start:end])


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _times(person: Person, seconds: Callable[[int], float]) -> Iterator[str]:
    for start, end in person.ranges:
        yield f"{seconds(start):.2f} to {seconds(end):.2f} s"
