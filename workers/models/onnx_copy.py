"""Working copies of ONNX files: made once, beside the file, of the same weights and the same arithmetic.

A copy takes any number of inputs at once where the file, exported for one, allows it. And its weights lie in
a file of their own, which onnxruntime maps: a network in one file takes twice its size while it is loaded
(measured: 1.18 GB for 554 MB, against 0.62 GB).

A copy is made and tried by a process of its own, `python -m workers.models.onnx_copy FILE COPY`, so that no
worker's memory sees it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from broker.installed import digest_of
from workers.models.onnx_batch import make_copy

log = logging.getLogger(__name__)

#: A copy of a large file takes its time: minutes for gigabytes on a slow disk.
_PATIENCE_S = 1800

#: Kept free on the disk.
_SPARE_BYTES = 2**30

#: Raised when copies are made differently.
_VERSION = 1


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """A file to open, and what is known of it."""

    path: Path
    has_batch: bool = False  # it takes any number of inputs, though the original takes one
    is_apart: bool = False  # on a CPU, no input's answer depends on who came with it, to the last bit
    reason: str = ""  # why it is no more than the original


def working_copy(path: Path, digest: str) -> WorkingCopy:
    """Return the copy of a file of that SHA-256, made if need be; the file itself where none can be made."""
    target = path.with_name(f".{path.stem}.{digest[:16]}-{_VERSION}.onnx")
    try:
        return _known(target) or _made(path, target)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.warning("%s is used as it is, one input at a time: %s", path.name, _told(error))
        return WorkingCopy(path, reason=_told(error))


def _known(target: Path) -> WorkingCopy | None:
    """Return a copy that is there, and as it was made."""
    try:
        body = json.loads(target.with_suffix(".json").read_text())
    except FileNotFoundError:
        return None
    if body.pop("sha256", None) != _digests(target):
        return None
    return WorkingCopy(target, **body)


def _digests(target: Path) -> list[str]:
    return [digest_of(each) for each in (target, target.with_suffix(".data")) if each.exists()]


def _made(path: Path, target: Path) -> WorkingCopy:
    _make(path, target)
    made = _known(target)
    if made is None:
        raise ValueError("its working copy is not what was written")
    return made


def _make(path: Path, target: Path) -> None:
    size_bytes = path.stat().st_size
    if shutil.disk_usage(path.parent).free < size_bytes + _SPARE_BYTES:
        raise OSError(f"no room for a working copy of {size_bytes / 1e9:.1f} GB beside it")
    log.info("making a working copy of %s, once", path.name)
    command = [sys.executable, "-m", "workers.models.onnx_copy", str(path), str(target)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE_S)


def _told(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    return str(said).strip().splitlines()[-1] if said else str(error)


def main(arguments: list[str]) -> None:
    """Make the copy, unless another worker just has; its facts are written last, and say that it is whole."""
    path, target = map(Path, arguments)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _known(target) is not None:
            return
        facts = asdict(make_copy(path, target))
        fresh = target.with_suffix(".json.new")
        fresh.write_text(json.dumps({**facts, "sha256": _digests(target)}))
        fresh.replace(target.with_suffix(".json"))


if __name__ == "__main__":
    main(sys.argv[1:])
