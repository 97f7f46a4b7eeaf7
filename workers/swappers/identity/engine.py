"""The engine around a swap network: faces followed, one identity for all, everything else untouched."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from broker.messages import BOX, FuseSpec
from workers.analysers.opening import Analysers
from workers.engine.budget import this_residency
from workers.engine.sessions import troubles
from workers.errors import SourceUnusable
from workers.face.mask import Mask
from workers.face.pyramid import Pyramid
from workers.face.track import RADIUS, Finder
from workers.frames import Face, Frame
from workers.masking.opening import MaskMaker
from workers.media.planes import Canvas, Rgb
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX
from workers.models.onnx_session import OnnxNetwork
from workers.pipeline import ahead
from workers.swappers.contract import Source
from workers.swappers.following import Sight, sights
from workers.swappers.identity.boost import unweave, weave
from workers.swappers.identity.contracts import Contract
from workers.swappers.identity.paste import Cutting, Target, change_faces
from workers.swappers.identity.source import Likeness
from workers.swappers.passes import Passes, Work
from workers.swappers.portraits import choice, decoded, faces_in, unpacked

#: Frames whose faces are known before they are changed. Few: each holds a picture.
_AHEAD_FRAMES = 2


class FaceNetwork(Protocol):
    """A network that changes crops of faces; sources are what the encoder beside it makes."""

    @property
    def contract(self) -> Contract:
        """How it is used."""

    @property
    def mask(self) -> Mask | None:
        """The part of a crop (S, S) that is taken over; None: all but a soft rim."""

    @property
    def pass_size(self) -> int:
        """How many crops go through at once."""

    @property
    def is_apart(self) -> bool:
        """Whether no crop's last bits depend on how many those are."""

    @property
    def place(self) -> str:
        """Its name among what the worker keeps within its memory; empty where it is no tenant there."""

    @property
    def provider(self) -> str:
        """What ONNX Runtime runs it on; empty where something else does."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What users should know of that."""

    def swap(self, crops: NDArray[np.float32], source: Any) -> NDArray[np.float32]:
        """Return crops (N, S, S, 3), RGB in 0..1, with the source's identity."""

    def swap_some(self, crops: NDArray[np.float32], source: Any) -> NDArray[np.float32]:
        """Return the same of up to `pass_size` crops, each to the bits that it gets in any company."""


class Encoder(Protocol):
    """Makes of portraits of one person what a network is told of them."""

    def encode(self, portraits: Sequence[Likeness]) -> Any:
        """Return it; it is kept as long as the job runs."""


