"""Trainings in the background: turns, Stop and Continue, users who leave, and limits."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import streamlit as st

from explorer.data import Dataset
from explorer.engine.training import Trainer, train
from explorer.engine.training_run import TrainingProgress, TrainingRun
from explorer.engine.training_settings import TrainingSettings
from explorer.page import runs, trainings
from explorer.page.cache import Owner, ResultCache
from explorer.page.limiter import WorkLimiter
from explorer.page.runs import train_pair
from explorer.page.trainings import Pair, Training, current_training, start_training
from tests.helpers import TIMEOUT, wait_for_trainings
from tests.short_runs import STEPS, pictures, short_settings

VARIANTS = "v1", "no_skip"


class Server:
    """Stands between the trainings and their steps.

    Attributes:
        steps: the variant and number of every step that has begun, in order.
        trainers: weak references to all trainers.
    """

    def __init__(self) -> None:
        self.steps: list[tuple[str, int]] = []
        self.trainers: list[weakref.ref[Trainer]] = []
        self._begun, self._allowed = threading.Semaphore(0), threading.Semaphore(0)

    def begin(self, trainer: Trainer) -> None:
        """Called by a trainer before a step; return once it is allowed."""
        self.steps.append((trainer.settings.variant, trainer.done + 1))
        self._begun.release()
        assert self._allowed.acquire(timeout=TIMEOUT)

    def wait_for_steps(self, count: int = 1) -> None:
        """Wait until this many more steps have begun."""
        for _ in range(count):
            assert self._begun.acquire(timeout=TIMEOUT)

    def allow(self, count: int = 1000) -> None:
        """Allow this many more steps."""
        if count:
            self._allowed.release(count)


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Free limiters and an empty cache in place of the server's; all trainings end at the end."""
    found = Server()

    class WatchedTrainer(Trainer):
        def __init__(self, dataset: Dataset, settings: TrainingSettings) -> None:
            super().__init__(dataset, settings)
            found.trainers.append(weakref.ref(self))

        def step(self) -> TrainingProgress:
            found.begin(self)
            return super().step()

    monkeypatch.setattr(trainings, "Trainer", WatchedTrainer)
    for name in ("WORK_LIMITER", "STEP_LIMITER"):
        monkeypatch.setattr(trainings, name, WorkLimiter(slots=8, queue=8, timeout=TIMEOUT))
    monkeypatch.setattr(
        trainings, "TRAINING_LIMITER", WorkLimiter(slots=2, queue=8, timeout=TIMEOUT)
    )
    monkeypatch.setattr(st, "session_state", {})
    yield found
    found.allow()
    wait_for_trainings()


def pair(variants: tuple[str, str] = VARIANTS, **others: object) -> Pair:
    settings = tuple(short_settings(variant, 1, **others) for variant in variants)
    return Pair(pictures(), settings, private=False)


def ignore(index: int, run: TrainingRun) -> None:
    pass


def started(is_wanted: Callable[[], bool] = lambda: True, **settings: Any) -> Training:
    return Training(pair(**settings), is_wanted, ignore)


def assert_equal_runs(found: TrainingRun, expected: TrainingRun) -> None:
    """Assert the same bits in histories and in all networks."""
    assert found.settings == expected.settings
    assert found.snapshots == expected.snapshots
    np.testing.assert_array_equal(found.checked_at, expected.checked_at)
    assert found.history.keys() == expected.history.keys()
    for name, values in expected.history.items():
        np.testing.assert_array_equal(found.history[name], values)
    for step, network in expected.networks.items():
        assert found.at(step).arrays.keys() == network.arrays.keys()
        for name, array in network.arrays.items():
            np.testing.assert_array_equal(found.at(step).arrays[name], array)


def assert_uninterrupted(training: Training) -> None:
    """Assert that both runs are those of `train`."""
    assert training.runs
    for run, settings in zip(training.runs, training.pair.settings, strict=True):
        assert_equal_runs(run, train(pictures(), **vars(settings)))


def test_both_networks_are_stepped_in_turn_with_the_bits_of_train(server: Server) -> None:
    server.allow()
    finished: list[tuple[int, TrainingRun]] = []
    training = Training(pair(), lambda: True, lambda index, run: finished.append((index, run)))
    wait_for_trainings()
    assert server.steps == [(variant, step) for step in (1, 2, 3) for variant in VARIANTS]
    assert training.runs
    assert finished == list(enumerate(training.runs))
    assert_uninterrupted(training)
    assert not training.is_running
    assert not training.is_waiting
    assert not training.can_continue
    assert training.problem == ""


