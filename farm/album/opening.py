"""From a request to its album: which pictures, where each goes, and how it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from farm.album.album import Album, Entry
from farm.album.files import SUFFIXES, kind_of, look
from farm.album.listing import list_pictures, named
from farm.album.picture import Picture, readable
from farm.album.writing import encode_spec, output_kind, pixel_notes, suffix_for
from farm.errors import BadInput, OutputRefused
from farm.fusing import resolution
from farm.media.delivery import ChunkFormat, Delivery
from farm.media.shapes import within
from farm.media.target import Target
from farm.requests import JobRequest

#: What can be asked of videos alone.
VIDEOS_ONLY = (
    "codec", "encoder", "crf", "encoder_preset", "pix_fmt", "bitrate", "resize", "fps", "fragmented", "gop",
    "start", "end", "deinterlace", "to", "chunk_seconds",
)  # fmt: skip


def is_pictures(path: Path) -> bool:
    """Say whether an input is a folder or a picture, which no video is."""
    try:
        return path.is_dir() or (path.is_file() and (kind_of(path) is not None or _is_called_one(path)))
    except OSError:
        return False


def open_album(request: JobRequest, factor: int = 1) -> tuple[Album, Delivery]:
    """Look at a job's pictures; stages enlarge each side of them `factor` times.

    Raises:
        BadInput: pictures cannot be read, or an option is for videos.
        OutputRefused: outputs cannot be so named.
    """
    _check_options(request)
    path, output = Path(request.input), Path(request.output)
    is_folder = path.is_dir()
    pictures, notes = _looked_at(request)
    entries = tuple(_entry(each, None if is_folder else output.name, request, factor) for each in pictures)
    album = Album(
        folder=path if is_folder else path.parent,
        outputs=output if is_folder else output.parent,
        is_folder=is_folder,
        entries=entries,
        is_salvaged=request.salvage,
    )
    _check_outputs(album, request)
    notes += _notes(album)
    return album, _delivery(album, output, notes)


def open_gallery_album(request: JobRequest) -> tuple[Album, tuple[str, ...]]:
    """Look at pictures in which people are to be found, and none is written; return what was left out, too.

    Raises:
        BadInput: pictures cannot be read, or an option is for videos.
    """
    _check_options(request)
    path, (pictures, notes) = Path(request.input), _looked_at(request)
    album = Album(
        folder=path if path.is_dir() else path.parent,
        outputs=Path(request.output).parent,
        is_folder=path.is_dir(),
        entries=tuple(_entry(each, None, request, 1) for each in pictures),
        is_salvaged=request.salvage,
    )
    return album, tuple(notes)


def _looked_at(request: JobRequest) -> tuple[tuple[Picture, ...], list[str]]:
    """Return a job's pictures, and what to say of what was left out."""
    path = Path(request.input)
    if not path.is_dir():
        return (look(path),), []
    listing = list_pictures(path, salvage=request.salvage)
    return listing.pictures, list(listing.notes)


def _check_options(request: JobRequest) -> None:
    fields = JobRequest.model_fields
    said = [name for name in VIDEOS_ONLY if getattr(request, name) != fields[name].default]
    if said:
        raise BadInput(
            f"pictures take no --{', --'.join(name.replace('_', '-') for name in said)}",
            hint="leave it out"
            if request.work == "faces"
            else "an output's suffix says how it is written; --resolution makes pictures smaller",
        )


def _entry(picture: Picture, output: str | None, request: JobRequest, factor: int) -> Entry:
    name = output or f"{Path(picture.name).stem}{suffix_for(picture, lossless=request.lossless)}"
    kind = output_kind(name)
    if request.lossless and kind == "jpeg":
        raise BadInput("JPEG is not lossless", hint="name the output .png, or leave --lossless out")
    return Entry(
        picture=picture,
        output=name,
        encode=encode_spec(picture, kind, lossless=request.lossless),
        size=within(picture.upright_size, resolution(request)),
        factor=factor,
    )


def _check_outputs(album: Album, request: JobRequest) -> None:
    doubles = [
        readable(name)
        for name, count in Counter(entry.output for entry in album.entries).items()
        if count > 1
    ]
    if doubles:
        raise OutputRefused(
            f"several pictures would be written as {named(doubles)}",
            hint="rename one of those that are alike",
        )
    if album.is_folder:
        _check_folder(album)
    there = [readable(entry.output) for entry in album.entries if (album.outputs / entry.output).exists()]
    if album.is_folder and there and not request.overwrite:
        raise OutputRefused(
            f"already in {album.outputs}: {named(there)}", hint="choose another -o, or give --overwrite"
        )


def _check_folder(album: Album) -> None:
    if album.outputs.exists() and not album.outputs.is_dir():
        raise OutputRefused(f"{album.outputs} is a file", hint="name a folder with -o: the input is one")
    if album.outputs.exists() and album.outputs.samefile(album.folder):
        raise OutputRefused(
            "the output folder is the input folder", hint="originals are never overwritten: choose another -o"
        )


def _notes(album: Album) -> Iterator[str]:
    """Yield what outputs cannot hold: each thing once, with the names of the pictures that it befalls."""
    whose: dict[str, list[str]] = {}
    for entry in album.entries:
        for note in pixel_notes(entry.picture, output_kind(entry.output)):
            whose.setdefault(note, []).append(entry.picture.label)
    for note, names in whose.items():
        yield f"{named(names)}: {note}"
    smaller = [entry.picture.label for entry in album.entries if entry.size is not None]
    if smaller:
        longest = max(max(entry.size or ()) for entry in album.entries if entry.size is not None)
        yield (
            f"made smaller, to {longest} pixels on the longer side: {named(smaller)}; "
            "--resolution original keeps their size"
        )


def _delivery(album: Album, output: Path, notes: Sequence[str]) -> Delivery:
    """Return what the job's row says of its output; how each picture is written, the album says."""
    encode = album.entries[0].encode
    target = Target(
        container="pictures",
        codec=encode.codec,
        reorder=0,
        encode=encode,
        notes=tuple(notes),
        path=str(output),
        kind="pictures",
    )
    return Delivery(chunks=ChunkFormat.of(target), outputs=(target,))


def _is_called_one(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES
