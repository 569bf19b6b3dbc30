"""Blocks in sequence, with their weights."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import jax
import numpy as np

from explorer.errors import InputError, check_flag, check_integer, check_list
from explorer.inputs.random_streams import check_seed
from explorer.model.arguments import check_features, check_input
from explorer.model.record import Record
from explorer.model.spec import BlockSpec
from explorer.model.weights import (
    Arrays,
    FromSeed,
    Model,
    Structure,
    check_variant,
    draw_weights,
)

MAX_DEPTH, MAX_RUNS = 128, 32
MAX_WEIGHTS = 2**26  # of all blocks together
SEED_STEP = 1000  # from one run to the next


@dataclass(frozen=True, eq=False)
class Stack(Record):
    """Models of one structure in sequence, in one or more runs, each with its own weights.

    Attributes:
        spec, structure: of every block.
        parameters, statistics: of all blocks; every array begins with axes `(depth, runs)`.
        provenance: of every block, `provenance[block][run]`.
    """

    spec: BlockSpec
    structure: Structure
    parameters: Arrays
    statistics: Arrays
    provenance: tuple[tuple[Hashable, ...], ...]

    @classmethod
    def from_seed(
        cls,
        seed: float,
        features: float,
        depth: float,
        variant: str | BlockSpec = "v1",
        *,
        runs: float = 1,
    ) -> Self:
        """Return a stack with fresh weights.

        Block l of run s (both from 0) has the weights of `Model.from_seed(seed + 1000·s + l)`,
        the seed modulo 2³².

        Args:
            seed, features, variant: as for `Model.from_seed`.
            depth: number of blocks, 1 … 128.
            runs: number of runs, 1 … 32.

        Raises:
            InputError: an argument is outside its documented range, or there are too many weights.
        """
        width, first, spec = check_features(features), check_seed(seed), check_variant(variant)
        blocks = check_integer("depth", depth, 1, MAX_DEPTH)
        count = check_integer("seeds", runs, 1, MAX_RUNS)
        structure = Model.structure_of(spec, width)
        weights = blocks * count * structure.size
        if weights > MAX_WEIGHTS:
            raise InputError(
                f"This stack would have {weights:,} weights; the limit is {MAX_WEIGHTS:,}. Choose "
                "fewer features, fewer blocks or fewer runs."
            )
        steps = np.arange(blocks)[:, None] + SEED_STEP * np.arange(count)
        seeds = (first + steps) % 2**32
        drawn = draw_weights(structure, seeds.ravel(), spec)
        parameters, statistics = jax.tree.map(
            lambda array: array.reshape(blocks, count, *array.shape[1:]), drawn
        )
        provenance = tuple(tuple(FromSeed(int(each)) for each in row) for row in seeds)
        return cls(spec, structure, parameters, statistics, provenance)

    @classmethod
    def from_models(cls, models: list[Model]) -> Self:
        """Return a stack of one run of these models, which must have the same structure.

        Raises:
            InputError: there are no models or too many, or their structures differ.
        """
        check_list("models", models, Model)
        check_integer("the number of models", len(models), 1, MAX_DEPTH)
        structures = {model.structure for model in models}
        if len(structures) > 1:
            raise InputError(
                "models must have one structure to be stacked, got "
                f"{len(structures)} different ones."
            )
        parameters, statistics = (
            jax.tree.map(lambda *rows: np.stack(rows)[:, None], *trees)
            for trees in (
                [dict(model.parameters) for model in models],
                [dict(model.statistics) for model in models],
            )
        )
        provenance = tuple((model.provenance,) for model in models)
        return cls(models[0].spec, models[0].structure, parameters, statistics, provenance)

    @property
    def depth(self) -> int:
        """Number of blocks."""
        return len(self.provenance)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.provenance[0])

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the first run's blocks; empty if they have none."""
        first = [row[0] for row in self.provenance]
        return tuple(each.seed for each in first if isinstance(each, FromSeed))

    def model(self, block: int, run: int = 0) -> Model:
        """Return one of the models; `block` and `run` count from 0."""
        block = check_integer("block", block, 0, self.depth - 1)
        run = check_integer("run", run, 0, self.runs - 1)
        parameters, statistics = (
            jax.tree.map(lambda array: array[block, run], arrays)
            for arrays in (self.parameters, self.statistics)
        )
        return Model(
            self.spec,
            self.structure.features,
            parameters,
            statistics,
            self.provenance[block][run],
            self.structure.batch_norm,
        )

    def without_shortcut(self) -> "Stack":
        """Return the stack of the same weights without shortcuts."""
        model = self.model(0).without_shortcut()
        return replace(
            self,
            spec=model.spec,
            structure=model.structure,
            parameters={name: self.parameters[name] for name in model.parameters},
            statistics={name: self.statistics[name] for name in model.statistics},
        )

    @cached_property
    def rows(self) -> tuple[Any, Any]:
        """Parameters and statistics with one leading axis of all blocks and runs, blocks first."""
        found: tuple[Any, Any] = jax.tree.map(
            lambda array: array.reshape(-1, *array.shape[2:]),
            (dict(self.parameters), dict(self.statistics)),
        )
        return found

    def check_input(self, x: Any, use_running_average: bool) -> tuple[np.ndarray, bool]:
        """Return `x` as float32 and whether the stack runs in eval mode.

        Raises:
            InputError: `x` does not fit the blocks, or they change its shape.
        """
        array = check_input(x, self.structure.features)
        in_eval = check_flag("use_running_average", use_running_average) or self.spec.always_eval
        model = self.model(0)

        def run(x: jax.Array) -> jax.Array:
            block = model.structure.block(model.parameters, model.statistics)
            return block.stages(x, in_eval)["out"]

        out = jax.eval_shape(run, array)
        if out.shape != array.shape:
            raise InputError(
                f"A stack needs blocks that keep the shape of x: “{self.spec.title}” maps "
                f"{array.shape} to {out.shape}. Choose another variant."
            )
        return array, in_eval
