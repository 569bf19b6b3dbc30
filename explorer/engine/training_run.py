"""The records of a training: the progress of a step, and the run with its history and networks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from explorer.engine.network import Network
from explorer.engine.training_settings import TrainingSettings
from explorer.errors import InputError, describe
from explorer.model.record import Record
from explorer.model.weight_file import write_weights

HISTORY, CHECKED_AT, STEP = "history", "checked_at", "step"  # names in a file


@dataclass(frozen=True)
class TrainingProgress:
    """The numbers of one step, before its update.

    Attributes:
        step: number of the step, from 1.
        steps: number of all steps.
        loss, accuracy: of the step's batch, in train mode.
        test_accuracy: in eval mode after the step; None where it was not checked.
        gradient_norm: of the loss by each block's parameters, `(blocks,)`.
        branch_ratio: ‖F(x)‖ / ‖x‖ of every block over the batch, `(blocks,)`; 0 where stochastic
            depth dropped F(x).
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
