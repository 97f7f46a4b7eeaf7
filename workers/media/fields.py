"""Interlaced video: a picture is two fields, and encoders must be told which of them is shown first."""

from __future__ import annotations

import av
import av.filter

from broker.framing import StreamHeader, first_field


class Fields:
    """Marks pictures as an input's header says. Their samples are not touched."""

    def __init__(self, header: StreamHeader) -> None:
        self._first = first_field(header.field_order)
        self._graph: av.filter.Graph | None = None

    def mark(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture marked; the same object where the video is not interlaced.

        A picture that was changed on the way has lost its mark, and encoders go by the mark of each.
        """
        if not self._first:
            return picture
        if self._graph is None:
            self._graph = self._build(picture)
        self._graph.push(picture)
        marked = self._graph.pull()
        assert isinstance(marked, av.VideoFrame)
        return marked

    def _build(self, picture: av.VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=picture.time_base,
        )
        graph.link_nodes(source, graph.add("setfield", self._first), graph.add("buffersink")).configure()
        return graph
