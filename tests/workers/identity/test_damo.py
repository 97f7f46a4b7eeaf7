"""damo's directory as an engine: from its files to pasted faces, by narrow networks of published names."""

from __future__ import annotations

import functools
import os
import shutil

import numpy as np
import pytest
import torch

from bench import damo_weights
from broker.installed import ModelStore
from broker.messages import FuseSpec
from farm.errors import ModelRefused
from farm.modelstore import arrival
from farm.modelstore.arrival import Introduction
from tests.workers.face.moving import COLLINS, HOPPER, BlinkingFinder, frame_of, moving_picture, picture_of
from workers.errors import ModelUnusable
from workers.frames import Frame
from workers.media.pictures import planes_of
from workers.models.damo import bundle
from workers.swappers import open_swapper
from workers.swappers.identity import damo
from workers.swappers.identity.source import Likeness

NARROW = 16  # a sixteenth of the channels: 1.3 GB become some MB


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    torch.manual_seed(0)
    return damo_weights.write_directory(tmp_path_factory.mktemp("damo") / "published", NARROW)


@pytest.fixture(scope="module")
def store(tmp_path_factory, directory):
    store = ModelStore(tmp_path_factory.mktemp("store") / "models")
    arrival.add(store, directory, Introduction(name="damo"))
    return store


@pytest.fixture
def narrow(monkeypatch):
    """The engine's own loading, of a narrower network."""
    monkeypatch.setattr(damo, "load_bundle", functools.partial(bundle.load_bundle, narrow=NARROW))


@pytest.fixture
def swapper(store, narrow):
    swapper = open_swapper("damo", store)
    swapper._finder = BlinkingFinder()
    return swapper


def run(swapper, frames, source=HOPPER):
    fuse = FuseSpec(engine="damo")
    return list(swapper.run(iter(frames), swapper.prepare(source.read_bytes(), fuse), fuse))


def luma(frame):
    return planes_of(frame.picture)[0].astype(int)


def test_the_directory_is_installed_with_its_parts_licences_named(store):
    model = store.models()["damo"]
    assert (model.kind, model.contract) == ("swapper", "damo")
    assert {"BFM/BFM_model_front.mat", "alpha.jpg"} < {file.name for file in model.files}
    for part in ("BFM/BFM_model_front.mat", "faceEnhance/GPEN-BFR-1024.pth"):
        assert part in model.terms


def test_faces_are_fused_under_the_published_mask_and_nothing_else(swapper):
    swapper.warm()
    frames = [frame_of(moving_picture(i), i) for i in range(4)]
    found = run(swapper, frames)
    assert [(frame.index, frame.num_faces, len(frame.faces)) for frame in found] == [
        (i, 1, 1) for i in range(4)
    ]
    for given, frame in zip(frames, found, strict=True):
        changed = np.argwhere(luma(given) != luma(frame))
        assert len(changed) > 500 and np.ptp(changed, axis=0).max() < 160, "a face's size"
        assert np.array_equal(luma(given)[:8], luma(frame)[:8])
    other = run(swapper, frames, COLLINS)
    assert any(not np.array_equal(luma(a), luma(b)) for a, b in zip(found, other, strict=True))


def test_chunks_leave_no_trace(swapper):
    frames = [frame_of(moving_picture(i), i) for i in range(9)]
    whole = run(swapper, frames)
    late = [Frame(picture=f.picture, index=f.index, pts=f.pts, is_context=f.index < 5) for f in frames]
    for part in run(swapper, late):
        assert np.array_equal(luma(part), luma(whole[part.index]))


def test_what_depends_on_the_source_is_computed_once_a_job(swapper, monkeypatch):
    """Frames ask the network neither for the portrait's embedding nor for what that alone decides."""
    fuse = FuseSpec(engine="damo")
    source = swapper.prepare(HOPPER.read_bytes(), fuse)
    parts = swapper._network._bundle

    def fail(*_):
        raise AssertionError("of the source, again")

    monkeypatch.setattr(parts.backbone, "forward", fail)
    monkeypatch.setattr(parts.network.generator, "told", fail)
    assert len(list(swapper.run(iter([frame_of(moving_picture(0), 0)]), source, fuse))) == 1


def test_several_portraits_are_averaged(swapper):
    import io
    import zipfile

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in (COLLINS, HOPPER):
            archive.write(path, path.name)
    fuse = FuseSpec(engine="damo")
    both = swapper.prepare(content.getvalue(), fuse).prepared
    one, two = (swapper.prepare(path.read_bytes(), fuse).prepared for path in (COLLINS, HOPPER))
    assert torch.allclose(both.shape, (one.shape + two.shape) / 2, atol=1e-6)
    assert not torch.allclose(both.told.start, one.told.start, atol=1e-4)


