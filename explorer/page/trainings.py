"""Trainings in the background: two networks, stepped in turn, at most one pair a session."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.data import Dataset
from explorer.engine.compilation_cache import limit_compiled_programs
from explorer.engine.training import Trainer, TrainingRun, TrainingSettings, history_shapes
from explorer.errors import InputError
from explorer.page.limiter import WORK_LIMITER, Busy, WorkLimiter

# A pair holds a slot of this limiter; in turn with other pairs, step by step, one of the steps'
# and one of the work limiter, so that trainings never hold all slots of that one.
TRAINING_LIMITER = WorkLimiter(slots=2, queue=8, timeout=600)
STEP_LIMITER = WorkLimiter(slots=1, queue=1, timeout=600)
_TRAINING = "training"
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
        self._trainers: tuple[Trainer, ...] | None = None
        self._histories: Histories = ()
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
    def can_continue(self) -> bool:
        """Whether it was stopped before the last step."""
        return not self.is_running and self._trainers is not None and not self.problem

    @property
    def histories(self) -> Histories:
        """The histories of both networks up to now; empty before the first step."""
        return self._histories

    @property
    def done(self) -> int:
        """Number of steps done by both."""
        return min((len(each["train loss"]) for each in self._histories), default=0)

    def stop(self) -> None:
        """Stop after the present step."""
        self._is_stopped = True

    def resume(self) -> None:
        """Go on after `stop`."""
        if self.can_continue:
            self._is_stopped = False
            self._start()

    def _work(self) -> None:
        try:
            with TRAINING_LIMITER.slot(self._check):
                self.is_waiting = False
                self._train()
        except _Stopped:
            if self._trainers is None:
                self._histories = ()
        except (InputError, Busy) as problem:
            self.problem = str(problem)
        if not self._is_wanted():
            self._trainers = None

    def _check(self, ahead: int = 0) -> None:
        """Raise _Stopped if nobody waits any more."""
        if self._is_stopped or not self._is_wanted():
            raise _Stopped

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with (
            STEP_LIMITER.slot(self._check, is_patient=True),
            WORK_LIMITER.slot(self._check, is_patient=True),
        ):
            yield

    def _train(self) -> None:
        if self._trainers is None:
            self._trainers = self._first_steps()
        trainers = self._trainers
        while not all(trainer.is_finished for trainer in trainers):
            for trainer in trainers:
                self._check()
                if not trainer.is_finished:
                    with self._turn():
                        trainer.step()
                    self._histories = tuple(each.history() for each in trainers)
        self.runs = tuple(trainer.run() for trainer in trainers)
        for index, run in enumerate(self.runs):
            self._finished(index, run)
        self._trainers = None
        limit_compiled_programs()

    def _first_steps(self) -> tuple[Trainer, ...]:
        """Return the trainers after a step; the first is seen before the second is compiled."""
        trainers: list[Trainer] = []
        histories = [_no_history(settings) for settings in self.pair.settings]
        for index, settings in enumerate(self.pair.settings):
            self._check()
            with self._turn():
                trainer = Trainer(self.pair.dataset, settings)
                trainer.step()
            trainers.append(trainer)
            histories[index] = trainer.history()
            self._histories = tuple(histories)
        return tuple(trainers)


class _Stopped(Exception):
    pass


def _no_history(settings: TrainingSettings) -> Mapping[str, np.ndarray]:
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
    session = context.session_id
    return lambda: runtime.get_instance().is_active_session(session)
