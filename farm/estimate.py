"""How long a job takes, how much it writes, and how sure that is: from what earlier chunks and jobs took."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from farm.models import Job

#: Half the width of an interval that holds 19 times in 20, in standard deviations (a normal law's 1.96).
SIGMAS = 2.0

#: Pixels up to which a picture counts as 720p, 1080p and 4K, a tenth more than their names say. Within one
#: class the time per pixel is about the same; across them caches and tiles make it another.
CLASSES_PX = (1_013_760, 2_280_960, 9_732_096)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a job should take. Times are for one worker."""

    num_jobs: int  # earlier jobs that this rests on; at least 1
    render_s: float
    render_error_s: float
    num_bytes: int


def size_class(width: int, height: int) -> int:
    """Return the class of a picture of so many pixels; larger pictures have larger numbers."""
    return sum(width * height > limit for limit in CLASSES_PX)


def estimate(jobs: Sequence[Job], *, num_frames: int) -> Estimate | None:
    """Estimate a job of `num_frames` from earlier ones of its kind; None if there are none."""
    measured = [job for job in jobs if job.num_paces > 0 and job.frames_rendered > 0]
    if not measured:
        return None
    paces = [job.pace_sum / job.num_paces for job in measured]
    render_s = statistics.fmean(paces) * num_frames
    num_frames_before = sum(job.frames_rendered for job in measured)
    return Estimate(
        num_jobs=len(measured),
        render_s=render_s,
        render_error_s=SIGMAS * _spread(measured, paces) * render_s,
        num_bytes=sum(job.rendered_bytes for job in measured) * num_frames // num_frames_before,
    )


def eta_error_s(job: Job, eta_s: float) -> float | None:
    """Return half the width of the interval around a rendering job's ETA; None before two chunks are done.

    The mean of the n chunks so far is off by their spread over √n, and the sum of the m that are left by
    theirs over √m. Chunks that lie together in a video are alike, so this is rather too narrow at first.
    """
    num_left = job.num_waiting + job.num_in_flight
    relative = _relative_spread(job)
    if relative is None or num_left == 0:
        return None
    return SIGMAS * relative * math.sqrt(1 / job.num_paces + 1 / num_left) * eta_s


def _spread(jobs: Sequence[Job], paces: Sequence[float]) -> float:
    """Return the relative spread from job to job; of a single job, that of its chunks stands in."""
    if len(paces) > 1:
        return statistics.stdev(paces) / statistics.fmean(paces) if any(paces) else 0.0
    return _relative_spread(jobs[0]) or 0.0


def _relative_spread(job: Job) -> float | None:
    """Return the standard deviation of the job's seconds per frame, over their mean."""
    if job.num_paces < 2 or job.pace_sum <= 0:  # noqa: PLR2004 - one chunk has no spread
        return None
    mean = job.pace_sum / job.num_paces
    variance = max(0.0, job.pace_sq_sum / job.num_paces - mean * mean)
    return math.sqrt(variance * job.num_paces / (job.num_paces - 1)) / mean
