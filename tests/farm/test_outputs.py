"""Several outputs of one render, and those that one encoder must make as a whole."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bench.judge import frame_md5s, frame_times
from farm.errors import BadInput
from farm.states import JobState
from tests.clips import make_clip, read_numbers
from tests.services import find_ffmpeg
from workers.media.trial import trouble_with

pytestmark = pytest.mark.needs_ffmpeg

RATE = Fraction(30000, 1001)
NUM_FRAMES = 60


@pytest.fixture(scope="module")
def numbers(tmp_path_factory) -> Path:
    """A clip whose frames carry their numbers, in NTSC's rate, with sound."""
    path = tmp_path_factory.mktemp("clips") / "numbers.mp4"
    return make_clip(path, fps=RATE, num_frames=NUM_FRAMES, size=(320, 192), audio=["aac"], bframes=2)


@pytest.fixture
def ask(numbers, tmp_path):
    """A request about that clip."""
    return {
        "input": str(numbers),
        "output": str(tmp_path / "out.mp4"),
        "engine": "passthrough",
        "chunk_seconds": 0.5,
        "encoder_preset": "ultrafast",
    }


def render(simulation, request):
    job = simulation.run(simulation.submit(**request))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    left = {path.name for path in Path(job.output_path).parent.iterdir()} - {"home"}
    wanted = {Path(each["path"]).name for each in job.target["outputs"]}
    assert left == wanted, "partial files are left"
    return job


def to(path: Path, preset: str | None = None) -> dict[str, str | None]:
    return {"path": str(path), "preset": preset}


