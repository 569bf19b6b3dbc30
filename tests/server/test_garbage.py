"""When the server collects garbage."""

import asyncio
import gc
import time

import pytest

from explorer.server.garbage import collect_garbage


def collections(
    monkeypatch: pytest.MonkeyPatch, *, seconds: float, is_idle_after: int
) -> list[float]:
    """Return when garbage is collected within 100 seconds, of collections that take `seconds`
    each, in a server that is idle after so many of them."""
    now, young, found = 0.0, 0, list[float]()

    async def sleep(pause: float) -> None:
        nonlocal now, young
        now += pause
        if now > 100:
            raise asyncio.CancelledError
        young += len(found) < is_idle_after

    def collect() -> None:
        nonlocal now
        found.append(now)
        now += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    monkeypatch.setattr(gc, "collect", collect)
    monkeypatch.setattr(gc, "get_stats", lambda: [{"collections": young}])
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(collect_garbage())
    return found


def test_garbage_is_collected_every_second(monkeypatch: pytest.MonkeyPatch) -> None:
    found = collections(monkeypatch, seconds=0.01, is_idle_after=1000)
    assert found[:3] == pytest.approx([1.0, 2.01, 3.02])


def test_collections_take_a_twentieth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = collections(monkeypatch, seconds=0.5, is_idle_after=1000)
    assert found[:3] == pytest.approx([1.0, 11.5, 22.0])
    assert 0.5 * len(found) <= 0.05 * 100 + 0.5


def test_an_idle_server_collects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(collections(monkeypatch, seconds=0.01, is_idle_after=3)) == 3
