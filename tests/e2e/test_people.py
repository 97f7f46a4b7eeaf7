"""Two people, two sources, on a real farm: everybody keeps their own, over every border of every plan."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest

from tests.people_clips import COLLINS, HOPPER, crossing, two_people, who_is_at

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

NUM_FRAMES = 36
PATHS = crossing(NUM_FRAMES)

#: Closer than this, in pixels, one hides the other: then nothing is asked of the pixels.
HIDDEN_PX = 80


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return two_people(tmp_path_factory.mktemp("people") / "crossing.mp4", NUM_FRAMES, PATHS, gop=9)


def frames(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def seen_apart():
    """Yield frames in which both are seen, with both places: Collins's, then Hopper's."""
    for number in range(NUM_FRAMES):
        one, two = (way(number) for way in PATHS)
        if abs(one[0] - two[0]) > HIDDEN_PX:
            yield number, one, two


def test_the_judge_knows_who_is_who(clip):
    """In the input itself: Collins is Collins and Hopper is Hopper."""
    before = frames(clip)
    for number, one, two in seen_apart():
        assert (who_is_at(before[number], one, COLLINS), who_is_at(before[number], two, HOPPER)) == (
            COLLINS,
            HOPPER,
        )


def test_everybody_keeps_their_source(farm, clip, tmp_path):
    """Before and after they pass each other, in chunks of any length; the same bits for all plans."""
    found = json.loads(farm.command("faces", str(clip), "-o", str(tmp_path / "who"), "--json").stdout)
    assert found["people"][0]["frames"] == NUM_FRAMES
    assert found["people"][1]["frames"] > NUM_FRAMES - 12
    # While one is half hidden, what is seen of both may be taken for somebody else.
    assert all(person["frames"] < NUM_FRAMES // 3 for person in found["people"][2:])
    outputs = []
    for seconds in ("60", "0.5"):
        output = tmp_path / f"{seconds}.mov"
        result = farm.render(
            *(str(clip), "--gallery", str(tmp_path / "who"), "--lossless", "--chunk-seconds", seconds),
            *("--map", f"1={HOPPER}", "--map", f"2={COLLINS}", "-o", str(output)),
        )
        outputs.append((result["chunks"], frames(output)))
    assert len({chunks for chunks, _ in outputs}) == 2
    assert all(map(np.array_equal, outputs[0][1], outputs[1][1]))
    for number, one, two in seen_apart():
        after = outputs[0][1][number]
        assert (who_is_at(after, one, COLLINS), who_is_at(after, two, HOPPER)) == (HOPPER, COLLINS), number


def test_a_place_names_one_person_for_the_whole_video(farm, clip, tmp_path):
    """Who is first from the left at the beginning is the last at the end, and Hopper is never touched."""
    output = tmp_path / "out.mov"
    farm.render(
        *(str(clip), "--source", str(HOPPER), "--face-at", "0@0f", "--lossless", "--chunk-seconds", "0.5"),
        *("-o", str(output)),
    )
    after, before = frames(output), frames(clip)
    for number, one, two in seen_apart():
        assert who_is_at(after[number], one, COLLINS) == HOPPER
        x, y = (round(value) for value in two)
        around = np.s_[y - 30 : y + 30, x - 25 : x + 25]
        assert np.array_equal(after[number][around], before[number][around])


def test_what_cannot_be_is_refused_at_once(farm, clip, tmp_path):
    """Exit code 2, one line and a remedy."""
    for arguments, words in (
        (["--map", f"9={HOPPER}"], "there is no person 9"),
        (["--source", str(HOPPER), "--face-at", "240,10"], "no face is there"),
        (["--source", str(HOPPER), "--face-at", "nowhere"], "no place in a frame"),
        (["--map", "1"], "has no face"),
        (["--source", str(HOPPER), "--reference", str(COLLINS)], "farm models pull"),
        (["--source", str(HOPPER), "--mask", "occlusion"], "farm models pull xseg_1"),
        (["--source", str(HOPPER), "--mask", "beard"], "no mask is called"),
    ):
        answer = farm.command("render", str(clip), *arguments, "-o", str(tmp_path / "out.mp4"), check=False)
        assert answer.returncode == 2, answer.stderr
        assert words in answer.stderr
        assert "Traceback" not in answer.stderr
