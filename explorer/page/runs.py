"""The training runs that the server has: those it ships, those in the cache."""

from collections.abc import Mapping

import numpy as np

from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training_run import TrainingRun
from explorer.page.cache import RESULT_CACHE, get_cached, get_or_compute_part, owner_of
from explorer.page.trainings import Pair, Training, current_training, start_training


def find_run(pair: Pair, index: int) -> TrainingRun | None:
    """Return one of the two runs of a pair; None if it has to be trained."""
    found: TrainingRun | None = get_cached(pair.run_key(index), private=pair.private)
    if found is None and pair.dataset.key == ("digits",):
        settings = pair.settings[index]
        found = get_or_compute_part(("shipped run", settings), lambda: shipped_run(settings))
    return found


def find_runs(pair: Pair) -> tuple[TrainingRun, ...] | None:
    """Return both runs of a pair; None if they have to be trained."""
    runs = tuple(run for index in (0, 1) if (run := find_run(pair, index)) is not None)
    return runs if len(runs) == 2 else None


def train_pair(pair: Pair) -> None:
    """Train a pair in the background, and keep its runs."""
    owner = owner_of(pair.private)

    def keep(index: int, run: TrainingRun) -> None:
        RESULT_CACHE.put(pair.run_key(index), run, owner)

    start_training(pair, keep)


def training_of(pair: Pair) -> Training | None:
    """Return this session's training if it is of this pair."""
    training = current_training()
    return training if training is not None and training.pair.key == pair.key else None


def histories(pair: Pair) -> tuple[Mapping[str, np.ndarray], ...]:
    """Return what is known of both networks' training; empty if nothing is."""
    training = training_of(pair)
    if training is not None and training.histories and training.runs is None:
        return training.histories
    runs = find_runs(pair)
    return tuple(run.history for run in runs) if runs else ()
