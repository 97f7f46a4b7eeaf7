"""The main promise, on real processes, judged by FFmpeg: every frame once, in order, on time, bit for bit."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from bench import judge

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

LOSSLESS = ["--engine", "passthrough", "--lossless", "--overwrite"]


@pytest.mark.parametrize("chunk_seconds", ["0.7", "3", "60"])
def test_lossless_passthrough_is_the_input(farm, clip, tmp_path, chunk_seconds):
    """Frames, times and both audio tracks, whatever the chunk length."""
    output = tmp_path / "out.mov"
    result = farm.render(str(clip), *LOSSLESS, "--chunk-seconds", chunk_seconds, "-o", str(output))
    assert result["state"] == "done"
    assert result["chunks"] == result["attempts"]
    assert judge.frame_md5s(output) == judge.frame_md5s(clip)
    assert judge.frame_times(output) == judge.frame_times(clip)
    assert judge.audio_packets(output) == judge.audio_packets(clip)
    assert len({stream for stream, _ in judge.audio_packets(output)}) == 2


def test_matroska_keeps_frames_and_rounds_times(farm, clip, tmp_path):
    """Its clock ticks in milliseconds: times are the input's, rounded, and the user is told."""
    output = tmp_path / "out.mkv"
    result = farm.render(str(clip), *LOSSLESS, "--chunk-seconds", "3", "-o", str(output))
    assert judge.frame_md5s(output) == judge.frame_md5s(clip)
    ours, theirs = judge.frame_times(output), judge.frame_times(clip)
    offset = ours[0] - theirs[0]
    assert all(abs(a - offset - b) <= Fraction(1, 1000) for a, b in zip(ours, theirs, strict=True))
    assert any("milliseconds" in note for note in result["notes"])


def test_h264_output_plays_in_time(farm, clip, tmp_path):
    """Lossy chunks join into one stream with the input's times, decode order and tags."""
    output = tmp_path / "out.mp4"
    result = farm.render(str(clip), "--engine", "passthrough", "--chunk-seconds", "2", "-o", str(output))
    assert result["chunks"] > 3
    assert judge.frame_times(output) == judge.frame_times(clip)
    assert judge.audio_packets(output) == judge.audio_packets(clip)
    probe = [
        "ffprobe",
        "-v",
        "error",
        "-show_entries",
        "format_tags:packet=dts",
        "-select_streams",
        "v",
        "-of",
        "json",
    ]
    body = json.loads(subprocess.run([*probe, output], capture_output=True, check=True).stdout)
    dts = [packet["dts"] for packet in body["packets"]]
    assert dts == sorted(set(dts))
    assert "altered by AI" in body["format"]["tags"]["comment"]
    assert "altered by AI" in body["format"]["tags"]["description"]


def test_h264_frames_are_the_inputs_in_order(farm, tmp_path):
    """Each frame carries its own number, and still does after lossy coding in chunks."""
    from tests.clips import make_clip, read_numbers

    path = make_clip(tmp_path / "numbers.mp4", num_frames=150)
    output = tmp_path / "out.mp4"
    farm.render(str(path), "--engine", "passthrough", "--chunk-seconds", "1", "-o", str(output))
    assert read_numbers(output) == list(range(150))


def test_nothing_is_left_in_redis(farm, clip, tmp_path):
    """After a job, no byte and no key of it."""
    from redis import Redis

    result = farm.render(str(clip), *LOSSLESS, "--chunk-seconds", "1", "-o", str(tmp_path / "out.mov"))
    redis = Redis.from_url(farm.redis_url())
    for _ in range(50):
        keys = [key.decode() for key in redis.keys(f"*{result['job']}*")]
        if not keys:
            break
        __import__("time").sleep(0.1)
    assert keys == []
    assert int(redis.get("farm:bytes") or 0) == 0
    assert list(Path(farm.home, "jobs").iterdir()) == []


@pytest.mark.parametrize(("rotation", "hflip"), [(90, False), (270, False), (180, False), (0, True)])
def test_phone_clips_come_out_upright(farm, tmp_path, rotation, hflip):
    """The display matrix is applied once: the input turned by a player, and the output as it is, are one."""
    from tests.clips import make_clip

    path = make_clip(tmp_path / "phone.mp4", num_frames=30, rotation=rotation, hflip=hflip)
    output = tmp_path / "out.mov"
    farm.render(str(path), *LOSSLESS, "--chunk-seconds", "0.5", "-o", str(output))
    assert judge.frame_md5s(output) == judge.frame_md5s(path)
    probe = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream_side_data", output]
    assert "rotation" not in subprocess.run(probe, capture_output=True, text=True, check=True).stdout