def test_the_path_is_the_published_one_step_by_step(swapper):
    """Crop, embedding, coefficients, jaw lines, network: by hand, from the parts that are held to theirs."""
    from workers.face import align
    from workers.face.pyramid import Pyramid
    from workers.face.templates import landmarks_of
    from workers.models.mtcnn_cascade import FaceFinder

    picture = picture_of(COLLINS)
    [face] = FaceFinder(torch.device("cpu")).find(Pyramid(picture))
    swap, parts = swapper._network, swapper._network._bundle
    crop = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
    found = swap.swap(crop, swap.encode([Likeness(picture=picture, landmarks=face.landmarks)]))[0]
    # ArcFace's template, shrunk to 0.85 about the middle of its 112 pixels, and brought to 256.
    goal = ((align.ARCFACE_112 - 56) * 0.85 + 56) * 256 / 112
    assert np.abs(goal - landmarks_of("mtcnn-512", 256)).max() < 0.05
    own = Pyramid(picture).crop(align.similarity(face.landmarks, goal.astype(np.float32)), 256)
    with torch.inference_mode():
        source, target = (
            torch.from_numpy(np.float32(each)).permute(2, 0, 1)[None] * 2 - 1 for each in (own / 255, crop[0])
        )
        c_s, c_t = parts.reconstruction(source), parts.reconstruction(target)
        c_fuse = torch.cat(((c_s[:, :80] + c_t[:, :80]) / 2, c_t[:, 80:]), dim=1)
        wanted = parts.network(target, parts.backbone(source), parts.jaw(c_fuse), parts.jaw(c_t))
    wanted = (wanted[0] * 0.5 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    assert np.abs(found - wanted).max() < 0.02 and np.abs(found - wanted).mean() < 1e-3
    assert found.std() > 0.01


@pytest.mark.parametrize("name", ["pytorch_model.pt", "3dRecon/face_3d.pth", "BFM/BFM_model_front.mat"])
def test_a_directory_that_lacks_a_file_is_refused_by_name(directory, tmp_path, name):
    copy = shutil.copytree(directory, tmp_path / "copy")
    (copy / name).unlink()
    with pytest.raises(ModelRefused, match=rf"damo lacks {name}"):
        arrival.add(ModelStore(tmp_path / "models"), copy, Introduction(name="damo"))


def test_weights_of_another_width_name_what_differs(store):
    """As an engine of the published width, these narrow files are not the published ones."""
    with pytest.raises(ModelUnusable, match=r"model damo: pytorch_model\.pt is not damo's.*another shape"):
        open_swapper("damo", store)


def test_a_file_that_would_run_something_is_refused_when_it_arrives_and_when_it_is_read(
    directory, tmp_path, narrow
):
    """Past the farm's own look, torch's is there: the file is swapped for one with a registry to match."""
    copy, trace = shutil.copytree(directory, tmp_path / "copy"), tmp_path / "trace"

    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(trace),))

    torch.save({"net_recon": Evil()}, copy / "3dRecon/face_3d.pth")
    store = ModelStore(tmp_path / "models")
    with pytest.raises(ModelRefused, match=r"face_3d\.pth holds more than tensors"):
        arrival.add(store, copy, Introduction(name="damo"))
    unlooked = pytest.MonkeyPatch()
    unlooked.setattr("farm.modelstore.wholeness.check_pickle", lambda path: None)
    try:
        arrival.add(store, copy, Introduction(name="damo"))
    finally:
        unlooked.undo()
    with pytest.raises(ModelUnusable, match=r"face_3d\.pth"):
        open_swapper("damo", store)
    assert not trace.exists()


def test_without_its_mask_the_farms_own_is_taken(directory, tmp_path, narrow):
    copy = shutil.copytree(directory, tmp_path / "copy")
    (copy / "alpha.jpg").unlink()
    store = ModelStore(tmp_path / "models")
    arrival.add(store, copy, Introduction(name="damo"))
    assert open_swapper("damo", store)._network.mask is None


@pytest.mark.soak
def test_the_published_size_loads_strictly_and_runs(tmp_path):
    """All 384 million weights but GPEN's, through the store and the engine."""
    torch.manual_seed(0)
    store = ModelStore(tmp_path / "models")
    arrival.add(store, damo_weights.write_directory(tmp_path / "published"), Introduction(name="damo"))
    swapper = open_swapper("damo", store)
    swapper._finder = BlinkingFinder()
    frame = frame_of(moving_picture(0), 0)
    [found] = run(swapper, [frame])
    assert found.num_faces == 1 and not np.array_equal(luma(found), luma(frame))
