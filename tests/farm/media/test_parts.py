"""Re-grouping changes where bytes are divided, and nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.media.parts import new_digest, regroup


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_the_bytes_stay_the_same(pieces, part_bytes):
    """Parts have the asked size, but for the last, and none is empty; the digest is that of all bytes."""
    digest = new_digest()
    parts = list(regroup(pieces, part_bytes, digest=digest))
    whole = b"".join(pieces)
    assert b"".join(parts) == whole
    assert all(len(part) == part_bytes for part in parts[:-1])
    assert all(0 < len(part) <= part_bytes for part in parts)
    assert digest.hexdigest() == hashlib.sha256(whole).hexdigest()


def test_the_digest_keeps_pace_with_the_parts():
    """After each part, it covers exactly the parts seen so far."""
    digest = new_digest()
    seen = b""
    for part in regroup([b"abcdefgh", b"ij"], 4, digest=digest):
        seen += part
        assert digest.hexdigest() == hashlib.sha256(seen).hexdigest()
    assert seen == b"abcdefghij"


def test_pieces_are_taken_as_they_are_needed():
    """A part goes out as soon as it is full: nothing waits for the end."""
    taken = []

    def pieces():
        for number in range(10):
            taken.append(number)
            yield bytes(4)

    next(regroup(pieces(), 8))
    assert taken == [0, 1]


@pytest.mark.parametrize("part_bytes", [0, -1])
def test_parts_need_a_size(part_bytes):
    """Without one, nothing could be filled."""
    with pytest.raises(ValueError, match="positive"):
        list(regroup([b"a"], part_bytes))
