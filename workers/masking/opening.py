"""From what a job asks of its masks to networks that are installed."""

from __future__ import annotations

from broker.installed import SEGMENTING, Model, ModelStore
from broker.messages import BOX, HULL, OCCLUSION, REGION, SHOWN, FuseSpec
from workers.engine.sessions import open_network
from workers.errors import ModelMissing
from workers.face.mask import Mask
from workers.masking.masks import Masks
from workers.masking.segmenters import FaceParser, Occluder
from workers.models.installed import checked_file, installed_models


class MaskMaker:
    """The installed segmentation networks of a worker, each opened when first asked for."""

    def __init__(self, store: ModelStore) -> None:
        """Take the store that holds them."""
        self._store = store
        self._opened: dict[str, Occluder | FaceParser] = {}

    def masks(self, fuse: FuseSpec, *, usual: tuple[str, ...] = (), own: Mask | None = None) -> Masks:
        """Return a job's masks; `usual` kinds are the engine's, where the job asks for none.

        `own` is a mask of the engine's, that counts beside them.

        Raises:
            ModelMissing: a network that it needs is not installed; the message says how to get it.
            ModelUnusable: its file is spoiled, or another network's.
            PackageMissing: the extra `models` is not installed.
        """
        kinds = fuse.mask or usual
        occluder = self._network(OCCLUSION) if OCCLUSION in kinds else None
        parser = self._network(REGION) if REGION in kinds else None
        assert occluder is None or isinstance(occluder, Occluder)
        assert parser is None or isinstance(parser, FaceParser)
        return Masks(
            own=own,
            has_box=BOX in kinds,
            has_hull=HULL in kinds,
            blur=fuse.mask_blur,
            padding=fuse.mask_padding,
            occluder=occluder,
            parser=parser,
            is_shown=fuse.mode == SHOWN,
        )

    def digests(self, fuse: FuseSpec) -> dict[str, str]:
        """Return the digests, by name, of the networks that a job's masks use."""
        models = [self._model(kind) for kind in SEGMENTING if kind in fuse.mask]
        return {model.name: model.digest for model in models}

    def _network(self, kind: str) -> Occluder | FaceParser:
        if kind not in self._opened:
            model = self._model(kind)
            network = open_network(checked_file(self._store, model, model.files[0]))
            self._opened[kind] = Occluder(network) if kind == OCCLUSION else FaceParser(network)
        return self._opened[kind]

    def _model(self, kind: str) -> Model:
        contract, known = SEGMENTING[kind]
        for model in installed_models(self._store).values():
            if model.contract == contract:
                return model
        raise ModelMissing(
            f"--mask {kind} needs a segmentation network, and none is installed here: "
            f"`farm models pull {known} --accept-licence` gets one"
        )
