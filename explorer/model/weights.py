"""A model: a block spec, its weights and their provenance."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.errors import check_choice, check_type
from explorer.inputs.random_streams import check_seed
from explorer.model.arguments import check_features
from explorer.model.block import BasicBlock
from explorer.model.layers import DEFAULT_BATCH_NORM, BatchNormSettings
from explorer.model.record import Record
from explorer.model.spec import BlockSpec
from explorer.model.spec_block import SpecBlock, build_block
from explorer.model.variants import VARIANTS

# By layer, by variable.
Arrays = Mapping[str, Mapping[str, Any]]

SEEDS_AT_ONCE = 16
# Random number generation dominates this compile. At level 1 it takes less than half as long as by
# default and the bits are the same; at level 0 they differ.
COMPILER_OPTIONS = {"xla_backend_optimization_level": 1}


@dataclass(frozen=True)
class FromSeed:
    """The provenance of fresh weights: the seed that fixed them, as `nnx.Rngs(seed)`."""

    seed: int

    def __str__(self) -> str:
        return f"seed {self.seed}"


@dataclass(frozen=True)
class Structure:
    """The part of a model that compiled programs depend on: all but the values of its weights."""

    spec: BlockSpec  # of BlockSpec.structure()
    features: int
    batch_norm: BatchNormSettings

    @property
    def size(self) -> int:
        """Number of weights: parameters and running statistics."""
        return sum(leaf.size for leaf in jax.tree.leaves(_graph(self)[1]) if hasattr(leaf, "size"))

    def block(self, parameters: Arrays, statistics: Arrays) -> BasicBlock | SpecBlock:
        """Return an NNX block with these weights; works under `jax.jit`."""
        block = self.abstract_block()
        weights = dict(parameters), dict(statistics)
        nnx.update(block, *jax.tree.map(jnp.asarray, weights))  # a call changes statistics in place
        return block

    def abstract_block(self) -> BasicBlock | SpecBlock:
        """Return an NNX block with shapes in place of weights."""
        graph, state = _graph(self)
        # A copy, which belongs to the current JAX trace; the shared state could not be updated.
        block: BasicBlock | SpecBlock = nnx.merge(graph, jax.tree.map(lambda leaf: leaf, state))
        return block


@dataclass(frozen=True, eq=False)
class Model(Record):
    """A block that can be run: spec, weights and provenance.

    Attributes:
        spec: the block's layers.
        features: channels of its input.
        parameters: kernels, biases, γ, β and constants, read-only, by layer and variable,
            as in `parameters["conv1"]["kernel"]`, `(3, 3, C_in, C_out)`.
        statistics: running mean and variance by BatchNorm, likewise.
        provenance: where the weights came from; equal provenance means equal weights.
        batch_norm: ε and momentum of its BatchNorms.
    """

    spec: BlockSpec
    features: int
    parameters: Arrays
    statistics: Arrays
    provenance: Hashable
    batch_norm: BatchNormSettings = DEFAULT_BATCH_NORM

    @classmethod
    def from_seed(
        cls,
        seed: float,
        features: float,
        variant: str | BlockSpec = "v1",
        batch_norm: BatchNormSettings = DEFAULT_BATCH_NORM,
    ) -> Self:
        """Return a block with fresh weights.

        Args:
            seed: integer 0 … 2³²−1, fixes the weights.
            features: integer ≥ 1, channels of the input.
            variant: a key of `VARIANTS`, or a spec. Kernels with the same name and shape as
                in the basic block are those of the basic block with this seed.
            batch_norm: ε and momentum of its BatchNorms.

        Raises:
            InputError: an argument is outside its documented range.
        """
        width, checked_seed, spec = (
            check_features(features),
            check_seed(seed),
            check_variant(variant),
        )
        check_type("batch_norm", batch_norm, BatchNormSettings)
        structure = cls.structure_of(spec, width, batch_norm)
        parameters, statistics = draw_weights(structure, np.array([checked_seed]), spec)
        first = partial(jax.tree.map, lambda array: array[0])
        return cls(
            spec, width, first(parameters), first(statistics), FromSeed(checked_seed), batch_norm
        )

    @staticmethod
    def structure_of(
        spec: BlockSpec, features: int, batch_norm: BatchNormSettings = DEFAULT_BATCH_NORM
    ) -> Structure:
        """Return the structure of a model with these settings."""
        return Structure(spec.structure(), features, batch_norm)

    @property
    def structure(self) -> Structure:
        """The part of the model that compiled programs depend on."""
        return self.structure_of(self.spec, self.features, self.batch_norm)

    @property
    def key(self) -> tuple[Hashable, ...]:
        """A key of the model's results; texts are not part of it."""
        return self.provenance, self.features, self.spec.key, self.batch_norm

    def block(self) -> BasicBlock | SpecBlock:
        """Return a new NNX block with these weights."""
        return self.structure.block(self.parameters, self.statistics)

    def as_variant(self, spec: BlockSpec, seed: float = 0) -> "Model":
        """Return a block of another spec with these weights where it has the same layers.

        Layers with another name or shape get fresh weights. Constants that
        `spec` sets, as γ₂ = 0 or the factor of a scaled path, are its own.

        Args:
            spec: the layers of the block.
            seed: integer 0 … 2³²−1, fixes the fresh weights.

        Raises:
            InputError: an argument is outside its documented range.
        """
        if check_type("spec", spec, BlockSpec).key == self.spec.key:
            return replace(self, spec=spec)
        fresh = self.from_seed(seed, self.features, spec, self.batch_norm)
        set_by_spec = spec.set_constants()

        def merged(given: Arrays, here: Arrays) -> Arrays:
            return {
                layer: {
                    variable: here[layer][variable]
                    if _shape(here, layer, variable) == value.shape
                    and (layer, variable) not in set_by_spec
                    else value
                    for variable, value in values.items()
                }
                for layer, values in given.items()
            }

        return replace(
            fresh,
            parameters=merged(fresh.parameters, self.parameters),
            statistics=merged(fresh.statistics, self.statistics),
            provenance=(self.provenance, "as", spec.key, fresh.provenance),
        )

    def without_shortcut(self, title: str | None = None) -> "Model":
        """Return the same branch and weights without the shortcut and the sum."""
        spec = self.spec.without_shortcut()
        spec = replace(spec, title=title) if title else spec
        return replace(
            self,
            spec=spec,
            parameters=_of_layers(self.parameters, spec),
            statistics=_of_layers(self.statistics, spec),
        )


