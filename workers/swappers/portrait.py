"""The default engine: a portrait's face, laid over each face of the video and settled by the fusion UNet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from broker.config import models_directory
from broker.installed import ModelStore
from broker.messages import SHOWN, FuseSpec
from workers.analysers.opening import Analysers
from workers.engine.budget import this_residency
from workers.engine.fusion import FusionEngine
from workers.engine.fusion_tenant import FusionTenant
from workers.engine.opening import open_fusion
from workers.engine.precision import Precision
from workers.engine.reuse import Reuse
from workers.engine.sessions import troubles
from workers.face import tone
from workers.face.fuse import Crop, Likeness, fuse_faces
from workers.face.modes import multiband, poisson
from workers.face.pyramid import Pyramid
from workers.face.track import RADIUS
from workers.frames import Frame
from workers.masking.masks import Masks, tinted
from workers.masking.opening import MaskMaker
from workers.masking.outliner import Outliner
from workers.media.planes import Canvas, Rgb
from workers.models.device import best_device
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX, FaceFinder
from workers.models.mtcnn_weights import SHA256
from workers.models.onnx_session import OnnxNetwork
from workers.models.unet import blur_inner
from workers.models.weights import read_facts
from workers.swappers.anchors import LEAD, Asked, anchored, left_out, placed
from workers.swappers.calm import Fused, calmed
from workers.swappers.contract import Source
from workers.swappers.following import Sight, sights
from workers.swappers.passes import Passes, Work
from workers.swappers.portraits import choice, decoded, faces_in

# Takes x (N, 6, S, S), mask (N, 1, S, S) and target (N, 3, S, S), float32 RGB in 0..1; returns (N, 3, S, S).
Fusion = Callable[[Tensor, Tensor, Tensor], Tensor]

_WARM_SIDE_PX = 256

#: Ways to fuse that ask no network.
_CLASSICAL = {"blend": poisson, "overlay": multiband}


class PortraitSwapper:
    """Fuses a portrait's face into every frame. One instance serves one chunk at a time."""

    name = "portrait"
    knows_shots = True

    def __init__(self, fusion: Fusion | None = None, device: torch.device | None = None) -> None:
        """Load the models onto `device` (by default the GPU that the process was given, else the CPU).

        `fusion` takes the place of the shipped fusion UNet; it gets tensors on `device`.

        Raises:
            WeightsRejected: weights are missing or not the ones that were shipped.
            BadSettings: the worker's settings of the engine cannot be.
        """
        self._device = device or best_device()
        self._finder = FaceFinder(self._device)
        self._fusion = fusion or open_fusion(self._device, beside_bytes=self._finder.size_bytes)
        threshold = self._fusion.reuse_threshold if isinstance(self._fusion, FusionEngine) else 0.0
        self.radius = RADIUS + tone.REACH + (LEAD if threshold else 0)
        self._place = self._placed()
        self._analysers = Analysers(self._finder, ModelStore(models_directory()))
        self._masks = MaskMaker(ModelStore(models_directory()))

    def models(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the digests of the detector's and the fusion's weights."""
        own = {f"mtcnn-{name}": digest for name, digest in SHA256.items()}
        fusion = {self._fusion_name(): str(read_facts()["sha256"])}
        return {**own, **fusion, **self._analysers.digests(fuse.analyser), **self._masks.digests(fuse)}

    def warm(self) -> None:
        """Run the detector and the fusion once at the sizes of a 720p search and a usual crop.

        Raises:
            BudgetTooSmall: the fusion does not fit into the memory that the worker was given.
        """
        if isinstance(self._fusion, FusionEngine) and self._fusion.plan.limit_bytes is None:
            self._fusion.warm()
        with this_residency().hold(*self._place):
            self._pass_once()

    def _pass_once(self) -> None:
        self._finder.find(Pyramid(np.zeros((720, LONGEST_SIDE_PX, 3), np.uint8)))
        blank = np.zeros((_WARM_SIDE_PX, _WARM_SIDE_PX, 3), np.float32)
        self._fuse([Crop(blank, blank, np.ones(blank.shape[:2], np.float32))])

    def places(self, fuse: FuseSpec) -> tuple[str, ...]:
        """See `Resident`."""
        return (*self._place, *(network.place for network in self._networks(fuse)))

    def provider(self, fuse: FuseSpec) -> str:
        """See `OnRuntime`."""
        return next((network.provider for network in self._networks(fuse)), "")

    def notes(self, fuse: FuseSpec) -> tuple[str, ...]:
        """See `OnRuntime`."""
        return (*self._masks.notes(fuse), *troubles(self._networks(fuse)))

    def _networks(self, fuse: FuseSpec) -> tuple[OnnxNetwork, ...]:
        """Return the installed networks that every frame of a job needs."""
        return (*self._analysers.networks(fuse.analyser), *self._masks.networks(fuse))

    @property
    def plan(self) -> str:
        """What the fusion does with the device's memory, in one line."""
        return str(self._fusion.plan) if isinstance(self._fusion, FusionEngine) else ""

    def prepare(self, portrait: bytes, fuse: FuseSpec) -> Source:
        """Find the face to take from a picture file (JPEG, PNG, WebP ...), turned as its EXIF says.

        Raises:
            NotAPicture: it cannot be decoded.
            NoFaceFound: there is no face in it.
            NoSuchFace: `fuse.source_face` is not the number of one of its faces.
        """
        self._masks.masks(fuse)  # what is not installed must be said before anything is rendered
        picture = decoded(portrait)
        faces = faces_in(picture, self._analysers.finder_for(fuse))
        chosen = choice(faces, fuse.source_face)
        return Source(faces=faces, chosen=chosen, prepared=Likeness.of(picture, faces[chosen].landmarks))

    def run(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        """Yield every frame that is not context, `radius` frames after it came in, or when no more come.

        At most `radius` + 1 frames are held, and 2 `RADIUS` + 1 pictures of the size that is searched; where
        the fusion takes N crops at once, N - 1 frames more, and so much later.
        """
        with this_residency().hold(*self.places(fuse)):
            yield from calmed(self._fused(frames, source, fuse), ratio=fuse.ratio)

    def _fused(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Fused]:
        """Yield every frame that is not context, and what is needed on either side to smooth its colours."""
        finder = self._analysers.finder_for(fuse)
        masks, outliner = self._masks.masks(fuse), self._masks.outliner(fuse)
        reuse = self.reuse(fuse)
        seen = sights(
            frames,
            finder,
            which=fuse.faces,
            threshold=fuse.threshold,
            margin=tone.REACH,
            lead=0 if reuse is None else LEAD,
        )
        work = partial(fusing, source=source, fuse=fuse, masks=masks, outliner=outliner)
        yield from self.fused(seen, work, fuse, reuse)

    def fused(
        self,
        seen: Iterable[Sight],
        work: Callable[[Sight], Work[Crop, Rgb, Fused]],
        fuse: FuseSpec,
        reuse: Reuse | None = None,
    ) -> Iterator[Fused]:
        """Yield every frame, its faces found already, with the patches that change it.

        `work` has the faces of one frame fused. With `reuse`, colour transforms may be an earlier frame's.
        """
        if reuse is None:
            return self._passes(fuse).through(map(work, seen))
        passes: Passes[Asked, Rgb] = Passes(
            lambda asked: [self._lent(one, reuse) for one in asked], size=1, kind_of=len
        )
        return passes.through(
            placed(work(frame.sight), frame) if frame.is_fused else left_out(frame)
            for frame in anchored(seen)
        )

    def reuse(self, fuse: FuseSpec) -> Reuse | None:
        """Return what keeps transforms for one run; None: nothing does, or no network is asked."""
        if fuse.mode in {SHOWN, *_CLASSICAL} or not isinstance(self._fusion, FusionEngine):
            return None
        return Reuse(self._fusion) if self._fusion.reuse_threshold else None

    def _passes(self, fuse: FuseSpec) -> Passes[Crop, Rgb]:
        if fuse.mode == SHOWN:
            return Passes(lambda crops: [tinted(crop.target) for crop in crops], size=1, kind_of=_side_px)
        classical = _CLASSICAL.get(fuse.mode)
        if classical is not None:
            return Passes(lambda crops: [classical(*crop[:3]) for crop in crops], size=1, kind_of=_side_px)
        size = self._fusion.first.batch if isinstance(self._fusion, FusionEngine) else 1
        return Passes(self._fuse, size=size, kind_of=_side_px)

    def _placed(self) -> tuple[str, ...]:
        """Put the fusion under the worker's budget; return its name there."""
        this_residency().keep("mtcnn", self._finder.size_bytes)
        if not isinstance(self._fusion, FusionEngine):
            return ()
        return (this_residency().add("fusion", FusionTenant(self._fusion)),)

    def _fusion_name(self) -> str:
        """Name the network, and what else shows in pixels: workers that share a job must agree.

        That is its precision if it is not float32, the size of its passes if it is not 1 (in last bits only),
        and the threshold under which transforms hold, if there is one.
        """
        if not isinstance(self._fusion, FusionEngine):
            return "fusion-lite"
        first, threshold = self._fusion.first, self._fusion.reuse_threshold
        precision = "" if first.precision is Precision.FP32 else f" in {first.precision}"
        size = "" if first.batch == 1 else f", {first.batch} at once"
        return f"fusion-lite{precision}{size}" + (f", held below {threshold}" if threshold else "")

    @torch.inference_mode()
    def _fuse(self, crops: Sequence[Crop], fusion: Fusion | None = None) -> list[Rgb]:
        """Fuse crops of one side, together; the engine sees to it that their number does not show."""
        sharp, placed = (
            self._tensor(part) for part in ([crop.target for crop in crops], [crop.source for crop in crops])
        )
        soft = self._tensor([crop.mask[..., None] for crop in crops])
        x = torch.cat([blur_inner(sharp, soft), placed], dim=1)
        fused = (fusion or self._fusion)(x, soft, sharp)
        return [np.ascontiguousarray(one) for one in fused.permute(0, 2, 3, 1).float().cpu().numpy()]

    def _lent(self, asked: Asked, reuse: Reuse) -> Rgb:
        """Fuse a crop by itself, with the transforms of its anchor if they serve."""
        return self._fuse([asked.crop], partial(reuse.fuse, own=asked.own, anchor=asked.anchor))[0]

    def _tensor(self, pictures: Sequence[NDArray[np.float32]]) -> Tensor:
        return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous().to(self._device)


def fusing(
    sight: Sight, source: Source, fuse: FuseSpec, masks: Masks, outliner: Outliner
) -> Work[Crop, Rgb, Fused]:
    """Have the faces of one frame fused."""
    likenesses = [source.all[number].prepared for number in sight.sources]
    canvas = Canvas(sight.frame.picture)
    outlines = outliner.outlines(canvas, sight.people)
    patches = yield from fuse_faces(canvas, sight.faces, likenesses, fuse, masks.at_once, outlines=outlines)
    return Fused(frame=sight.frame, patches=patches, begins_shot=sight.begins_shot)


def _side_px(crop: Crop) -> int:
    return crop.side_px
