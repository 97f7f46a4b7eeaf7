"""Messages survive JSON, and what is not one of ours is refused."""

from __future__ import annotations

import json

import pytest

from broker.errors import BadMessage
from broker.messages import (
    CheckSource,
    ChunkFailed,
    ChunkRendered,
    EncodeSpec,
    FuseSpec,
    Message,
    RenderChunk,
    SourceChecked,
)
from broker.people import ChunkSeen, Tracklet

FUSE = FuseSpec(engine="portrait", source_face=1, faces="largest")
ENCODE = EncodeSpec(codec="libx264", pix_fmt="yuv420p", options={"crf": "16", "preset": "fast"})
MESSAGES = [
    RenderChunk(job_id="j", index=0, attempt=1, start=0, end=120, fuse=FUSE, encode=ENCODE),
    CheckSource(job_id="j", fuse=FUSE),
    SourceChecked(job_id="j", radius=2, boxes=((1, 2, 3, 4), (5, 6, 7, 8)), chosen=0, notes=("on the cpu",)),
    SourceChecked(job_id="j", code="no-face", message="nobody there"),
    SourceChecked(job_id="j", recogniser="buffalo_l", references=("AAA=",)),
    ChunkSeen(
        start=5,
        end=7,
        width=320,
        height=180,
        cuts=(6,),
        tracklets=(
            Tracklet(start=5, boxes=((1, 2, 3, 4), (2, 2, 4, 4)), follows=0, last=1, embeddings=("AAA=",)),
        ),
    ),
    ChunkFailed(
        job_id="j", index=3, attempt=2, worker="w", code="decode-mismatch", message="?", is_final=True
    ),
    ChunkRendered(
        job_id="j",
        index=3,
        attempt=2,
        worker="w",
        num_frames=120,
        num_fused=3,
        num_parts=2,
        num_bytes=7,
        sha256="00",
        render_s=0.5,
        first_frame_at=1763600000.5,
        notes=("a", "b"),
    ),
]


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_a_message_survives_json(message):
    """It comes back equal, tuples as tuples."""
    body = json.loads(json.dumps(message.to_json()))
    assert (body["kind"], body["version"]) == (type(message).__name__, 1)
    assert message == type(message).from_json(body)


def test_every_message_is_tried():
    """A new kind of message must be added above."""
    # By name: a dataclass with slots leaves the class that it replaced behind.
    wanted = {kind.__name__ for kind in Message.__subclasses__()}
    assert wanted == {type(message).__name__ for message in MESSAGES}


def test_defaults_may_be_left_out():
    """A field that has a default need not be in the message: an older sender did not know it."""
    body = ChunkRendered.to_json(MESSAGES[-1])
    del body["notes"], body["first_frame_at"]
    assert ChunkRendered.from_json(body).notes == ()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "CheckSource"},
        {"kind": None},
        {"version": 2},
        {"unheard_of": 1},
        {"fuse": None},
        {"fuse": {}},
        {"fuse": {"engine": "portrait", "unheard_of": 1}},
        {"encode": [1]},
    ],
    ids=str,
)
def test_another_message_is_refused(change):
    """Another kind, version or shape is a BadMessage, not a crash further on."""
    with pytest.raises(BadMessage, match="RenderChunk"):
        RenderChunk.from_json(MESSAGES[0].to_json() | change)


@pytest.mark.parametrize("field", ["kind", "version", "job_id", "end", "fuse", "encode"])
def test_a_missing_field_is_refused(field):
    """Every field without a default must be there."""
    body = MESSAGES[0].to_json()
    del body[field]
    with pytest.raises(BadMessage):
        RenderChunk.from_json(body)


@pytest.mark.parametrize("body", [None, "RenderChunk", [], 3])
def test_other_json_is_refused(body):
    """A message is an object."""
    with pytest.raises(BadMessage):
        RenderChunk.from_json(body)


@pytest.mark.parametrize("change", [{"boxes": 3}, {"boxes": [3]}, {"boxes": None}])
def test_damaged_lists_are_refused(change):
    """What should be a list and is not is a BadMessage too."""
    with pytest.raises(BadMessage, match="SourceChecked"):
        SourceChecked.from_json(MESSAGES[2].to_json() | change)
