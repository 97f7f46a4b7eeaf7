"""How packets lie in a segment: a header, then one record a packet, then an end record.

Containers round time stamps, refuse odd ones and re-order packets; a segment must do none of that, so it
has a framing of its own, that says nothing but what a decoder needs. Little endian throughout:

    magic    8 bytes  b"FARMSEG1"
    header   u32 length, then that many bytes of JSON (`StreamHeader`)
    record   i64 pts, i64 dts, i64 duration, u32 flags, u32 size, u16 side-data count,
             then per side datum: u8 name length, name, u32 size, bytes; then `size` bytes of packet
    end      a record whose flags are `END` and whose pts is the number of packets before it

An absent pts or dts is `NO_TIME`. Readers take any split of the bytes into parts.

A chunk of a video is one segment. A chunk of pictures is a chain of them, one a picture: each file has a
codec, a size and a pixel format of its own, and no picture knows of the others.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from broker.errors import SegmentCorrupt
from broker.messages import EncodeSpec

MAGIC = b"FARMSEG1"
NO_TIME = -(2**63)
END = 1 << 31
KEYFRAME = 1
DISCARD = 4
_RECORD = struct.Struct("<qqqIIH")
_LENGTH = struct.Struct("<I")


#: AVFieldOrder (libavcodec/defs.h) → the field that is shown first, in FFmpeg's filters' and x264's words.
#: Its names for 4 and 5 say otherwise; but Apple's TN2162 gives the numbers behind them this meaning, and
#: FFmpeg itself writes them so.
_FIRST_FIELD = {2: "tff", 4: "tff", 3: "bff", 5: "bff"}


def first_field(field_order: int) -> str:
    """Return "tff" or "bff" for interlaced video, else ""."""
    return _FIRST_FIELD.get(field_order, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHeader:
    """What a decoder must know before the first packet, and which frames are wanted of it."""

    codec: str  # an FFmpeg decoder name
    width: int
    height: int
    pix_fmt: str
    time_base: Fraction  # the video's; of every dts and duration in the segment
    extradata: bytes = b""
    codec_tag: str = ""
    frame_rate: Fraction | None = None  # nominal; never used to compute times
    sample_aspect_ratio: Fraction | None = None
    rotation: int = 0  # degrees counter-clockwise that make the picture upright: 0, 90, 180, 270
    hflip: bool = False  # mirrored left to right, before rotation
    color_primaries: int = 2  # ISO/IEC 23091-2 codes; 2 is "unspecified"
    color_trc: int = 2
    colorspace: int = 2
    color_range: int = 0  # FFmpeg's AVColorRange: 0 unspecified, 1 limited, 2 full
    field_order: int = 0  # FFmpeg's AVFieldOrder: 0 unknown, 1 progressive, else interlaced
    deinterlace: bool = False  # whole pictures are to be made of the fields
    is_salvaged: bool = False  # packets that cannot be decoded are to be passed over
    whole_from: int = 0  # frames before this one lean on what lies before the video, and may be damaged
    size: tuple[int, int] | None = None  # to which upright pictures are scaled; None: as they are
    name: str = ""  # of the picture file that the segment holds, for messages; "" in videos
    encode: EncodeSpec | None = None  # how this picture is encoded; None: as the chunk's message says
    num_faces: int = 0  # fused into this picture; output segments of pictures only
    start: int = 0  # absolute index of the first of `pts`
    # Packets' pts are stamps: frames' indexes where the farm or a worker wrote them. Real times may repeat.
    pts: tuple[int, ...] = ()  # the chunk's frames, in presentation order
    before: tuple[int, ...] = ()  # frames of context before the chunk: decoded, not put out
    after: tuple[int, ...] = ()  # frames of context after it
    # Whose faces are changed, context included, in order of frames: (frame, x0, y0, x1, y1, source), the box
    # in the upright picture's pixels, the source by its number. None: the job does not say.
    cast: tuple[tuple[int, int, int, int, int, int], ...] | None = None

    def to_bytes(self) -> bytes:
        """Return the JSON form, in UTF-8."""
        fields = dataclasses.asdict(self)
        fields["extradata"] = base64.b64encode(self.extradata).decode()
        for name in ("time_base", "frame_rate", "sample_aspect_ratio"):
            value = fields[name]
            fields[name] = None if value is None else str(value)
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> StreamHeader:
        """Read `to_bytes`.

        Raises:
            SegmentCorrupt: not such a header.
        """
        try:
            fields = json.loads(text)
            fields["extradata"] = base64.b64decode(fields["extradata"], validate=True)
            for name in ("time_base", "frame_rate", "sample_aspect_ratio"):
                value = fields[name]
                fields[name] = None if value is None else Fraction(value)
            for name in ("pts", "before", "after"):
                fields[name] = tuple(fields[name])
            fields["size"] = None if fields["size"] is None else tuple(fields["size"])
            fields["encode"] = None if fields["encode"] is None else EncodeSpec(**fields["encode"])
            if fields["cast"] is not None:
                fields["cast"] = tuple(tuple(row) for row in fields["cast"])
            return cls(**fields)
        except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            raise SegmentCorrupt(f"segment header: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRecord:
    """One compressed packet, times in the header's time base."""

    pts: int | None
    dts: int | None
    duration: int
    data: bytes
    is_keyframe: bool = False
    is_discard: bool = False  # decoded, never shown (an edit list cuts it)
    side_data: tuple[tuple[str, bytes], ...] = field(default=())  # (PyAV's name, bytes)


