"""Trainings of residual and plain networks over depths and seeds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from explorer import Dataset, train

KINDS = {"residual": "v1", "plain": "no_skip"}  # with the variant of their blocks
LAST_STEPS = 9  # over which the final training loss is averaged: one batch's loss is noisy


@dataclass(frozen=True)
class Pair:
    """A residual and a plain network of one depth, trained with one seed.

    Attributes:
        blocks: number of blocks.
        layers: number of layers with weights.
        seed: fixes the weights and the batches of both.
        loss: mean training loss of the last steps, by "residual" and "plain".
        accuracy: test accuracy after the last step, 0 … 1, likewise.
    """

    blocks: int
    layers: int
    seed: int
    loss: dict[str, float]
    accuracy: dict[str, float]


def pairs(
    dataset: Dataset, depths: Sequence[int], seeds: Sequence[int], **settings: Any
) -> Iterator[Pair]:
    """Train and yield a pair for every depth and seed.

    Args:
        dataset: the pictures and their labels.
        depths: numbers of blocks.
        seeds: of weights and batches.
        settings: the others of `TrainingSettings`.
    """
    for blocks in depths:
        for seed in seeds:
            runs = {
                kind: train(dataset, blocks=blocks, seed=seed, variant=variant, **settings)
                for kind, variant in KINDS.items()
            }
            yield Pair(
                blocks=blocks,
                layers=runs["residual"].network.spec.layers,
                seed=seed,
                loss={
                    kind: float(run.history["train loss"][-LAST_STEPS:].mean())
                    for kind, run in runs.items()
                },
                accuracy={
                    kind: float(run.history["test accuracy"][-1]) for kind, run in runs.items()
                },
            )
