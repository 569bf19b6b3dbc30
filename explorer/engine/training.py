"""Training of networks, step by step."""

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, get_args

import jax
import numpy as np
import optax

from explorer.data import Dataset
from explorer.engine.arrays import frozen
from explorer.engine.network import Network
from explorer.engine.stochastic_depth import check_survival, expected, survival_of
from explorer.engine.training_step import Optimiser, training_step, transformation
from explorer.errors import (
    InputError,
    check_choice,
    check_integer,
    check_real,
    check_type,
    describe,
)
from explorer.inputs.random_streams import Purpose, check_seed, random_stream
from explorer.model.network import (
    MAX_BLOCKS,
    MAX_WIDTH,
    MIN_WIDTH,
    NETWORK_VARIANTS,
    NetworkSpec,
)
from explorer.model.network_weights import Initialiser
from explorer.model.record import Record
from explorer.model.variants import VARIANTS
from explorer.model.weight_file import write_weights

MAX_STEPS, MAX_BATCH, MAX_LEARNING_RATE = 5_000, 1_024, 10.0
MAX_ACTIVATIONS = 2**24  # of the residual stream of a batch, over all blocks
HISTORY, CHECKED_AT, STEP = "history", "checked_at", "step"  # names in a file
CHECKS = 18  # of the test accuracy, over all steps


@dataclass(frozen=True)
class TrainingSettings:
    """What fixes a training, apart from the data.

    Attributes:
        blocks: number of blocks, 1 … 54.
        width: channels of the residual stream, 4 … 32.
        variant: one of `NETWORK_VARIANTS`; "no_skip" is the plain network, and "zero_gamma" is
            v1 with γ₂ = 0 at the start (Goyal et al. 2017).
        steps: number of steps, 1 … 5000.
        batch: pictures in a step, 2 … 1024.
        learning_rate: at the start, above 0, at most 10; it falls to 0 as a cosine.
        seed: integer 0 … 2³²−1, fixes the weights and the batches.
        optimiser: "sgd" (momentum 0.9) or "adam".
        initialiser: "he" or "lecun".
        survival: probability that the last block's F(x) is kept in a step; that of block l of L
            is 1 − l / L · (1 − survival) (Huang et al. 2016). 1 drops nothing.
    """

    blocks: int = 8
    width: int = 8
    variant: str = "v1"
    steps: int = 180
    batch: int = 128
    learning_rate: float = 0.1
    seed: int = 0
    optimiser: Optimiser = "sgd"
    initialiser: Initialiser = "he"
    survival: float = 1.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("blocks", 1, MAX_BLOCKS),
            ("width", MIN_WIDTH, MAX_WIDTH),
            ("steps", 1, MAX_STEPS),
            ("batch", 2, MAX_BATCH),
        ):
            object.__setattr__(self, name, check_integer(name, getattr(self, name), low, high))
        object.__setattr__(self, "seed", check_seed(self.seed))
        check_choice("variant", self.variant, NETWORK_VARIANTS)
        check_choice("optimiser", self.optimiser, get_args(Optimiser))
        check_choice("initialiser", self.initialiser, get_args(Initialiser))
        rate = check_real("learning_rate", self.learning_rate)
        if not 0 < rate <= MAX_LEARNING_RATE:
            raise InputError(
                f"learning_rate must be above 0 and at most {MAX_LEARNING_RATE:g}, got {rate:g}."
            )
        object.__setattr__(self, "learning_rate", rate)
        object.__setattr__(self, "survival", check_survival(self.survival, self.variant))


@dataclass(frozen=True)
class TrainingProgress:
    """The numbers of one step, before its update.

    Attributes:
        step: number of the step, from 1.
        steps: number of all steps.
        loss, accuracy: of the step's batch, in train mode.
        test_accuracy: in eval mode after the step; None where it was not checked.
        gradient_norm: of the loss by the block's parameters, `(blocks,)`.
        branch_ratio: ‖F(x)‖ / ‖x‖ of every block over the batch, `(blocks,)`.
    """

    step: int
    steps: int
    loss: float
    accuracy: float
    test_accuracy: float | None
    gradient_norm: np.ndarray
    branch_ratio: np.ndarray


