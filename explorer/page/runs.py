"""The training runs that the server has: those it ships, those in the cache."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from explorer.engine.shipped_runs import shipped_run, shipped_settings
from explorer.engine.training_run import TrainingRun
from explorer.page.cache import RESULT_CACHE, get_cached, get_or_compute_part, owner_of
from explorer.page.trainings import Pair, Training, current_training, start_training


def find_run(pair: Pair, index: int) -> TrainingRun | None:
    """Return one of the two runs of a pair; None if it has to be trained."""
    found: TrainingRun | None = get_cached(pair.run_key(index), private=pair.private)
    training, settings = training_of(pair), pair.settings[index]
    if found is None and training is not None and training.runs is not None:
        return training.runs[index]  # the cache has dropped it
    if found is None and pair.dataset.key == ("digits",) and settings in shipped_settings():
        found = get_or_compute_part(("shipped run", settings), lambda: shipped_run(settings))
    return found


def trained_seeds(pair: Pair, index: int) -> tuple[int, ...]:
    """Return the seeds, other than the pair's, that one of its networks has been trained with."""
    settings = pair.settings[index]
    name = pair.run_key(index)[:-1]
    known = {key[-1] for key in RESULT_CACHE.names() if key[:-1] == name}
    seeds = {each.seed for each in (*known, *shipped_settings())} - {settings.seed}
    return tuple(sorted(seed for seed in seeds if find_run(with_seed(pair, seed), index)))


def with_seed(pair: Pair, seed: int) -> Pair:
    """Return the pair of the same settings with another seed."""
    return replace(pair, settings=tuple(replace(each, seed=seed) for each in pair.settings))


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
    if training is not None and training.runs is None and (found := training.histories):
        return found
    runs = find_runs(pair)
    return tuple(run.history for run in runs) if runs else ()
