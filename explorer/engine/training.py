"""Training of networks, step by step."""

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from explorer.data import Dataset
from explorer.engine.arrays import frozen
from explorer.engine.network import Network
from explorer.engine.stochastic_depth import expected, survival_of
from explorer.engine.training_run import TrainingProgress, TrainingRun, history_shapes
from explorer.engine.training_settings import TrainingSettings
from explorer.engine.training_step import initial_memory, training_step
from explorer.errors import InputError, check_type
from explorer.inputs.random_streams import Purpose, random_stream
from explorer.model.network import NetworkSpec
from explorer.model.variants import VARIANTS

MAX_ACTIVATIONS = 2**24  # of the residual stream of a batch, over all blocks
CHECKS = 18  # of the test accuracy, over all steps


def train(dataset: Dataset, **settings: Any) -> TrainingRun:
    """Train a network and return the run.

    Args:
        dataset: the pictures and their labels.
        settings: those of `TrainingSettings`.

    Returns:
        The run; equal arguments give equal bits on the same machine and versions.

    Raises:
        InputError: an argument is outside its documented range, or the loss is not finite.
    """
    trainer = Trainer(dataset, TrainingSettings(**settings))
    for _ in trainer.steps():
        pass
    return trainer.run()


def train_steps(
    dataset: Dataset, **settings: Any
) -> Generator[TrainingProgress, None, TrainingRun]:
    """Train a network and yield the progress of every step; arguments as for `train`.

    The generator's return value is the run, as in `run = yield from train_steps(…)`.

    Raises:
        InputError: as for `train`; at once if an argument is outside its documented range.
    """
    return _progress_and_run(Trainer(dataset, TrainingSettings(**settings)))


def _progress_and_run(trainer: "Trainer") -> Generator[TrainingProgress, None, TrainingRun]:
    yield from trainer.steps()
    return trainer.run()


class Trainer:
    """A training under way; `step` does one step.

    Args:
        dataset: the pictures and their labels.
        settings: the settings.

    Raises:
        InputError: the settings do not fit the data set.
    """

    def __init__(self, dataset: Dataset, settings: TrainingSettings):
        self.dataset = check_type("dataset", dataset, Dataset)
        self.settings = check_type("settings", settings, TrainingSettings)
        height, width, channels = dataset.shape
        _check_sizes(settings, len(dataset.train_images), height * width)
        self.spec = NetworkSpec(
            VARIANTS[settings.variant],
            settings.blocks,
            settings.width,
            channels,
            dataset.number_of_classes,
        )
        first = Network.from_seed(settings.seed, self.spec, settings.initialiser)
        memory = initial_memory(settings.optimiser, first.parameters)
        self._state: Any = (first.parameters, first.statistics, memory)
        self._batches = _batches(dataset, settings)
        self._survival = survival_of(settings.blocks, settings.survival)
        self._drops = random_stream(settings.seed, Purpose.DEPTH)
        self._rates = np.asarray(_rates(settings.learning_rate, settings.steps))
        self._kept_at = snapshot_steps(settings.steps)
        self._networks: dict[int, Network] = {}
        self._history: dict[str, list[Any]] = {name: [] for name in history_shapes(settings, 0, 0)}
        self.done = 0
        self._problem = ""
        self._keep()

    @property
    def is_finished(self) -> bool:
        """Whether all steps are done."""
        return self.done == self.settings.steps

    def steps(self) -> Iterator[TrainingProgress]:
        """Do the remaining steps; yield the progress of each."""
        while not self.is_finished:
            yield self.step()

    def step(self) -> TrainingProgress:
        """Do one step.

        Raises:
            InputError: the loss is not finite, in this step or in an earlier one, or all steps
                are done.
        """
        self._check_problem()
        if self.is_finished:
            raise InputError(f"All {self.settings.steps} steps of the training are done.")
        images, labels = next(self._batches)
        kept = None
        if self.settings.survival < 1:
            kept = self._drops.random(self.settings.blocks) < self._survival
            kept = kept.astype(np.float32)
        self._state, found = training_step(
            self.spec.structure(),
            self.settings.optimiser,
            self._state,
            self._rates[self.done],
            images,
            labels,
            kept,
        )
        numbers = jax.device_get(found)
        loss = float(numbers["loss"])
        if not math.isfinite(loss):
            self._problem = (
                f"The training loss is {loss} in step {self.done + 1}, so the training stopped. "
                "Choose a smaller learning rate, fewer blocks, or blocks with BatchNorm."
            )
            self._check_problem()
        self.done += 1
        numbers |= {"train loss": loss, "train accuracy": numbers["accuracy"]}
        for name, values in self._history.items():
            if name in numbers:
                values.append(numbers[name])
        accuracy = None
        if self.done in check_steps(self.settings.steps):
            network = self.network()
            accuracy = network.accuracy(self.dataset.test_images, self.dataset.test_labels)
            self._history["test accuracy"].append(accuracy)
        if self.done in self._kept_at:
            self._keep()
        return TrainingProgress(
            self.done,
            self.settings.steps,
            loss,
            float(numbers["accuracy"]),
            accuracy,
            numbers["gradient norm"],
            numbers["branch ratio"],
        )

    def network(self) -> Network:
        """Return a copy of the network as it is now.

        Raises:
            InputError: the loss was not finite, so the weights are of no use.
        """
        self._check_problem()
        parameters, statistics = frozen(jax.device_get(self._state[:2]))
        provenance = "training", self.settings, self.dataset.key, self.done
        settings = asdict(self.settings) | {
            "dataset": list(self.dataset.key),
            "step": self.done,
            "mean": self.dataset.mean,
            "deviation": self.dataset.deviation,
            "classes": list(self.dataset.classes),
        }
        parameters = expected(self.spec, parameters, self._survival)
        return Network.from_parts(
            self.spec, parameters, statistics, provenance, MappingProxyType(settings)
        )

    def run(self) -> TrainingRun:
        """Return the run up to now, with the network as it is now.

        After a loss that is not finite, it has only the networks kept before.
        """
        networks = dict(self._networks)
        if self.done not in networks and not self._problem:
            networks[self.done] = self.network()
        return TrainingRun(
            self.settings,
            self.dataset.key,
            self.history(),
            frozen(checked_at(self.settings, self._history)),
            MappingProxyType(networks),
        )

    def history(self) -> Mapping[str, np.ndarray]:
        """Return the history up to now, as in `TrainingRun`; any thread may call it."""
        found = {}
        for name, values in self._history.items():
            so_far = list(values)
            shape = history_shapes(self.settings, len(so_far), len(so_far))[name]
            found[name] = np.array(so_far, np.float32).reshape(shape)
        return MappingProxyType(frozen(found))

    def _check_problem(self) -> None:
        if self._problem:
            raise InputError(self._problem)

    def _keep(self) -> None:
        self._networks[self.done] = self.network()


