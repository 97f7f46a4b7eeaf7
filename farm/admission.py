"""Which of the waiting jobs begin: few at a time, however many wait.

Whoever has begun holds an index on disk, a portrait in Redis and a place in every round of the reconciler.
A thousand queued jobs hold a row each, and nothing else.
"""

from __future__ import annotations

from farm.bootstrap import Farm
from farm.models import Job
from farm.shares import OFFERS_PER_WORKER

#: Jobs under way at once, on however few workers: enough that a short job gets in beside some long ones.
LEAST_ACTIVE = 8

#: Jobs being prepared at once: that reads whole files, and each takes up a thread of the reconciler.
MOST_PREPARING = 3


def may_begin(farm: Farm, job: Job) -> bool:
    """Say whether a waiting job may begin: there is room, and it is among the next."""
    num_active, num_preparing = farm.store.num_active()
    most_active = max(LEAST_ACTIVE, OFFERS_PER_WORKER * len(farm.broker.heartbeats.live()))
    room = min(most_active - num_active, MOST_PREPARING - num_preparing)
    return room > 0 and job.id in farm.store.first_in_queue(room)
