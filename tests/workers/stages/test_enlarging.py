"""Frames enlarged in tiles: as the network does it to the whole, in every pixel format, within a budget."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from tests.workers.face.moving import COLLINS, frame_of, picture_of
from tests.workers.stages.tiny import upscaler
from workers.errors import BudgetTooSmall, ModelUnusable, Stopped
from workers.frames import Frame
from workers.media.pictures import alpha_of, native, planes_of
from workers.models.onnx_session import OnnxNetwork
from workers.stages.contracts import UPSCALERS, UpscalerContract
from workers.stages.enlarging import enlarged
from workers.stages.tiling import bytes_of, tile_for
from workers.stages.upscaler import Upscaler


def opened(path, factor, tile_px=64, overlap_px=16):
    contract = UpscalerContract(factor=factor, tile_px=tile_px, overlap_px=overlap_px)
    return Upscaler(OnnxNetwork(path), contract, tile_px=tile_px)


def joined(network, picture):
    bands = list(network.enlarged(picture))
    assert [y0 for y0, _ in bands] == list(np.cumsum([0, *(band.shape[1] for _, band in bands)])[:-1])
    return np.concatenate([band for _, band in bands], axis=1).transpose(1, 2, 0)


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("size", [(64, 64), (65, 150), (201, 97), (30, 20), (130, 64)])
def test_every_pixel_lies_where_it_did(tmp_path, factor, size):
    """A network that repeats pixels gives each of them, once, at its place: whatever the tiles."""
    picture = np.random.default_rng(0).random((*size, 3), np.float32)
    found = joined(opened(upscaler(tmp_path / "net.onnx", factor), factor), picture)
    assert found.shape == (size[0] * factor, size[1] * factor, 3)
    assert np.abs(found - picture.repeat(factor, 0).repeat(factor, 1)).max() < 1e-6


def test_joins_cannot_be_seen(tmp_path):
    """In tiles as in one piece: what a network makes of a tile's edge counts next to nothing there."""
    path = upscaler(tmp_path / "net.onnx", 2, blur=True)
    picture = picture_of(COLLINS)[:200, :300].astype(np.float32) / 255
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = session.run(None, {"input": picture.transpose(2, 0, 1)[None]})[0][0].transpose(1, 2, 0)
    found = joined(opened(path, 2), picture)
    apart = np.abs(found - wanted).max(axis=2)
    assert apart.max() < 1 / 255
    hard = joined(opened(path, 2, overlap_px=1), picture)
    assert np.abs(hard - wanted).max() > 4 * apart.max(), "without an overlap they can"


def test_the_same_picture_gives_the_same_bits(tmp_path):
    path = upscaler(tmp_path / "net.onnx", 2, blur=True)
    picture = np.random.default_rng(1).random((100, 140, 3), np.float32)
    one, two = (joined(opened(path, 2), picture) for _ in range(2))
    assert np.array_equal(one, two)


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv422p10le", "yuv444p", "gbrp", "gray", "yuva420p", "nv12", "rgb24", "yuv410p"]
)
def test_a_frame_keeps_its_format_and_colours(tmp_path, pix_fmt):
    """Shrunk again, an enlarged frame is the input: luma, colours and transparency."""
    picture = picture_of(COLLINS)[:120, :176]
    frame = frame_of(picture, 7, pix_fmt)
    frame.picture.color_range, frame.picture.colorspace = 1, 6
    given = native(frame.picture)
    if (alpha := alpha_of(given)) is not None:
        alpha[...] = np.linspace(0, 255, alpha.shape[1], dtype=np.uint8)
    faced = Frame(picture=given, index=7, pts=7, num_faces=1)
    found = enlarged(faced, opened(upscaler(tmp_path / "net.onnx", 2), 2))
    assert (found.index, found.pts, found.num_faces) == (7, 7, 1)
    assert (found.picture.width, found.picture.height) == (352, 240)
    assert found.picture.format.name == given.format.name
    assert (found.picture.color_range, found.picture.colorspace) == (given.color_range, given.colorspace)
    for small, large in zip(planes_of(given), planes_of(found.picture), strict=True):
        peak = np.iinfo(small.dtype).max if small.dtype == np.uint8 else 1023
        shrunk = large.reshape(small.shape[0], 2, -1, 2).mean(axis=(1, 3))
        assert np.abs(shrunk - small).mean() < peak / 150
        assert large.std() > 1
    if alpha is not None:
        assert np.abs(alpha_of(found.picture)[::2, ::2].astype(int) - alpha).max() <= 2


def test_a_file_that_fixes_its_size_is_given_tiles_of_it(tmp_path):
    network = opened(upscaler(tmp_path / "net.onnx", 2, side=48), 2)
    assert network.tile_px == 48
    picture = np.random.default_rng(0).random((100, 60, 3), np.float32)
    assert np.abs(joined(network, picture) - picture.repeat(2, 0).repeat(2, 1)).max() < 1e-6


def test_a_network_that_enlarges_otherwise_is_refused_by_name(tmp_path):
    network = opened(upscaler(tmp_path / "net.onnx", 2), 4)
    with pytest.raises(ModelUnusable, match=r"net\.onnx makes 128 pixels of 64.*does not enlarge 4 times"):
        joined(network, np.zeros((64, 64, 3), np.float32))


def test_a_budget_makes_tiles_smaller_and_refuses_what_it_cannot_hold():
    contract = UPSCALERS["esrgan-x4"]
    assert tile_for(contract, {"gpu_memory_limit": None}) == contract.tile_px
    assert tile_for(contract, {"gpu_memory_limit": 64.0}) == contract.tile_px
    half = bytes_of(contract, contract.tile_px // 2)
    assert tile_for(contract, {"gpu_memory_limit": half / 1e9}) == contract.tile_px // 2
    with pytest.raises(BudgetTooSmall, match="what would do: 0"):
        tile_for(contract, {"gpu_memory_limit": 0.001})


def test_every_part_is_told_so_that_a_slow_frame_looks_alive(tmp_path):
    """Six tiles, six changes of what the lease says; waiting for room says so all the same."""
    from broker.leases import RENDERING, WAITING
    from workers.keeper import Progress

    progress, said = Progress(), []

    def on_part():
        progress.note_part()
        said.append(progress.told)

    frame = frame_of(picture_of(COLLINS)[:100, :160], 0)
    assert progress.told == RENDERING
    enlarged(frame, opened(upscaler(tmp_path / "net.onnx", 2), 2), on_part)
    assert len(set(said)) == len(said) == 6
    progress.note_stage(WAITING)
    assert progress.told == WAITING
    progress.stop.set()
    with pytest.raises(Stopped):
        enlarged(frame, opened(tmp_path / "net.onnx", 2), on_part)
    assert len(said) == 6, "at the next part, not at the frame's end"