def snapshot_steps(steps: int) -> frozenset[int]:
    """Return the steps at which the network is kept: 0, 2, 4, 8, …, and the last."""
    powers = {2**power for power in range(1, steps.bit_length()) if 2**power < steps}
    return frozenset({0, *powers, steps})


def check_steps(steps: int) -> frozenset[int]:
    """Return the steps after which the test accuracy is taken, about evenly, with the last."""
    return frozenset(math.ceil(steps * part / CHECKS) for part in range(1, CHECKS + 1))


def checked_at(settings: TrainingSettings, history: Mapping[str, Any]) -> np.ndarray:
    """Return the steps after which the test accuracies of a history were taken."""
    steps = sorted(check_steps(settings.steps))
    count = len(history.get("test accuracy", ()))
    return np.array(steps[:count], np.int32)


@partial(jax.jit, static_argnames=("learning_rate", "steps"))
def _rates(learning_rate: float, steps: int) -> jax.Array:
    """Return the learning rate of every step."""
    return optax.cosine_decay_schedule(learning_rate, steps)(jnp.arange(steps))


def _check_sizes(settings: TrainingSettings, pictures: int, pixels: int) -> None:
    if settings.batch > pictures:
        raise InputError(
            f"batch must be at most the number of training pictures, {pictures}; got "
            f"{settings.batch}."
        )
    values = settings.batch * pixels * settings.width * settings.blocks
    if values > MAX_ACTIVATIONS:
        raise InputError(
            f"A step would store {values:,} values of the residual stream; the limit is "
            f"{MAX_ACTIVATIONS:,}. Choose fewer blocks, a smaller width or a smaller batch."
        )


def _batches(
    dataset: Dataset, settings: TrainingSettings
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches without end: every epoch in a new order, without its incomplete batch."""
    random = random_stream(settings.seed, Purpose.BATCHES)
    count = len(dataset.train_images)
    while True:
        order = random.permutation(count)
        for start in range(0, count - settings.batch + 1, settings.batch):
            chosen = order[start : start + settings.batch]
            yield dataset.train_images[chosen], dataset.train_labels[chosen]
