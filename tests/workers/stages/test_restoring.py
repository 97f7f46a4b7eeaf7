"""Every restoring contract on a file of its names and shapes, and what that changes of a frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import onnxruntime
import pytest

from broker.installed import ModelStore
from broker.messages import SHOWN, FuseSpec
from farm.modelstore.arrival import Introduction, add
from tests.workers.face.moving import COLLINS, frame_of, picture_of
from tests.workers.masking.test_masks import occluder
from tests.workers.stages.tiny import install, restorer
from workers.errors import ModelMissing, ModelUnusable
from workers.frames import Frame
from workers.masking.masks import Masks
from workers.media.pictures import planes_of
from workers.models.mtcnn_cascade import FaceFinder
from workers.models.onnx_session import OnnxNetwork
from workers.stages.contracts import RESTORERS
from workers.stages.opening import StageNetworks
from workers.stages.restorer import Restorer
from workers.stages.restoring import restored
from workers.stages.running import Stages

#: As published: side in pixels, where the eyes' middle lies as shares of it, whether it takes a fidelity.
PUBLISHED = {
    "gfpgan": (512, (0.500, 0.469), False),
    "codeformer": (512, (0.500, 0.469), True),
    "restoreformer": (512, (0.500, 0.469), False),
    "gpen-256": (256, (0.499, 0.403), False),
    "gpen-512": (512, (0.500, 0.469), False),
    "gpen-1024": (1024, (0.500, 0.469), False),
    "gpen-2048": (2048, (0.500, 0.469), False),
}


#: What is restored unless the job's masks leave some of it alone.
FACE = Masks(has_box=True, has_hull=True)


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


def face_frame(scale=1.0):
    """A frame with Collins's face, and its landmarks as an engine would leave them there."""
    import torch

    picture = picture_of(COLLINS)
    if scale != 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    from workers.face.pyramid import Pyramid

    [face] = FaceFinder(torch.device("cpu")).find(Pyramid(picture))
    frame = frame_of(picture, 0, "yuv444p")
    return Frame(picture=frame.picture, index=0, pts=0, num_faces=1, faces=(face.landmarks,))


def luma(frame):
    return planes_of(frame.picture)[0].astype(int)


