"""Time of one training step, compared with PyTorch's of the same network."""

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from explorer.data import digits
from explorer.engine.network import Network
from explorer.engine.training import Trainer, TrainingSettings
from explorer.engine.training_step import training_step, transformation
from explorer.model.network import NetworkSpec
from explorer.model.variants import VARIANTS
from explorer.server.memory import reuse_freed_memory
from tests.bench.engine import peer_process
from tests.bench.table import Row, compared, paired

LIMITS = {8: 1.25, 27: 2.0}  # times PyTorch's, by blocks
TURNS = 12  # of our process and the peers' process, alternating
ROUNDS = {8: 16, 27: 6}  # steps a turn


def rows() -> list[Row]:
    """Measure the training's rows of the table."""
    reuse_freed_memory()  # as on the server
    with peer_process() as ask:
        return [row for blocks in LIMITS for row in _depth(blocks, ask)]


def _depth(blocks: int, ask: Callable[..., dict[str, list[float]]]) -> list[Row]:
    rounds = ROUNDS[blocks]
    timed = calls(blocks, 2 + TURNS * (rounds + 2))
    ours: dict[str, list[float]] = {call: [] for call in timed}
    theirs: list[float] = []
    for _ in range(TURNS):
        for call, step in timed.items():
            ours[call].append(statistics.median(paired({call: step}, rounds)[call]))
        for times in ask(blocks=blocks, rounds=rounds).values():
            theirs.append(statistics.median(times))
    if not theirs:
        return []
    limit = f"PyTorch (limit {LIMITS[blocks]:g})"
    return [
        compared(f"one training step, {blocks} blocks", "ms", limit, ours["step"], theirs),
        compared(
            f"the same with batch, history and snapshots, {blocks} blocks",
            "ms",
            "PyTorch",
            ours["Trainer.step"],
            theirs,
        ),
    ]


def calls(blocks: int, steps: int) -> dict[str, Callable[[], object]]:
    """Return the functions to measure, by name; the trainer does `steps` steps at most."""
    trainer = Trainer(digits(), TrainingSettings(blocks=blocks, steps=steps))
    return {"step": step_function(blocks), "Trainer.step": trainer.step}


def step_function(blocks: int) -> Callable[[], object]:
    """Return a function that does one step of a fresh network with the page's settings."""
    settings, dataset = TrainingSettings(blocks=blocks), digits()
    spec = NetworkSpec(VARIANTS[settings.variant], blocks, settings.width, 1, 10)
    network = Network.from_seed(settings.seed, spec)
    memory = transformation(settings.optimiser).init(network.parameters)
    state: Any = (network.parameters, network.statistics, memory)
    step = partial(training_step, spec.structure(), settings.optimiser)
    batch = dataset.train_images[: settings.batch], dataset.train_labels[: settings.batch]
    rate = np.float32(settings.learning_rate)

    def call() -> None:
        nonlocal state
        state, numbers = step(state, rate, *batch, None)
        jax.block_until_ready((state, numbers))  # type: ignore[no-untyped-call]

    return call
