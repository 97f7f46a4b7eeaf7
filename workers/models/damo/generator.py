"""The generator: from an identity and the target's attributes to a face."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.damo.attributes import doubled
from workers.models.damo.spectral import SpectralConv

ID_SIZE = 512
_HIDDEN = 128  # channels between an attribute and what it scales and shifts
_SLOPE = 0.2
_EPSILON = 1e-5

# Of each block: channels in, out, and of the attribute.
_BLOCKS = (
    (1024, 1024, 1024),
    (1024, 1024, 2048),
    (1024, 1024, 1024),
    (1024, 512, 512),
    (512, 256, 256),
    (256, 128, 128),
    (128, 64, 64),
    (64, 3, 64),
)
_ATTENTION_AFTER = 4  # the block whose output, doubled, attends to itself


Pair = tuple[Tensor, Tensor]  # what features are scaled and shifted by: (N, channels) each


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the generator is told of an identity: it depends on nothing else, so a job needs it once."""

    start: Tensor  # (N, 1024, 2, 2): what painting begins with
    blocks: tuple[tuple[Pair, ...], ...]  # by block, by denormalisation in it


class Denormalise(nn.Module):
    """Adaptive attentional denormalisation: where a feature follows the attribute, and where the identity."""

    def __init__(self, size: int, attribute: int) -> None:
        super().__init__()
        # In a sequence of which only the second part has weights: that is what the checkpoint calls it.
        self.mlp_shared = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(attribute, _HIDDEN, 3), nn.ReLU())
        self.conv1 = nn.Conv2d(_HIDDEN, size, 3)
        self.conv2 = nn.Conv2d(_HIDDEN, size, 3)
        self.fc1 = nn.Linear(ID_SIZE, size)
        self.fc2 = nn.Linear(ID_SIZE, size)
        self.conv_h = nn.Conv2d(size, 1, 3)

    def told(self, identity: Tensor) -> Pair:
        """Return what (N, 512) scales and shifts features by: (N, size) each."""
        return self.fc1(identity), self.fc2(identity)

    def forward(self, x: Tensor, attribute: Tensor, identity: Pair) -> Tensor:
        """Take (N, size, H, W), (N, attribute, H, W) and what `told` gives; return (N, size, H, W)."""
        calm = (x - x.mean(1, keepdim=True)) / torch.sqrt(x.var(1, keepdim=True) + _EPSILON)
        told = mirrored(self.mlp_shared(attribute))
        by_attribute = self.conv1(told) * calm + self.conv2(told)
        scale, shift = (each[..., None, None] for each in identity)
        by_identity = scale * calm + shift
        share = torch.sigmoid(self.conv_h(mirrored(calm)))
        mixed: Tensor = (1 - share) * by_attribute + share * by_identity
        return mixed


class Block(nn.Module):
    """Two denormalised convolutions, and a way around them."""

    def __init__(self, takes: int, gives: int, attribute: int) -> None:
        super().__init__()
        middle = min(takes, gives)
        self.AAD1 = Denormalise(takes, attribute)
        self.AAD2 = Denormalise(middle, attribute)
        self.conv1 = SpectralConv(takes, middle, 3, has_bias=True)
        self.conv2 = SpectralConv(middle, gives, 3, has_bias=True)
        self.is_narrower = takes != gives
        if self.is_narrower:
            self.AAD3 = Denormalise(takes, attribute)
            self.conv3 = SpectralConv(takes, gives, 1)

    def told(self, identity: Tensor) -> tuple[Pair, ...]:
        """Return what an identity (N, 512) says to each of the denormalisations."""
        parts = (self.AAD1, self.AAD2, *((self.AAD3,) if self.is_narrower else ()))
        return tuple(part.told(identity) for part in parts)

    def forward(self, x: Tensor, attribute: Tensor, told: tuple[Pair, ...]) -> Tensor:
        """Take (N, takes, H, W), return (N, gives, H, W)."""
        inner = self.conv1(mirrored(_leaky(self.AAD1(x, attribute, told[0]))))
        inner = self.conv2(mirrored(_leaky(self.AAD2(inner, attribute, told[1]))))
        around = self.conv3(self.AAD3(x, attribute, told[2])) if self.is_narrower else x
        joined: Tensor = inner + around
        return joined


class SelfAttention(nn.Module):
    """Every place looks at every other (Zhang et al. 2019), keys and values at half the size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.theta = SpectralConv(size, size // 8, 1)
        self.phi = SpectralConv(size, size // 8, 1)
        self.g = SpectralConv(size, size // 2, 1)
        self.o = SpectralConv(size // 2, size, 1)
        self.gamma = nn.Parameter(torch.zeros(()), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Take and return (N, size, H, W)."""
        query = self.theta(x).flatten(2)
        key = functional.max_pool2d(self.phi(x), 2).flatten(2)
        value = functional.max_pool2d(self.g(x), 2).flatten(2)
        weight = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        seen = (value @ weight.transpose(1, 2)).view(len(x), -1, *x.shape[2:])
        attended: Tensor = self.gamma * self.o(seen) + x
        return attended


class Generator(nn.Module):
    """Paints the face, from 2 x 2 up to 256 x 256. `narrow` divides the inner channels."""

    def __init__(self, narrow: int = 1) -> None:
        super().__init__()
        self.up1 = nn.ConvTranspose2d(ID_SIZE, _BLOCKS[0][0] // narrow, 2)
        for number, (takes, gives, attribute) in enumerate(_BLOCKS, start=1):
            block = Block(
                takes // narrow, gives if number == len(_BLOCKS) else gives // narrow, attribute // narrow
            )
            self.add_module(f"AADBlk{number}", block)
        self.sa = SelfAttention(_BLOCKS[_ATTENTION_AFTER - 1][1] // narrow)

    def told(self, identity: Tensor) -> Told:
        """Return everything that an identity (N, 512) alone decides."""
        blocks = (self.get_submodule(f"AADBlk{number}") for number in range(1, len(_BLOCKS) + 1))
        said = tuple(block.told(identity) for block in blocks if isinstance(block, Block))
        return Told(start=self.up1(identity[..., None, None]), blocks=said)

    def paint(self, attributes: list[Tensor], told: Told) -> Tensor:
        """Take eight attributes and what `told` gives; return (N, 3, 256, 256) in -1..1."""
        x = told.start
        for number, (attribute, said) in enumerate(zip(attributes, told.blocks, strict=True), start=1):
            x = self.get_submodule(f"AADBlk{number}")(x, attribute, said)
            x = doubled(x) if number < len(_BLOCKS) else x
            x = self.sa(x) if number == _ATTENTION_AFTER else x
        return torch.tanh(x)


def mirrored(x: Tensor) -> Tensor:
    """Return features with a rim of one pixel, mirrored from inside."""
    return functional.pad(x, (1, 1, 1, 1), mode="reflect")


def _leaky(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, _SLOPE)
