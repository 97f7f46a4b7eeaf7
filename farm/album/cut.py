"""Cut pictures: each file is one packet of its decoder, and one segment; a chunk is a chain of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from broker.framing import PacketRecord, StreamHeader, frame_end, frame_header, frame_packet
from farm.album.album import DECODERS, TICK, Album
from farm.album.files import read_again
from farm.album.picture import TURNS
from farm.media.cut import CastRows
from farm.media.plan import ChunkPlan
from farm.media.table import Manifest


class PictureCutter:
    """Cuts segments from the files of an album."""

    def __init__(self, album: Album, manifest: Manifest) -> None:
        self.manifest = manifest
        self._album = album

    def cut(self, plan: ChunkPlan, cast: CastRows | None = None) -> Iterator[bytes]:
        """Yield a chain of segments, one a picture; `cast` says whose faces are changed, if the job does.

        Raises:
            BadInput: a file is not what it was when it was looked at.
        """
        for number in range(plan.start, plan.end):
            picture = self._album.entries[number].picture
            data = read_again(self._album.folder / picture.name, picture)
            own = None if cast is None else tuple(row for row in cast if row[0] == number)
            yield frame_header(replace(self._header(number), cast=own))
            yield frame_packet(PacketRecord(pts=number, dts=number, duration=1, data=data, is_keyframe=True))
            yield frame_end(1)

    def _header(self, number: int) -> StreamHeader:
        entry = self._album.entries[number]
        hflip, rotation = TURNS[entry.picture.orientation]
        return StreamHeader(
            codec=DECODERS[entry.picture.kind],
            width=entry.picture.width,
            height=entry.picture.height,
            pix_fmt="",
            time_base=TICK,
            rotation=rotation,
            hflip=hflip,
            is_salvaged=self._album.is_salvaged,
            size=entry.size,
            name=entry.picture.label,
            encode=entry.encode,
            start=number,
            pts=(number,),
        )
