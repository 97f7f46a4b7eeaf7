"""The names of queues and tasks: all that one side must know to ask the other for something."""

from __future__ import annotations

from enum import StrEnum

#: What workers consume.
RENDER = "render"

#: What the farm consumes.
FARM = "farm"


def personal_queue(worker: str) -> str:
    """Return the queue that one worker alone consumes: for chunks that not everybody may take.

    Commas part queues' names on Celery's command line.
    """
    return f"{RENDER}.{worker.replace(',', '_')}"


class TaskName(StrEnum):
    """Each task, named after the package that holds it."""

    RENDER_CHUNK = "workers.render_chunk"
    """Render one chunk. Takes a `RenderChunk` as JSON."""

    CHECK_SOURCE = "workers.check_source"
    """Look at a source portrait. Takes a `CheckSource` as JSON."""

    ADVANCE = "farm.advance"
    """Move a job on. Takes its id."""


#: Which queue each task waits in.
QUEUE_OF = {
    TaskName.RENDER_CHUNK: RENDER,
    TaskName.CHECK_SOURCE: RENDER,
    TaskName.ADVANCE: FARM,
}
