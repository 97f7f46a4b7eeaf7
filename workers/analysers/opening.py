"""The analyser that a job asks for: the farm's own, or an installed one by its name."""

from __future__ import annotations

from pathlib import Path

from broker.installed import Model, ModelFile, ModelStore
from broker.messages import FuseSpec
from workers.analysers.scrfd import ScrfdFinder
from workers.errors import ModelMissing, ModelUnusable
from workers.face.track import Finder
from workers.models.installed import checked_file
from workers.models.mtcnn_cascade import FaceFinder
from workers.models.onnx_session import OnnxNetwork

#: The farm's own detector, which needs no download.
OWN = "mtcnn"

#: How packs name their detector; a model of one file may name it as it likes.
_DETECTORS = ("det_", "scrfd")


class Analysers:
    """The installed analysers of a worker, each opened when first asked for."""

    def __init__(self, own: Finder, store: ModelStore) -> None:
        """Take the farm's own detector, and the store that holds the others."""
        self._own = own
        self._store = store
        self._opened: dict[str, Finder] = {}

    def finder(self, name: str) -> Finder:
        """Return what finds faces under that name.

        Raises:
            ModelMissing: no analyser of that name is installed; the message says how to get it.
            ModelUnusable: its file is spoiled, or no detector.
            PackageMissing: the extra `models` is not installed.
        """
        if name == OWN:
            return self._own
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def networks(self, name: str) -> tuple[OnnxNetwork, ...]:
        """Return the networks that an analyser runs; of the farm's own, which is always there, none."""
        finder = self.finder(name)
        return (finder.network,) if isinstance(finder, ScrfdFinder) else ()

    def finder_for(self, fuse: FuseSpec) -> Finder:
        """Return what finds the faces of a job, the small ones that it asks for among them.

        Raises:
            ModelMissing, ModelUnusable, PackageMissing: as `finder`.
        """
        if fuse.analyser == OWN and isinstance(self._own, FaceFinder):
            return self._own.down_to(fuse.smallest)
        return self.finder(fuse.analyser)

    def digests(self, name: str) -> dict[str, str]:
        """Return the analyser's name and digest; nothing for the farm's own."""
        return {} if name == OWN else {name: self._model(name).digest}

    def _open(self, name: str) -> Finder:
        model = self._model(name)
        return ScrfdFinder(checked_file(self._store, model, _detector(model)))

    def _model(self, name: str) -> Model:
        model = self._store.models().get(name)
        if model is None or model.kind != "analyser":
            raise ModelMissing(
                f"no analyser {name!r} is installed here; {OWN} needs none; "
                f"`farm models pull {name}` or `farm models add PATH` installs one"
            )
        return model


def _detector(model: Model) -> ModelFile:
    networks = [file for file in model.files if file.name.endswith(".onnx")]
    named = [file for file in networks if Path(file.name).name.startswith(_DETECTORS)]
    if len(named) == 1 or len(networks) == 1:
        return (named or networks)[0]
    raise ModelUnusable(f"model {model.name} has no detector among {', '.join(f.name for f in networks)}")