def test_both_networks_start_from_the_same_kernels() -> None:
    first, second = (Trainer(pictures(), each).network().arrays for each in pair().settings)
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array)


def test_histories_grow_while_both_networks_train(server: Server) -> None:
    training = started()
    server.wait_for_steps()
    assert training.is_running
    assert not training.is_waiting
    assert (training.histories, training.done) == ((), 0)
    lengths = []
    for _ in range(3):
        server.allow(1)
        server.wait_for_steps()
        lengths.append([len(each["train loss"]) for each in training.histories])
    assert lengths == [[1, 0], [1, 1], [2, 1]]
    assert training.done == 1
    server.allow()
    wait_for_trainings()
    assert training.runs
    assert training.done == STEPS
    for history, run in zip(training.histories, training.runs, strict=True):
        np.testing.assert_array_equal(history["train loss"], run.history["train loss"])


@pytest.mark.parametrize("done", [0, 1, 2])
def test_stop_ends_after_the_present_step_and_continue_gives_the_same_bits(
    server: Server, done: int
) -> None:
    training = started()
    server.wait_for_steps()
    training.resume()  # nothing to do while it runs
    server.allow(done)
    server.wait_for_steps(done)
    training.stop()
    server.allow(1)
    wait_for_trainings()
    assert len(server.steps) == done + 1
    assert training.runs is None
    assert training.problem == ""
    assert training.can_continue
    server.allow()
    training.resume()
    wait_for_trainings()
    assert len(server.steps) == 2 * STEPS
    assert_uninterrupted(training)


def test_it_ends_within_a_step_once_its_user_has_left_and_frees_its_networks(
    server: Server,
) -> None:
    is_here = threading.Event()
    is_here.set()
    training = started(is_here.is_set)
    server.wait_for_steps()
    is_here.clear()
    server.allow(1)
    wait_for_trainings()
    assert server.steps == [("v1", 1)]
    assert training.runs is None
    assert not training.can_continue
    gc.collect()
    assert server.trainers
    assert all(each() is None for each in server.trainers)


def test_a_finished_training_keeps_no_trainers(server: Server) -> None:
    server.allow()
    training = started()
    wait_for_trainings()
    gc.collect()
    assert training.runs
    assert server.trainers
    assert all(each() is None for each in server.trainers)


def test_a_loss_that_is_not_finite_is_kept_as_a_sentence_and_frees_the_networks(
    server: Server,
) -> None:
    server.allow()
    training = started(variants=("v1", "no_bn"), learning_rate=10, seed=2, steps=100)
    wait_for_trainings()
    assert training.problem.startswith("The training loss is ")
    assert "so the training stopped. Choose a smaller learning rate" in training.problem
    assert training.runs is None
    assert not training.can_continue
    training.resume()
    assert not training.is_running
    gc.collect()
    assert server.trainers
    assert all(each() is None for each in server.trainers)


def test_a_batch_larger_than_the_data_set_is_a_sentence() -> None:
    training = started(batch=25)
    wait_for_trainings()
    assert training.problem == (
        "batch must be at most the number of training pictures, 24; got 25."
    )


def test_a_third_training_waits_until_one_of_two_has_ended(server: Server) -> None:
    first, second = started(), started()
    server.wait_for_steps(2)
    asked = threading.Event()

    def is_wanted() -> bool:
        asked.set()
        return True

    third = started(is_wanted)
    assert asked.wait(TIMEOUT)
    assert (first.is_waiting, second.is_waiting, third.is_waiting) == (False, False, True)
    assert len(server.steps) == 2
    server.allow()
    wait_for_trainings()
    assert first.runs
    assert second.runs
    assert third.runs
    assert not third.is_waiting


def test_who_stops_while_it_waits_has_no_networks(server: Server) -> None:
    others = started(), started()
    server.wait_for_steps(2)
    threads = set(threading.enumerate())
    waiting = started()
    waiting.stop()
    for thread in set(threading.enumerate()) - threads:
        thread.join(TIMEOUT)
    assert not waiting.is_running
    assert waiting.runs is None
    assert len(server.trainers) == 2
    server.allow()
    wait_for_trainings()
    assert all(each.runs for each in others)
    assert not waiting.can_continue  # it has no networks yet


