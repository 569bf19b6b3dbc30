"""A small residual network: stem, blocks of one spec, and head."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from explorer.errors import InputError, check_integer, check_type
from explorer.model.block import Perturb, unperturbed
from explorer.model.layers import BatchNorm, BatchNormSettings, Conv, ReLU
from explorer.model.spec import BlockSpec
from explorer.model.spec_block import build_block
from explorer.model.weights import Structure

# With NNX's default of 0.99 the running statistics lag behind the weights for hundreds of steps.
NETWORK_BATCH_NORM = BatchNormSettings(momentum=0.9)
MAX_BLOCKS, MIN_WIDTH, MAX_WIDTH = 54, 4, 32
MAX_CHANNELS, MAX_CLASSES = 4, 20
# The variants that a network can be made of.
NETWORK_VARIANTS = (
    "v1",
    "no_skip",
    "relu_before_add",
    "full_preact",
    "scaled_skip",
    "zero_gamma",
    "no_bn",
)
STEM, FINAL, HEAD = "stem", "final", "head"
# BatchNorm → ReLU after the last block, for blocks that end without a ReLU.
FINAL_SPEC = BlockSpec(
    "Final norm", "", "", (("bn", BatchNorm()),), shortcut=None, after=(("out", ReLU()),)
)

# By part ("stem", "block1", …, "head"), by layer, by variable; a part without layers, as the head,
# has its variables in the place of layers.
Parts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class NetworkSpec:
    """The layers of a network.

    Attributes:
        block: the spec of every block; it keeps the shape of its input.
        blocks: their number, 1 … 54; 0 leaves stem and head.
        width: channels of the residual stream, 4 … 32.
        channels: channels of a picture, 1 … 4.
        classes: outputs of the head, 2 … 20.
        batch_norm: ε and momentum of all BatchNorms.
    """

    block: BlockSpec
    blocks: int
    width: int
    channels: int
    classes: int
    batch_norm: BatchNormSettings = NETWORK_BATCH_NORM

    def __post_init__(self) -> None:
        check_type("block", self.block, BlockSpec)
        check_type("batch_norm", self.batch_norm, BatchNormSettings)
        for name, low, high in (
            ("blocks", 0, MAX_BLOCKS),
            ("width", MIN_WIDTH, MAX_WIDTH),
            ("channels", 1, MAX_CHANNELS),
            ("classes", 2, MAX_CLASSES),
        ):
            object.__setattr__(self, name, check_integer(name, getattr(self, name), low, high))
        changed = self.block.widths(self.width)["out"] != self.width
        if changed or any(grid.stride != 1 or grid.offset for grid in self.block.grids().values()):
            raise InputError(
                "A network needs blocks that keep the shape of x, and "
                f"“{self.block.title}” changes it. Choose another variant."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the blocks, in order."""
        return tuple(f"block{index}" for index in range(1, self.blocks + 1))

    @property
    def has_final_norm(self) -> bool:
        """Whether BatchNorm and ReLU stand before the pooling: blocks end without a ReLU."""
        return self.block.last_relu_input is None

    @property
    def layers(self) -> int:
        """Number of layers with weights on the way through the network, as papers count them."""
        convolutions = sum(isinstance(layer, Conv) for _, layer in self.block.branch)
        return 2 + convolutions * self.blocks

    def structure(self) -> "NetworkSpec":
        """Return the spec without texts and constants; compiled programs depend only on it."""
        return replace(self, block=self.block.structure())

    def ends(self) -> "NetworkSpec":
        """Return the structure of stem and head, the same at every depth."""
        return replace(self.structure(), blocks=0)

    @property
    def stem(self) -> BlockSpec:
        """The stem's layers: conv3×3 → BatchNorm → ReLU, from a picture's channels to the width."""
        branch = ("conv", Conv(out=self.width)), ("bn", BatchNorm())
        return BlockSpec("Stem", "", "", branch, shortcut=None)

    @property
    def final(self) -> BlockSpec | None:
        """What follows the last block before the pooling, for blocks that end without a ReLU."""
        return FINAL_SPEC if self.has_final_norm else None

    def block_structure(self) -> Structure:
        """Return the structure of every block."""
        return Structure(self.block.structure(), self.width, self.batch_norm)

    def network(self, parameters: Parts, statistics: Parts) -> "ResidualNetwork":
        """Return an NNX module with these weights; works under `jax.jit`."""
        graph, state = _graph(self.structure())
        # A copy, which belongs to the current JAX trace; the shared state could not be updated.
        module: ResidualNetwork = nnx.merge(graph, jax.tree.map(lambda leaf: leaf, state))
        weights = dict(parameters), dict(statistics)
        nnx.update(module, *jax.tree.map(jnp.asarray, weights))
        return module


