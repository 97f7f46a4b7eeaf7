"""From an encoder in hardware, that a worker does not have, to the one in software: said, never silent."""

from __future__ import annotations

from broker.config import models_directory
from broker.installed import ModelStore
from farm.bootstrap import Farm
from farm.media.delivery import Delivery, choose_delivery
from farm.media.encoders import ENCODERS
from farm.media.info import MediaInfo
from farm.media.wishes import AUTO
from farm.models import Job
from farm.requests import JobRequest
from farm.stages import as_rendered
from farm.wishes import wished_outputs


def fall_back(farm: Farm, job: Job, trouble: str) -> None:
    """Have a job encoded in software, with a note; `trouble` is why a worker cannot do it as was asked."""
    encoder = Delivery.from_json(job.target, job.output_path).chunks.encode.codec
    request = JobRequest(**job.request)
    codec = request.codec or ENCODERS[encoder].codec
    changed = JobRequest.model_validate({**request.model_dump(), "codec": codec, "encoder": AUTO})
    info = as_rendered(changed, MediaInfo.from_json(job.media), ModelStore(models_directory()))
    delivery = choose_delivery(wished_outputs(changed, info), info)
    farm.store.update_job(job.id, request=changed.model_dump(), target=delivery.to_json())
    instead = delivery.chunks.encode.codec
    farm.store.add_note(job.id, f"{encoder} does not work on the workers ({trouble}); {instead} was taken")
    farm.broker.leases.forget_job(job.id)  # what was found rests on the other encoder