def check_variant(variant: str | BlockSpec) -> BlockSpec:
    """Return the spec of a name; raise InputError for an unknown name."""
    if isinstance(variant, BlockSpec):
        return variant
    return VARIANTS[check_choice("variant", variant, VARIANTS)]


def draw_weights(structure: Structure, seeds: np.ndarray, spec: BlockSpec) -> tuple[Arrays, Arrays]:
    """Draw the weights of fresh blocks. No other function draws weights.

    Args:
        structure: the blocks' structure.
        seeds: `(n,)` integers.
        spec: the spec whose constants are set in the weights.

    Returns:
        Parameters and running statistics; every array has a leading axis of n and is read-only.
    """
    drawn: list[Any] = []
    if seeds.size == 1:
        one = _draw(np.uint32(seeds[0]), structure)
        drawn.append(jax.tree.map(lambda array: np.asarray(array)[None], one))
    for start in range(0, seeds.size if seeds.size > 1 else 0, SEEDS_AT_ONCE):
        part = seeds[start : start + SEEDS_AT_ONCE].astype(np.uint32)
        missing = SEEDS_AT_ONCE - part.size
        several = _draw_several(np.pad(part, (0, missing)), structure)
        drawn.append(
            jax.tree.map(lambda array, count=part.size: np.asarray(array)[:count], several)
        )
    parameters, statistics = jax.tree.map(lambda *parts: _frozen(np.concatenate(parts)), *drawn)
    for name, constants in spec.constants().items():
        for variable, value in constants.items():
            shape = parameters[name][variable].shape
            parameters[name][variable] = _frozen(np.full(shape, value, np.float32))
    return parameters, statistics


@partial(jax.jit, static_argnames="structure", compiler_options=COMPILER_OPTIONS)
def _draw(seed: jax.Array, structure: Structure) -> tuple[Any, Any]:
    return _fresh(seed, structure)


@partial(jax.jit, static_argnames="structure", compiler_options=COMPILER_OPTIONS)
def _draw_several(seeds: jax.Array, structure: Structure) -> tuple[Any, Any]:
    return jax.vmap(lambda seed: _fresh(seed, structure))(seeds)


def _fresh(seed: jax.Array, structure: Structure) -> tuple[Any, Any]:
    rngs = nnx.Rngs(jax.random.key(seed))
    return split_state(build_block(structure.spec, structure.features, rngs, structure.batch_norm))


def split_state(block: nnx.Module) -> tuple[Any, Any]:
    """Return a block's parameters and running statistics as nested dicts."""
    parameters, statistics = nnx.state(block, nnx.Not(nnx.BatchStat), nnx.BatchStat)
    return nnx.to_pure_dict(parameters), nnx.to_pure_dict(statistics)


@lru_cache(maxsize=256)
def _graph(structure: Structure) -> tuple[Any, Any]:
    """Return the block's graph definition and the shapes of its state, without drawing weights."""

    def fresh() -> nnx.Module:
        return build_block(structure.spec, structure.features, nnx.Rngs(0), structure.batch_norm)

    graph, state = nnx.split(nnx.eval_shape(fresh))
    return graph, state


def _shape(arrays: Arrays, layer: str, variable: str) -> tuple[int, ...] | None:
    found = arrays.get(layer, {}).get(variable)
    return None if found is None else found.shape


def _of_layers(arrays: Arrays, spec: BlockSpec) -> Arrays:
    layers = spec.layers()
    return {name: values for name, values in arrays.items() if name in layers}


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
