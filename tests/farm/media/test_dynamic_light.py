"""HDR10+ and Dolby Vision are not carried, and that is said by name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest

from farm.media.info import StreamInfo
from farm.media.probe import probe
from farm.media.target import choose_target
from tests.farm.media.dynamic_hdr import add_configuration, write_dynamic_hdr
from tests.farm.media.worked import work
from tests.services import find_ffmpeg

pytestmark = pytest.mark.needs_ffmpeg

PLUS, VISION = "HDR10+ (SMPTE ST 2094-40)", "Dolby Vision"


def notes(clip: Path) -> str:
    return "\n".join(choose_target(Path("out.mp4"), probe(clip)).notes)


@pytest.mark.parametrize(
    ("messages", "names"),
    [
        ({}, ()),
        ({"hdr10_plus": True}, (PLUS,)),
        ({"dolby_vision": True}, (VISION,)),
        ({"hdr10_plus": True, "dolby_vision": True}, (PLUS, VISION)),
    ],
)
def test_each_is_found_by_its_messages_and_named_in_a_note(tmp_path, messages, names):
    """And by nothing else; the job's row keeps it, and a row of an earlier version has none."""
    clip = write_dynamic_hdr(tmp_path / "clip.mp4", **messages)
    video = probe(clip).video
    assert video.dynamic_light == names
    assert notes(clip).count("not carried") == len(names)
    assert all(f"the input's {name} is not carried" in notes(clip) for name in names)
    body = video.to_json()
    assert StreamInfo.from_json(body) == video
    del body["dynamic_light"]
    assert StreamInfo.from_json(body).dynamic_light == ()


def test_a_container_that_promises_dolby_vision_is_believed(tmp_path):
    """Its name of the format says so, though the first frame has no data."""
    clip = write_dynamic_hdr(tmp_path / "clip.mp4")
    clip.write_bytes(clip.read_bytes().replace(b"hev1", b"dvhe"))
    assert probe(clip).video.dynamic_light == (VISION,)


@pytest.mark.parametrize("name", ["clip.mp4", "faststart.mp4", "clip.mkv"])
def test_a_configuration_record_is_enough(tmp_path, name):
    """Wherever the file has its index; ffprobe sees the same record."""
    clip = write_dynamic_hdr(tmp_path / "clip.mp4")
    assert probe(clip).video.dynamic_light == ()
    add_configuration(clip)
    if name != clip.name:
        whole = ["-c", "copy", "-strict", "unofficial", str(tmp_path / name)]
        faststart = ["-movflags", "faststart"] if name.startswith("faststart") else []
        subprocess.run([find_ffmpeg(), "-v", "error", "-i", str(clip), *faststart, *whole], check=True)
    command = ["ffprobe", "-v", "error", "-show_streams", str(tmp_path / name)]
    assert b"DOVI configuration record" in subprocess.run(command, capture_output=True, check=True).stdout
    assert probe(tmp_path / name).video.dynamic_light == (VISION,)


def test_colours_that_only_dolby_vision_explains_are_warned_of(tmp_path):
    """Its profile 5 marks no transfer; a base that plays as HDR10 does."""
    marked = write_dynamic_hdr(tmp_path / "marked.mp4", dolby_vision=True)
    unmarked = write_dynamic_hdr(tmp_path / "unmarked.mp4", dolby_vision=True, is_marked=False)
    assert "shown wrong" in notes(unmarked)
    assert "shown wrong" not in notes(marked)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_no_output_has_what_the_note_says_it_lacks(tmp_path, codec):
    """In any frame, whichever encoder; the pictures are all there."""
    clip = write_dynamic_hdr(tmp_path / "clip.mp4", hdr10_plus=True, dolby_vision=True)
    output = tmp_path / "out.mkv"
    work(clip, output, chunks=2, codec=codec)
    with av.open(str(output)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 10
    kinds = {datum.type.name for frame in frames for datum in frame.side_data}
    assert not [kind for kind in kinds if kind.startswith(("DOVI", "DYNAMIC"))]
