"""From a request, a preset and the defaults to what workers are told."""

import pytest
from pydantic import ValidationError

from broker.messages import FuseSpec
from farm.fusing import PRESETS, fuse_spec
from farm.requests import FusionPreset, JobRequest


def spec(**said: object) -> FuseSpec:
    return fuse_spec(JobRequest(input="/in.mp4", output="/out.mp4", **said))


def test_nothing_said_is_the_whole_face_untouched():
    assert spec() == FuseSpec(engine="portrait")


@pytest.mark.parametrize(
    ("preset", "ratio", "smoothing", "brightness"),
    [("quick", 0.5, 0.0, 0.0), ("delivery", 0.65, 0.4, 0.0), ("art", 0.7, 0.6, 0.05)],
)
def test_presets(preset, ratio, smoothing, brightness):
    told = spec(preset=preset)
    assert (told.ratio, told.smoothing, told.brightness) == (ratio, smoothing, brightness)


def test_what_is_said_beside_a_preset_counts_more_even_when_it_is_nothing():
    told = spec(preset="art", ratio=0.0, brightness=0, mode="blend", detection_threshold=0.6)
    assert (told.ratio, told.smoothing, told.brightness) == (0, 0.6, 0)
    assert (told.mode, told.threshold) == ("blend", 0.6)


def test_every_preset_that_may_be_named_is_there_and_says_what_requests_know():
    assert set(FusionPreset.__args__) == set(PRESETS)
    assert {name for said in PRESETS.values() for name in said} <= JobRequest.model_fields.keys()


@pytest.mark.parametrize(
    "field", [{"ratio": 1.1}, {"skin_smoothing": -0.1}, {"brightness": 2}, {"mode": "x"}]
)
def test_values_out_of_range_are_refused(field):
    with pytest.raises(ValidationError):
        spec(**field)
