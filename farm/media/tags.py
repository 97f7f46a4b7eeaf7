"""What the output says about itself."""

from __future__ import annotations

from collections.abc import Mapping

PROGRAM = "face-fusion-farm"

#: Tags that describe the input's container, not its content; the muxer writes its own.
_CONTAINERS_OWN = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}

#: What describes how a stream lay in the input: how it was turned, and what wrote it.
_STREAMS_OWN = ("rotate", "encoder", "duration", "bps", "number_of_", "_statistics", "vendor_id")


def kept_stream_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return a video stream's tags that stay true after rendering: language, name, time code."""
    return {name: value for name, value in tags.items() if not name.lower().startswith(_STREAMS_OWN)}


def output_tags(input_tags: Mapping[str, str], *, engine: str) -> dict[str, str]:
    """Return the output's global tags: the input's own, and the statement that the picture is synthetic.

    The statement stands in `comment` and in `description`, in front of what the input had there: of the
    two, every program shows at least one.
    """
    kept = {name: value for name, value in input_tags.items() if name.lower() not in _CONTAINERS_OWN}
    statement = synthetic_statement(engine)
    by_lower = {name.lower(): name for name in kept}
    for name in ("comment", "description"):
        own = kept.pop(by_lower.get(name, name), "")
        kept[name] = in_front(statement, own)
    return kept


def in_front(statement: str, own: str) -> str:
    """Return what is said, with the statement in front of it, once."""
    return own if own.startswith(statement) else f"{statement} {own}".rstrip()


def synthetic_statement(engine: str, *, of: str = "video") -> str:
    """Return the sentence that every output carries."""
    return f"Synthetic: the faces in this {of} were altered by AI, with {PROGRAM} (engine {engine})."
