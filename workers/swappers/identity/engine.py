"""The engine around a swap network: faces followed, one identity for all, everything else untouched."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from broker.messages import FuseSpec
from workers.analysers.opening import OWN, Analysers
from workers.errors import SourceUnusable
from workers.face.align import Points
from workers.face.mask import Mask
from workers.face.pyramid import Pyramid
from workers.face.track import RADIUS, Finder
from workers.frames import Face, Frame
from workers.media.planes import Canvas, Rgb
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX, FaceFinder
from workers.pipeline import ahead
from workers.swappers.contract import Source
from workers.swappers.following import followed
from workers.swappers.identity.boost import unweave, weave
from workers.swappers.identity.contracts import Contract
from workers.swappers.identity.paste import change_faces
from workers.swappers.identity.source import Likeness
from workers.swappers.passes import Passes, Work
from workers.swappers.portraits import choice, decoded, faces_in, unpacked

#: Frames whose faces are known before they are changed. Few: each holds a picture.
_AHEAD_FRAMES = 2

#: Crops in one pass: a file says how many it takes, and mostly that is one.
_PASS_CROPS = 1


class FaceNetwork(Protocol):
    """A network that changes crops of faces; sources are what the encoder beside it makes."""

    @property
    def contract(self) -> Contract:
        """How it is used."""

    @property
    def mask(self) -> Mask | None:
        """The part of a crop (S, S) that is taken over; None: all but a soft rim."""

    def swap(self, crops: NDArray[np.float32], source: Any) -> NDArray[np.float32]:
        """Return crops (N, S, S, 3), RGB in 0..1, with the source's identity."""


class Encoder(Protocol):
    """Makes of portraits of one person what a network is told of them."""

    def encode(self, portraits: Sequence[Likeness]) -> Any:
        """Return it; it is kept as long as the job runs."""


class IdentitySwapper:
    """Gives every face of a stream the source's identity. One instance serves one chunk at a time."""

    radius = RADIUS

    def __init__(
        self,
        name: str,
        *,
        network: FaceNetwork,
        encoder: Encoder,
        finder: Finder,
        models: Mapping[str, str],
        analysers: Analysers,
    ) -> None:
        """Take the parts; `models` names the installed models that they came from, with their digests."""
        self.name = name
        self._models = models
        self._analysers = analysers
        self._network = network
        self._encoder = encoder
        self._finder = finder

    def models(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the digests of the network, of what its source needs, and of the analyser."""
        return {**self._models, **self._analysers.digests(fuse.analyser)}

    def warm(self) -> None:
        """Run the detector and the network once at the sizes of a 720p search and of a crop."""
        self._finder.find(Pyramid(np.zeros((720, LONGEST_SIDE_PX, 3), np.uint8)))
        side_px = self._network.contract.side_px
        blank = np.zeros((side_px, side_px, 3), np.uint8)
        eyes_to_mouth = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.4, 0.8], [0.6, 0.8]], np.float32)
        source = self._encoder.encode([Likeness(picture=blank, landmarks=eyes_to_mouth * side_px)])
        self._network.swap(np.zeros((1, side_px, side_px, 3), np.float32), source)

    def prepare(self, portrait: bytes, fuse: FuseSpec) -> Source:
        """Find the face to take from a picture file, or one in each of several, and encode them together.

        Raises:
            NotAPicture: it cannot be decoded.
            NoFaceFound: there is no face in it.
            NoSuchFace: `fuse.source_face` is not the number of one of its faces.
        """
        looked = [self._look(name, content, fuse) for name, content in unpacked(portrait).items()]
        likenesses = [
            Likeness(picture=picture, landmarks=faces[chosen].landmarks) for picture, faces, chosen in looked
        ]
        _, faces, chosen = looked[0]
        return Source(faces=faces, chosen=chosen, prepared=self._encoder.encode(likenesses))

    def run(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        """Yield every frame that is not context, in order, with its faces changed."""
        contract = self._network.contract
        side_px = contract.side_px * fuse.boost

        def work(frame: Frame, faces: Sequence[Points]) -> Work[Rgb, Rgb, Frame]:
            canvas = Canvas(frame.picture)
            done = yield from change_faces(canvas, faces, contract.template, side_px, self._network.mask)
            return Frame(
                picture=canvas.picture,
                index=frame.index,
                pts=frame.pts,
                num_faces=len(done),
                faces=tuple(done),
            )

        def change(crops: list[Rgb]) -> list[Rgb]:
            changed = self._change(crops, source.prepared, fuse.boost)
            pairs = zip(crops, changed, strict=True)
            return changed if fuse.ratio == 1 else [a + np.float32(fuse.ratio) * (b - a) for a, b in pairs]

        stream = followed(frames, self._finder_for(fuse), which=fuse.faces, threshold=fuse.threshold)
        # Networks of this kind take most of a core, and so does the detector: each gets a thread.
        works = (work(*seen) for seen in ahead(stream, _AHEAD_FRAMES, stop=threading.Event()))
        yield from Passes(change, size=_PASS_CROPS, kind_of=len).through(works)

    def _look(
        self, name: str, content: bytes, fuse: FuseSpec
    ) -> tuple[NDArray[np.uint8], tuple[Face, ...], int]:
        """Return a portrait's picture, its faces, and which of them is taken; errors name the file."""
        try:
            picture = decoded(content)
            faces = faces_in(picture, self._finder_for(fuse))
            return picture, faces, choice(faces, fuse.source_face)
        except SourceUnusable as error:
            raise type(error)(f"{name}: {error}" if name else str(error)) from error

    def _finder_for(self, fuse: FuseSpec) -> Finder:
        if fuse.analyser != OWN:
            return self._analysers.finder(fuse.analyser)
        return self._finder.down_to(fuse.smallest) if isinstance(self._finder, FaceFinder) else self._finder

    def _change(self, crops: list[Rgb], source: Any, boost: int) -> list[Rgb]:
        """Change crops one by one, each as one batch of its parts, whose number is always the same."""
        if boost == 1:
            return [np.asarray(self._network.swap(crop[None], source)[0]) for crop in crops]
        return [weave(self._network.swap(unweave(crop, boost), source), boost) for crop in crops]
