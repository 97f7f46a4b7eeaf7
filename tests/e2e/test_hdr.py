"""A face is fused into HDR video: ten bits stay ten, and everything beside the face keeps its bits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import numpy as np
import pytest

from bench.clips import SOURCE
from bench.judge import frame_times
from farm.media.probe import probe
from workers.face.pyramid import Pyramid
from workers.media.pictures import planes_of
from workers.models.mtcnn_cascade import FaceFinder

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

NUM_FRAMES = 12

#: How far from the middle of its five landmarks a fused face reaches, in distances between the eyes.
REACH = np.array([1.3, 1.8])

#: PQ, with paper white at 203 cd/m² (ITU-R BT.2408).
_TO_PQ = (
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv,"
    "zscale=t=linear:npl=203,format=gbrpf32le,"
    "zscale=p=bt2020:t=smpte2084:m=bt2020nc:r=limited:npl=203,format=yuv420p10le"
)
_LIGHT = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
)


@pytest.fixture(scope="module")
def hdr_video(portrait_video, tmp_path_factory) -> Path:
    """The moving portrait as HDR10, with its display and its light."""
    path = tmp_path_factory.mktemp("hdr") / "hdr.mp4"
    marks = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]
    codec = [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-crf",
        "12",
        "-x265-params",
        f"log-level=none:{_LIGHT}",
    ]
    command = ["ffmpeg", "-v", "error", "-i", portrait_video, "-vf", _TO_PQ, "-frames:v", str(NUM_FRAMES)]
    subprocess.run([*command, *codec, *marks, "-an", path], check=True)
    return path


def frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def faces(path: Path) -> list[np.ndarray]:
    """Return the landmarks of the face in each frame, (5, 2) in pixels."""
    finder, found = FaceFinder(), []
    for frame in frames(path)[:NUM_FRAMES]:
        (face,) = finder.find(Pyramid(frame.to_ndarray(format="rgb24")))
        found.append(face.landmarks)
    return found


def test_ten_bits_of_pq_are_the_inputs_own_beside_the_face(farm, hdr_video, portrait_video, tmp_path):
    """Every sample of all planes. The face itself has ten bits, too, and the light stays said."""
    output = tmp_path / "out.mkv"
    result = farm.render(
        *(str(hdr_video), "--source", str(SOURCE), "--lossless", "--chunk-seconds", "0.2", "-o", str(output))
    )
    assert result["frames_fused"] == result["frames"] == NUM_FRAMES
    assert result["chunks"] > 1
    before, after = probe(hdr_video).video, probe(output).video
    assert (after.pix_fmt, after.bit_depth, after.color_trc, after.colorspace) == ("yuv420p10le", 10, 16, 9)
    assert after.light == before.light
    assert frame_times(output) == frame_times(hdr_video)
    for given, fused, marks in zip(frames(hdr_video), frames(output), faces(portrait_video), strict=True):
        assert fused.format.name == given.format.name == "yuv420p10le"
        eyes_px = float(np.linalg.norm(marks[0] - marks[1]))
        for step, one, two in zip((1, 2, 2), planes_of(given), planes_of(fused), strict=True):
            changed = np.argwhere(one != two)[:, ::-1] * step
            assert len(changed) > 200
            assert (np.abs(changed - marks.mean(axis=0)).max(axis=0) / eyes_px < REACH).all()
        is_changed = planes_of(given)[0] != planes_of(fused)[0]
        assert len(np.unique(planes_of(fused)[0][is_changed] % 4)) == 4, "eight bits, shifted, end in zeros"
