"""What `farm probe` says of a picture, or of a folder of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from farm.album.files import look
from farm.album.listing import Listing, list_pictures
from farm.album.picture import TURNS, Picture
from farm.cli.exits import DONE
from farm.cli.wording import columns, json_line


def show_pictures(path: Path, *, as_json: bool) -> int:
    """Print what pictures' headers say; of a folder, also what in it would not be rendered."""
    listing = list_pictures(path, salvage=True) if path.is_dir() else Listing((look(path),), ())
    if as_json:
        pictures = [picture.to_json() for picture in listing.pictures]
        sys.stdout.write(json_line({"pictures": pictures, "notes": list(listing.notes)}))
        return DONE
    num_bytes = sum(picture.size_bytes for picture in listing.pictures)
    sys.stdout.write(f"{path}: pictures: {len(listing.pictures)}, {num_bytes:,} bytes\n")
    rows = [(each.label, each.kind, ", ".join(_details(each))) for each in listing.pictures]
    sys.stdout.write(columns(("PICTURE", "KIND", "DETAILS"), rows) + "\n")
    for note in listing.notes:
        sys.stdout.write(f"note: {note}\n")
    return DONE


def _details(picture: Picture) -> Iterator[str]:
    width, height = picture.upright_size
    yield f"{width}x{height}"
    yield f"{'grey' if picture.is_grey else 'colour'}{' and alpha' if picture.has_alpha else ''}"
    yield f"{picture.depth} bit"
    if not picture.is_lossless and picture.chroma != "444":
        yield f"colours at 4:{picture.chroma[1]}:{picture.chroma[2]}"
    is_mirrored, degrees = TURNS[picture.orientation]
    if degrees:
        yield f"turned by {degrees} degrees"
    if is_mirrored:
        yield "mirrored"
    yield from picture.notes
