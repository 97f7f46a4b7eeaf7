"""What users ask of the farm, as the API takes it: a file per topic."""

from farm.codings import Codec, X264Preset
from farm.requests.fusion import FusionMode, FusionPreset
from farm.requests.job import JobRequest
from farm.requests.scheduling import PriorityRequest, UnblockRequest

__all__ = [
    "Codec",
    "FusionMode",
    "FusionPreset",
    "JobRequest",
    "PriorityRequest",
    "UnblockRequest",
    "X264Preset",
]