def size_of(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        return container.streams.video[0].width, container.streams.video[0].height


def comment_of(path: Path) -> str:
    command = ["ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", str(path)]
    body = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return body["format"]["tags"]["comment"]


@pytest.mark.parametrize(("codec", "kbits"), [("h264", 300), ("hevc", 300), ("av1", 60), ("vp9", 300)])
def test_a_bit_rate_is_met_over_the_whole(simulation, ask, codec, kbits):
    """Encoded once, as a whole; every frame is there, at the input's own time."""
    job = render(simulation, ask | {"bitrate": f"{kbits}k", "codec": codec})
    output = Path(job.output_path)
    assert read_numbers(output) == list(range(NUM_FRAMES))
    assert frame_times(output) == frame_times(Path(job.input_path))
    with av.open(str(output)) as container:
        num_bits = 8 * sum(packet.size for packet in container.demux(video=0))
    # Two seconds of an easy picture are little to meet a rate in, and SVT-AV1 keeps well below.
    assert 0.3 < num_bits / (NUM_FRAMES / RATE) / (1000 * kbits) < 1.5


@pytest.mark.parametrize(("asked", "size"), [("96", (160, 96)), ("200x120", (200, 120)), ("384", (640, 384))])
def test_another_size(simulation, ask, asked, size):
    """A height alone keeps the shape; times and frames stay."""
    job = render(simulation, ask | {"resize": asked})
    output = Path(job.output_path)
    assert size_of(output) == size
    assert frame_times(output) == frame_times(Path(job.input_path))
    assert read_numbers(output) == list(range(NUM_FRAMES))


def shown_at(rate: Fraction, count: int) -> list[int]:
    """Return, for every output frame, the last input frame whose time, rounded to output frames, has come."""
    begins = [int(number / RATE * rate + Fraction(1, 2)) for number in range(NUM_FRAMES)]
    return [max(n for n, begin in enumerate(begins) if begin <= place) for place in range(count)]


@pytest.mark.parametrize(
    ("asked", "rate"), [("25", Fraction(25)), ("59.94", Fraction(60000, 1001)), ("12", Fraction(12))]
)
def test_another_rate_is_exact(simulation, ask, asked, rate):
    """Frames at n / rate and nowhere else, as many as fill the time, each the one that is due; it is said."""
    job = render(simulation, ask | {"fps": asked})
    output = Path(job.output_path)
    count = round(NUM_FRAMES / RATE * rate)
    assert frame_times(output) == [number / rate for number in range(count)]
    assert read_numbers(output) == shown_at(rate, count)
    assert any(str(rate) in note for note in job.notes)
    with av.open(str(output)) as container:
        assert container.streams.video[0].average_rate == rate


def test_a_master_a_proxy_a_gif_and_a_poster(simulation, ask, tmp_path):
    """One render; the master is the chunks themselves, the rest is made from it, and each says what it is."""
    names = ["master.mp4", "proxy.mov", "loop.gif", "poster.jpg", "poster.png"]
    paths = [tmp_path / name for name in names]
    wanted = [to(paths[0], "hevc-10bit"), *(to(path) for path in paths[2:]), to(paths[1], "prores-proxy")]
    job = render(simulation, ask | {"output": str(paths[0]), "to": wanted})
    assert job.target["chunks"]["encode"]["codec"] == "libx264", "two at full size: a mezzanine"
    for path in (paths[0], paths[1]):
        assert read_numbers(path) == list(range(NUM_FRAMES))
        assert frame_times(path) == frame_times(Path(job.input_path))
        assert "altered by AI" in comment_of(path)
    with av.open(str(paths[0])) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p10le"
    assert b"altered by AI" in paths[2].read_bytes()[:2000]
    for still in paths[3:]:
        assert b"altered by AI" in still.read_bytes()[:2000]
        assert size_of(still) == (320, 192)
    assert number_in(paths[4]) == NUM_FRAMES // 2
    with av.open(str(paths[2])) as container:
        assert len(list(container.decode(video=0))) == round(NUM_FRAMES / RATE * 10)


def number_in(picture: Path) -> int:
    from tests.clips import read_number

    with av.open(str(picture)) as container:
        return read_number(next(container.decode(video=0)).reformat(format="yuv420p"))


def test_what_is_smaller_is_made_from_the_master(simulation, ask, tmp_path):
    """The workers' own chunks are the master, bit for bit; no second encode of it."""
    wanted = [to(tmp_path / "out.mkv", "ffv1"), to(tmp_path / "small.gif", "gif")]
    job = render(simulation, ask | {"output": wanted[0]["path"], "to": wanted})
    assert job.target["chunks"]["encode"]["codec"] == "ffv1"
    assert frame_md5s(Path(job.output_path)) == frame_md5s(Path(job.input_path))


def test_a_part_at_another_rate_and_size_with_sound(simulation, ask):
    """All at once: frames 15 to 44, halved, at 25 a second, and sound that begins with them."""
    job = render(simulation, ask | {"start": "15f", "end": "45f", "resize": "96", "fps": "25"})
    output = Path(job.output_path)
    assert frame_times(output) == [Fraction(number, 25) for number in range(25)]
    found = read_numbers(output)
    assert (found[0], found[-1]) == (15, 44)
    with av.open(str(output)) as container:
        sound = container.streams.audio[0]
        assert abs(sound.start_time * sound.time_base) <= Fraction(1, 48_000)
        assert float(sound.duration * sound.time_base) == pytest.approx(30 / RATE, abs=0.03)


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_fragments(simulation, ask, tmp_path, suffix):
    """The file can be read while it grows: fragments follow an index without samples; times are as ever."""
    output = tmp_path / f"out.{suffix}"
    job = render(simulation, ask | {"output": str(output), "fragmented": True})
    data = output.read_bytes()
    assert data.count(b"moof") >= 2
    assert data.index(b"moov") < data.index(b"moof")
    assert frame_times(output) == frame_times(Path(job.input_path))
    assert read_numbers(output) == list(range(NUM_FRAMES))


def test_an_index_in_front_otherwise(simulation, ask):
    """Players start before the file is there as a whole."""
    data = Path(render(simulation, ask).output_path).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_uneven_times_survive_a_second_encode(simulation, ask, tmp_path):
    """The encoder sees numbers; the file has the input's own times."""
    times = [0, 40, 50, 120, 121, 200, 210, 360, 400, 410, 500, 505, 640, 700]
    clip = make_clip(tmp_path / "home-vfr.mkv", pts=times, num_frames=len(times), time_base=Fraction(1, 1000))
    output = tmp_path / "out.mov"
    job = simulation.run(
        simulation.submit(**ask | {"input": str(clip), "output": str(output), "bitrate": "500k"})
    )
    assert job.state == JobState.DONE, job.error_message
    assert frame_times(output) == [Fraction(time, 1000) for time in times]
    assert read_numbers(output) == list(range(len(times)))


def test_a_taken_name_keeps_the_outputs_that_are_done(simulation, ask, tmp_path):
    """The second name is taken meanwhile: the first output stays, and a retry makes the second alone."""
    wanted = [to(tmp_path / "a.mp4", "h264"), to(tmp_path / "b.jpg")]
    job_id = simulation.submit(**ask | {"output": wanted[0]["path"], "to": wanted})
    (tmp_path / "b.jpg").write_bytes(b"precious")
    job = simulation.run(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "output-refused")
    made = (tmp_path / "a.mp4").stat()
    assert (tmp_path / "b.jpg").read_bytes() == b"precious"
    (tmp_path / "b.jpg").unlink()
    from farm.steering.retry import retry

    retry(simulation.farm, job_id)
    job = simulation.run(job_id)
    assert job.state == JobState.DONE, job.error_message
    assert (tmp_path / "a.mp4").stat().st_mtime_ns == made.st_mtime_ns
    assert (tmp_path / "b.jpg").stat().st_size > 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bitrate": "lots"}, "bit rate"),
        ({"bitrate": "5M", "crf": 20}, "exclude"),
        ({"bitrate": "5M", "lossless": True}, "lossless"),
        ({"resize": "big"}, "picture size"),
        ({"resize": "101"}, "even"),
        ({"fps": "fast"}, "frame rate"),
        ({"fps": "0"}, "rates go up"),
        ({"to": [{"path": "/tmp/x.mp4", "preset": "nonesuch"}]}, "no such preset"),
        ({"to": [{"path": "/tmp/x.mp4", "preset": "prores-hq"}]}, "does not go into"),
        ({"to": [{"path": "/tmp/x.jpg"}, {"path": "/tmp/x.jpg"}]}, "two outputs"),
    ],
)
def test_what_cannot_be_is_refused_at_once_with_a_remedy(simulation, ask, changes, said):
    with pytest.raises(BadInput, match=said) as caught:
        simulation.submit(**ask | changes)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("codec", "software"), [("h264", "libx264"), ("hevc", "libx265"), ("av1", "libsvtav1")]
)
def test_an_encoder_that_no_worker_has_is_replaced_and_said(simulation, ask, codec, software):
    """A worker tries it with a picture; without such a device, software takes over, and it is said."""
    if trouble_with(f"{codec}_nvenc", "yuv420p") is None:
        pytest.skip("this machine has NVENC")
    job = render(simulation, ask | {"codec": codec, "encoder": "nvenc"})
    assert job.target["chunks"]["encode"]["codec"] == software
    (note,) = [note for note in job.notes if "nvenc" in note]
    assert note.endswith(f"{software} was taken")
    assert read_numbers(Path(job.output_path)) == list(range(NUM_FRAMES))


