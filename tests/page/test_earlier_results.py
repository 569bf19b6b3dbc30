"""Which results of a session's earlier runs are dropped."""

import gc

import pytest

from explorer.page import earlier_results
from explorer.page.earlier_results import Key, SessionResults

MANY = 100


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most `MANY` bytes of earlier results."""
    monkeypatch.setattr(earlier_results, "MAX_EARLIER_BYTES", MANY)


def used(session: SessionResults, *sizes: tuple[str, int]) -> None:
    """Run the page once, which uses results of these names and sizes."""
    session.begin_run()
    for name, size in sizes:
        session.use((0, name), size)


def dropped(session: SessionResults) -> list[str]:
    found: list[Key] = []
    session.make_room(found.append)
    return [str(name) for _, name in found]


def test_what_the_present_run_uses_stays_whatever_its_size() -> None:
    session = SessionResults()
    used(session, ("a", 3 * MANY), ("b", 3 * MANY))
    assert dropped(session) == []


def test_earlier_results_beyond_the_limit_are_dropped_the_least_recently_used_first() -> None:
    session = SessionResults()
    used(session, ("a", 60), ("b", 60), ("c", 60))
    used(session, ("a", 60))
    used(session)
    assert dropped(session) == ["b", "c"]
    assert dropped(session) == []


def test_earlier_results_within_the_limit_stay() -> None:
    session = SessionResults()
    used(session, ("a", MANY // 2), ("b", MANY // 2))
    used(session, ("c", 3 * MANY))
    assert dropped(session) == []


def test_a_result_that_another_session_uses_stays() -> None:
    session, other = SessionResults(), SessionResults()
    used(session, ("shared", 3 * MANY))
    used(other, ("shared", 3 * MANY))
    used(session)
    assert dropped(session) == []
    used(other)
    assert dropped(other) == ["shared"]


def test_the_number_of_keys_is_bounded() -> None:
    session = SessionResults()
    used(session, *((str(index), 1) for index in range(2 * earlier_results.MAX_KEYS)))
    used(session)
    assert len(dropped(session)) == earlier_results.MAX_KEYS - MANY


def test_a_session_leaves_with_its_notes() -> None:
    session = SessionResults()
    used(session, ("only here", 1))
    del session
    gc.collect()
    assert (0, "only here") not in SessionResults._last
