import threading
import time

import pytest

from explorer.page.durations import BOUNDS
from explorer.page.limiter import POLL_SECONDS, Busy, WorkLimiter


def test_no_more_than_slots_run_at_once() -> None:
    limiter = WorkLimiter(slots=2, queue=20, timeout=20)
    inside, most, lock = [0], [0], threading.Lock()

    def work() -> None:
        with limiter.slot():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2
    with limiter.slot(), limiter.slot():  # both slots are free again
        pass


def test_a_full_queue_is_refused_at_once() -> None:
    limiter = WorkLimiter(slots=1, queue=0, timeout=20)
    with (
        limiter.slot(),
        pytest.raises(Busy, match=r"^Server busy: 0 requests are queued. Try again"),
        limiter.slot(),
    ):
        pass
    with limiter.slot():
        pass


def test_a_wait_too_long_is_refused_and_releases_the_queue() -> None:
    limiter = WorkLimiter(slots=1, queue=1, timeout=0)
    with limiter.slot():
        for _ in range(3):  # the queue has space again each time
            with pytest.raises(Busy, match="no slot became free within 0 seconds"), limiter.slot():
                pass


def test_a_waiting_request_is_notified_and_can_leave() -> None:
    limiter = WorkLimiter(slots=1, queue=2, timeout=20)

    def leave(before: int) -> None:
        raise KeyboardInterrupt(before)

    with limiter.slot(), pytest.raises(KeyboardInterrupt, match="0"), limiter.slot(leave):
        pass
    with limiter.slot():
        pass


def test_work_that_fails_releases_its_slot() -> None:
    limiter = WorkLimiter(slots=1, queue=0, timeout=0)
    with pytest.raises(ZeroDivisionError), limiter.slot():
        raise ZeroDivisionError
    with limiter.slot():
        pass


def test_long_work_yields_its_slot() -> None:
    limiter = WorkLimiter(slots=1, queue=2, timeout=20)
    order: list[str] = []
    begun, waits = threading.Event(), threading.Event()

    def long() -> None:
        with limiter.slot():
            begun.set()
            waits.wait()
            order.append("first half")
            limiter.yield_slot()
            order.append("second half")

    def short() -> None:
        with limiter.slot(lambda before: waits.set()):
            order.append("short")

    threads = [threading.Thread(target=long), threading.Thread(target=short)]
    threads[0].start()
    begun.wait()
    threads[1].start()
    for thread in threads:
        thread.join()
    assert order == ["first half", "short", "second half"]
    with limiter.slot():
        pass


def test_a_waiting_request_is_notified_of_its_position() -> None:
    limiter = WorkLimiter(slots=1, queue=5, timeout=20)
    reported: list[int] = []
    second_waits, second_is_next = threading.Event(), threading.Event()

    def note(before: int) -> None:
        reported.append(before)
        (second_is_next if before == 0 else second_waits).set()

    def first() -> None:
        with limiter.slot(lambda before: first_waits.set()):
            assert second_is_next.wait(10)

    def second() -> None:
        with limiter.slot(note):
            pass

    first_waits = threading.Event()
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    with limiter.slot():
        threads[0].start()
        assert first_waits.wait(10)
        threads[1].start()
        assert second_waits.wait(10)
    for thread in threads:
        thread.join()
    assert reported == sorted(reported, reverse=True)
    assert {*reported} == {0, 1}


def test_a_limiter_counts_what_runs_waits_and_is_refused() -> None:
    limiter = WorkLimiter(slots=1, queue=1, timeout=20)
    assert (limiter.running, limiter.queued, limiter.refused) == (0, 0, 0)
    waits = threading.Event()

    def work(is_patient: bool) -> None:
        with limiter.slot(lambda ahead: waits.set(), is_patient=is_patient):
            pass

    for is_patient in (False, True):
        thread = threading.Thread(target=work, args=(is_patient,))
        with limiter.slot():
            thread.start()
            assert waits.wait(10)
            assert (limiter.running, limiter.queued) == (1, 1)
            with pytest.raises(Busy), limiter.slot():
                pass
        thread.join()
        waits.clear()
    assert (limiter.running, limiter.queued, limiter.refused) == (0, 0, 2)
    counts, seconds = limiter.waits.totals()
    assert counts[-1] == 3  # the patient work's wait is not counted
    assert counts[BOUNDS.index(0.1)] == 2
    assert seconds >= POLL_SECONDS
