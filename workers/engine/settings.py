"""farm.yaml: what an operator may tell a worker's engine. One table is the reader, the check and the manual.

`python -m workers.engine.settings` prints the file with every key at its default, and what it means.
"""

from __future__ import annotations

import difflib
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.config import EngineConfig
from workers.errors import BadSettings

#: A value of a key. None is "not given": the profile decides.
Value = bool | int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of the file. `kind` is the type of its values, apart from null."""

    name: str
    kind: type
    default: Value
    meaning: str
    choices: tuple[Value, ...] = ()
    least: float | None = None
    most: float | None = None


KEYS = (
    Key(
        name="profile",
        kind=str,
        default="auto",
        choices=("auto", "entry", "mainstream", "professional"),
        meaning="defaults for a class of GPUs: entry 6-8 GB, mainstream 10-24 GB, professional 40 GB and up",
    ),
    Key(
        name="gpu_memory_limit",
        kind=float,
        default=None,
        least=0.001,
        meaning="GB for all networks together; null: 90 % of a GPU's free memory, on a CPU no limit",
    ),
    Key(
        name="managed_memory_limit",
        kind=float,
        default=None,
        least=0.001,
        meaning="GB of managed memory for weights, which the GPU's driver moves page by page; null: none",
    ),
    Key(
        name="default_resolution",
        kind=int,
        default=None,
        least=128,
        most=4096,
        meaning="side in pixels of the largest crop that is made ready at start; null: the profile's",
    ),
    Key(
        name="tile",
        kind=int,
        default=None,
        choices=(None, 256, 512, 1024, 2048),
        meaning="larger crops are worked on in tiles of this side; null: the profile's",
    ),
    Key(
        name="face_detection.adaptive_scale",
        kind=bool,
        default=True,
        choices=(True,),
        meaning="pictures are searched at 1280 px at most; always on, or workers of one job would not agree",
    ),
    Key(
        name="face_detection.padding_ratio",
        kind=float,
        default=None,
        choices=(None,),
        meaning="always null: crops are cut by landmarks, with a margin of their own, not by padded boxes",
    ),
    Key(
        name="inference.amp_enabled",
        kind=bool,
        default=None,
        meaning="16-bit convolutions (fp16 on GPUs, bf16 on CPUs; installed networks there by OpenVINO); "
        "null: the profile's, on a CPU false",
    ),
    Key(
        name="inference.quantization",
        kind=str,
        default="none",
        choices=("none", "int8"),
        meaning="int8: fastest on a CPU, a level or so of 255 off; needs the extra `models`; not for GPUs",
    ),
    Key(
        name="inference.batch",
        kind=int,
        default=None,
        least=1,
        most=64,
        meaning="crops in one pass, alike on all workers of a job; null: 1, but for `portrait` on a CPU 4",
    ),
    Key(
        name="inference.reuse_threshold",
        kind=float,
        default=0.0,
        least=0,
        most=1,
        meaning="`portrait` holds a face's colour transforms for up to 5 frames while its thumbnail differs "
        "by less than this share of the range: pixels 1 or 2 of 255 off at 0.01; crops then go one by one, "
        "without CUDA graphs; alike on all workers of a job; 0: never",
    ),
    Key(
        name="onnx.provider",
        kind=str,
        default="auto",
        choices=("auto", "tensorrt", "cuda", "openvino", "cpu"),
        meaning="what installed networks run on; where that does not work, the next, and a note says so; "
        "openvino: on a CPU, those that paint; auto takes it for 16 bits on a CPU",
    ),
    Key(
        name="cuda_graph.enabled",
        kind=bool,
        default=None,
        meaning="capture a CUDA graph for every usual shape at start; null: the profile's",
    ),
    Key(
        name="cuda_graph.cache_path",
        kind=str,
        default=None,
        meaning="folder for what a worker learns about memory, for its next start; graphs cannot be stored",
    ),
)
_BY_NAME = {key.name: key for key in KEYS}


def read_settings(path: Path | None) -> dict[str, Value]:
    """Return a value for every key, from a YAML file; without one, the defaults.

    Raises:
        BadSettings: it cannot be read, or has a key or a value that it cannot have.
    """
    given = {} if path is None else dict(_flat(_loaded(path), path))
    return {key.name: given.get(key.name, key.default) for key in KEYS}


def settings_of(config: EngineConfig) -> dict[str, Value]:
    """Return every setting: the command line's go before the file's.

    Raises:
        BadSettings: a setting that cannot be.
    """
    settings = read_settings(config.settings_path)
    for name, value in (("profile", config.profile), ("gpu_memory_limit", config.gpu_memory_limit_gb)):
        if value is not None:
            settings[name] = check(name, value)
    return settings


def check(name: str, value: Any) -> Value:
    """Return a key's value if it may have it.

    Raises:
        BadSettings: it may not, or there is no such key; the message names the nearest.
    """
    key = _BY_NAME.get(name)
    if key is None:
        near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.0)
        raise BadSettings(f"no key {name!r}; the nearest is {near[0]!r}")
    if value is None and key.default is None:
        return None
    fits = isinstance(value, (int, float) if key.kind is float else key.kind)
    if not fits or (isinstance(value, bool) and key.kind is not bool):
        raise BadSettings(f"{name}: {value!r} is no {_KINDS[key.kind]}")
    if (key.choices and value not in key.choices) or not _is_between(key, value):
        raise BadSettings(f"{name}: {value!r} is not {_range(key)}")
    return float(value) if key.kind is float else value  # a whole number may stand for a float


def manual() -> str:
    """Return the file with every key at its default, and what it means as a comment."""
    lines, section = ["# farm.yaml: settings of a worker's engine. All keys, at their defaults.", ""], ""
    for key in KEYS:
        head, _, name = key.name.rpartition(".")
        if head != section:
            lines += [f"{head}:"] if head else []
            section = head
        indent = "  " if head else ""
        text = json.dumps(key.default).strip('"')
        lines += [f"{indent}# {key.meaning}", f"{indent}{name}: {text}"]
    return "\n".join(lines) + "\n"


_KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"}


def _is_between(key: Key, value: Any) -> bool:
    return (key.least is None or value >= key.least) and (key.most is None or value <= key.most)


def _range(key: Key) -> str:
    if key.choices:
        return "one of " + ", ".join("null" if choice is None else str(choice) for choice in key.choices)
    return f"at least {key.least:g}" + ("" if key.most is None else f" and at most {key.most:g}")


def _flat(settings: Any, path: Path, above: str = "") -> Iterator[tuple[str, Value]]:
    if not isinstance(settings, Mapping):
        raise BadSettings(f"{path.name}: {above.rstrip('.') or 'the file'} is no list of keys")
    for name, value in settings.items():
        full = f"{above}{name}"
        if any(key.name.startswith(f"{full}.") for key in KEYS):
            yield from _flat({} if value is None else value, path, f"{full}.")
        else:
            try:
                yield full, check(full, value)
            except BadSettings as error:
                raise BadSettings(f"{path.name}: {error}") from None


def _loaded(path: Path) -> Any:
    yaml = importlib.import_module("yaml")  # only where there is a file: a bare machine need not have it
    try:
        loaded = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadSettings(f"{path}: {error}") from error
    return {} if loaded is None else loaded


if __name__ == "__main__":
    sys.stdout.write(manual())
