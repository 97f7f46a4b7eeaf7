"""Packets that show nothing are told by their first bits, as the formats' specifications lay them out."""

from __future__ import annotations

import av
import pytest

from farm.media.hidden import hidden_test

PAYLOAD = bytes(20)


@pytest.mark.parametrize(
    ("codec", "first", "hidden"),
    [
        ("vp8", 0b0001_0000, False),
        ("vp8", 0b0001_0001, False),
        ("vp8", 0b0000_0001, True),
        ("vp9", 0b1000_0010, False),  # profile 0, shown
        ("vp9", 0b1000_0100, True),  # profile 0, not shown
        ("vp9", 0b1000_1000, False),  # profile 0, shows a frame that was sent before
        ("vp9", 0b1010_0110, False),  # profile 1
        ("vp9", 0b1011_0001, False),  # profile 3: all bits one further
        ("vp9", 0b1011_0010, True),
    ],
)
def test_the_show_bit_decides(codec, first, hidden):
    """One bit says whether a packet's picture is shown."""
    is_hidden = hidden_test(codec)
    assert is_hidden is not None
    assert is_hidden(av.Packet(bytes([first]) + PAYLOAD)) is hidden


def test_a_superframe_shows_one_of_its_frames():
    """VP9 packs a hidden frame with a shown one, marked in the last byte."""
    is_hidden = hidden_test("vp9")
    assert is_hidden is not None
    assert not is_hidden(av.Packet(bytes([0b1000_0100]) + PAYLOAD + bytes([0b1100_0001])))


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "ffv1"])
def test_other_formats_show_every_packet(codec):
    """There is nothing to test, packet by packet."""
    assert hidden_test(codec) is None
