"""Keyframes at which a decoder is right at once are told from those at which it is not yet."""

from __future__ import annotations

import pytest

from farm.media.recovery import recovers_at_once

START = b"\0\0\0\1"
DELIMITER, IDR, SLICE = b"\x09\xf0", b"\x65\x88\x80", b"\x41\x9a\x00"
AT_ONCE = b"\x06\x06\x01\xc4\x80"  # recovery point after 0 pictures
LATER = b"\x06\x06\x02\x0c\x60\x80"  # after some
USER_DATA = b"\x06\x05\x10" + bytes(range(1, 17)) + b"\x80"
TWO_MESSAGES = b"\x06\x01\x01\x10\x06\x02\x0c\x60\x80"
AVCC = b"\x01\x64\x00\x1f\xff\xe1"


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([IDR], True),
        ([DELIMITER, AT_ONCE, SLICE], True),
        ([DELIMITER, USER_DATA, AT_ONCE, SLICE], True),
        ([DELIMITER, LATER, SLICE], False),
        ([DELIMITER, USER_DATA, LATER, SLICE], False),
        ([TWO_MESSAGES, SLICE], False),
        ([SLICE], True),
        ([USER_DATA, SLICE], True),
        ([IDR, LATER], True),
        ([b"\x06\xff"], True),
        ([], True),
    ],
)
def test_the_recovery_point_decides(units, expected):
    """In both ways to lay out units; where nothing is said, the container is believed."""
    annex_b = b"".join(START + unit for unit in units)
    prefixed = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
    assert recovers_at_once(memoryview(annex_b), b"") is expected
    assert recovers_at_once(memoryview(prefixed), AVCC) is expected
