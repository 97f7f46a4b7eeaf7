"""Segments read back as they were written, however their bytes are split, or say that they are not whole."""

from __future__ import annotations

import base64
import itertools
import json
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.errors import SegmentCorrupt
from broker.framing import (
    MAGIC,
    NO_TIME,
    PacketRecord,
    StreamHeader,
    frame_end,
    frame_header,
    frame_packet,
    read_chain,
    read_segment,
)
from broker.messages import EncodeSpec

times = st.integers(NO_TIME + 1, 2**63 - 1)
ratios = st.builds(Fraction, st.integers(1, 2**40), st.integers(1, 2**40))
headers = st.builds(
    StreamHeader,
    codec=st.text(max_size=8),
    width=st.integers(1, 2**16),
    height=st.integers(1, 2**16),
    pix_fmt=st.just("yuv420p10le"),
    time_base=ratios,
    extradata=st.binary(max_size=40),
    codec_tag=st.text(max_size=4),
    frame_rate=st.none() | ratios,
    sample_aspect_ratio=st.none() | ratios,
    rotation=st.sampled_from([0, 90, 180, 270]),
    hflip=st.booleans(),
    size=st.none() | st.tuples(st.integers(1, 2**16), st.integers(1, 2**16)),
    name=st.text(max_size=8),
    encode=st.none() | st.builds(EncodeSpec, codec=st.text(max_size=8), pix_fmt=st.just("rgb24")),
    num_faces=st.integers(0, 9),
    start=st.integers(0, 2**40),
    pts=st.lists(times, max_size=5).map(tuple),
    before=st.lists(times, max_size=3).map(tuple),
    after=st.lists(times, max_size=3).map(tuple),
)
packets = st.builds(
    PacketRecord,
    pts=st.none() | times,
    dts=st.none() | times,
    duration=times,
    data=st.binary(max_size=60),
    is_keyframe=st.booleans(),
    is_discard=st.booleans(),
    side_data=st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=20)), max_size=2).map(tuple),
)
HEADER = StreamHeader(codec="h264", width=64, height=36, pix_fmt="yuv420p", time_base=Fraction(1, 90000))
PACKETS = [
    PacketRecord(
        pts=0, dts=None, duration=3000, data=b"key", is_keyframe=True, side_data=(("skip", b"\x01"),)
    ),
    PacketRecord(pts=3000, dts=0, duration=3000, data=b""),
]


def written(header: StreamHeader, records: list[PacketRecord]) -> bytes:
    return b"".join([frame_header(header), *map(frame_packet, records), frame_end(len(records))])


def read(parts: list[bytes]) -> tuple[StreamHeader, list[PacketRecord]]:
    header, records = read_segment(parts)
    return header, list(records)


@given(headers, st.lists(packets, max_size=4), st.lists(st.integers(0, 600), max_size=6))
@example(HEADER, [PacketRecord(pts=0, dts=0, duration=1, data=b"", side_data=(("Ωß", b"x"),))], [])
def test_any_split_reads_the_same(header, records, cuts):
    """Values of every size survive, wherever the parts begin and end; empty parts do no harm."""
    text = written(header, records)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [text[start:end] for start, end in itertools.pairwise(edges)]
    assert (header, records) == read(parts)


def test_single_bytes_read_the_same():
    """Even the smallest parts make no difference."""
    text = written(HEADER, PACKETS)
    assert read([bytes([byte]) for byte in text]) == (HEADER, PACKETS)


def test_truncation_anywhere_is_noticed():
    """A segment cut after any number of bytes, on a record's edge too, does not pass for a shorter one."""
    text = written(HEADER, PACKETS)
    for length in range(len(text)):
        with pytest.raises(SegmentCorrupt):
            read([text[:length]])


def test_packets_come_as_they_are_asked_for():
    """A reader holds one part at a time: what is not asked for is not fetched."""
    fetched = []

    def parts():
        for packet in PACKETS:
            fetched.append(packet.pts)
            yield frame_packet(packet)

    def all_parts():
        yield frame_header(HEADER)
        yield from parts()

    _, records = read_segment(all_parts())
    assert fetched == []
    assert next(records) == PACKETS[0]
    assert fetched == [0]


def test_a_missing_packet_is_noticed():
    """The end record counts."""
    text = frame_header(HEADER) + frame_packet(PACKETS[0]) + frame_end(2)
    with pytest.raises(SegmentCorrupt, match="names 2 packets and holds 1"):
        read([text])


def test_other_bytes_are_no_segment():
    """A file of another kind is refused at once."""
    with pytest.raises(SegmentCorrupt, match="not a segment"):
        read_segment([b"\x00\x00\x00\x18ftypisom" + bytes(100)])


@pytest.mark.parametrize(
    "change",
    [
        {"time_base": "1/0"},
        {"time_base": "soon"},
        {"extradata": "?"},
        {"pts": None},
        {"unheard_of": 1},
    ],
)
def test_a_damaged_header_is_corrupt(change):
    """Whatever is wrong inside the header comes out as the one error that readers expect."""
    fields = json.loads(HEADER.to_bytes()) | change
    with pytest.raises(SegmentCorrupt, match="segment header"):
        StreamHeader.from_bytes(json.dumps(fields).encode())


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", base64.b64encode(MAGIC)])
def test_other_json_is_no_header(text):
    """Nor is anything else that may stand in its place."""
    with pytest.raises(SegmentCorrupt, match="segment header"):
        StreamHeader.from_bytes(text)


def test_a_damaged_side_data_name_is_corrupt():
    """Bytes that are no UTF-8 do not surface as another kind of error."""
    text = written(HEADER, PACKETS).replace(b"skip", b"\xff\xff\xff\xff")
    with pytest.raises(SegmentCorrupt, match="side data"):
        read([text])


@given(st.data())
def test_flipped_bytes_raise_nothing_else(data):
    """Damage gives wrong packets (the digest tells) or SegmentCorrupt, never an error that nobody expects."""
    text = bytearray(written(HEADER, PACKETS))
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        read([bytes(text)])
    except SegmentCorrupt:
        return


@given(chain=st.lists(st.tuples(headers, st.lists(packets, max_size=3)), min_size=1, max_size=4))
def test_segments_lie_one_behind_another(chain):
    """A chain reads back as its segments, also where one is not read to its end."""
    data = b"".join(written(header, records) for header, records in chain)
    parts = [data[at : at + 97] for at in range(0, len(data), 97)]
    assert [(header, list(records)) for header, records in read_chain(parts)] == chain
    assert [header for header, _ in read_chain(parts)] == [header for header, _ in chain]


def test_a_chain_that_ends_early_is_corrupt():
    """Whatever is behind a segment must be one."""
    data = written(HEADER, PACKETS)
    with pytest.raises(SegmentCorrupt):
        list(read_chain([data + data[:-3]]))
    with pytest.raises(SegmentCorrupt):
        list(read_chain([]))
