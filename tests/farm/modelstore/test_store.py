"""What goes into the store, what is refused, and what is found when it is read again."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile

import pytest

from broker.errors import ModelMissing, ModelSpoiled
from farm.errors import ModelRefused
from farm.modelstore import catalogue, registry
from farm.modelstore.arrival import Introduction, add
from farm.modelstore.catalogue import KnownFile
from farm.modelstore.wholeness import check_whole
from tests.farm.modelstore.conftest import onnx_bytes

OWN = Introduction(name="own", contract="inswapper")


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.onnx"
    path.write_bytes(onnx_bytes())
    return path


@pytest.fixture
def pinned(monkeypatch):
    """Make a one-file model of the catalogue expect certain bytes."""

    def pin(name, content):
        known = catalogue.known_models()[name]
        file = KnownFile(
            name=known.files[0].name,
            url=known.files[0].url,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
        )
        models = {**catalogue.known_models(), name: dataclasses.replace(known, files=(file,))}
        for module in ("catalogue", "arrival", "pull"):
            monkeypatch.setattr(f"farm.modelstore.{module}.known_models", lambda: models)
        return file

    return pin


def test_a_model_of_ones_own_is_installed_with_its_digest(store, weights):
    added = add(store, weights, OWN)
    assert store.models() == {"own": added}
    assert store.checked(added, added.files[0]).read_bytes() == weights.read_bytes()
    assert added.hash_from == "first seen"


@pytest.mark.parametrize(
    ("names", "likely"),
    [
        (["det_10g.onnx", "2d106det.onnx", "w600k_r50.onnx"], "insightface"),
        (["w600k_r50.onnx"], "arcface"),
        (["inswapper_own.onnx"], "inswapper"),
        (["simswap_512_own.onnx"], "simswap-512"),
        (["weights.onnx"], None),
    ],
)
def test_a_strangers_names_tell_how_it_may_be_used(store, weights, tmp_path, names, likely):
    pack = tmp_path / "pack"
    pack.mkdir()
    for name in names:
        (pack / name).write_bytes(weights.read_bytes())
    with pytest.raises(ModelRefused, match="no model that the farm knows") as refused:
        add(store, pack, Introduction())
    assert refused.value.hint.startswith(
        f"by the names of its files it is to be used so: --contract {likely};"
    ) == (likely is not None)
    assert "bisenet" in refused.value.hint


def test_a_known_file_is_recognised_by_its_digest_whatever_its_name(store, weights, pinned):
    pinned("inswapper_128", weights.read_bytes())
    added = add(store, weights, Introduction())
    assert (added.name, added.contract, added.hash_from) == ("inswapper_128", "inswapper", "publisher")
    assert "commercial" in added.terms


def test_a_file_that_only_has_a_known_name_is_refused_by_name(store, weights, pinned):
    pinned("inswapper_128", onnx_bytes(seed=1))
    pretender = weights.rename(weights.with_name("inswapper_128.onnx"))
    with pytest.raises(
        ModelRefused, match=r"inswapper_128\.onnx is not inswapper_128: its SHA-256 is"
    ) as refused:
        add(store, pretender, Introduction())
    assert "--contract" in refused.value.hint
    assert store.models() == {}
    assert not list(store.directory.glob(".new-*")), "what was copied aside is gone"


def test_a_cut_file_is_refused_for_its_size_where_the_size_is_known(store, weights, pinned):
    file = pinned("inswapper_128", weights.read_bytes())
    longer = weights.with_name(file.name)
    longer.write_bytes(weights.read_bytes() + bytes([0x0A, 0]))
    with pytest.raises(ModelRefused, match="bytes, not"):
        add(store, longer, Introduction())


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_a_cut_onnx_file_is_refused_though_no_digest_is_known(weights, kept):
    whole = weights.read_bytes()
    check_whole(weights)
    weights.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ModelRefused, match=r"weights\.onnx"):
        check_whole(weights)


def test_an_error_page_saved_as_a_model_is_refused(tmp_path):
    page = tmp_path / "model.onnx"
    page.write_text("<!doctype html><title>Not Found</title>")
    with pytest.raises(ModelRefused, match="no whole onnx file"):
        check_whole(page)


def test_safetensors_must_end_with_their_last_tensor(tmp_path):
    import numpy as np
    from safetensors.numpy import save

    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"a": np.arange(6.0)}))
    check_whole(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelRefused):
        check_whole(path)


def test_an_unknown_file_must_be_introduced(store, weights):
    with pytest.raises(ModelRefused, match="no model that the farm knows") as refused:
        add(store, weights, Introduction())
    assert "inswapper" in refused.value.hint


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "portrait", "a/b"])
def test_names_that_are_no_directory_or_the_farms_own_are_refused(store, weights, name):
    with pytest.raises(ModelRefused):
        add(store, weights, Introduction(name=name or "-", contract="inswapper"))


def test_a_model_of_several_files_must_be_complete(store, tmp_path):
    directory = tmp_path / "ghost_1_256"
    directory.mkdir()
    (directory / "ghost_1_256.onnx").write_bytes(onnx_bytes())
    with pytest.raises(ModelRefused, match=r"lacks crossface_ghost\.onnx"):
        add(store, directory, Introduction())
    (directory / "crossface_ghost.onnx").write_bytes(onnx_bytes(seed=2))
    assert len(add(store, directory, Introduction()).files) == 2


def test_a_zip_archive_cannot_write_outside_its_place(store, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../../evil.onnx", onnx_bytes())
        archive.writestr("readme.txt", "left out")
    path = tmp_path / "pack.zip"
    path.write_bytes(packed.getvalue())
    model = add(store, path, Introduction(name="pack", contract="insightface"))
    assert [file.name for file in model.files] == ["evil.onnx"]
    assert not list(tmp_path.parent.rglob("evil.onnx")) or store.path(model, model.files[0]).exists()
    assert len(list(tmp_path.rglob("evil.onnx"))) == 1


@pytest.mark.parametrize("spoil", ["flip", "cut", "swap", "gone"])
def test_a_file_that_changed_since_is_refused_by_name(store, weights, spoil):
    model = add(store, weights, OWN)
    path = store.path(model, model.files[0])
    content = bytearray(path.read_bytes())
    if spoil == "flip":
        content[-1] ^= 1
        path.write_bytes(content)
    elif spoil == "cut":
        path.write_bytes(content[:-1])
    elif spoil == "swap":
        path.write_bytes(onnx_bytes(seed=3))
    else:
        path.unlink()
    with pytest.raises(ModelSpoiled, match=r"weights\.onnx of model own"):
        store.checked(model, model.files[0])
    assert "weights.onnx" in registry.verify(store, model)


def test_the_digest_names_the_files_and_not_the_model(store, weights):
    first = add(store, weights, OWN)
    second = add(store, weights, Introduction(name="other", contract="inswapper"))
    assert first.digest == second.digest
    weights.write_bytes(onnx_bytes(seed=4))
    assert add(store, weights, OWN).digest != first.digest


def test_a_removed_model_is_gone_and_others_stay(store, weights):
    add(store, weights, OWN)
    add(store, weights, Introduction(name="other", contract="inswapper"))
    registry.remove(store, "own")
    assert list(store.models()) == ["other"]
    assert not (store.directory / "own").exists()
    with pytest.raises(ModelMissing, match="farm models pull own"):
        store.model("own")


def test_a_registry_that_is_no_json_is_named_with_a_remedy(store):
    store.directory.mkdir()
    (store.directory / "registry.json").write_text("{")
    with pytest.raises(ModelRefused, match=r"registry\.json") as refused:
        registry.read(store)
    assert refused.value.hint
