"""What stages beside the engine mean before anything is rendered: refusals, and the size of outputs."""

from __future__ import annotations

import json

import pytest

from broker.installed import UPSCALING, ModelStore
from farm.check import check
from farm.errors import BadInput, ModelRefused
from farm.fusing import fuse_spec
from farm.media.probe import probe
from farm.modelstore.catalogue import known_models
from farm.requests import JobRequest
from farm.stages import MOST_SIDE_PX, as_rendered, factor_of
from tests.farm.clip import make_test_clip
from tests.workers.face.moving import COLLINS
from tests.workers.stages.tiny import install
from workers.stages.contracts import RESTORERS, UPSCALERS

pytestmark = pytest.mark.needs_ffmpeg


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_test_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_MODELS", str(tmp_path / "models"))
    return ModelStore(tmp_path / "models")


def request(clip, tmp_path, **said):
    body = {"input": str(clip), "output": str(tmp_path / "out.mp4"), "source": str(COLLINS)}
    return JobRequest(**{**body, **said})


def test_the_catalogue_has_every_contract_and_names_a_licence():
    kinds = {
        name: {m.contract for m in known_models().values() if m.kind == name}
        for name in ("restorer", "upscaler")
    }
    assert kinds == {"restorer": set(RESTORERS), "upscaler": set(UPSCALERS)}
    assert {name: terms.factor for name, terms in UPSCALERS.items()} == UPSCALING
    for name in ("codeformer", "gpen_bfr_512"):
        assert not known_models()[name].is_free and known_models()[name].terms


def test_workers_are_told_what_was_asked_for(clip, tmp_path):
    plain = fuse_spec(request(clip, tmp_path))
    assert (plain.restore, plain.upscale) == (None, None)
    told = fuse_spec(
        request(clip, tmp_path, restore="gfpgan_1.4", restore_weight=0.3, upscale="real_esrgan_x2")
    )
    assert (told.restore, told.restore_weight, told.restore_fidelity) == ("gfpgan_1.4", 0.3, 0.5)
    assert told.upscale == "real_esrgan_x2"


def test_outputs_are_planned_by_what_the_network_makes_of_the_frames(store, clip, tmp_path):
    """One output at the enlarged size is its chunks; a resize counts from there; presets see it, too."""
    width, height = probe(clip).video.upright_size
    wish = {"upscale": "real_esrgan_x4"}
    checked = check(request(clip, tmp_path, **wish))
    delivery = checked.delivery
    assert checked.info.video.upright_size == (width, height), "what chunks are cut from stays as it is"
    assert delivery.outputs[0].size is None and not delivery.outputs[0].is_continuous
    same = check(request(clip, tmp_path, resize=f"{4 * width}x{4 * height}", **wish)).delivery
    assert same.outputs[0].size is None
    smaller = check(request(clip, tmp_path, resize=str(2 * height), **wish)).delivery
    assert smaller.outputs[0].size == (2 * width, 2 * height) and smaller.outputs[0].is_continuous
    proxy = [{"path": str(tmp_path / "proxy.mp4"), "preset": "h264-720p"}]
    planned = [
        next(
            each
            for each in check(request(clip, tmp_path, to=proxy, **said)).delivery.outputs
            if "proxy" in each.path
        ).size
        for said in ({}, {"upscale": "real_esrgan_x8"})
    ]
    assert planned[0] is None and min(planned[1]) == 720


def test_a_network_of_ones_own_counts_as_its_contract_says(store, clip, tmp_path):
    name = install(store, tmp_path, "esrgan-x2")
    assert factor_of(store, name) == 2
    with pytest.raises(ModelRefused, match="nobodys is not known here") as refused:
        check(request(clip, tmp_path, upscale="nobodys"))
    assert (
        refused.value.code == "model-missing" and "farm models add PATH --name nobodys" in refused.value.hint
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"restore": "real_esrgan_x2"}, "--restore wants a model of the kind restorer"),
        ({"upscale": "gfpgan_1.4"}, "--upscale wants a model of the kind upscaler"),
        ({"restore_weight": 0.5}, "--restore-weight"),
        ({"restore": "gfpgan_1.4", "engine": "passthrough"}, "passthrough changes none"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(store, clip, tmp_path, said, message):
    with pytest.raises(BadInput, match=message):
        check(request(clip, tmp_path, **said))


def test_frames_larger_than_encoders_take_are_refused(store, clip, tmp_path):
    import dataclasses

    info = probe(clip)
    wide = dataclasses.replace(info, video=dataclasses.replace(info.video, width=MOST_SIDE_PX // 2))
    asked = request(clip, tmp_path, upscale="real_esrgan_x2")
    assert as_rendered(asked, info, store).size_bytes == 4 * info.size_bytes
    assert as_rendered(asked, wide, store).video.width == MOST_SIDE_PX
    with pytest.raises(BadInput, match="encoders take 16384"):
        as_rendered(request(clip, tmp_path, upscale="real_esrgan_x4"), wide, store)


def test_a_preset_gives_way_to_enlarging_and_a_resolution_excludes_it(store, clip, tmp_path):
    """One word on the size of what comes out: two that differ are no order."""
    told = check(request(clip, tmp_path, preset="quick", upscale="real_esrgan_x2"))
    assert told.info.video.size is None
    with pytest.raises(BadInput, match="--upscale and --resolution"):
        check(request(clip, tmp_path, resolution="512", upscale="real_esrgan_x2"))


def test_interlaced_pictures_are_not_enlarged(store, clip, tmp_path):
    import subprocess

    path = tmp_path / "fields.mp4"
    make = ("-vf", "tinterlace=interleave_top,setfield=tff", "-c:v", "libx264", "-flags", "+ildct+ilme")
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, *make, "-t", "0.5", path], check=True)
    with pytest.raises(BadInput, match="interlaced"):
        check(request(path, tmp_path, upscale="real_esrgan_x2"))
    check(request(path, tmp_path, upscale="real_esrgan_x2", deinterlace=True))


def test_a_request_without_stages_is_as_before(clip, tmp_path):
    body = json.loads(request(clip, tmp_path).model_dump_json())
    assert [body[name] for name in ("restore", "restore_weight", "restore_fidelity", "upscale")] == [None] * 4
