"""Bad usage and bad input: one clear line, exit code 2, nothing left behind."""

from __future__ import annotations

import json
import shutil
import socket
from fractions import Fraction
from pathlib import Path
from typing import get_args

import av
import ffmpeg
import pytest
from pydantic import ValidationError

from broker.clock import SystemClock
from farm.cli.options.encoding import EncoderPreset
from farm.ffmpeg_program import run_ffmpeg
from farm.requests import JobRequest, X264Preset

FACE = Path(__file__).parents[3] / "farm" / "assets" / "eileen_collins.jpg"


def refused(result, code=2):
    """Check that a command was refused in one line and a hint, and return the line."""
    assert result.returncode == code, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert [line.partition(":")[0] for line in lines[1:]] in (["hint"], [])
    return lines[0]


@pytest.fixture
def inputs(tmp_path, clip):
    directory = tmp_path / "inputs"
    directory.mkdir()
    (directory / "empty.mp4").touch()
    (directory / "words.mp4").write_text("this is not a video\n" * 100)
    data = clip.read_bytes()
    (directory / "cut.mp4").write_bytes(data[: len(data) // 2])
    shutil.copy(clip, directory / "good.mp4")
    tone = ffmpeg.input("sine=duration=1", f="lavfi")
    run_ffmpeg(tone.output(str(directory / "sound.m4a"), **{"c:a": "aac"}))
    return directory


@pytest.mark.parametrize("name", ["missing.mp4", "empty.mp4", "words.mp4", "cut.mp4", "sound.m4a"])
def test_an_input_that_is_no_video_is_refused_at_once(farm, inputs, tmp_path, name):
    before = sorted(inputs.iterdir())
    line = refused(farm("render", inputs / name, "--source", FACE))
    assert name in line
    assert before == sorted(inputs.iterdir())
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "nowhere/out.mp4"], "nowhere"),
        (["-o", "good.mp4", "--overwrite"], "input itself"),
        (["-o", "taken.mp4"], "already there"),
        (["-o", "out.mp4", "--lossless"], ".mp4 cannot hold"),
        (["-s", "missing.jpg"], "missing.jpg"),
        (["--crf", "99"], "--crf"),
        (["--faces", "some"], "--faces"),
        (["--encoder-preset", "bogus"], "'veryslow'"),
        (["--workers", "0"], "--workers"),
        (["--window-bytes", "10"], "--window-bytes"),
        (["--bogus"], "--bogus"),
    ],
)
def test_options_that_cannot_be_used_are_refused(farm, inputs, monkeypatch, arguments, said):
    monkeypatch.chdir(inputs)
    (inputs / "taken.mp4").write_bytes(b"precious")
    before = {path: path.read_bytes() for path in inputs.iterdir()}
    assert said in refused(farm("render", "good.mp4", "--source", FACE, *arguments))
    assert before == {path: path.read_bytes() for path in inputs.iterdir()}


def test_the_command_line_offers_the_presets_that_a_request_may_name_and_x264_knows():
    offered, _ = get_args(EncoderPreset)
    assert get_args(offered) == get_args(X264Preset)
    for preset in get_args(X264Preset):
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
        encoder.time_base, encoder.options = Fraction(1, 25), {"preset": preset}
        encoder.open()
    with pytest.raises(ValidationError, match="preset"):
        JobRequest(input="/in.mp4", output="/out.mp4", encoder_preset="bogus")


@pytest.mark.needs_redis
@pytest.mark.parametrize("arguments", [["up", "--no-flower"], ["render", "CLIP", "-s", FACE, "-o", "OUT"]])
def test_a_gpu_that_is_not_there_ends_the_command_at_once(farm, clip, tmp_path, arguments):
    paths = {"CLIP": clip, "OUT": tmp_path / "out.mp4"}
    given = [paths.get(argument, argument) for argument in arguments]
    result = farm(*given, "--gpus", "7777", FARM_API_PORT="0")
    assert result.returncode == 2, result
    error, hint = result.stderr.splitlines()[-2:]
    assert error.startswith("error: no GPU 7777 here")
    assert hint.startswith("hint: --gpus all")
    assert "restarting" not in result.stderr


@pytest.mark.parametrize("below", [".", "below", "below/further"])
def test_a_home_that_cannot_be_written_is_named(farm, tmp_path, below):
    (tmp_path / "file").write_text("not a directory")
    home = tmp_path / "file" / below
    line = refused(farm("up", FARM_HOME=str(home)))
    assert str(home) in line


@pytest.mark.needs_redis
def test_a_port_that_was_chosen_for_flower_must_be_free(farm):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        line = refused(farm("up", FARM_FLOWER_PORT=port, FARM_API_PORT="0"))
    assert f"port {port} is taken" in line
    assert "FARM_FLOWER_PORT" in line


