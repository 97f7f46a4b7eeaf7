"""Downloads, from a publisher on the loopback interface."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile

import pytest

from farm.errors import DownloadFailed, ModelRefused
from farm.modelstore import catalogue
from farm.modelstore.catalogue import KnownFile
from farm.modelstore.pull import Puller
from tests.farm.modelstore.conftest import onnx_bytes

CONTENT = onnx_bytes() * 1  # some kilobytes: enough to break off in


@pytest.fixture
def puller(store, clock):
    return Puller(store=store, clock=clock, on_progress=lambda done, total: None)


@pytest.fixture
def published(publisher, monkeypatch):
    """Publish files as a model of the catalogue, under its name."""

    def publish(name, files, *, sha256=None, archive=None):
        known = catalogue.known_models()[name]
        publisher.files |= {f"/{file}": content for file, content in files.items()}
        made = tuple(KnownFile(name=file, url=f"{publisher.url}/{file}", sha256=sha256) for file in files)
        changed = dataclasses.replace(
            known, files=made if archive is None else archive, archive=None if archive is None else made[0]
        )
        models = {**catalogue.known_models(), name: changed}
        for module in ("catalogue", "arrival", "pull"):
            monkeypatch.setattr(f"farm.modelstore.{module}.known_models", lambda: models)

    return publish


def test_a_free_model_is_pulled_and_its_first_digest_recorded(puller, published, store):
    published("ghost_1_256", {"ghost_1_256.onnx": CONTENT, "crossface_ghost.onnx": onnx_bytes(seed=1)})
    model = puller.pull("ghost_1_256", accepts_licence=False)
    assert model.hash_from == "first seen"
    assert {file.sha256 for file in model.files} >= {hashlib.sha256(CONTENT).hexdigest()}
    assert store.models() == {"ghost_1_256": model}
    assert sorted(path.name for path in store.directory.glob(".downloads/*")) == []


def test_a_model_with_terms_waits_until_they_are_accepted(puller, published, publisher):
    published("hyperswap_1a_256", {"hyperswap_1a_256.onnx": CONTENT})
    with pytest.raises(ModelRefused, match="Research only") as refused:
        puller.pull("hyperswap_1a_256", accepts_licence=False)
    assert "--accept-licence" in refused.value.hint
    assert publisher.ranges == [], "nothing was asked for"
    assert puller.pull("hyperswap_1a_256", accepts_licence=True).licence == "ResearchRAIL-MS"


def test_a_download_that_breaks_off_goes_on_where_it_was(puller, published, publisher, store):
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    published("hyperswap_1a_256", {"hyperswap_1a_256.onnx": CONTENT}, sha256=sha256)
    publisher.breaks["/hyperswap_1a_256.onnx"] = [1000, 500]
    model = puller.pull("hyperswap_1a_256", accepts_licence=True)
    assert publisher.ranges == [None, "bytes=1000-", "bytes=1500-"]
    assert store.path(model, model.files[0]).read_bytes() == CONTENT
    assert model.hash_from == "publisher"


def test_after_too_many_breaks_what_came_is_kept_for_the_next_try(puller, published, publisher):
    published("hyperswap_1a_256", {"hyperswap_1a_256.onnx": CONTENT})
    publisher.breaks["/hyperswap_1a_256.onnx"] = [100] * 4
    with pytest.raises(DownloadFailed) as failed:
        puller.pull("hyperswap_1a_256", accepts_licence=True)
    assert "goes on where it broke off" in failed.value.hint
    puller.pull("hyperswap_1a_256", accepts_licence=True)
    assert publisher.ranges[-1] == "bytes=400-"


def test_another_file_than_the_known_one_is_refused_and_thrown_away(puller, published, store):
    published("hyperswap_1a_256", {"hyperswap_1a_256.onnx": CONTENT}, sha256="0" * 64)
    with pytest.raises(ModelRefused, match=r"hyperswap_1a_256\.onnx from http"):
        puller.pull("hyperswap_1a_256", accepts_licence=True)
    assert not [path for path in store.directory.rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_missing_file_is_told_with_the_other_way(puller, published, publisher):
    published("hyperswap_1a_256", {"hyperswap_1a_256.onnx": CONTENT})
    publisher.files.clear()
    with pytest.raises(DownloadFailed, match="404") as failed:
        puller.pull("hyperswap_1a_256", accepts_licence=True)
    assert "farm models add" in failed.value.hint


def test_a_pack_is_unpacked(puller, published):
    packed = io.BytesIO()
    names = ("det_10g.onnx", "w600k_r50.onnx")
    with zipfile.ZipFile(packed, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(f"buffalo_l/{name}", onnx_bytes(seed=number))
    files = tuple(KnownFile(name=name) for name in names)
    published("buffalo_l", {"buffalo_l.zip": packed.getvalue()}, archive=files)
    model = puller.pull("buffalo_l", accepts_licence=True)
    assert sorted(file.name for file in model.files) == sorted(names)


def test_a_model_that_its_publisher_withdrew_names_its_page(puller):
    with pytest.raises(ModelRefused, match="offers no download") as refused:
        puller.pull("inswapper_128", accepts_licence=True)
    assert "insightface" in refused.value.hint and "farm models add" in refused.value.hint


def test_every_known_model_says_whose_it_is_and_on_what_terms():
    for known in catalogue.known_models().values():
        assert known.page.startswith("https://") and known.licence and known.about
        assert known.is_free or known.terms
        for file in known.files:
            assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32
