"""Looks through a stream of frames and tells who is in it: the first pass of jobs that choose people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from broker.config import models_directory
from broker.installed import ModelStore
from broker.messages import FuseSpec
from broker.people import ChunkSeen
from workers.analysers.opening import OWN, Analysers
from workers.analysers.own import own_finder
from workers.analysers.recogniser import Recogniser
from workers.analysers.recognising import open_recogniser
from workers.engine.budget import this_residency
from workers.errors import NoSuchFace
from workers.face import track
from workers.frames import Face, Frame
from workers.models.mtcnn_weights import SHA256
from workers.people.closeup import Closeup, quality
from workers.people.links import Looked
from workers.people.signature import signature
from workers.people.tracklets import Tracklets
from workers.swappers.following import Sight, area, sights
from workers.swappers.portraits import decoded, faces_in

#: Frames between samples, counted from the video's first: pictures hardly change faster. Whoever appears is
#: sampled at once, too, so that everybody is.
SAMPLE_FRAMES = 12

#: Signatures are taken of frames shrunk to this height: more only adds noise.
_GRAY_HEIGHT_PX = 360


class Looker:
    """Finds people. What it tells of frame t depends on frames [t - radius, t + radius]."""

    #: The frame before the chunk is tracked, too: whoever is in it goes on in the chunk.
    radius = track.RADIUS + 1

    def __init__(self, store: ModelStore | None = None) -> None:
        """Open the farm's own detector, and a recogniser if `store` (by default this machine's) has one."""
        store = store or ModelStore(models_directory())
        self._analysers = Analysers(own_finder(), store)
        self._recogniser, self._recognisers = open_recogniser(store)

    @property
    def recogniser(self) -> str:
        """The name of the model that tells people apart; empty: there is none."""
        return next(iter(self._recognisers), "")

    def models(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the SHA-256 digests, by name, of all weights that are used to look."""
        own = {f"mtcnn-{name}": digest for name, digest in SHA256.items()} if fuse.analyser == OWN else {}
        return {**own, **self._analysers.digests(fuse.analyser), **self._recognisers}

    def embedding(self, portrait: bytes, fuse: FuseSpec) -> bytes:
        """Return who is on a reference: the largest face's embedding, as float16.

        Raises:
            NotAPicture: it cannot be decoded.
            NoSuchFace: there is no face in it.
        """
        picture = decoded(portrait)
        faces = faces_in(picture, self._analysers.finder_for(fuse))
        if not faces:
            raise NoSuchFace("no face was found in a reference portrait")
        assert self._recogniser is not None
        return _packed(self._recogniser, picture, max(faces, key=area))

    def look(
        self,
        span: range,
        frames: Iterable[Frame],
        fuse: FuseSpec,
        note: Callable[[int], None] = lambda _: None,
    ) -> ChunkSeen:
        """Return what is seen in a chunk's own frames, `span`; `note` is told how many faces each has.

        Pictures are shots of one frame each: in those nobody is followed. Damaged ones may be missing.

        Raises:
            BudgetTooSmall: detector and recogniser do not fit into the worker's memory together.
        """
        with this_residency().hold(*self.places(fuse)):
            return self._seen(span, frames, fuse, note)

    def places(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return the names of all networks, in the worker's memory, that frames are looked at with."""
        own = () if self._recogniser is None else (self._recogniser.network,)
        return tuple(network.place for network in (*self._analysers.networks(fuse.analyser), *own))

    def _seen(
        self, span: range, frames: Iterable[Frame], fuse: FuseSpec, note: Callable[[int], None]
    ) -> ChunkSeen:
        tracklets, cuts, size = Tracklets(), [], (0, 0)
        finder = self._analysers.finder_for(fuse)
        for sight in sights(frames, finder, which="all", threshold=fuse.threshold, margin=1):
            if sight.frame.index >= span.stop:
                break
            faces = _looked(sight)
            if sight.frame.is_context:
                tracklets.prime(faces)
                continue
            size = (sight.frame.picture.width, sight.frame.picture.height)
            cuts += [sight.frame.index] if sight.begins_shot else []
            new = tracklets.feed(sight.frame.index, faces, begins_shot=sight.begins_shot)
            self._sample(sight, new, tracklets)
            note(len(faces))
        return ChunkSeen(
            start=span.start,
            end=span.stop,
            width=size[0],
            height=size[1],
            cuts=tuple(cuts),
            tracklets=tracklets.closed(),
        )

    def _sample(self, sight: Sight, new: list[int], tracklets: Tracklets) -> None:
        is_due = sight.frame.index % SAMPLE_FRAMES == 0
        for place, face in enumerate(sight.people):
            if is_due or place in new:
                closeup = Closeup.of(sight.frame, face.landmarks)
                if closeup is not None:
                    tracklets.sample(place, quality(face), closeup, self._embedding(closeup))

    def _embedding(self, closeup: Closeup) -> NDArray[np.float32] | None:
        if self._recogniser is None:
            return None
        return self._recogniser.embed(closeup.picture, closeup.landmarks)


def _looked(sight: Sight) -> list[Looked]:
    picture = sight.frame.picture
    factor = min(1.0, _GRAY_HEIGHT_PX / picture.height)
    width, height = round(picture.width * factor), round(picture.height * factor)
    small = picture.to_ndarray(format="rgb24", width=width, height=height)
    gray = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    return [
        Looked(face=face, signature=signature(gray, np.asarray(face.landmarks * factor, np.float32)))
        for face in sight.people
    ]


def _packed(recogniser: Recogniser, picture: NDArray[np.uint8], face: Face) -> bytes:
    return recogniser.embed(picture, face.landmarks).astype("<f2").tobytes()