@dataclass(frozen=True, eq=False)
class TrainingRun(Record):
    """A training, or its part up to now.

    Attributes:
        settings: its settings.
        dataset: the data set's key.
        history: float32 by name: "train loss" and "train accuracy" `(steps,)` of each step's
            batch; "test accuracy" at `checked_at`; "gradient norm" and "branch ratio"
            `(steps, blocks)`.
        checked_at: the numbers of the steps after which the test accuracy was taken.
        networks: the networks kept, by the number of steps before them.
    """

    settings: TrainingSettings
    dataset: tuple[Any, ...]
    history: Mapping[str, np.ndarray]
    checked_at: np.ndarray
    networks: Mapping[int, Network]

    @property
    def snapshots(self) -> tuple[int, ...]:
        """The steps at which the network was kept."""
        return tuple(self.networks)

    @property
    def network(self) -> Network:
        """The network after the last step."""
        return self.networks[self.snapshots[-1]]

    def save(self, path: Any) -> None:
        """Write settings, history and every network kept to a safetensors file, for `load_run`.

        Raises:
            InputError: the file cannot be written.
        """
        arrays = {f"{HISTORY}.{name}": values for name, values in self.history.items()}
        arrays[CHECKED_AT] = self.checked_at
        for step, network in self.networks.items():
            arrays |= {f"{STEP}{step}.{name}": array for name, array in network.arrays.items()}
        settings = self.network.file_settings() | {
            "training": asdict(self.settings),
            "dataset": self.dataset,
        }
        write_weights(path, arrays, settings)

    def at(self, step: int) -> Network:
        """Return the network kept at a step.

        Raises:
            InputError: it was not kept there.
        """
        if not isinstance(step, int | np.integer) or step not in self.networks:
            raise InputError(
                f"step must be one of {', '.join(map(str, self.snapshots))}; got {describe(step)}."
            )
        return self.networks[step]


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
    """
    trainer = Trainer(dataset, TrainingSettings(**settings))
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
        memory = transformation(settings.optimiser).init(first.parameters)
        self._state: Any = (first.parameters, first.statistics, memory)
        self._batches = _batches(dataset, settings)
        self._survival = survival_of(settings.blocks, settings.survival)
        self._drops = random_stream(settings.seed, Purpose.DEPTH)
        self._rate = optax.cosine_decay_schedule(settings.learning_rate, settings.steps)
        self._kept_at = snapshot_steps(settings.steps)
        self._networks: dict[int, Network] = {}
        self._history: dict[str, list[Any]] = {name: [] for name in history_shapes(settings, 0, 0)}
        self.done = 0
        self._keep()

    @property
    def is_finished(self) -> bool:
        """Whether all steps are done."""
        return self.done == self.settings.steps

    def steps(self) -> Iterator[TrainingProgress]:
        """Do the remaining steps."""
        while not self.is_finished:
            yield self.step()

    def step(self) -> TrainingProgress:
        """Do one step.

        Raises:
            InputError: the loss is not finite, or all steps are done.
        """
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
            np.float32(self._rate(self.done)),
            images,
            labels,
            kept,
        )
        numbers = jax.device_get(found)
        loss = float(numbers["loss"])
        if not math.isfinite(loss):
            raise InputError(
                f"The training loss is {loss} in step {self.done + 1}, so the training stopped. "
                "Choose a smaller learning rate, fewer blocks, or blocks with BatchNorm."
            )
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
        """Return a copy of the network as it is now."""
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
        return Network(self.spec, parameters, statistics, provenance, MappingProxyType(settings))

    def run(self) -> TrainingRun:
        """Return the run up to now, with the network as it is now."""
        networks = dict(self._networks)
        if self.done not in networks:
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

    def _keep(self) -> None:
        self._networks[self.done] = self.network()


def history_shapes(
    settings: TrainingSettings, steps: int, checks: int
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a history by name, after some steps and checks of the accuracy."""
    return {
        "train loss": (steps,),
        "train accuracy": (steps,),
        "test accuracy": (checks,),
        "gradient norm": (steps, settings.blocks),
        "branch ratio": (steps, settings.blocks),
    }


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
