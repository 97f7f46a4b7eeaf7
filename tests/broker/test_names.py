"""Names and keys: what is written can be read, and nothing is mistaken for something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import BadMessage
from broker.keys import glob_escape
from broker.queues import QUEUE_OF, TaskName
from broker.segments import SegmentName

names = st.builds(
    SegmentName,
    job_id=st.text(max_size=12),
    index=st.integers(0, 10**9),
    kind=st.sampled_from(["in", "out", "source"]),
    attempt=st.integers(0, 10**6),
)


@given(names)
def test_a_segment_name_can_be_read_back(name):
    """Even when the job's id has colons of its own."""
    assert name == SegmentName.parse(str(name))


def test_a_segment_name_is_spelled_as_documented():
    """The key table and recount.lua rely on the order."""
    assert str(SegmentName(job_id="j", index=7, kind="out", attempt=2)) == "j:7:out:2"


@pytest.mark.parametrize("text", ["", "j", "j:1:out", "j:x:out:1", "j:1:out:x", "j:1:sideways:1"])
def test_other_text_is_no_segment_name(text):
    """It is refused with the text in the message."""
    with pytest.raises(BadMessage, match="not a segment's name"):
        SegmentName.parse(text)


@given(st.text(alphabet="ab*?[]^-\\"))
def test_an_escaped_pattern_has_no_wild_card_left(text):
    """Each special character has a backslash before it; taken away, the text is as it was."""
    escaped = glob_escape(text)
    assert "".join(escaped[at + 1] if escaped[at] == "\\" else escaped[at] for at in _steps(escaped)) == text


def test_every_task_has_a_queue():
    """A task that is not routed would wait where nobody looks."""
    assert set(QUEUE_OF) == set(TaskName)


def _steps(escaped: str) -> list[int]:
    steps, at = [], 0
    while at < len(escaped):
        steps.append(at)
        at += 2 if escaped[at] == "\\" else 1
    return steps
