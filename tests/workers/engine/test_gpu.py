"""What only a GPU can show. `make test-gpu` runs this with torch, NumPy, safetensors and pytest alone."""

import copy
import gc

import pytest
import torch

from tests.workers.engine.crops import DENSE, TINY, crops, network
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.engine.managed import ManagedPool
from workers.engine.precision import Precision
from workers.engine.prefetching import prefetching
from workers.engine.residency import Residency
from workers.engine.reuse import Place, Reuse
from workers.engine.tenants import TorchTenant
from workers.errors import BudgetTooSmall
from workers.models.unet import LITE

pytestmark = pytest.mark.needs_gpu
GPU = torch.device("cuda", 0)
CPU = torch.device("cpu")
MIB = 2**20


@pytest.fixture(autouse=True)
def _as_found():
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    yield
    gc.collect()
    torch.cuda.set_per_process_memory_fraction(1.0, GPU)
    torch.cuda.empty_cache()


def on(device, picture):
    return tuple(tensor.to(device) for tensor in picture)


def engine(config=TINY, **options):
    return FusionEngine(network(config), GPU, **{"sides_px": (256, 128), **options})


@pytest.mark.parametrize("config", [TINY, LITE, DENSE])
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16, Precision.BF16])
def test_the_gpu_fuses_what_the_cpu_fuses(config, precision):
    picture = crops(2, 128)
    exact = FusionEngine(network(config), CPU)(*picture)
    fused = engine(config, first=Point(precision=precision))(*on(GPU, picture)).cpu()
    allowed = {Precision.FP32: 1e-4, Precision.FP16: 0.02, Precision.BF16: 0.06}
    torch.testing.assert_close(fused, exact, atol=allowed[precision], rtol=0)
    outside = (picture[1] == 0).expand_as(fused)
    assert torch.equal(fused[outside], picture[2][outside])


@pytest.mark.parametrize("config", [TINY, LITE, DENSE])
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
def test_replay_equals_eager(config, precision):
    """Several crops in a row, so that a graph that kept its first inputs would be found out."""
    first = Point(batch=2, precision=precision)
    eager, graphed = (engine(config, first=first, has_graphs=has) for has in (False, True))
    eager.warm()
    graphed.warm()
    assert (eager._whole.num_graphs, graphed._whole.num_graphs) == (0, 2)
    for seed in range(3):
        for side_px in (128, 256):
            picture = on(GPU, crops(3, side_px, seed))
            assert torch.equal(graphed(*picture), eager(*picture))


def test_a_shape_without_a_graph_runs_eagerly():
    graphed, eager = engine(has_graphs=True), engine()
    graphed.warm()
    picture = on(GPU, crops(1, 192))
    assert torch.equal(graphed(*picture), eager(*picture))


def test_tiles_of_a_dense_network_are_replayed():
    first = Point(tile_px=256)
    eager, graphed = (engine(DENSE, first=first, sides_px=(768,), has_graphs=has) for has in (False, True))
    eager.warm()
    graphed.warm()
    assert graphed._parts.num_graphs == 1
    picture = on(GPU, crops(1, 768))
    assert torch.equal(graphed(*picture), eager(*picture))


def test_who_came_together_shows_in_nobodys_pixels():
    batched, picture = engine(LITE, first=Point(batch=4)), on(GPU, crops(6, 128))
    together = batched(*picture)
    for order in ([5, 2, 0], [1], [3, 4, 0, 1, 2]):
        assert torch.equal(batched(*(tensor[order] for tensor in picture)), together[order])


def test_the_budget_is_kept():
    """By the allocator's own count, through the plan's steps down."""
    free = engine(DENSE, first=Point(batch=8), sides_px=(1024,))
    whole = free.warm().need.total_bytes
    del free
    gc.collect()
    torch.cuda.empty_cache()
    limit = whole // 2
    kept = engine(DENSE, first=Point(batch=8), sides_px=(1024,), limit_bytes=limit)
    assert kept.warm().steps
    torch.cuda.reset_peak_memory_stats(GPU)
    kept(*on(GPU, crops(1, 1024)))
    assert torch.cuda.max_memory_allocated(GPU) <= limit
    with pytest.raises(BudgetTooSmall, match="what would do"):
        engine(DENSE, sides_px=(1024,), limit_bytes=4 * MIB).warm()


def test_running_out_of_memory_steps_down_and_does_the_crops_again():
    roomy = engine(DENSE, first=Point(batch=8), sides_px=(512,))
    roomy.warm()
    picture = on(GPU, crops(8, 512))
    expected = roomy(*picture)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(GPU).total_memory
    room = torch.cuda.memory_allocated(GPU) + roomy.plan.need.batch_bytes // 2
    torch.cuda.set_per_process_memory_fraction(room / total, GPU)
    roomy._meter.limit_bytes = room
    torch.testing.assert_close(roomy(*picture), expected, atol=0.03, rtol=0)
    assert roomy.plan.point.batch < 8


def test_weights_in_host_memory_are_fetched_as_they_are_due():
    picture = on(GPU, crops(1, 128))
    there, away = (engine(LITE, first=Point(weights=place)) for place in ("device", "host"))
    assert torch.equal(there(*picture), away(*picture))


def test_two_hundred_runs_leave_memory_flat():
    graphed = engine(LITE, has_graphs=True, first=Point(precision=Precision.FP16))
    graphed.warm()
    picture, seen = on(GPU, crops(1, 256)), set()
    for _ in range(200):
        graphed(*picture)
        seen.add((torch.cuda.memory_allocated(GPU), torch.cuda.memory_reserved(GPU)))
    assert len(seen) <= 2  # the first run may take its output's block


def test_more_networks_than_memory_fuse_as_ever():
    nets = {str(seed): network(LITE, seed).to(GPU) for seed in range(5)}
    size = sum(tensor.nbytes for tensor in nets["0"].state_dict().values())
    held, picture = Residency(int(2.5 * size), has_reserve=False), on(GPU, crops(1, 128))
    for name, net in nets.items():
        held.add(name, TorchTenant(copy.deepcopy(net), GPU))
    for name in "01234302413":
        with (
            prefetching(held, (str((int(name) + 1) % 5),)),
            torch.inference_mode(),
            held.use(name) as one,
        ):
            assert torch.equal(one.network.fuse(*picture), nets[name].fuse(*picture))
        assert held.resident_bytes <= 2.5 * size


def test_transforms_that_hold_are_those_of_the_anchor():
    one = engine(LITE, reuse_threshold=1.0)
    (x, mask, target), reuse = on(GPU, crops(1, 128)), Reuse(one)
    own = reuse.fuse(x, mask, target, Place(5, 0), Place(5, 0))
    torch.testing.assert_close(own, one(x, mask, target), atol=1e-4, rtol=0)
    assert torch.equal(reuse.fuse(x, mask, target, Place(6, 0), Place(5, 0)), own)
    assert reuse.num_reused == 1


def test_networks_in_managed_memory_fuse_as_ever():
    """Well within what is free: that pages move is the driver's affair, and not for a shared machine."""
    pool, net = ManagedPool(64 * MIB), network(LITE)
    managed = copy.deepcopy(net)
    pool.take(managed, GPU)
    picture = on(GPU, crops(1, 128))
    with torch.inference_mode():
        assert torch.equal(managed.fuse(*picture), net.to(GPU).fuse(*picture))
    with pool.use(), pytest.raises(torch.OutOfMemoryError):
        torch.empty(128 * MIB, dtype=torch.uint8, device=GPU)
    del managed
