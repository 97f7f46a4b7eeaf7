"""Every contract, on a file of its names and shapes: normalisation, source and result as published."""

from __future__ import annotations

import contextlib
import io
import zipfile

import cv2
import numpy as np
import onnxruntime
import pytest

from broker.messages import FuseSpec
from tests.workers.face.moving import COLLINS, HOPPER, picture_of
from tests.workers.identity.tiny import HALF, install, swap_network
from workers.errors import ModelMissing, ModelUnusable, NoFaceFound, NotAPicture, UnknownEngine
from workers.face import align
from workers.face.templates import TEMPLATES, landmarks_of
from workers.models.onnx_session import OnnxNetwork
from workers.swappers import engine_names, open_swapper
from workers.swappers.identity.contracts import CONTRACTS
from workers.swappers.identity.network import SwapNetwork
from workers.swappers.identity.source import SourceEncoder, read_emap

#: As published: input size, mean, standard deviation, whether the output is brought back, form of the source.
PUBLISHED = {
    "inswapper": (128, 0, 1, False, "direction"),
    "simswap": (256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), False, "unit"),
    "simswap-512": (512, 0, 1, False, "unit"),
    "ghost": (256, 0.5, 0.5, True, "raw"),
    "blendswap": (256, 0, 1, False, (112, 112)),
    "uniface": (256, 0.5, 0.5, True, (256, 256)),
    "hififace": (256, 0.5, 0.5, True, "unit"),
    "hyperswap": (256, 0.5, 0.5, True, "unit"),
}


def crop_of(side, seed=0):
    return np.random.default_rng(seed).random((1, side, side, 3), np.float32)


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
def test_a_network_sees_and_gives_what_its_publisher_says(tmp_path, contract):
    side, mean, std, is_normalised, form = PUBLISHED[contract]
    path = swap_network(tmp_path / "net.onnx", contract)
    crop = crop_of(side)
    shape = (1, 3, *form) if isinstance(form, tuple) else (1, 512)
    source = np.random.default_rng(1).random(shape, np.float32) * 0.1
    found = SwapNetwork(OnnxNetwork(path), CONTRACTS[contract]).swap(crop, source)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    blob = ((crop[0] - np.float32(mean)) / np.float32(std)).transpose(2, 0, 1)[None].astype(np.float32)
    wanted = session.run(None, {"target": blob, "source": source})[0][0].transpose(1, 2, 0)
    if is_normalised:
        wanted = wanted * np.float32(std) + np.float32(mean)
    assert np.abs(found[0] - np.clip(wanted, 0, 1)).max() < 1e-5
    assert found.std() > 0.01


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
def test_the_source_has_the_form_that_its_publisher_says(store, tmp_path, contract):
    form = PUBLISHED[contract][4]
    swapper = open_swapper(install(store, tmp_path, contract), store)
    prepared = swapper.prepare(HOPPER.read_bytes(), FuseSpec(engine=swapper.name)).prepared
    if isinstance(form, tuple):
        assert prepared.shape == (1, 3, *form) and 0 <= prepared.min() < prepared.max() <= 1
        return
    assert prepared.shape == (1, 512) and prepared.dtype == np.float32
    length = float(np.linalg.norm(prepared))
    assert (abs(length - 1) < 1e-5) == (form != "raw")
    other = swapper.prepare(COLLINS.read_bytes(), FuseSpec(engine=swapper.name)).prepared
    assert not np.allclose(prepared, other, atol=1e-3)


def archive_of(*paths):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    return content.getvalue()


def test_several_portraits_are_averaged_before_the_source_is_made(store, tmp_path):
    """The mean of the raw embeddings goes through the transform; order does not matter."""
    swapper = open_swapper(install(store, tmp_path, "inswapper"), store)
    fuse = FuseSpec(engine=swapper.name)
    told = []
    for path in (COLLINS, HOPPER):
        picture = picture_of(path)
        marks = swapper.prepare(path.read_bytes(), fuse).faces[0].landmarks
        told.append(swapper._encoder.recogniser.embed(picture, marks))
    both = swapper.prepare(archive_of(COLLINS, HOPPER), fuse)
    assert np.allclose(both.prepared, swapper._encoder.from_embedding((told[0] + told[1]) / 2), atol=1e-5)
    assert np.allclose(both.prepared, swapper.prepare(archive_of(HOPPER, COLLINS), fuse).prepared, atol=1e-6)
    assert not np.allclose(both.prepared, swapper.prepare(COLLINS.read_bytes(), fuse).prepared, atol=1e-3)


def test_of_several_portraits_the_one_without_a_face_is_named(store, tmp_path):
    swapper = open_swapper(install(store, tmp_path, "inswapper"), store)
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.zeros((200, 200, 3), np.uint8))
    with pytest.raises(NoFaceFound, match=r"blank\.png: no face"):
        swapper.prepare(archive_of(COLLINS, blank), FuseSpec(engine=swapper.name))
    with pytest.raises(NotAPicture, match="cannot be read"):
        swapper.prepare(archive_of(COLLINS)[:500], FuseSpec(engine=swapper.name))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # insightface calls what scikit-image will drop
