"""Looks at what a job rests on before anything of it is rendered: its portraits, its encoder, this build."""

from __future__ import annotations

from broker.fingerprint import differences
from broker.messages import CAST, CheckSource, RenderChunk, SourceChecked
from broker.people import packed
from workers.engines import Engines
from workers.errors import ModelMissing, OtherBuild
from workers.media.trial import trouble_with
from workers.sources import Sources


class Examiner:
    """Answers for a worker whether, and on what, it can render a job."""

    def __init__(self, engines: Engines, sources: Sources) -> None:
        self._engines = engines
        self._sources = sources

    def look(self, message: CheckSource) -> SourceChecked:
        """Return what is in a job's source portrait, and what a plan would rest on here.

        Raises:
            RenderError: the portrait, a model or the engine cannot be used.
            BrokerError: the portrait could not be read.
        """
        encode = message.encode
        trouble = None if encode is None else trouble_with(encode.codec, encode.pix_fmt)
        if trouble is not None:
            return SourceChecked(job_id=message.job_id, encoder_trouble=trouble)
        swapper = self._engines.swapper(message.fuse.engine)
        source = self._sources.get(message.job_id, message.fuse, swapper)
        looker = self._engines.looker if message.fuse.faces == CAST else None
        return SourceChecked(
            job_id=message.job_id,
            radius=swapper.radius if looker is None else max(swapper.radius, looker.radius),
            boxes=tuple(_rounded(face.box) for face in source.faces),
            chosen=source.chosen,
            models=self._engines.models(message.fuse),
            notes=self._engines.notes(message.fuse),
            fingerprint=self._engines.fingerprint(message.fuse, encode),
            recogniser="" if looker is None else looker.recogniser,
            references=self._references(message),
        )

    def require_build(self, chunk: RenderChunk) -> None:
        """Compare what the plan rests on with what is here; a plan of an earlier version does not say.

        Raises:
            OtherBuild: they differ.
        """
        if not chunk.fingerprint:
            return
        found = differences(chunk.fingerprint, self._engines.fingerprint(chunk.fuse, chunk.encode))
        if found:
            raise OtherBuild(f"this worker would render other pixels: {'; '.join(found)}")

    def _references(self, message: CheckSource) -> tuple[str, ...]:
        if not message.num_references:
            return ()
        looker = self._engines.looker
        if not looker.recogniser:
            raise ModelMissing(
                "people are told apart by a recogniser, and none is installed here: "
                "`farm models pull buffalo_l --accept-licence` gets one"
            )
        portraits = self._sources.references(message.job_id, message.fuse, message.num_references)
        return tuple(packed(looker.embedding(each, message.fuse)) for each in portraits)


def _rounded(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    return round(x0), round(y0), round(x1), round(y1)