def frame_header(header: StreamHeader) -> bytes:
    """Return a segment's first bytes."""
    text = header.to_bytes()
    return MAGIC + _LENGTH.pack(len(text)) + text


def frame_packet(packet: PacketRecord) -> bytes:
    """Return one packet's record."""
    flags = KEYFRAME * packet.is_keyframe | DISCARD * packet.is_discard
    pieces = [
        _RECORD.pack(
            NO_TIME if packet.pts is None else packet.pts,
            NO_TIME if packet.dts is None else packet.dts,
            packet.duration,
            flags,
            len(packet.data),
            len(packet.side_data),
        )
    ]
    for name, data in packet.side_data:
        encoded = name.encode()
        pieces += [bytes([len(encoded)]), encoded, _LENGTH.pack(len(data)), data]
    return b"".join([*pieces, packet.data])


def frame_end(num_packets: int) -> bytes:
    """Return a segment's last bytes."""
    return _RECORD.pack(num_packets, NO_TIME, 0, END, 0, 0)


def read_segment(parts: Iterable[bytes]) -> tuple[StreamHeader, Iterator[PacketRecord]]:
    """Read a segment from its bytes, however they are split; packets come as they are asked for.

    Raises:
        SegmentCorrupt: bad magic or header at once; a missing end or wrong count while iterating.
    """
    return _segment(_Bytes(parts))


def read_chain(parts: Iterable[bytes]) -> Iterator[tuple[StreamHeader, Iterator[PacketRecord]]]:
    """Yield the segments that lie one behind another, at least one; what is not read of one is passed over.

    Raises:
        SegmentCorrupt: as `read_segment`.
    """
    source, is_first = _Bytes(parts), True
    while is_first or not source.is_at_end():
        is_first = False
        header, packets = _segment(source)
        yield header, packets
        for _ in packets:
            pass


def _segment(source: _Bytes) -> tuple[StreamHeader, Iterator[PacketRecord]]:
    if source.take(len(MAGIC)) != MAGIC:
        raise SegmentCorrupt("not a segment")
    (length,) = _LENGTH.unpack(source.take(_LENGTH.size))
    header = StreamHeader.from_bytes(source.take(length))
    return header, _packets(source)


def _packets(source: _Bytes) -> Iterator[PacketRecord]:
    count = 0
    while True:
        pts, dts, duration, flags, size, num_side = _RECORD.unpack(source.take(_RECORD.size))
        if flags & END:
            if pts != count:
                raise SegmentCorrupt(f"segment names {pts} packets and holds {count}")
            return
        side_data = tuple(_side_datum(source) for _ in range(num_side))
        yield PacketRecord(
            pts=None if pts == NO_TIME else pts,
            dts=None if dts == NO_TIME else dts,
            duration=duration,
            data=source.take(size),
            is_keyframe=bool(flags & KEYFRAME),
            is_discard=bool(flags & DISCARD),
            side_data=side_data,
        )
        count += 1


def _side_datum(source: _Bytes) -> tuple[str, bytes]:
    (name_length,) = source.take(1)
    try:
        name = source.take(name_length).decode()
    except UnicodeDecodeError as error:
        raise SegmentCorrupt(f"side data's name: {error}") from error
    (size,) = _LENGTH.unpack(source.take(_LENGTH.size))
    return name, source.take(size)


class _Bytes:
    """An iterable of parts, read as one stream, holding one part at a time."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._part = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            if self._at == len(self._part):
                part = next(self._parts, None)
                if part is None:
                    raise SegmentCorrupt("segment ends early")
                self._part, self._at = part, 0
                continue
            piece = self._part[self._at : self._at + size]
            pieces.append(piece)
            self._at += len(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def is_at_end(self) -> bool:
        while self._at == len(self._part):
            part = next(self._parts, None)
            if part is None:
                return True
            self._part, self._at = part, 0
        return False