class IdentitySwapper:
    """Gives every face of a stream the source's identity. One instance serves one chunk at a time."""

    radius = RADIUS
    knows_shots = True

    def __init__(
        self,
        name: str,
        *,
        network: FaceNetwork,
        encoder: Encoder,
        finder: Finder,
        models: Mapping[str, str],
        analysers: Analysers,
        masks: MaskMaker,
    ) -> None:
        """Take the parts; `models` names the installed models that they came from, with their digests."""
        self.name = name
        self._models = models
        self._analysers = analysers
        self._masks = masks
        self._network = network
        self._encoder = encoder
        self._finder = finder

    def models(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the digests of the network, of what its source needs, and of the analyser."""
        network = self._network
        passes = (
            {} if network.is_apart or network.pass_size == 1 else {"crops in a pass": str(network.pass_size)}
        )
        digests = {**self._analysers.digests(fuse.analyser), **self._masks.digests(fuse)}
        return {**self._models, **passes, **digests}

    def places(self, fuse: FuseSpec) -> tuple[str, ...]:
        """See `Resident`; the source's encoder is needed once."""
        others = (network.place for network in self._networks(fuse))
        return tuple(filter(None, (self._network.place, *others)))

    def provider(self, fuse: FuseSpec) -> str:  # noqa: ARG002 - every swapper is asked so
        """See `OnRuntime`."""
        return self._network.provider

    def notes(self, fuse: FuseSpec) -> tuple[str, ...]:
        """See `OnRuntime`."""
        return (*self._masks.notes(fuse), *self._network.notes, *troubles(self._networks(fuse)))

    def warm(self) -> None:
        """Run the detector and the network once at the sizes of a 720p search and of a crop."""
        self._finder.find(Pyramid(np.zeros((720, LONGEST_SIDE_PX, 3), np.uint8)))
        side_px = self._network.contract.side_px
        blank = np.zeros((side_px, side_px, 3), np.uint8)
        eyes_to_mouth = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.4, 0.8], [0.6, 0.8]], np.float32)
        source = self._encoder.encode([Likeness(picture=blank, landmarks=eyes_to_mouth * side_px)])
        with this_residency().hold(*self.places(FuseSpec(engine=self.name))):
            self._network.swap_some(np.zeros((1, side_px, side_px, 3), np.float32), source)

    def prepare(self, portrait: bytes, fuse: FuseSpec) -> Source:
        """Find the face to take from a picture file, or one in each of several, and encode them together.

        Raises:
            NotAPicture: it cannot be decoded.
            NoFaceFound: there is no face in it.
            NoSuchFace: `fuse.source_face` is not the number of one of its faces.
        """
        self._masks.masks(fuse)  # what is not installed must be said before anything is rendered
        looked = [self._look(name, content, fuse) for name, content in unpacked(portrait).items()]
        likenesses = [
            Likeness(picture=picture, landmarks=faces[chosen].landmarks) for picture, faces, chosen in looked
        ]
        _, faces, chosen = looked[0]
        return Source(faces=faces, chosen=chosen, prepared=self._encoder.encode(likenesses))

    def run(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        """Yield every frame that is not context, in order, with its faces changed."""
        with this_residency().hold(*self.places(fuse)):
            yield from self._changed(frames, source, fuse)

    def _changed(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        contract, own = self._network.contract, self._network.mask
        cutting = Cutting(
            template=contract.template,
            side_px=contract.side_px * fuse.boost,
            masks=self._masks.masks(fuse, usual=(BOX,) if own is None else (), own=own),
        )

        outliner = self._masks.outliner(fuse)

        def work(sight: Sight) -> Work[Target, Rgb, Frame]:
            frame, canvas = sight.frame, Canvas(sight.frame.picture)
            outlines = outliner.outlines(canvas, sight.people)
            done = yield from change_faces(canvas, sight.faces, sight.sources, cutting, outlines)
            return Frame(
                picture=canvas.picture,
                index=frame.index,
                pts=frame.pts,
                num_faces=len(done),
                faces=tuple(person.landmarks for person in done),
                outlines=tuple(person.outline for person in done),
            )

        def change(targets: list[Target]) -> list[Rgb]:
            crops = [target.crop for target in targets]
            changed = self._change(crops, source.all[targets[0].source].prepared, fuse.boost)
            pairs = zip(crops, changed, strict=True)
            return changed if fuse.ratio == 1 else [a + np.float32(fuse.ratio) * (b - a) for a, b in pairs]

        stream = sights(frames, self._analysers.finder_for(fuse), which=fuse.faces, threshold=fuse.threshold)
        # Networks of this kind take most of a core, and so does the detector: each gets a thread.
        works = (work(seen) for seen in ahead(stream, _AHEAD_FRAMES, stop=threading.Event()))
        size = self._network.pass_size if fuse.boost == 1 else 1
        yield from Passes(change, size=size, kind_of=_kind).through(works)

    def _networks(self, fuse: FuseSpec) -> tuple[OnnxNetwork, ...]:
        """Return the installed networks that every frame of a job needs beside its own."""
        return (*self._analysers.networks(fuse.analyser), *self._masks.networks(fuse))

    def _look(
        self, name: str, content: bytes, fuse: FuseSpec
    ) -> tuple[NDArray[np.uint8], tuple[Face, ...], int]:
        """Return a portrait's picture, its faces, and which of them is taken; errors name the file."""
        try:
            picture = decoded(content)
            faces = faces_in(picture, self._analysers.finder_for(fuse))
            return picture, faces, choice(faces, fuse.source_face)
        except SourceUnusable as error:
            raise type(error)(f"{name}: {error}" if name else str(error)) from error

    def _change(self, crops: list[Rgb], source: Any, boost: int) -> list[Rgb]:
        """Change crops; the parts of a boosted one are a batch by themselves, always of the same size."""
        if boost == 1:
            return list(self._network.swap_some(np.stack(crops), source))
        return [weave(self._network.swap(unweave(crop, boost), source), boost) for crop in crops]


def _kind(target: Target) -> tuple[int, int]:
    """Say which crops may go through together: of one size, to one source."""
    return len(target.crop), target.source
