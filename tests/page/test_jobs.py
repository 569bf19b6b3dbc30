"""Long computations: their progress, Stop and Run, errors, and several users at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.testing.v1 import AppTest

from explorer.engine.progress import Progress
from explorer.errors import InputError
from explorer.page import cache, jobs
from explorer.page.cache import ResultCache
from explorer.page.jobs import halves
from explorer.page.limiter import WorkLimiter
from tests.helpers import TIMEOUT, messages

Compute = Callable[[Progress], str]


class WatchedLimiter(WorkLimiter):
    """One slot; `has_queue` is set once a request waits for it."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        super().__init__(slots=1, queue=8, timeout=timeout)
        self.has_queue = threading.Event()

    @contextmanager
    def slot(
        self, on_wait: Callable[[int], None] = lambda ahead: None, *, is_patient: bool = False
    ) -> Iterator[None]:
        def watched(ahead: int) -> None:
            self.has_queue.set()
            on_wait(ahead)

        with super().slot(watched):
            yield

    def is_free(self) -> bool:
        return self._free == 1


@dataclass(frozen=True)
class Server:
    """What all users share."""

    results: ResultCache
    work: WatchedLimiter
    long_work: WatchedLimiter

    def is_free(self) -> bool:
        return self.work.is_free() and self.long_work.is_free()


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An empty cache and free limiters in place of the server's; free again at the end."""
    fresh = Server(ResultCache(8, 2**20, 60), WatchedLimiter(), WatchedLimiter())
    monkeypatch.setattr(cache, "RESULT_CACHE", fresh.results)
    monkeypatch.setattr(cache, "LONG_WORK_LIMITER", fresh.long_work)
    for module in (cache, jobs):
        monkeypatch.setattr(module, "WORK_LIMITER", fresh.work)
    yield fresh
    assert fresh.is_free()


def script(compute: "Compute", private: bool) -> None:
    import streamlit as st

    from explorer.page.jobs import run_job

    key = "job", st.session_state.get("number", 1)
    shown = run_job("job", key, compute, private=private, message="Computing")
    st.session_state["result"] = shown and shown.value
    st.session_state["is_stale"] = shown and shown.is_stale


def job_page(compute: Compute, *, private: bool = False) -> AppTest:
    arguments = {"compute": compute, "private": private}
    return AppTest.from_function(script, default_timeout=TIMEOUT, kwargs=arguments).run()


def result(at: AppTest) -> object:
    return at.session_state["result"]


def is_stale(at: AppTest) -> bool:
    return bool(at.session_state["is_stale"])


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def infos(at: AppTest) -> list[str]:
    return [each.value for each in at.markdown]


class Steps:
    """A computation in four steps; it ends the script after `last` of them, if that is less."""

    def __init__(self, last: int = 4) -> None:
        self.last, self.calls = last, 0

    def __call__(self, progress: Progress) -> str:
        self.calls += 1
        for done in range(1, self.last + 1):
            progress(done, 4)
        if self.last < 4:
            st.stop()
        return f"result {self.calls}"


def test_the_result_is_returned_cached_and_leaves_no_bar() -> None:
    compute = Steps()
    at = job_page(compute)
    assert result(at) == "result 1"
    assert not at.get("progress")
    assert labels(at) == []
    assert result(at.run()) == "result 1"
    assert compute.calls == 1


@pytest.mark.parametrize(("done", "percent"), [(0, 0), (1, 25), (3, 75)])
def test_meanwhile_there_is_a_bar_with_its_part_and_a_stop_button(done: int, percent: int) -> None:
    at = job_page(Steps(done))
    (bar,) = (element.proto for element in at.get("progress"))
    assert bar.value == percent
    assert bar.text == (f"Computing: {percent}%" if done else "Computing")
    assert labels(at) == ["Stop"]


def test_stop_shows_that_it_has_stopped_until_run_computes_it() -> None:
    compute = Steps(2)
    at = job_page(compute)
    at.button(key="stop job").click().run()
    for _ in range(2):  # and it stays so
        assert infos(at) == ["Stopped."]
        assert labels(at) == ["Run"]
        assert not at.get("progress")
        assert result(at) is None
        assert compute.calls == 1
        at.run()
    compute.last = 4
    at.button(key="run job").click().run()
    assert result(at) == "result 2"
    assert infos(at) == []
    assert labels(at) == []


def test_after_stop_the_last_result_is_that_of_earlier_settings() -> None:
    compute = Steps()
    at = job_page(compute)
    assert not is_stale(at)
    at.session_state["number"], compute.last = 2, 2
    at.run().button(key="stop job").click().run()
    assert infos(at) == ["Stopped."]
    assert result(at) == "result 1"
    assert is_stale(at)
    compute.last = 4
    at.button(key="run job").click().run()
    assert result(at) == "result 3"
    assert not is_stale(at)


