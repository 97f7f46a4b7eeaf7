"""Whole pictures from fields: the missing lines of each are worked out from the pictures around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av
import av.filter

from broker.framing import StreamHeader

#: A picture of the video, and its index.
Numbered = tuple[int, av.VideoFrame]

#: FFmpeg's bwdif, which looks at one picture on each side (`farm.prepare` cuts chunks accordingly): one out
#: for each one in, whatever their marks say, since the user asked for all.
_FILTER = ("bwdif", "mode=send_frame:deint=all")


def whole_pictures(pictures: Iterable[Numbered], header: StreamHeader) -> Iterator[Numbered]:
    """Yield the pictures deinterlaced, with the same indexes; untouched if the header asks for nothing."""
    if not header.deinterlace:
        yield from pictures
        return
    graph: av.filter.Graph | None = None
    waiting: list[int] = []
    for index, picture in pictures:
        graph = graph or _build(picture)
        waiting.append(index)
        graph.push(picture)
        yield from _ready(graph, waiting)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph, waiting)


def _ready(graph: av.filter.Graph, waiting: list[int]) -> Iterator[Numbered]:
    while waiting:
        try:
            picture = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(picture, av.VideoFrame)
        yield waiting.pop(0), picture


def _build(picture: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=picture.time_base
    )
    graph.link_nodes(source, graph.add(*_FILTER), graph.add("buffersink")).configure()
    return graph
