"""Phones store the picture as the sensor sees it, and say in the header how to turn it. Turned once, here."""

from __future__ import annotations

import av
import av.filter

from broker.framing import StreamHeader

#: Degrees counter-clockwise → FFmpeg's filters that turn by them; all move whole samples, none resamples.
TURNS: dict[int, list[tuple[str, str | None]]] = {
    0: [],
    90: [("transpose", "cclock")],
    180: [("hflip", None), ("vflip", None)],
    270: [("transpose", "clock")],
}


class Upright:
    """Turns pictures upright as a header asks. Exact: samples are moved, never computed anew."""

    def __init__(self, header: StreamHeader) -> None:
        self._filters = TURNS[header.rotation].copy()
        if header.hflip:
            self._filters.insert(0, ("hflip", None))
        self._graph: av.filter.Graph | None = None

    def turn(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture upright; the same object where there is nothing to do."""
        if not self._filters:
            return picture
        if self._graph is None:
            self._graph = self._build(picture)
        pts, time_base = picture.pts, picture.time_base
        self._graph.push(picture)
        turned = self._graph.pull()
        assert isinstance(turned, av.VideoFrame)
        turned.pts, turned.time_base = pts, time_base
        return turned

    def _build(self, picture: av.VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        last = graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=picture.time_base,
        )
        for name, arguments in self._filters:
            node = graph.add(name, arguments)
            last.link_to(node)
            last = node
        last.link_to(graph.add("buffersink"))
        graph.configure()
        return graph
