"""What every segment store must do."""

from __future__ import annotations

import dataclasses
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from broker.connect import Broker
from broker.errors import SegmentMissing, StoreFull
from broker.segments import SegmentName, SegmentStore

NAME = SegmentName(job_id="job", index=3, kind="out", attempt=1)
ROOMY = 2**40


@pytest.fixture
def segments(broker: Broker) -> SegmentStore:
    return broker.segments


def test_a_part_comes_back_as_it_was(segments):
    """Bytes of every value, none at all, and a whole part's worth survive."""
    parts = [bytes(range(256)), b"", random.Random(1).randbytes(4 * 2**20)]
    for number, part in enumerate(parts):
        segments.append(NAME, number, part, limit_bytes=ROOMY)
    assert parts == [segments.get(NAME, number) for number in range(3)]
    assert segments.num_parts(NAME) == 3
    assert segments.used_bytes() == sum(map(len, parts))


def test_a_missing_part_is_named(segments):
    """Neither an unknown segment nor an unknown part of a known one is mistaken for empty bytes."""
    with pytest.raises(SegmentMissing, match="job:3:out:1"):
        segments.get(NAME, 0)
    segments.append(NAME, 0, b"abc", limit_bytes=ROOMY)
    with pytest.raises(SegmentMissing, match="part 1"):
        segments.get(NAME, 1)
    assert segments.num_parts(dataclasses.replace(NAME, attempt=2)) == 0


def test_a_part_stored_twice_counts_once(segments):
    """The later bytes stay, and only they are counted, whether they are more or fewer."""
    for part in (b"12345", b"1234567", b"1"):
        segments.append(NAME, 0, part, limit_bytes=ROOMY)
        assert (segments.get(NAME, 0), segments.used_bytes(), segments.num_parts(NAME)) == (
            part,
            len(part),
            1,
        )


def test_the_window_is_never_exceeded(segments):
    """A part that just fits is stored; one byte more is refused and leaves everything as it was."""
    other = dataclasses.replace(NAME, job_id="another")
    segments.append(other, 0, b"x" * 60, limit_bytes=100)
    segments.append(NAME, 0, b"x" * 40, limit_bytes=100)
    with pytest.raises(StoreFull):
        segments.append(NAME, 1, b"x", limit_bytes=100)
    with pytest.raises(StoreFull):
        segments.append(NAME, 0, b"x" * 41, limit_bytes=100)
    assert (segments.used_bytes(), segments.num_parts(NAME)) == (100, 1)
    segments.append(NAME, 0, b"y" * 40, limit_bytes=100)
    assert segments.get(NAME, 0) == b"y" * 40


def test_a_part_sent_again_is_never_refused(segments):
    """Not even by a window that has shrunk since: it takes no more room than it has."""
    segments.append(NAME, 0, b"12345", limit_bytes=5)
    for part in (b"54321", b"1"):
        segments.append(NAME, 0, part, limit_bytes=4)
        assert segments.get(NAME, 0) == part


def test_a_refused_segment_leaves_no_name(segments):
    """A first part that does not fit leaves nothing behind to clean up."""
    with pytest.raises(StoreFull):
        segments.append(NAME, 0, b"too much", limit_bytes=3)
    assert segments.names("job") == []


def test_a_dropped_part_makes_room(segments):
    """Dropping frees the part's bytes once, and the segment can go on growing."""
    segments.append(NAME, 0, b"x" * 80, limit_bytes=100)
    for _ in range(2):
        segments.drop_part(NAME, 0)
    assert (segments.used_bytes(), segments.num_parts(NAME)) == (0, 0)
    segments.append(NAME, 1, b"x" * 100, limit_bytes=100)
    assert segments.get(NAME, 1) == b"x" * 100


def test_a_drained_segment_keeps_its_name(segments):
    """Its writer may still append, so only `delete` forgets it."""
    segments.append(NAME, 0, b"abc", limit_bytes=ROOMY)
    segments.drop_part(NAME, 0)
    assert segments.names("job") == [NAME]
    segments.delete(NAME)
    assert segments.names("job") == []


def test_delete_frees_exactly_its_own_bytes(segments):
    """Twice is as good as once, and the neighbours stay."""
    neighbour = dataclasses.replace(NAME, kind="in")
    segments.append(neighbour, 0, b"12", limit_bytes=ROOMY)
    for number in range(5):
        segments.append(NAME, number, b"123", limit_bytes=ROOMY)
    for _ in range(2):
        segments.delete(NAME)
        assert segments.used_bytes() == 2
    assert segments.names("job") == [neighbour]


def test_names_are_sorted_and_of_one_job(segments):
    """Numbers sort as numbers; a job whose id begins like another's does not see its segments."""
    wanted = [dataclasses.replace(NAME, index=index) for index in (2, 9, 10)]
    for name in [wanted[2], wanted[0], dataclasses.replace(NAME, job_id="job:3"), wanted[1]]:
        segments.append(name, 0, b"x", limit_bytes=ROOMY)
    assert segments.names("job") == wanted
    assert segments.names("nobody") == []


def test_recount_agrees_with_the_counter(segments):
    """Where nothing went wrong, counting again changes nothing."""
    for number in range(4):
        segments.append(NAME, number, b"x" * number, limit_bytes=ROOMY)
    assert segments.recount() == segments.used_bytes() == 6
    assert segments.recount() == 6


def test_threads_never_make_the_counter_drift(segments):
    """After any storm of appends, drops and deletes the counter is the sum of what lies there."""

    def storm(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(150):
            name = dataclasses.replace(NAME, index=dice.randrange(3))
            number = dice.randrange(4)
            match dice.randrange(8):
                case 0:
                    segments.delete(name)
                case 1 | 2:
                    segments.drop_part(name, number)
                case _:
                    _append_if_there_is_room(segments, name, number, dice.randbytes(dice.randrange(200)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(storm, range(8)))
    lying = [len(part) for name in segments.names("job") for part in _parts(segments, name)]
    assert lying, "the storm must leave something to count"
    assert segments.used_bytes() == sum(lying) <= 1000
    assert segments.recount() == sum(lying)


def test_threads_never_overfill_the_window(segments):
    """Of forty parts that race for room for ten, exactly ten get it."""

    def race(number: int) -> bool:
        return _append_if_there_is_room(segments, NAME, number, b"x" * 100)

    with ThreadPoolExecutor(20) as pool:
        winners = sum(pool.map(race, range(40)))
    assert (winners, segments.num_parts(NAME), segments.used_bytes()) == (10, 10, 1000)


def _append_if_there_is_room(segments: SegmentStore, name: SegmentName, number: int, part: bytes) -> bool:
    try:
        segments.append(name, number, part, limit_bytes=1000)
    except StoreFull:
        return False
    return True


def _parts(segments: SegmentStore, name: SegmentName) -> list[bytes]:
    found = []
    for number in range(4):
        try:
            found.append(segments.get(name, number))
        except SegmentMissing:
            continue
    return found