def test_inswapper_gives_what_insightface_gives(tmp_path):
    """Same file, face and embedding: crop, latent and result are those of the package's own class."""
    from insightface.app.common import Face
    from insightface.model_zoo.inswapper import INSwapper

    path = swap_network(tmp_path / "inswapper_128.onnx", "inswapper")
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = INSwapper(
            str(path), onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        )
    picture = picture_of(COLLINS)
    marks = landmarks_of("arcface-112-v2", 150) + np.float32([170, 40])
    embedding = np.random.default_rng(3).normal(0, 1, 512).astype(np.float32)
    their_face, matrix = theirs.get(
        picture[..., ::-1], Face(kps=marks), Face(embedding=embedding), paste_back=False
    )
    ours = align.similarity(marks, landmarks_of("arcface-128", 128))
    assert np.abs(ours - matrix).max() < 2e-3
    crop = cv2.warpAffine(picture, matrix, (128, 128)).astype(np.float32) / 255
    encoder = SourceEncoder(contract=CONTRACTS["inswapper"], emap=read_emap(path))
    found = SwapNetwork(OnnxNetwork(path), CONTRACTS["inswapper"]).swap(
        crop[None], encoder.from_embedding(embedding)
    )
    assert np.abs(found[0] * 255 - their_face[..., ::-1]).max() < 1.01, "theirs is cut to whole levels"


def test_half_precision_files_take_the_same_crops(tmp_path):
    whole = SwapNetwork(OnnxNetwork(swap_network(tmp_path / "a.onnx", "inswapper")), CONTRACTS["inswapper"])
    half = SwapNetwork(
        OnnxNetwork(swap_network(tmp_path / "b.onnx", "inswapper", kind=HALF)), CONTRACTS["inswapper"]
    )
    crop, source = crop_of(128), np.full((1, 512), 1 / np.sqrt(512), np.float32)
    assert np.abs(whole.swap(crop, source) - half.swap(crop, source)).max() < 0.01


def test_a_file_of_any_batch_gives_the_same_as_one_of_single_crops(tmp_path):
    crops = np.concatenate([crop_of(128, seed) for seed in range(4)])
    source = np.full((1, 512), 1 / np.sqrt(512), np.float32)
    one, many = (
        SwapNetwork(
            OnnxNetwork(swap_network(tmp_path / f"{batch}.onnx", "inswapper", batch=batch)),
            CONTRACTS["inswapper"],
        ).swap(crops, source)
        for batch in (1, "any")
    )
    assert np.abs(one - many).max() < 1e-6


def test_inputs_of_other_names_are_told_by_what_they_hold(tmp_path):
    names = ("input", "onnx::Gemm_1", "output")
    path = swap_network(tmp_path / "other.onnx", "simswap-512", names=names)
    crop, source = crop_of(512), np.zeros((1, 512), np.float32)
    assert SwapNetwork(OnnxNetwork(path), CONTRACTS["simswap-512"]).swap(crop, source).shape == crop.shape


@pytest.mark.parametrize(
    ("file", "contract", "message"),
    [
        ("simswap", "inswapper", "3 x 128 x 128"),
        ("inswapper", "ghost", "3 x 256 x 256"),
        ("uniface", "ghost", "another contract"),
        ("ghost", "uniface", "another contract"),
    ],
)
def test_a_file_of_another_contract_is_refused_by_name(tmp_path, file, contract, message):
    network = OnnxNetwork(swap_network(tmp_path / "wrong.onnx", file))
    with pytest.raises(ModelUnusable, match=rf"wrong\.onnx.*{message}"):
        SwapNetwork(network, CONTRACTS[contract])


def test_an_inswapper_without_its_matrix_is_refused(tmp_path):
    with pytest.raises(ModelUnusable, match="no matrix of 512"):
        read_emap(swap_network(tmp_path / "net.onnx", "hyperswap"))


def test_installed_networks_are_engines_and_say_their_digests(store, tmp_path):
    name = install(store, tmp_path, "inswapper")
    assert name in engine_names(store)
    models = store.models()
    swapper = open_swapper(name, store)
    assert swapper.models(FuseSpec(engine=name)) == {
        each: models[each].digest for each in (name, "tiny-recogniser")
    }


def test_a_missing_engine_or_recogniser_names_the_command(store, tmp_path):
    with pytest.raises(UnknownEngine, match="farm models pull ghost_1_256"):
        open_swapper("ghost_1_256", store)
    name = install(store, tmp_path, "ghost")
    from farm.modelstore import registry

    registry.remove(store, "tiny-recogniser")
    with pytest.raises(ModelMissing, match="farm models pull buffalo_l"):
        open_swapper(name, store)


def test_a_spoiled_file_is_refused_by_name(store, tmp_path):
    name = install(store, tmp_path, "inswapper")
    model = store.models()[name]
    path = store.path(model, model.files[0])
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelUnusable, match=rf"{name}\.onnx of model {name} is not the file"):
        open_swapper(name, store)


def test_templates_are_of_one_face():
    """Each is an upright face: eyes level, the nose between them, the mouth below, image-left first."""
    for name in TEMPLATES:
        left, right, nose, mouth_left, mouth_right = landmarks_of(name, 1)
        assert left[0] < nose[0] < right[0] and mouth_left[0] < mouth_right[0], name
        assert abs(left[1] - right[1]) < 0.01 and left[1] < nose[1] < mouth_left[1], name
