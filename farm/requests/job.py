"""A job to be done, in all its topics."""

from __future__ import annotations

from farm.requests.encoding import EncodingRequest
from farm.requests.faces import FaceRequest
from farm.requests.fusion import FusionRequest
from farm.requests.masks import MaskRequest
from farm.requests.people import PeopleRequest
from farm.requests.reading import ReadingRequest
from farm.requests.scheduling import SchedulingRequest
from farm.requests.stages import StageRequest
from farm.requests.trim import TrimRequest


class JobRequest(
    SchedulingRequest,
    EncodingRequest,
    TrimRequest,
    ReadingRequest,
    StageRequest,
    FusionRequest,
    FaceRequest,
    MaskRequest,
    PeopleRequest,
):
    """A job to be done. Paths are absolute, on the farm's own machine."""
