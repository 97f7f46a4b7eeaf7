"""Pooling by slices is torch's own, to the bit, at every size and at both ends."""

import pytest
import torch
from torch import nn

from workers.models.pooling import MaxPool


@pytest.mark.parametrize("is_whole", [False, True])
@pytest.mark.parametrize("side", [2, 3])
def test_it_is_torchs_own(side, is_whole):
    made = torch.Generator().manual_seed(side)
    for height in range(side, side + 7):
        for width in range(side, side + 7):
            x = torch.randn(2, 3, height, width, generator=made)
            expected = nn.MaxPool2d(side, 2, ceil_mode=is_whole)(x)
            assert torch.equal(MaxPool(side, is_whole=is_whole)(x), expected), (height, width)
