"""From what a job asks of its masks to networks that are installed."""

from __future__ import annotations

from typing import TypeVar

from broker.installed import LANDMARKERS, SEGMENTING, Model, ModelFile, ModelStore
from broker.messages import BOX, HULL, OCCLUSION, REGION, SHOWN, FuseSpec
from workers.engine.sessions import open_network
from workers.errors import ModelMissing
from workers.face.mask import Mask
from workers.masking.landmarker import Landmarker
from workers.masking.masks import Masks
from workers.masking.outliner import Outliner
from workers.masking.segmenters import FaceParser, Occluder
from workers.models.installed import checked_file, first_file, installed_models
from workers.models.onnx_session import OnnxNetwork

_COARSE = (
    "outlines are told by five landmarks and a coarse head: `farm models pull buffalo_l --accept-licence` "
    "gets a network of 106"
)

Kind = TypeVar("Kind", Occluder, FaceParser, Landmarker)


class MaskMaker:
    """The installed networks of a worker that tell where a face is seen, each opened when first asked for."""

    def __init__(self, store: ModelStore) -> None:
        """Take the store that holds them."""
        self._store = store
        # By the file's digest, too: a model that is added anew is another.
        self._opened: dict[tuple[str, type], Occluder | FaceParser | Landmarker] = {}

    def masks(self, fuse: FuseSpec, *, usual: tuple[str, ...] = (), own: Mask | None = None) -> Masks:
        """Return a job's masks; `usual` kinds are the engine's, where the job asks for none.

        `own` is a mask of the engine's, that counts beside them.

        Raises:
            ModelMissing: a network that it needs is not installed; the message says how to get it.
            ModelUnusable: its file is spoiled, or another network's.
            PackageMissing: the extra `models` is not installed.
        """
        kinds = fuse.mask or usual
        return Masks(
            own=own,
            has_box=BOX in kinds,
            has_hull=HULL in kinds,
            blur=fuse.mask_blur,
            padding=fuse.mask_padding,
            occluder=self._segmenter(OCCLUSION, Occluder) if OCCLUSION in kinds else None,
            parser=self._segmenter(REGION, FaceParser) if REGION in kinds else None,
            is_shown=fuse.mode == SHOWN,
        )

    def outliner(self, fuse: FuseSpec) -> Outliner:
        """Return what tells the outlines of a job's faces, if the job asks for them.

        Raises:
            ModelUnusable, PackageMissing: as `masks`; that none is installed is no error.
        """
        found = self._landmarks(fuse)
        return Outliner(None if found is None else self._network(*found, Landmarker))

    def networks(self, fuse: FuseSpec) -> tuple[OnnxNetwork, ...]:
        """Return the networks that a job's masks run, for every face. Raises as `masks`."""
        masks, landmarker = self.masks(fuse), self.outliner(fuse).landmarker
        found = (masks.occluder, masks.parser, landmarker)
        return tuple(one.network for one in found if one is not None)

    def digests(self, fuse: FuseSpec) -> dict[str, str]:
        """Return the digests, by name, of the networks that a job's masks use."""
        models = [self._model(kind) for kind in SEGMENTING if kind in fuse.mask]
        outlining = self._landmarks(fuse)
        return {model.name: model.digest for model in (*models, *(outlining or ())[:1])}

    def notes(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return what the user should know of a job's masks: what tells the outlines. Raises as `masks`."""
        if HULL not in fuse.mask:
            return ()
        found, landmarker = self._landmarks(fuse), self.outliner(fuse).landmarker
        if found is None or landmarker is None:
            return (_COARSE,)
        model, file = found
        return (f"outlines are told by {landmarker.num_points} landmarks, of {file.name} in {model.name}",)

    def _landmarks(self, fuse: FuseSpec) -> tuple[Model, ModelFile] | None:
        """Return the installed landmark network that a job's outlines want; None: five landmarks must do."""
        return first_file(self._store, LANDMARKERS) if HULL in fuse.mask else None

    def _segmenter(self, kind: str, network: type[Kind]) -> Kind:
        model = self._model(kind)
        return self._network(model, model.files[0], network)

    def _network(self, model: Model, file: ModelFile, kind: type[Kind]) -> Kind:
        key = file.sha256, kind
        if key not in self._opened:
            self._opened[key] = kind(open_network(checked_file(self._store, model, file)))
        found = self._opened[key]
        assert isinstance(found, kind)
        return found

    def _model(self, kind: str) -> Model:
        contract, known = SEGMENTING[kind]
        for model in installed_models(self._store).values():
            if model.contract == contract:
                return model
        raise ModelMissing(
            f"--mask {kind} needs a segmentation network, and none is installed here: "
            f"`farm models pull {known} --accept-licence` gets one"
        )
