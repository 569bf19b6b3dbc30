"""Trainings in the background: two networks, stepped in turn, at most one pair a session."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.data import Dataset
from explorer.engine.compilation_cache import limit_compiled_programs
from explorer.engine.training import Trainer
from explorer.engine.training_run import TrainingRun, history_shapes
from explorer.engine.training_settings import TrainingSettings
from explorer.errors import InputError
from explorer.page.limiter import WORK_LIMITER, Busy, WorkLimiter

# A pair holds a slot of this limiter; in turn with other pairs, step by step, one of the steps'
# and one of the work limiter, so that trainings never hold all slots of that one.
TRAINING_LIMITER = WorkLimiter(slots=2, queue=8, timeout=600)
STEP_LIMITER = WorkLimiter(slots=1, queue=1, timeout=600)
RECONNECT = 3  # seconds within which a browser may come back
_TRAINING = "training"
_LOG = logging.getLogger(__name__)
Histories = tuple[Mapping[str, np.ndarray], ...]


@dataclass(frozen=True)
class Pair:
    """Two networks to train on one data set, from the same kernels and on the same batches."""

    dataset: Dataset
    settings: tuple[TrainingSettings, ...]
    private: bool

    @property
    def key(self) -> tuple[object, ...]:
        """A key of the results."""
        return self.dataset.key, self.settings

    def run_key(self, index: int) -> tuple[object, ...]:
        """Return the cache key of one of the runs."""
        return "training run", self.dataset.key, self.settings[index]


class Training:
    """The training of a pair, in a thread that ends when it is stopped or its user leaves.

    Args:
        pair: what to train.
        is_wanted: whether the user is still there; asked between steps.
        finished: called with every finished run.
    """

    def __init__(
        self,
        pair: Pair,
        is_wanted: Callable[[], bool],
        finished: Callable[[int, TrainingRun], None],
    ) -> None:
        self.pair = pair
        self.problem = ""
        self.is_waiting = True
        self.runs: tuple[TrainingRun, ...] | None = None
        self._is_wanted, self._finished = is_wanted, finished
        self._trainers: list[Trainer] = []
        self._last: Histories = ()
        self._is_stopped = False
        self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="training", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread works or waits for a slot."""
        return self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        """Whether it has been told to stop, and has not ended yet."""
        return self._is_stopped and self.is_running

    @property
    def can_continue(self) -> bool:
        """Whether it has ended before the last step, with networks that can be trained on."""
        return not self.is_running and bool(self._trainers)

    @property
    def histories(self) -> Histories:
        """The histories of both networks up to now; empty before the first step."""
        trainers = tuple(self._trainers)
        if not trainers:
            return self._last
        missing = self.pair.settings[len(trainers) :]
        return (*(each.history() for each in trainers), *map(_no_history, missing))

    @property
    def done(self) -> int:
        """Number of steps done by both."""
        return min((len(each["train loss"]) for each in self.histories), default=0)

    def stop(self) -> None:
        """Stop after the present step."""
        self._is_stopped = True

    def resume(self) -> None:
        """Go on after `stop`, or where the server was busy."""
        if self.can_continue:
            self._is_stopped, self.is_waiting, self.problem = False, True, ""
            self._start()

    def _work(self) -> None:
        try:
            with TRAINING_LIMITER.slot(self._check):
                self.is_waiting = False
                self._train()
        except _Stopped:
            pass
        except Busy as problem:
            self.problem = str(problem)
        except InputError as problem:
            self.problem = str(problem)
            self._free_networks()
        except Exception as error:
            _LOG.exception("The training failed", exc_info=error)
            self.problem = "The training failed unexpectedly. Train again, or choose fewer blocks."
            self._free_networks()
        if not self._is_wanted():
            self._free_networks()

    def _free_networks(self) -> None:
        """Drop the networks in training, and keep their histories."""
        self._last, self._trainers = self.histories, []

    def _check(self, ahead: int = 0) -> None:
        """Raise _Stopped if nobody waits any more."""
        if self._is_stopped or not self._is_wanted():
            raise _Stopped

    def _train(self) -> None:
        trainers = self._trainers
        for settings in self.pair.settings[len(trainers) :]:
            self._check()
            with training_turn(
                self._check
            ):  # the first step is seen before the second network is compiled
                trainer = Trainer(self.pair.dataset, settings)
                trainer.step()
            trainers.append(trainer)
        while not all(trainer.is_finished for trainer in trainers):
            for trainer in trainers:
                self._check()
                if not trainer.is_finished:
                    with training_turn(self._check):
                        trainer.step()
        runs = tuple(trainer.run() for trainer in trainers)
        for index, run in enumerate(runs):
            self._finished(index, run)
        self.runs = runs
        self._free_networks()
        limit_compiled_programs()


@contextmanager
def training_turn(check: Callable[[int], None] = lambda ahead: None) -> Iterator[None]:
    """Hold a slot for one step; `check` is called while it waits."""
    with (
        STEP_LIMITER.slot(check, is_patient=True),
        WORK_LIMITER.slot(check, is_patient=True),
    ):
        yield


class _Stopped(Exception):
    pass


def _no_history(settings: TrainingSettings) -> Mapping[str, np.ndarray]:
    """Return the history of a network before its first step."""
    shapes = history_shapes(settings, 0, 0)
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def current_training() -> Training | None:
    """Return the training of this session, running or not."""
    found: Training | None = st.session_state.get(_TRAINING)
    return found


def start_training(pair: Pair, finished: Callable[[int, TrainingRun], None]) -> None:
    """Start to train a pair; a training of this session that runs is stopped."""
    if (old := current_training()) is not None:
        old.stop()
    st.session_state[_TRAINING] = Training(pair, _session_is_active(), finished)


def _session_is_active() -> Callable[[], bool]:
    """Return a function that tells whether the browser of this session is connected."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    session, last_seen = context.session_id, time.monotonic()

    def is_active() -> bool:
        nonlocal last_seen
        if runtime.get_instance().is_active_session(session):
            last_seen = time.monotonic()
        return time.monotonic() - last_seen < RECONNECT

    return is_active
