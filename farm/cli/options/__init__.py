"""The options that commands take, and what they say of themselves: declared once, a file per topic."""

from farm.cli.options.arguments import JobId, Json, PriorityNumber, WorkerName
from farm.cli.options.files import Input
from farm.cli.options.galleries import GalleryOptions
from farm.cli.options.hosting import (
    GpuMemoryLimit,
    Gpus,
    HostingOptions,
    Profile,
    Settings,
    WindowBytes,
    Workers,
)
from farm.cli.options.job import JobOptions
from farm.cli.options.spread import spread

__all__ = [
    "GalleryOptions",
    "GpuMemoryLimit",
    "Gpus",
    "HostingOptions",
    "Input",
    "JobId",
    "JobOptions",
    "Json",
    "PriorityNumber",
    "Profile",
    "Settings",
    "WindowBytes",
    "WorkerName",
    "Workers",
    "spread",
]
