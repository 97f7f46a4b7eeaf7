"""What a worker says of its memory."""

import sys
import types

import torch

from tests.workers.engine.crops import crops, network
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.engine.moves import MOVES
from workers.footprint import footprint


def test_it_grows_with_what_the_process_holds():
    """On a CPU that is its resident set; the peak stays when the memory is gone."""
    before = footprint()
    held = torch.ones(50 * 2**20)
    during = footprint()
    assert during.used_bytes >= before.used_bytes + 0.9 * held.nbytes
    del held
    after = footprint()
    assert after.used_bytes <= during.used_bytes - 150 * 2**20
    assert after.peak_bytes >= during.used_bytes - 8 * 2**20  # the kernel counts in batches


def test_weights_that_come_from_host_memory_are_counted():
    """Every layer's for every pass, with its bytes."""
    engine = FusionEngine(network(), torch.device("cpu"), first=Point(weights="host"))
    before, before_bytes = MOVES.num, MOVES.num_bytes
    engine(*crops(1, 64))
    layers = [module for module in engine.network.modules() if isinstance(module, torch.nn.Conv2d)]
    assert MOVES.num - before == len(layers)
    assert MOVES.num_bytes - before_bytes > 4 * sum(p.numel() for p in network().parameters() if p.dim() > 1)


def test_a_torch_that_is_being_loaded_has_no_device(monkeypatch):
    """The keeper asks while another thread imports: an error would end it, and every lease with it."""
    half = types.ModuleType("torch")
    monkeypatch.setitem(sys.modules, "torch", half)
    assert footprint().used_bytes > 0
    half.cuda = types.ModuleType("torch.cuda")
    assert footprint().used_bytes > 0
