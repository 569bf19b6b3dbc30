import gc
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import cast

import numpy as np
import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from explorer.engine.forward import trace_block
from explorer.inputs import generate
from explorer.page import cache, input_source
from explorer.page.cache import Owner, ResultCache, size_of
from explorer.page.limiter import WorkLimiter
from tests.files import npy
from tests.helpers import messages, page, upload


@pytest.fixture
def result_cache(monkeypatch: pytest.MonkeyPatch) -> ResultCache:
    """Replace the server's result cache by an empty one."""
    fresh = ResultCache(entries=8, size=2**20, seconds=60)
    monkeypatch.setattr(cache, "RESULT_CACHE", fresh)
    return fresh


def test_bounded_in_entries() -> None:
    result_cache = ResultCache(entries=4, size=2**20, seconds=60)
    for key in range(9):
        result_cache.put(key, np.zeros(1))
    assert result_cache.names() == [5, 6, 7, 8]


def test_bounded_in_bytes_and_the_least_recently_used_goes_first() -> None:
    result_cache = ResultCache(entries=100, size=1000, seconds=60)
    result_cache.put("a", np.zeros(400, np.uint8))
    result_cache.put("b", np.zeros(400, np.uint8))
    assert result_cache.get("a") is not None
    result_cache.put("c", np.zeros(400, np.uint8))
    assert result_cache.get("b") is None
    assert result_cache.get("a") is not None


def test_a_value_larger_than_the_cache_is_not_stored_and_evicts_nothing() -> None:
    result_cache = ResultCache(entries=10, size=1000, seconds=60)
    result_cache.put("a", np.zeros(400, np.uint8))
    result_cache.put("b", np.zeros(4000, np.uint8))
    assert result_cache.names() == ["a"]


def test_bounded_in_time() -> None:
    result_cache = ResultCache(entries=10, size=1000, seconds=0)
    result_cache.put("a", np.zeros(4))
    assert result_cache.get("a") is None


def test_a_private_value_is_dropped_with_its_owner() -> None:
    result_cache = ResultCache(entries=10, size=1000, seconds=60)
    owner, other = Owner(), Owner()
    result_cache.put("a", np.zeros(4), owner)
    assert result_cache.get("a", owner) is not None
    assert result_cache.get("a", other) is None
    assert result_cache.get("a") is None
    del owner
    gc.collect()
    assert result_cache.names() == []


def test_an_owner_collected_during_a_put_causes_no_deadlock() -> None:
    """Owners in cycles are found by the garbage collector, which may run at any moment."""
    result_cache = ResultCache(entries=8, size=2**20, seconds=60)
    trace = trace_block(0, generate("normal", 1, 1, 1), 1)

    def work() -> None:
        for key in range(3000):
            owner = Owner()
            owner.me = owner  # type: ignore[attr-defined]
            result_cache.put(key, trace, owner)

    thread = threading.Thread(target=work, daemon=True)
    threshold = gc.get_threshold()
    gc.set_threshold(7, 1, 1)
    try:
        thread.start()
        thread.join(30)
    finally:
        gc.set_threshold(*threshold)
    assert not thread.is_alive()
    gc.collect()
    assert result_cache.names() == []