def test_hardware_is_for_what_workers_encode(simulation, ask):
    """The farm itself need have no GPU: what it encodes as a whole is encoded in software, and it is said."""
    job = render(simulation, ask | {"encoder": "nvenc", "bitrate": "300k"})
    assert job.target["outputs"][0]["encode"]["codec"] == "libx264"
    assert any("libx264 is taken here" in note for note in job.notes)


def test_colours_survive_a_second_encode(simulation, ask, tmp_path):
    """Primaries, transfer, matrix and range are the input's, in the stream and in the file."""
    clip = tmp_path / "home-colours.mp4"
    tags = [
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
        "-color_range",
        "tv",
    ]
    subprocess.run(
        [
            *(find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=192x128:rate=25:duration=1"),
            *(
                "-c:v",
                "libx265",
                "-pix_fmt",
                "yuv420p10le",
                "-x265-params",
                "log-level=error",
                *tags,
                str(clip),
            ),
        ],
        check=True,
    )
    for number, changes in enumerate(({}, {"bitrate": "1M"}, {"codec": "av1"}, {"codec": "prores"})):
        suffix = "mov" if changes.get("codec") == "prores" else "mp4"
        output = tmp_path / f"out{number}.{suffix}"
        job = simulation.run(
            simulation.submit(**ask | {"input": str(clip), "output": str(output), **changes})
        )
        assert job.state == JobState.DONE, job.error_message
        with av.open(str(output)) as container:
            found = container.streams.video[0].codec_context
            assert (found.color_primaries, found.color_trc, found.colorspace, found.color_range) == (
                9,
                16,
                9,
                1,
            )
            assert found.format.components[0].bits == 10


def test_a_lossless_output_among_others_is_lossless(simulation, ask, tmp_path):
    """Then chunks travel without loss, too: noise is what any other way would show in."""
    rng = np.random.default_rng(0)
    clip = tmp_path / "home-noise.mkv"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=192, height=128, pix_fmt="yuv420p")
        for _ in range(10):
            noise = rng.normal(128, 20, (192, 192)).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="yuv420p")))
        container.mux(stream.encode(None))
    output = tmp_path / "out.mkv"
    wanted = [to(output, "hevc-lossless"), to(tmp_path / "other.mp4", "h264")]
    request = ask | {"input": str(clip), "output": str(output), "to": wanted}
    job = simulation.run(simulation.submit(**request))
    assert job.state == JobState.DONE, job.error_message
    assert frame_md5s(output) == frame_md5s(clip)