def test_a_home_on_a_disk_that_takes_no_writes_is_named(farm):
    assert "/proc/nonesuch" in refused(farm("up", FARM_HOME="/proc/nonesuch"))


def test_a_source_is_asked_for_before_anything_starts(farm, clip):
    assert "source portrait" in refused(farm("render", clip))


def test_json_tells_a_refusal_in_one_object(farm, tmp_path):
    result = farm("render", tmp_path / "none.mp4", "--json")
    assert result.returncode == 2
    told = json.loads(result.stdout)
    assert {"job", "state", "frames", "chunks", "attempts", "seconds", "fps", "output", "error"} == set(told)
    assert told["state"] == "failed"
    assert {"code", "message", "hint"} == set(told["error"])


def test_an_unknown_command_is_bad_usage(farm):
    assert "No such command" in refused(farm("rendr"))


def test_json_tells_bad_usage_too(farm):
    result = farm("cancel", "--json")
    assert result.returncode == 2
    assert json.loads(result.stdout)["error"]["code"] == "bad-usage"


@pytest.mark.parametrize(
    "arguments", [["list"], ["status"], ["status", "x"], ["watch"], ["cancel", "x"], ["down"]], ids=" ".join
)
def test_without_a_farm_the_exit_code_is_three(farm, home, arguments):
    assert str(home) in refused(farm(*arguments), code=3)


def test_a_farm_that_does_not_answer_at_its_url_is_unreachable(farm, clip):
    url = "http://127.0.0.1:9"
    assert url in refused(farm("list", FARM_URL=url), code=3)
    assert url in refused(farm("render", clip, "--engine", "passthrough", FARM_URL=url), code=3)


def test_what_answers_but_is_no_farm_is_said_to_be_none(farm):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        server.close()
        assert "no farm answers" in refused(farm("list", FARM_URL=url), code=3)


def test_a_worker_must_know_redis(farm):
    assert "FARM_REDIS_URL" in refused(farm("worker"))


def test_a_setting_that_cannot_be_read_is_named(farm, clip):
    arguments = ("render", clip, "--engine", "passthrough", "--private")
    assert "FARM_API_PORT" in refused(farm("list", FARM_API_PORT="many"))
    assert "FARM_FLOWER_PORT" in refused(farm("up", FARM_FLOWER_PORT="-1"))
    assert "FARM_PART_BYTES" in refused(farm(*arguments, FARM_PART_BYTES="0"))
    assert "FARM_REDIS_URL" in refused(farm(*arguments, FARM_REDIS_URL="http://x"))


def test_help_and_version_answer_at_once(farm):
    clock = SystemClock()
    began_s = clock.now_s()
    assert farm("--version").stdout.strip()[0].isdigit()
    text = farm("--help").stdout
    assert clock.now_s() - began_s < 5  # a tenth of that on an idle machine
    for command in ("render", "up", "down", "submit", "status", "list", "watch", "cancel", "probe", "worker"):
        assert f"\n  {command} " in text


def test_help_stands_in_sections(farm):
    text = farm("render", "--help").stdout
    headings = [
        "Arguments:",
        "Files:",
        "Which faces, and how:",
        "How the output is encoded:",
        "Other options:",
    ]
    places = [text.index(f"\n{heading}\n") for heading in headings]
    assert places == sorted(places)
    assert places[3] < text.index("--crf") < places[4] < text.index("  --json  ")


def test_no_command_at_all_is_bad_usage_and_shows_the_help(farm):
    result = farm()
    assert result.returncode == 2
    assert "farm render" in result.stdout


def test_probe_shows_what_the_header_says(farm, clip):
    table = farm("probe", clip).stdout
    assert "160x120" in table
    assert "25 fps" in table
    assert "aac" in table
    body = json.loads(farm("probe", clip, "--json").stdout)
    assert body["video"]["width"] == 160
    assert [stream["kind"] for stream in body["others"]] == ["audio"]
    assert (body["video"]["average_rate"], body["video"]["fps"]) == ("25", 25.0)
    assert body["duration_seconds"] == pytest.approx(float(Fraction(body["duration_s"])))
    assert body["others"][0]["duration_seconds"] == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("arguments", [["none.mp4"], []])
def test_a_failing_probe_prints_its_error_and_nothing_of_a_job(farm, arguments):
    result = farm("probe", *arguments, "--json")
    assert result.returncode == 2
    assert list(json.loads(result.stdout)) == ["error"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"this is not a picture\n" * 100, "not a picture"),
        (b"", "not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIF"),
    ],
)
def test_a_source_that_is_no_picture_is_refused_before_anything_starts(farm, clip, tmp_path, content, said):
    (tmp_path / "face.jpg").write_bytes(content)
    line = refused(farm("render", clip, "--source", tmp_path / "face.jpg"))
    assert "face.jpg" in line
    assert said in line


def test_a_video_is_no_portrait(farm, clip):
    assert "not a picture" in refused(farm("render", clip, "--source", clip))
