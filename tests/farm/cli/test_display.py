"""Progress in plain lines and drawn, and how a job's end is told."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from farm.cli.display import PlainDisplay, open_display
from farm.cli.drawing import LiveDisplay, draw
from farm.cli.exits import BAD_USAGE, DONE, FAILED, exit_code, wants_json
from farm.cli.outcome import conclude
from farm.cli.wording import columns, duration
from farm.errors import BadInput, FarmUnreachable, JobFailed, JobNotFound, NotAVideo, ServiceMissing
from farm.schemas import ErrorView, JobView, RunningChunk
from farm.states import JobState


def a_view(**fields) -> JobView:
    values = {
        "job": "j1",
        "state": JobState.RENDERING,
        "input": "/in.mp4",
        "output": "/out.mp4",
        "engine": "portrait",
        "created_at": 0.0,
        "seconds": 12.34567,
        "stage": "rendering",
        "frames": 300,
        "frames_done": 120,
        "frames_fused": 50,
        "chunks": 3,
        "chunks_done": 1,
        "attempts": 2,
        "fps": 24.04,
        "eta_s": 7.5,
        "first_frame_s": 1.5,
        "notes": [],
        "running": [],
        "error": None,
        **fields,
    }
    return JobView(**values)


def a_chunk(index=1, **fields) -> RunningChunk:
    values = {"index": index, "start": 100, "end": 200, "attempt": 1, "worker": "gpu-0", "num_frames": 20}
    return RunningChunk(**{**values, "stage": "fusing", **fields})


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_line_says_frames_rate_remaining_time_and_who_works(clock):
    out = io.StringIO()
    PlainDisplay(out, clock).show(a_view(running=[a_chunk(1), a_chunk(2, worker="gpu-1")]))
    for part in ("120/300 frames", "40 %", "24.0 fps", "ETA 0:08", "2 chunks in flight (gpu-0, gpu-1)"):
        assert part in out.getvalue()


def test_of_pictures_nothing_is_called_a_frame(clock, capsys):
    out, view = io.StringIO(), a_view(unit="picture", running=[a_chunk(1)], first_frame_s=2.0)
    PlainDisplay(out, clock).show(view)
    assert "120/300 pictures  40 %  24.0 pictures/s" in out.getvalue()
    console = Console(file=io.StringIO(), width=100)
    console.print(draw(view))
    assert "120/300 pictures" in console.file.getvalue()
    conclude(view.model_copy(update={"state": JobState.DONE}), as_json=False)
    told = capsys.readouterr().err
    assert "50 of 300 pictures fused" in told and "the first picture after 2.0 s" in told
    assert not any(
        "frame" in text or "fps" in text for text in (out.getvalue(), console.file.getvalue(), told)
    )


def test_plain_lines_come_every_two_seconds_at_most_and_only_with_news(clock):
    out = io.StringIO()
    display = PlainDisplay(out, clock)
    for frames in range(0, 300, 10):
        display.show(a_view(frames_done=frames))
        clock.sleep(0.5)
    assert len(out.getvalue().splitlines()) == 8
    clock.sleep(60)
    display.show(a_view(frames_done=280))
    lines = out.getvalue().splitlines()
    display.show(a_view(frames_done=280))
    clock.sleep(60)
    display.show(a_view(frames_done=280))
    assert lines == out.getvalue().splitlines()


def test_a_change_of_state_is_told_at_once(clock):
    out = io.StringIO()
    display = PlainDisplay(out, clock)
    display.show(a_view())
    display.show(a_view(state=JobState.STITCHING, stage="stitching 10 %"))
    assert "j1  stitching 10 %" in out.getvalue()


def test_the_display_is_drawn_on_a_terminal_and_plain_elsewhere(clock):
    assert isinstance(open_display(clock, io.StringIO()), PlainDisplay)
    live = open_display(clock, Terminal())
    assert isinstance(live, LiveDisplay)
    live.close()


def test_the_drawing_has_a_row_for_each_chunk_up_to_a_screenful():
    console = Console(file=io.StringIO(), width=100)
    console.print(draw(a_view(running=[a_chunk(index, attempt=2) for index in range(20)])))
    text = console.file.getvalue()
    assert "120/300 frames" in text
    assert text.count("try 2") == 12
    assert "and 8 more" in text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_nothing_in_the_drawing_is_broken_into_lines_however_narrow_the_terminal(width):
    console = Console(file=io.StringIO(), width=width)
    worker = "render-node-17.example.com-3-gpu7"
    view = a_view(
        stage="waiting for a worker",
        frames=1234567,
        frames_done=123456,
        eta_s=40000,
        eta_error_s=4000,
        running=[a_chunk(11234, attempt=2, worker=worker), a_chunk(3)],
    )
    console.print(draw(view))
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 4
    assert "123456/1234567 frames" in lines[1]
    assert "9 %" in lines[0]
    assert all(len(line) <= width for line in lines)
    if width >= 80:
        assert "ETA 11:06:40 ± 1:06:40" in lines[1]
        assert "try 2" in lines[2]


def test_the_live_display_leaves_nothing_but_what_was_said():
    out = Terminal()
    display = LiveDisplay(out)
    display.say("a line that [stays]")
    display.show(a_view())
    display.close()
    assert "a line that [stays]" in out.getvalue()
    assert "120/300" in out.getvalue()
    assert out.getvalue().rstrip().endswith("\x1b[2K")  # the last thing it does is to erase its own lines


def test_a_job_that_is_done_prints_its_output_and_nothing_else(capsys):
    assert conclude(a_view(state=JobState.DONE, notes=["face 1 of 2"]), as_json=False) == DONE
    out, err = capsys.readouterr()
    assert out == "/out.mp4\n"
    assert "note: face 1 of 2" in err
    assert "50 of 300 frames fused" in err


def test_json_is_one_object_with_the_promised_fields(capsys):
    error = ErrorView(code="job-failed", message="m", hint="h")
    assert conclude(a_view(state=JobState.FAILED, error=error), as_json=True) == FAILED
    out, err = capsys.readouterr()
    body = json.loads(out)
    promised = {
        "job": "j1",
        "state": "failed",
        "frames": 300,
        "chunks": 3,
        "attempts": 2,
        "seconds": 12.346,
        "fps": 24.04,
        "output": "/out.mp4",
        "error": {"code": "job-failed", "message": "m", "hint": "h"},
    }
    assert promised == {name: body[name] for name in promised}
    assert err == "error: m\nhint: h\n"


@pytest.mark.parametrize(
    "code", ["no-face", "not-a-picture", "no-such-face", "unknown-engine", "truncated-video"]
)
def test_bad_input_that_is_found_late_is_bad_input_still(code):
    view = a_view(state=JobState.FAILED, error=ErrorView(code=code, message="m"))
    assert conclude(view, as_json=False) == BAD_USAGE


def test_a_job_that_somebody_canceled_did_not_succeed(capsys):
    assert conclude(a_view(state=JobState.CANCELED), as_json=False) == FAILED
    assert "canceled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "code"), [(BadInput, 2), (NotAVideo, 2), (JobNotFound, 2), (JobFailed, 1), (FarmUnreachable, 3)]
)
def test_each_kind_of_error_has_its_exit_code(kind, code):
    assert code == exit_code(kind("m"))
    assert exit_code(ServiceMissing("m")) == 3


def test_json_is_asked_for_by_an_option_not_by_a_file_of_that_name():
    assert wants_json(["render", "a.mp4", "--json"])
    assert not wants_json(["render", "--", "--json"])


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3661, "1:01:01")]
)
def test_durations_read_like_a_clock(seconds, text):
    assert text == duration(seconds)


def test_columns_are_as_wide_as_their_widest_cell():
    assert columns(("A", "B"), [("long", "x"), ("s", "y")]) == "A     B\nlong  x\ns     y"
