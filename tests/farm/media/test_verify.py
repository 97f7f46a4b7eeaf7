"""A finished file is held against what was promised."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from farm.errors import StitchMismatch
from farm.media.table import Manifest
from farm.media.timeline import Timeline
from farm.media.verify import verify
from tests.clips import make_clip
from tests.farm.media.rendering import render


@pytest.fixture(scope="module", params=["mp4", "mkv"])
def finished(request, tmp_path_factory):
    """A clip that was rendered, its output, and what was copied into that."""
    place = tmp_path_factory.mktemp("finished")
    clip = make_clip(place / "clip.mp4", audio=["aac"], num_frames=40)
    output = place / f"out.{request.param}"
    rendered = render(clip, output)
    return rendered, output, rendered.mux(output).copied


def check(rendered, path, copied=None, manifest=None) -> None:
    verify(path, Timeline.of(manifest or rendered.manifest), rendered.info, rendered.target, copied=copied)


def test_a_true_output_passes(finished):
    """With the count of copied packets, and without."""
    rendered, output, copied = finished
    check(rendered, output)
    check(rendered, output, copied)


def changed(manifest: Manifest, pts) -> Manifest:
    """Return a manifest that promises other times."""
    order = np.arange(len(pts))
    return Manifest(
        time_base=manifest.time_base,
        packet_pts=np.array(pts, np.int64),
        packet_dts=order,
        packet_duration=np.full(len(pts), int(manifest.durations[0])),
        packet_size=order + 1,
        packet_flags=np.ones(len(pts), np.uint8),
    )


def test_a_missing_frame_is_found(finished):
    """One frame fewer than promised is a mismatch."""
    rendered, output, _ = finished
    times = rendered.manifest.pts.tolist()
    promised = changed(rendered.manifest, [*times, times[-1] + 512])
    with pytest.raises(StitchMismatch, match="40 of 41 frames"):
        check(rendered, output, manifest=promised)


def test_a_frame_at_another_time_is_found(finished):
    """The message names the frame."""
    rendered, output, _ = finished
    times = rendered.manifest.pts.tolist()
    times[17] += 100
    with pytest.raises(StitchMismatch, match="frame 17"):
        check(rendered, output, manifest=changed(rendered.manifest, times))


def test_lost_audio_packets_are_found(finished):
    """So is a track without any."""
    rendered, output, copied = finished
    with pytest.raises(StitchMismatch, match=r"stream 1 .* packets"):
        check(rendered, output, {1: copied[1] + 1})
    more = replace(rendered.info, others=rendered.info.others * 2)
    with pytest.raises(StitchMismatch, match="1 of 2"):
        verify(output, rendered.timeline, more, rendered.target)


def test_a_shifted_video_is_found(finished, tmp_path):
    """MP4 keeps times as they are: a video that begins late is wrong there."""
    rendered, output, _ = finished
    late = changed(rendered.manifest, (rendered.manifest.pts + 1024).tolist())
    if output.suffix == ".mkv":
        check(rendered, output, manifest=late)
        return
    with pytest.raises(StitchMismatch, match="40 frames have other times"):
        check(rendered, output, manifest=late)


def test_a_truncated_output_is_found(finished, tmp_path):
    """A full disk leaves less than was promised."""
    rendered, output, _ = finished
    path = tmp_path / output.name
    path.write_bytes(output.read_bytes()[: output.stat().st_size * 2 // 3])
    with pytest.raises(StitchMismatch):
        check(rendered, path)


def test_decode_times_that_stand_still_are_found(tmp_path):
    """Players stumble over them."""
    clip = make_clip(tmp_path / "clip.mp4", bframes=0, num_frames=10)
    rendered = render(clip, tmp_path / "out.mp4", chunks=1)
    path = tmp_path / "still.mkv"
    with av.open(str(clip)) as source, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0], opaque=True)
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.stream = stream
                packet.dts = packet.pts = max(0, number // 2 * 2) * 512
                packet.time_base = Fraction(1, 12800)
                output.mux(packet)
    with pytest.raises(StitchMismatch, match="decode time"):
        check(rendered, path)