def test_long_work_is_limited_to_the_slots(
    result_cache: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise all would yield to each other, hold their memory and finish late."""
    limiter, begun, most = WorkLimiter(slots=2, queue=20, timeout=20), [0], [0]
    monkeypatch.setattr(cache, "WORK_LIMITER", limiter)
    monkeypatch.setattr(cache, "LONG_WORK_LIMITER", WorkLimiter(slots=2, queue=20, timeout=20))
    lock = threading.Lock()

    def make() -> str:
        with lock:
            begun[0] += 1
            most[0] = max(most[0], begun[0])
        for _ in range(5):
            time.sleep(0.002)
            limiter.yield_slot()
        with lock:
            begun[0] -= 1
        return "made"

    class Placeholder:
        def caption(self, words: str) -> None:
            pass

        def empty(self) -> None:
            pass

    def work(key: int) -> str:
        placeholder = cast(DeltaGenerator, Placeholder())
        return cache.get_or_compute(
            (key,), make, private=False, placeholder=placeholder, message=None, is_long=True
        )

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == ["made"] * 8
    assert most[0] == 2


def test_the_size_of_a_trace_is_that_of_its_arrays() -> None:
    trace = trace_block(0, generate("normal", 32, 16, 4), 4)
    stages = 8 * 32 * 16 * 4 * 4
    assert stages < size_of(trace) < stages + 5000
    assert size_of(((1, "a"), {"b": [np.zeros(3, np.float32)]})) == 12
    assert size_of((b"four", "text")) == 4


def test_an_array_in_two_places_counts_once() -> None:
    array = np.zeros(3, np.float32)
    assert size_of((array, {"again": array, "other": array.copy()})) == 24


def script() -> None:
    import streamlit as st

    from explorer.page.cache import get_or_compute
    from explorer.page.errors import PROBLEMS, show_problem

    try:
        st.write(
            get_or_compute(
                ("a",), lambda: "made", private=False, placeholder=st.empty(), message="Computing"
            )
        )
    except PROBLEMS as problem:
        show_problem(problem)


def test_a_timeout_is_captioned_as_busy_with_a_button(
    result_cache: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = WorkLimiter(slots=1, queue=5, timeout=0.4)
    monkeypatch.setattr(cache, "WORK_LIMITER", limiter)
    with limiter.slot():
        at = AppTest.from_function(script).run()
        assert messages(at, "warning") == [
            "Server busy: no slot became free within 0.4 seconds. Try again in a moment."
        ]
        assert not at.exception
    at.button[0].click().run()
    assert not messages(at, "warning")
    assert at.markdown[0].value == "made"


def test_a_result_computed_by_another_while_waiting_is_used(
    result_cache: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowLimiter(WorkLimiter):
        @contextmanager
        def slot(
            self, on_wait: Callable[[int], None] = lambda ahead: None, *, is_patient: bool = False
        ) -> Iterator[None]:
            result_cache.put(("a",), "made by another")
            yield

    monkeypatch.setattr(cache, "WORK_LIMITER", SlowLimiter(slots=1, queue=5, timeout=20))
    at = AppTest.from_function(script).run()
    assert at.markdown[-1].value == "made by another"


def test_the_position_in_the_queue_is_captioned(
    result_cache: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = WorkLimiter(slots=1, queue=5, timeout=20)
    monkeypatch.setattr(cache, "WORK_LIMITER", limiter)
    captions: list[str] = []
    is_captioned = threading.Event()

    class Placeholder:
        def caption(self, text: str) -> None:
            captions.append(text)
            is_captioned.set()

        def empty(self) -> None:
            captions.append("")

    def work() -> None:
        made = cache.get_or_compute(
            ("a",),
            lambda: "made",
            private=False,
            placeholder=cast(DeltaGenerator, Placeholder()),
            message=None,
        )
        captions.append(made)

    thread = threading.Thread(target=work)
    with limiter.slot():
        thread.start()
        assert is_captioned.wait(10)
    thread.join()
    assert captions[0] == "Waiting to compute: 0 requests are ahead in the queue."
    assert captions[-2:] == ["", "made"]


def uploads_in(result_cache: ResultCache) -> list[Hashable]:
    return [key[0] for key in result_cache.names() if "upload" in repr(key)]


def test_uploads_are_dropped_with_their_session() -> None:
    result_cache = ResultCache(entries=64, size=2**28, seconds=600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "RESULT_CACHE", result_cache)
        at = upload(page(), "mine.npy", npy(np.full((5, 6, 2), 7.25)))
        assert not at.exception
        assert uploads_in(result_cache) == ["upload", "input", "trace"]
        del at
        # The thread that ran the script may hold the session a little longer.
        until = time.monotonic() + 10
        while uploads_in(result_cache) and time.monotonic() < until:
            gc.collect()
        assert uploads_in(result_cache) == []
        assert result_cache.names()  # the default experiment's trace belongs to everyone


def test_another_seed_does_not_make_the_input_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(kind: str, *settings: int) -> np.ndarray:
        made.append(kind)
        return generate(kind, *settings)

    monkeypatch.setattr(cache, "RESULT_CACHE", ResultCache(entries=64, size=2**28, seconds=600))
    monkeypatch.setattr(input_source, "generate", counted)
    at = page(input="zone_plate")
    at.number_input(key="seed").set_value(3).run()
    assert made == ["zone_plate"]
    digest = trace_block(3, generate("zone_plate", 32, 32, 8), 8).digest()
    assert any(digest in caption.value for caption in at.caption)


def test_the_servers_cache_is_bounded() -> None:
    assert cache.MAX_BYTES <= 2**30
    assert cache.MAX_ENTRIES <= 1000
    assert cache.SECONDS <= 3600