def test_what_the_user_does_meanwhile_interrupts_it_at_its_next_step(server: Server) -> None:
    reached: list[str] = []

    def compute(progress: Progress) -> str:
        reached.append("start")
        context = get_script_run_ctx()
        assert context
        assert not server.is_free()
        if len(reached) == 1:
            assert context.script_requests
            context.script_requests.request_rerun(RerunData())
            progress(1, 2)
            reached.append("after the interruption")
        return "result"

    at = job_page(compute)
    assert not at.exception
    assert reached == ["start", "start"]
    assert result(at) == "result"


def test_an_error_is_shown_and_computed_again_the_next_time(server: Server) -> None:
    calls: list[int] = []

    def compute(progress: Progress) -> str:
        calls.append(1)
        progress(1, 2)
        raise InputError("The stack has 5 * 5 blocks; the limit is 4.")

    at = job_page(compute)
    for count in (1, 2):
        assert messages(at, "error") == ["The stack has 5 * 5 blocks; the limit is 4."]
        assert not at.exception
        assert not at.get("progress")
        assert labels(at) == []
        assert result(at) is None
        assert server.results.names() == []
        assert server.is_free()
        assert len(calls) == count
        at.run()


def test_an_unexpected_error_is_not_hidden_and_frees_its_slots(server: Server) -> None:
    def compute(progress: Progress) -> str:
        raise ZeroDivisionError("unexpected")

    at = job_page(compute)
    assert len(at.exception) == 1
    assert not messages(at, "error")
    assert server.is_free()
    assert server.results.names() == []


def test_a_busy_server_is_shown_with_a_button_that_tries_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = WatchedLimiter(timeout=0)
    monkeypatch.setattr(cache, "LONG_WORK_LIMITER", busy)
    compute = Steps()
    with busy.slot():
        at = job_page(compute)
        assert messages(at, "warning")[0].startswith("Server busy: ")
        assert result(at) is None
        assert compute.calls == 0
    at.button[0].click().run()
    assert result(at) == "result 1"
    assert not messages(at, "warning")


def test_a_second_user_waits_for_the_first_and_gets_the_same_result(server: Server) -> None:
    begun, calls = threading.Event(), []

    def compute(progress: Progress) -> str:
        calls.append(1)
        begun.set()
        assert server.long_work.has_queue.wait(TIMEOUT)
        progress(1, 1)
        return "result"

    with ThreadPoolExecutor(2) as users:
        first = users.submit(job_page, compute)
        assert begun.wait(TIMEOUT)
        second = users.submit(job_page, compute)
        assert result(first.result()) == "result"
        assert result(second.result()) == "result"
    assert len(calls) == 1


def test_results_of_uploads_are_not_shared_between_users() -> None:
    compute = Steps()
    first, second = (job_page(compute, private=True) for _ in range(2))
    assert result(first) == "result 1"
    assert result(second) == "result 2"
    assert result(first.run()) == "result 1"
    assert compute.calls == 2


def test_stop_concerns_one_user_alone_and_a_result_of_another_replaces_it() -> None:
    compute = Steps(1)
    first = job_page(compute)
    first.button(key="stop job").click().run()
    assert infos(first) == ["Stopped."]
    compute.last = 4
    second = job_page(compute)
    assert infos(second) == []
    assert result(second) == "result 2"
    assert infos(first.run()) == []
    assert result(first) == "result 2"
    assert compute.calls == 2


def test_between_its_steps_a_long_job_lets_others_compute(server: Server) -> None:
    begun, order = threading.Event(), []

    def compute(progress: Progress) -> str:
        begun.set()
        assert server.work.has_queue.wait(TIMEOUT)
        progress(1, 2)
        order.append("long job")
        return "result"

    def short_work() -> None:
        with server.work.slot():
            order.append("short work")

    with ThreadPoolExecutor(2) as users:
        long_job = users.submit(job_page, compute)
        assert begun.wait(TIMEOUT)
        users.submit(short_work).result()
        assert result(long_job.result()) == "result"
    assert order == ["short work", "long job"]


def test_the_progress_of_two_halves_is_that_of_the_whole() -> None:
    seen: list[tuple[int, int]] = []
    first, second = halves(lambda done, total: seen.append((done, total)))
    for half in (first, second):
        for done in (1, 2, 3):
            half(done, 3)
    assert seen == [(1, 6), (2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]
