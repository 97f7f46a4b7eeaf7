"""Networks in their authors' own files: refused with the remedy where spandrel is not, else run by it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from broker.installed import ModelStore
from broker.messages import FuseSpec
from farm.modelstore.arrival import Introduction, add
from workers.engine.budget import this_residency
from workers.errors import ModelUnusable
from workers.models.spandrel_network import SpandrelNetwork
from workers.stages.opening import StageNetworks
from workers.stages.running import Stages


def spandrel():
    """Return the package, or skip: no extra brings it to tests, since its torchvision may not fit."""
    try:
        import spandrel
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs a spandrel that can be imported: {error}")
    return spandrel


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("sys.modules['spandrel'] = None", "spandrel is not installed here"),
        (
            "sys.path.insert(0, sys.argv[1])",
            "torchvision does not fit this torch (operator torchvision::nms does not exist)",
        ),
    ],
)
def test_without_it_a_worker_says_what_helps(store, tmp_path, found, said):
    """Also where it is there and cannot be imported, which is what a wrong torchvision comes to."""
    broken = 'raise RuntimeError("operator torchvision::nms does not exist")'
    (tmp_path / "spandrel.py").write_text(broken)
    torch.save({"a": torch.zeros(1)}, tmp_path / "net.pth")
    add(store, tmp_path / "net.pth", Introduction(name="own", contract="esrgan-x2"))
    code = (
        f"import sys; {found}\n"
        "from pathlib import Path\n"
        "from broker.installed import ModelStore\n"
        "from workers.errors import PackageMissing\n"
        "from workers.stages.opening import StageNetworks\n"
        "try: StageNetworks(ModelStore(Path(sys.argv[2]))).upscaler('own')\n"
        "except PackageMissing as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(store.directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said in done.stdout, done.stderr
    assert "as .onnx" in done.stdout


def enlarger(path):
    """Save a narrow network of Real-ESRGAN's form as its authors save theirs; return the network."""
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(0)
    network = ESRGAN(num_filters=8, num_blocks=1, scale=2).eval()
    torch.save({"params_ema": network.state_dict()}, path)
    return network


def test_an_enlarging_network_runs_as_its_authors_own_class_does(store, tmp_path):
    spandrel()
    network = enlarger(tmp_path / "net.pth")
    model = add(store, tmp_path / "net.pth", Introduction(name="own", contract="esrgan-x2"))
    picture = np.random.default_rng(0).random((64, 64, 3), np.float32)
    upscaler = StageNetworks(store).upscaler("own")
    upscaler.tile_px = 64
    [(_, found)] = upscaler.enlarged(picture)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(picture).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    assert np.abs(found.transpose(1, 2, 0) - np.clip(wanted, 0, 1)).max() < 1e-5
    fuse = FuseSpec(engine="portrait", upscale="own")
    assert Stages(store).models(fuse) == {"own": model.digest}
    assert set(Stages(store).parts(fuse)) == {"spandrel", "upscaling tile"}


def test_a_file_of_no_known_form_is_refused_by_name(tmp_path):
    spandrel()
    torch.save({"params": {"nothing.weight": torch.zeros(3)}}, tmp_path / "net.pth")
    with pytest.raises(ModelUnusable, match=r"net\.pth is no network that spandrel knows"):
        SpandrelNetwork(tmp_path / "net.pth")


def test_a_restorer_sees_and_gives_faces_in_the_contracts_range(tmp_path):
    """GFPGAN's own form: the contract's -1..1 is brought to spandrel's 0..1, and back."""
    spandrel()
    from spandrel.architectures.GFPGAN import GFPGAN

    from workers.stages.contracts import RESTORERS
    from workers.stages.restorer import Restorer

    torch.manual_seed(0)
    network = GFPGAN().eval()
    torch.save({"params_ema": network.state_dict()}, tmp_path / "net.pth")
    opened = SpandrelNetwork(tmp_path / "net.pth")
    restorer = Restorer(opened, RESTORERS["gfpgan"])
    crop = np.random.default_rng(0).random((512, 512, 3), np.float32)
    with torch.inference_mode():
        wanted = opened._network(torch.from_numpy(crop).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    found = restorer.restore(crop, 0.5)
    assert np.abs(found - wanted.numpy().clip(0, 1)).max() < 1e-4


def test_it_leaves_the_workers_memory_and_comes_back_the_same(store, tmp_path, monkeypatch):
    spandrel()
    enlarger(tmp_path / "net.pth")
    add(store, tmp_path / "net.pth", Introduction(name="own", contract="esrgan-x2"))
    monkeypatch.setenv("FARM_WORKER_GPU_MEMORY_LIMIT", "1")
    this_residency.cache_clear()
    try:
        networks, fuse = StageNetworks(store), FuseSpec(engine="portrait", upscale="own")
        upscaler = networks.upscaler("own")
        picture = np.random.default_rng(0).random((64, 64, 3), np.float32)
        (place,) = networks.places(fuse)
        expected = [part.copy() for _, part in upscaler.enlarged(picture)]
        assert place in this_residency().resident
        this_residency().make_way()
        assert place not in this_residency().resident
        assert all(map(np.array_equal, (part for _, part in upscaler.enlarged(picture)), expected))
    finally:
        this_residency.cache_clear()