def test_a_busy_server_is_a_sentence_and_loses_no_step(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    training = started()
    server.wait_for_steps()
    training.stop()
    server.allow(1)
    wait_for_trainings()
    with monkeypatch.context() as patch:
        busy = WorkLimiter(slots=0, queue=0, timeout=1)
        patch.setattr(trainings, "TRAINING_LIMITER", busy)
        training.resume()
        wait_for_trainings()
    assert training.problem == "Server busy: 0 requests are queued. Try again in a moment."
    assert training.can_continue
    server.allow()
    training.resume()
    wait_for_trainings()
    assert training.problem == ""
    assert len(server.steps) == 2 * STEPS
    assert_uninterrupted(training)


def test_a_full_queue_is_a_sentence(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setattr(trainings, "TRAINING_LIMITER", WorkLimiter(slots=1, queue=0, timeout=1))
    first = started()
    server.wait_for_steps()
    second = started()
    server.allow()
    wait_for_trainings()
    assert first.runs
    assert second.problem == "Server busy: 0 requests are queued. Try again in a moment."


def test_between_its_steps_others_compute(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    limiter = WorkLimiter(slots=1, queue=8, timeout=TIMEOUT)
    monkeypatch.setattr(trainings, "WORK_LIMITER", limiter)
    training = started()
    server.wait_for_steps()
    waits = threading.Event()

    def compute() -> None:
        with limiter.slot(lambda ahead: waits.set()):
            server.steps.append(("other work", len(server.steps)))

    other = threading.Thread(target=compute)
    other.start()
    assert waits.wait(TIMEOUT)
    server.allow()
    other.join(TIMEOUT)
    wait_for_trainings()
    assert server.steps[:3] == [("v1", 1), ("other work", 1), ("no_skip", 1)]
    assert_uninterrupted(training)


def test_a_session_trains_one_pair_at_a_time(server: Server) -> None:
    start_training(pair(), ignore)
    first = current_training()
    server.wait_for_steps()
    start_training(pair(seed=1), ignore)
    second = current_training()
    server.allow()
    wait_for_trainings()
    assert first
    assert second
    assert first is not second
    assert first.runs is None
    assert second.runs
    assert second.pair.settings[0].seed == 1


@pytest.mark.parametrize("private", [False, True])
def test_runs_are_cached_those_on_own_pictures_for_their_owner_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch, private: bool
) -> None:
    results = ResultCache(8, 2**24, 60)
    monkeypatch.setattr(runs, "RESULT_CACHE", results)
    server.allow()
    owner = Owner()
    st.session_state["session"] = owner
    train_pair(replace(pair(), private=private))
    wait_for_trainings()
    training = current_training()
    assert training
    assert training.runs
    for index, run in enumerate(training.runs):
        key = training.pair.run_key(index)
        assert results.get(key, owner if private else None) is run
        assert results.get(key, Owner()) is None
        assert (results.get(key) is None) == private


def test_an_unexpected_error_ends_the_training_with_a_sentence(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(trainer: Trainer) -> TrainingProgress:
        raise RuntimeError("RESOURCE_EXHAUSTED")

    monkeypatch.setattr(Trainer, "step", fail)
    server.allow()
    training = started()
    wait_for_trainings()
    assert training.problem.startswith("The training failed unexpectedly.")
    assert not training.can_continue
    assert training.runs is None


def test_trainings_take_their_steps_in_turn(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    """One at a time, so that others find a free slot of the work limiter."""
    is_waited_for = threading.Event()

    class WatchedLimiter(WorkLimiter):
        @contextmanager
        def slot(
            self, on_wait: Callable[[int], None] = lambda ahead: None, *, is_patient: bool = False
        ) -> Iterator[None]:
            def watched(ahead: int) -> None:
                is_waited_for.set()
                on_wait(ahead)

            with super().slot(watched, is_patient=is_patient):
                yield

    steps = WatchedLimiter(slots=1, queue=1, timeout=TIMEOUT)
    work = WorkLimiter(slots=2, queue=0, timeout=0)
    monkeypatch.setattr(trainings, "STEP_LIMITER", steps)
    monkeypatch.setattr(trainings, "WORK_LIMITER", work)
    first, second = started(), started()
    server.wait_for_steps()
    assert is_waited_for.wait(10)
    with work.slot():  # at once, since the queue has no place
        assert len(server.steps) == 1
    server.allow()
    wait_for_trainings()
    assert_uninterrupted(first)
    assert_uninterrupted(second)
