"""What a pickle would call, read without calling it: a weight file may hold tensors, and nothing else.

torch's own reader refuses the rest when a worker opens the file; here it is refused when it arrives, by name,
on machines without torch. Of the two formats of `torch.save`, one is a zip archive that holds a pickle, and
the older one five pickles in a row, before the tensors' bytes.
"""

from __future__ import annotations

import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from farm.errors import ModelRefused

#: Suffixes of pickled weights.
PICKLES = frozenset({".pt", ".pth", ".ckpt"})

#: What tensors, and tables of them, are put together with.
_TENSORS = re.compile(
    r"collections OrderedDict"
    r"|torch\._utils _rebuild_(?:tensor|tensor_v2|parameter)"
    r"|torch (?:\w*Storage|Size|device|b?float\d+\w*|u?int\d+|bool)"
    r"|torch\.storage (?:UntypedStorage|TypedStorage)"
)

#: Instructions that name what they call otherwise than in their own text; torch writes none of them.
_HIDDEN = frozenset({"STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID"})

_ARCHIVE = b"PK\x03\x04"

#: Pickles of the older format: a number, a version, the machine's sizes, the object, the storages' names.
_NUM_OLD = 5

_HINT = "get it as .safetensors or .onnx; or save its tensors alone: torch.save(model.state_dict(), PATH)"


def check_pickle(path: Path) -> None:
    """Look at a file that `torch.save` wrote.

    Raises:
        ModelRefused: it is no such file, or would call what makes no tensors; the message names it.
    """
    with path.open("rb") as file:
        # By the first bytes, as torch does: an older file may well end as an archive.
        if file.read(len(_ARCHIVE)) != _ARCHIVE:
            file.seek(0)
            for _ in range(_NUM_OLD):
                _check_calls(path, file)
            return
    try:
        with zipfile.ZipFile(path) as archive:
            _check_archive(path, archive)
    except zipfile.BadZipFile as error:
        raise ModelRefused(f"{path} is no whole file of torch.save: {error}", hint=_HINT) from error


def _check_archive(path: Path, archive: zipfile.ZipFile) -> None:
    pickles = [entry for entry in archive.infolist() if entry.filename.endswith(".pkl")]
    if not pickles:
        raise ModelRefused(f"{path} holds no pickle: it is no file of torch.save", hint=_HINT)
    for entry in pickles:
        with archive.open(entry) as file:
            _check_calls(path, file)


def _check_calls(path: Path, file: IO[bytes]) -> None:
    for call in _calls(path, file):
        if _TENSORS.fullmatch(call) is None:
            raise ModelRefused(
                f"{path.name} holds more than tensors: reading it would call {call.replace(' ', '.')}",
                hint=_HINT,
                code="unsafe-pickle",
            )


def _calls(path: Path, file: IO[bytes]) -> Iterator[str]:
    """Yield "module name" of everything that the next pickle would call, to its end."""
    try:
        for instruction, argument, _ in pickletools.genops(file):
            if instruction.name == "GLOBAL":
                yield str(argument)
            elif instruction.name in _HIDDEN:
                yield f"something by {instruction.name}"
    except (ValueError, UnicodeDecodeError, IndexError, OverflowError) as error:
        raise ModelRefused(f"{path} is no whole file of torch.save: {error}", hint=_HINT) from error
