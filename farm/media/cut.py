"""Cut input segments: a chunk's packets, as they lie in the file, with what a decoder must know of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import av

from broker.framing import NO_TIME, PacketRecord, StreamHeader, frame_end, frame_header, frame_packet
from farm.media.info import MediaInfo
from farm.media.packets import PacketReader
from farm.media.plan import ChunkPlan
from farm.media.table import DISCARD, KEY, Manifest

#: Whose faces are changed: frame, box (x0, y0, x1, y1) and source, in order of frames.
CastRows = tuple[tuple[int, int, int, int, int, int], ...]


class Cutter:
    """Cuts segments from one video, which stays open between cuts. Not for several threads."""

    def __init__(self, path: Path, info: MediaInfo, manifest: Manifest) -> None:
        self.manifest = manifest
        self._info = info
        self._reader = PacketReader(path, info, manifest)

    def __enter__(self) -> Self:
        """Open the video.

        Raises:
            BadInput: it cannot be opened any more, or has another size than when it was probed.
        """
        self._reader.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Close the video."""
        self._reader.__exit__(*error)

    def cut(self, plan: ChunkPlan, cast: CastRows | None = None) -> Iterator[bytes]:
        """Yield a segment, in `broker.framing`'s form: one piece a packet.

        `cast` says whose faces are changed, where the job chooses people.

        Packets go, in decode order, from the keyframe that the chunk's first frame needs to the last
        packet that any of its frames needs, context included.

        Raises:
            TruncatedVideo: the file is not what it was when it was indexed.
        """
        self._reader.move_to(plan.first_packet)
        yield frame_header(replace(self._header(plan), cast=cast))
        packets = self._reader.read(plan.first_packet, plan.stop_packet)
        for number, packet in enumerate(packets, plan.first_packet):
            yield frame_packet(self._record(number, packet))
        yield frame_end(plan.stop_packet - plan.first_packet)

    def _header(self, plan: ChunkPlan) -> StreamHeader:
        video = self._info.video
        return StreamHeader(
            codec=video.decoder,
            width=video.width,
            height=video.height,
            pix_fmt=video.pix_fmt,
            time_base=video.time_base,
            extradata=self._reader.extradata,
            codec_tag=video.codec_tag,
            frame_rate=video.average_rate,
            sample_aspect_ratio=video.sample_aspect_ratio,
            rotation=video.rotation,
            hflip=video.hflip,
            color_primaries=video.color_primaries,
            color_trc=video.color_trc,
            colorspace=video.colorspace,
            color_range=video.color_range,
            field_order=video.field_order,
            deinterlace=video.deinterlace,
            is_salvaged=self._info.is_salvaged,
            size=video.size,
            whole_from=self.manifest.whole_from,
            start=plan.start,
            pts=tuple(range(plan.start, plan.end)),
            before=tuple(range(plan.context_start, plan.start)),
            after=tuple(range(plan.end, plan.context_end)),
        )

    def _record(self, number: int, packet: av.Packet[Any]) -> PacketRecord:
        """Return a packet stamped with its frame's index.

        Times would do in most files. But some repeat them, and a demuxer may tell others after a seek.
        """
        manifest = self.manifest
        frame, dts = int(manifest.frame_of[number]), int(manifest.packet_dts[number])
        flags = int(manifest.packet_flags[number])
        return PacketRecord(
            # Without a stamp, whatever comes of a packet that is not to be shown cannot be taken for a frame.
            pts=None if frame < 0 else frame,
            dts=None if dts == NO_TIME else dts,
            duration=int(manifest.packet_duration[number]),
            data=bytes(packet),
            is_keyframe=bool(flags & KEY),
            is_discard=bool(flags & DISCARD),
            side_data=tuple((datum.data_type, bytes(datum)) for datum in packet.iter_sidedata()),
        )
