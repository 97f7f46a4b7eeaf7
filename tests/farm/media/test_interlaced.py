"""Interlaced video stays as it is: the output says which field is first, and so does each coded frame."""

from __future__ import annotations

import contextlib
import json
import subprocess

import av
import av.filter
import pytest

from bench.inputs import KINDS
from broker.framing import first_field
from farm.media.probe import probe
from farm.media.target import choose_target
from farm.media.wishes import EncodingWish
from tests.farm.media.decoding import md5
from tests.farm.media.judge import frame_md5s
from tests.farm.media.worked import work

pytestmark = pytest.mark.needs_ffmpeg


@pytest.mark.parametrize(
    ("kind", "first"), [("interlaced-h264", "tff"), ("interlaced-mpeg2", "bff"), ("interlaced-prores", "tff")]
)
def test_outputs_keep_their_fields(tmp_path, kind, first):
    """FFV1 keeps them in the container, H.264 in every frame too."""
    clip = KINDS[kind].make(tmp_path)
    assert first_field(probe(clip).video.field_order) == first
    lossless, coded = tmp_path / "out.mov", tmp_path / "out.mp4"
    work(clip, lossless, lossless=True)
    work(clip, coded)
    assert frame_md5s(lossless) == frame_md5s(clip)
    for output in (lossless, coded):
        assert first_field(probe(output).video.field_order) == first
    assert fields(coded) == {(1, int(first == "tff"))}


def test_encoders_that_cannot_mark_fields_are_named(tmp_path):
    """With what helps."""
    clip = KINDS["interlaced-prores"].make(tmp_path)
    info = probe(clip)
    for codec, is_told in [("hevc", True), ("vp9", True), ("h264", False), ("prores", False)]:
        notes = choose_target(tmp_path / "out.mkv", info, EncodingWish(codec=codec)).notes
        assert any("--deinterlace" in note for note in notes) is is_told, codec
    output = tmp_path / "out.mov"
    work(clip, output, codec="prores")
    assert first_field(probe(output).video.field_order) == "tff"
    assert fields(output) == {(1, 1)}


def test_turned_pictures_have_no_fields(tmp_path):
    """Their lines became columns."""
    from bench.inputs.matrix import turn

    clip = KINDS["interlaced-prores"].make(tmp_path)
    turn(clip, (0, 1, -1, 0))
    assert first_field(probe(clip).video.field_order) == ""


@pytest.mark.parametrize("chunks", [1, 7])
def test_deinterlacing_is_the_same_whatever_the_chunks(tmp_path, chunks):
    """The filter over the whole clip gives the same pictures, and none of them has fields."""
    clip = KINDS["interlaced-prores"].make(tmp_path)
    output = tmp_path / "out.mov"
    work(clip, output, lossless=True, deinterlace=True, chunks=chunks)
    assert frame_md5s(output) == filtered_md5s(clip)
    assert frame_md5s(output) != frame_md5s(clip)
    assert first_field(probe(output).video.field_order) == ""


def filtered_md5s(path):
    """Return the MD5 of every frame of a whole clip behind FFmpeg's filter, without chunks or workers."""
    graph, pictures = None, []
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            if graph is None:
                graph = av.filter.Graph()
                source = graph.add_buffer(template=container.streams.video[0])
                weave = graph.add("bwdif", "mode=send_frame:deint=all")
                graph.link_nodes(source, weave, graph.add("buffersink")).configure()
            graph.push(picture)
            pictures += pulled(graph)
    graph.push(None)
    return [md5(picture) for picture in pictures + pulled(graph)]


def pulled(graph):
    """Return what a filter has ready."""
    found = []
    with contextlib.suppress(av.BlockingIOError, av.EOFError):
        while True:
            found.append(graph.pull())
    return found


def fields(path):
    """Return what ffprobe says of all frames: (interlaced, top field first)."""
    probe = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_frames", "-of", "json", path]
    frames = json.loads(subprocess.run(probe, capture_output=True, check=True).stdout)["frames"]
    return {(frame["interlaced_frame"], frame["top_field_first"]) for frame in frames}
