"""A face is fused into every frame, and nothing else is touched."""

import av
import numpy as np
import pytest

from bench.clips import SOURCE

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]


def frames(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def test_every_frame_is_fused_and_the_rest_untouched(farm, portrait_video, tmp_path):
    """Lossless, so that what differs from the input is the fused region and nothing else."""
    output = tmp_path / "out.mov"
    result = farm.render(
        str(portrait_video),
        "--source",
        str(SOURCE),
        "--lossless",
        "--chunk-seconds",
        "0.5",
        "-o",
        str(output),
    )
    assert result["frames_fused"] == result["frames"] == 50
    assert result["chunks"] > 2
    for before, after in zip(frames(portrait_video), frames(output), strict=True):
        luma = (before != after)[: before.shape[0] * 2 // 3]
        share = luma.mean()
        assert 0.005 < share < 0.4
        rows, columns = np.where(luma)
        assert rows.min() > 0 or columns.min() > 0
        # The frame's border is never part of a face here: there it is the input, bit for bit.
        assert not luma[:8].any()
        assert not luma[:, :8].any()


def test_chunks_cannot_be_seen(farm, portrait_video, tmp_path):
    """Three plans, the same decoded frames, bit for bit: tracking looks no further than its context."""
    outputs = []
    for number, seconds in enumerate(("60", "0.9", "0.3")):
        outputs.append(tmp_path / f"{number}.mov")
        farm.render(
            *(str(portrait_video), "--source", str(SOURCE), "--lossless"),
            *("--chunk-seconds", seconds, "-o", str(outputs[-1])),
        )
    first = frames(outputs[0])
    for other in outputs[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(first, frames(other), strict=True))


def test_a_video_without_a_face(farm, clip, tmp_path):
    """Success with a plain warning, frames unchanged; --require-face makes it an error."""
    output = tmp_path / "out.mov"
    arguments = [str(clip), "--source", str(SOURCE), "--lossless", "-o", str(output)]
    result = farm.render(*arguments)
    assert result["frames_fused"] == 0
    assert any("no frame of the input has a face" in note for note in result["notes"])
    assert all(np.array_equal(a, b) for a, b in zip(frames(clip), frames(output), strict=True))
    answer = farm.command("render", *arguments, "--overwrite", "--require-face", "--json", check=False)
    assert answer.returncode == 1
    assert "no-face-in-input" in answer.stdout


def test_a_source_without_a_face_is_bad_input(farm, portrait_video, tmp_path):
    """Exit code 2, one line, no output, no job's files."""
    import cv2

    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((300, 300, 3), 90, np.uint8))
    output = tmp_path / "out.mp4"
    answer = farm.command(
        "render", str(portrait_video), "--source", str(blank), "-o", str(output), check=False
    )
    assert answer.returncode == 2
    assert "no face" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blank.png"]


def test_several_faces_in_the_source(farm, portrait_video, tmp_path):
    """The largest is taken, its box and the way to choose another are said; --source-face takes that one."""
    import cv2

    face = cv2.imread(str(SOURCE))
    both = np.concatenate([cv2.resize(face, (256, 256)), np.zeros((256, 512, 3), np.uint8)], axis=1)
    both = np.concatenate([both, np.zeros((256, 768, 3), np.uint8)])
    both[:, 256:] = cv2.resize(face, (512, 512))
    path = tmp_path / "both.png"
    cv2.imwrite(str(path), both)
    common = [str(portrait_video), "--source", str(path), "--chunk-seconds", "60"]
    result = farm.render(*common, "-o", str(tmp_path / "a.mp4"))
    (note,) = [note for note in result["notes"] if "faces" in note]
    assert "face 1 was taken" in note
    assert "--source-face" in note
    result = farm.render(*common, "--source-face", "0", "-o", str(tmp_path / "b.mp4"))
    assert result["state"] == "done"
    answer = farm.command("render", *common, "--source-face", "7", "-o", str(tmp_path / "c.mp4"), check=False)
    assert answer.returncode == 2