@pytest.mark.parametrize("contract", sorted(RESTORERS))
def test_a_network_sees_and_gives_what_its_publisher_says(tmp_path, contract):
    from workers.face.templates import landmarks_of

    side, eyes, takes_fidelity = PUBLISHED[contract]
    terms = RESTORERS[contract]
    assert np.allclose(landmarks_of(terms.template, 1)[:2].mean(axis=0), eyes, atol=1e-3)
    path = restorer(tmp_path / "net.onnx", contract)
    crop = np.random.default_rng(0).random((side, side, 3), np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    fed = {"input": ((crop - 0.5) / 0.5).transpose(2, 0, 1)[None]}
    if takes_fidelity:
        fed["weight"] = np.array([0.3])
    wanted = session.run(None, fed)[0][0].transpose(1, 2, 0) * 0.5 + 0.5
    found = Restorer(OnnxNetwork(path), terms).restore(crop, 0.3)
    assert np.abs(found - np.clip(wanted, 0, 1)).max() < 1e-5
    assert found.std() > 0.1


def test_what_a_told_outline_leaves_out_is_not_restored(tmp_path):
    """The job changed no more than that of the face, and restoring changes no more either."""
    network = Restorer(OnnxNetwork(restorer(tmp_path / "net.onnx", "gfpgan")), RESTORERS["gfpgan"])
    frame = face_frame()
    (x, y), (eye, _) = frame.faces[0][2], frame.faces[0][0]
    half = np.float32(abs(x - eye))
    outline = np.array(
        [[x, y - 2 * half], [x + 2 * half, y], [x, y + 2 * half], [x, y - 2 * half]], np.float32
    )
    changed = [
        luma(restored(one, network, FACE, weight=1.0, fidelity=0.5)) != luma(frame)
        for one in (frame, replace(frame, outlines=(outline,)))
    ]
    left = np.s_[:, : int(x) - 2]
    assert changed[0][left].any() and not changed[1][left].any()
    assert changed[1].any()


def test_a_fidelity_of_one_gives_back_what_was_seen(tmp_path):
    network = Restorer(OnnxNetwork(restorer(tmp_path / "net.onnx", "codeformer")), RESTORERS["codeformer"])
    crop = np.random.default_rng(0).random((512, 512, 3), np.float32)
    assert np.abs(network.restore(crop, 1.0) - crop).max() < 1e-5
    assert np.abs(network.restore(crop, 0.0) - crop).max() > 0.1


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_the_face_changes_by_the_weight_and_nothing_else_does(tmp_path, scale):
    """Twice the weight, twice the change; no weight, none, bit for bit; hair and frame stay."""
    network = Restorer(OnnxNetwork(restorer(tmp_path / "net.onnx", "gfpgan")), RESTORERS["gfpgan"])
    frame = face_frame(scale)
    whole, half, none = (restored(frame, network, FACE, weight=w, fidelity=0.5) for w in (1.0, 0.5, 0.0))
    assert np.array_equal(luma(none), luma(frame))
    change = luma(whole) - luma(frame)
    assert np.abs(2 * (luma(half) - luma(frame)) - change).max() <= 3
    ys, xs = np.nonzero(change)
    marks = frame.faces[0]
    assert xs.min() < marks[:, 0].min() and marks[:, 0].max() < xs.max(), "all of the face"
    eyes_px = np.linalg.norm(marks[0] - marks[1])
    assert max(np.ptp(xs), np.ptp(ys)) < 4 * eyes_px, "and little beside"
    skin = [int(v) for v in marks[2] + (0, eyes_px * 0.2)]
    red, _, blue = _rgb(whole)[skin[1], skin[0]] - _rgb(frame)[skin[1], skin[0]]
    assert red > 15 and blue < red - 30, "tinted as the network does"


def _rgb(frame):
    return frame.picture.to_ndarray(format="rgb24").astype(int)


def test_a_network_that_changes_nothing_leaves_the_frame_bit_for_bit(tmp_path):
    """No trace of having been cut out and laid back, whatever the size of the face."""
    network = Restorer(OnnxNetwork(restorer(tmp_path / "net.onnx", "codeformer")), RESTORERS["codeformer"])
    for scale in (1.0, 0.3):
        frame = face_frame(scale)
        same = restored(frame, network, FACE, weight=1.0, fidelity=1.0)
        assert all(
            np.array_equal(a, b)
            for a, b in zip(planes_of(frame.picture), planes_of(same.picture), strict=True)
        )


def test_frames_without_a_face_pass_as_they_are(store, tmp_path):
    fuse = FuseSpec(engine="portrait", restore=install(store, tmp_path, "gfpgan"))
    frame = frame_of(picture_of(COLLINS), 3)
    assert list(Stages(store).run([frame], fuse)) == [frame]


def test_digests_and_runtime_are_what_a_plan_rests_on(store, tmp_path):
    names = install(store, tmp_path, "gfpgan"), install(store, tmp_path, "esrgan-x2")
    fuse = FuseSpec(engine="portrait", restore=names[0], upscale=names[1])
    models = store.models()
    assert Stages(store).models(fuse) == {name: models[name].digest for name in names}
    parts = dict(Stages(store).parts(fuse))
    runs_on = [parts.pop(name) for name in list(parts) if name.endswith(".onnx runs on")]
    assert runs_on == ["cpu", "cpu"]
    assert parts == {"onnxruntime": onnxruntime.__version__, "upscaling tile": "256"}
    nothing = FuseSpec(engine="portrait")
    assert not Stages(store).models(nothing) and not Stages(store).parts(nothing)


def stages_on(provider, directory, monkeypatch):
    """A worker's stages, with models of its own, and a job that asks for both."""
    directory.mkdir()
    store, settings = ModelStore(directory / "models"), directory / "farm.yaml"
    settings.write_text(f"onnx: {{provider: {provider}}}")
    monkeypatch.setenv("FARM_WORKER_SETTINGS", str(settings))
    names = install(store, directory, "codeformer"), install(store, directory, "esrgan-x2")
    fuse = FuseSpec(engine="portrait", restore=names[0], upscale=names[1], restore_weight=0.5)
    stages = Stages(store)
    return stages.parts(fuse), stages.notes(fuse), list(stages.run([face_frame()], fuse))


def test_stages_say_what_they_run_on_and_what_they_fell_back_from(tmp_path, monkeypatch):
    parts, notes, [found] = stages_on("openvino", tmp_path / "openvino", monkeypatch)
    assert sum("OpenVINO" in part for part in parts.values()) == 2 and not notes
    parts, notes, [wanted] = stages_on("cuda", tmp_path / "cuda", monkeypatch)
    assert [note.partition(": ")[2] for note in notes] == [
        "onnx.provider is cuda, but this worker has no GPU"
    ] * 2
    for a, b in zip(planes_of(found.picture), planes_of(wanted.picture), strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1


def test_a_missing_network_names_the_commands_that_install_it(store):
    with pytest.raises(ModelMissing, match=r"--restore gfpgan_1\.4 .*farm models pull gfpgan_1\.4.*add PATH"):
        StageNetworks(store).restorer("gfpgan_1.4")
    with pytest.raises(ModelMissing, match="farm models pull real_esrgan_x2"):
        Stages(store).models(FuseSpec(engine="portrait", upscale="real_esrgan_x2"))


def test_a_network_of_another_kind_contract_or_size_is_refused_by_name(store, tmp_path):
    with pytest.raises(ModelUnusable, match="tiny-esrgan-x2 is one of upscaler"):
        StageNetworks(store).restorer(install(store, tmp_path, "esrgan-x2"))
    wrong = install(store, tmp_path, "gpen-256", side=512)
    with pytest.raises(ModelUnusable, match=r"tiny-gpen-256\.onnx: input is .*512.*, not 3 x 256 x 256"):
        StageNetworks(store).restorer(wrong)
    plain = restorer(tmp_path / "plain.onnx", "gfpgan")
    with pytest.raises(ModelUnusable, match="no input 'weight'"):
        Restorer(OnnxNetwork(plain), RESTORERS["codeformer"])


def test_a_spoiled_file_is_refused_by_name(store, tmp_path):
    name = install(store, tmp_path, "gfpgan")
    model = store.models()[name]
    path = store.path(model, model.files[0])
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelUnusable, match=rf"{name}\.onnx of model {name} is not the file"):
        Stages(store).parts(FuseSpec(engine="portrait", restore=name))


def test_a_model_that_is_added_anew_is_used_anew(store, tmp_path):
    """A worker that has opened it keeps no old network under the new one's digest."""
    networks = StageNetworks(store)
    name = install(store, tmp_path, "gfpgan")
    first = networks.restorer(name)
    assert networks.restorer(name) is first
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(path.read_bytes() + b"\x12\x04next")  # the producer's name: another file, as whole
    add(store, path, Introduction(name=name, contract="gfpgan"))
    assert networks.restorer(name) is not first


def test_what_covers_a_face_is_not_restored_where_the_job_masks_it(store, tmp_path):
    """The stand-in for an occluder takes what is not blue for something over the face: skin, here."""
    add(store, occluder(tmp_path / "xseg.onnx"), Introduction(name="own-xseg", contract="xseg"))
    frame, name = face_frame(), install(store, tmp_path, "gfpgan")
    blue = frame.picture.to_ndarray(format="rgb24")
    blue[:, : int(frame.faces[0][2, 0])] = (20, 20, 255)  # the left half: to the stand-in, all of it is seen
    half = Frame(picture=frame_of(blue, 0, "yuv444p").picture, index=0, pts=0, num_faces=1, faces=frame.faces)
    plain, masked = (
        next(iter(Stages(store).run([half], FuseSpec(engine="portrait", restore=name, mask=mask))))
        for mask in ((), ("occlusion",))
    )
    middle = int(frame.faces[0][2, 0])
    changed = [np.abs(luma(done) - luma(half)) > 2 for done in (plain, masked)]
    assert changed[0][:, middle + 8 :].sum() > 4 * changed[1][:, middle + 8 :].sum()
    assert changed[1].sum() > 0


def test_a_mask_that_is_shown_is_not_restored(store, tmp_path):
    fuse = FuseSpec(engine="portrait", restore=install(store, tmp_path, "gfpgan"), mode=SHOWN)
    frame = face_frame()
    assert list(Stages(store).run([frame], fuse)) == [frame]