class Stem(nnx.Module):
    """conv3×3 → BatchNorm → ReLU, from a picture's channels to the network's width."""

    def __init__(self, channels: int, width: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings):
        self.conv = nnx.Conv(channels, width, kernel_size=(3, 3), padding="SAME", rngs=rngs)
        self.bn = _batch_norm(width, rngs, batch_norm)

    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        return nnx.relu(self.bn(self.conv(x), use_running_average=use_running_average))


class Final(nnx.Module):
    """BatchNorm → ReLU after the last block, for blocks that end without a ReLU."""

    def __init__(self, width: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings):
        self.bn = _batch_norm(width, rngs, batch_norm)

    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        return nnx.relu(self.bn(x, use_running_average=use_running_average))


class ResidualNetwork(nnx.Module):
    """Stem, blocks, global average pooling and linear head.

    He et al. 2015, Sec. 4.2, with one width throughout. With `no_skip` blocks it is the plain
    network. The blocks are its attributes `block1`, `block2`, ….

    Args:
        spec: the layers.
        rngs: NNX's random number generators.
    """

    def __init__(self, spec: NetworkSpec, rngs: nnx.Rngs):
        self.spec = spec
        self.stem = Stem(spec.channels, spec.width, rngs, spec.batch_norm)
        for name in spec.names:
            setattr(self, name, build_block(spec.block, spec.width, rngs, spec.batch_norm))
        self.head = nnx.Linear(spec.width, spec.classes, rngs=rngs)
        if spec.has_final_norm:  # after the head, whose kernel is that of all networks of the seed
            self.final = Final(spec.width, rngs, spec.batch_norm)

    def logits(self, stream: jax.Array, use_running_average: bool) -> jax.Array:
        """Return the head's `(N, classes)` for the residual stream `(N, H, W, width)`."""
        if self.spec.has_final_norm:
            stream = self.final(stream, use_running_average)
        return self.head(jnp.mean(stream, axis=(-3, -2)))

    def stages(
        self,
        images: jax.Array,
        use_running_average: bool,
        perturb: Mapping[str, Perturb] | None = None,
    ) -> tuple[dict[str, dict[str, jax.Array]], jax.Array]:
        """Return the stages of every block by the block's name, and the logits.

        Args:
            images: `(N, H, W, channels)`.
            use_running_average: False is train mode, True is eval mode.
            perturb: by block, as for `BasicBlock.stages`.
        """
        h = self.stem(images, use_running_average)
        found = {}
        for name in self.spec.names:
            change = (perturb or {}).get(name, unperturbed)
            found[name] = getattr(self, name).stages(h, use_running_average, change)
            h = found[name]["out"]
        return found, self.logits(h, use_running_average)

    def __call__(self, images: jax.Array, use_running_average: bool) -> jax.Array:
        """Return the logits."""
        return self.stages(images, use_running_average)[1]


def split_parts(module: nnx.Module) -> tuple[Any, Any]:
    """Return a network's parameters and running statistics as nested dicts by part."""
    parameters, statistics = nnx.state(module, nnx.Not(nnx.BatchStat), nnx.BatchStat)
    return nnx.to_pure_dict(parameters), nnx.to_pure_dict(statistics)


def _batch_norm(width: int, rngs: nnx.Rngs, settings: BatchNormSettings) -> nnx.BatchNorm:
    return nnx.BatchNorm(width, epsilon=settings.epsilon, momentum=settings.momentum, rngs=rngs)


@lru_cache(maxsize=64)
def shapes(spec: NetworkSpec) -> tuple[Any, Any]:
    """Return the shapes of a network's parameters and running statistics, as `split_parts`."""
    return split_parts(_abstract_network(spec))


@lru_cache(maxsize=64)
def _graph(spec: NetworkSpec) -> tuple[Any, Any]:
    """Return the graph definition and the shapes of the state, without drawing weights."""
    graph, state = nnx.split(_abstract_network(spec))
    return graph, state


def _abstract_network(spec: NetworkSpec) -> ResidualNetwork:
    """Return a network with shapes in place of weights.

    Its blocks are traced one by one: the time of a trace grows with the square of its length.
    """
    network = nnx.eval_shape(lambda: ResidualNetwork(spec.ends(), nnx.Rngs(0)))
    network.spec = spec
    for name in spec.names:
        setattr(network, name, spec.block_structure().abstract_block())
    return network
