"""A server under flood: the only test of time, since the limits are promised in seconds."""

import asyncio
import http.client
import signal
import statistics
import threading
import time
from urllib.parse import urlsplit

from tests.browser.server import running_server
from tests.load.client import Client, awaited
from tests.load.flooder import LABEL, Flooder

FLOODERS, RATE = 4, 500  # messages per second each
SECONDS = 10
SLOWEST_HEALTH, SLOWEST_END = 1, 5  # seconds
PAUSE = 0.15  # seconds between the reruns of an ordinary user


class HealthProbe(threading.Thread):
    """A thread that keeps asking for the server's health, each time on a new connection."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.seconds: list[float] = []
        self.ended = False
        self.start()

    def run(self) -> None:
        while not self.ended:
            start = time.perf_counter()
            connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)
            connection.request("GET", "/_stcore/health")
            assert connection.getresponse().status == 200
            connection.close()
            self.seconds.append(time.perf_counter() - start)
            time.sleep(0.05)

    def stop(self) -> list[float]:
        self.ended = True
        self.join()
        return self.seconds


async def reruns(address: str, seconds: float) -> list[float]:
    """Return the times of the reruns of a user who changes the seed again and again."""
    client = await Client.open(address)
    await client.run()
    times: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.set_number(LABEL, len(times) % 7)
        times.append(await client.run())
        await asyncio.sleep(PAUSE)
    await client.close()
    return times


def test_flooders_do_not_stop_the_server() -> None:
    with running_server() as server:
        awaited(reruns(server.address, 2))
        usual = awaited(reruns(server.address, 4))
        flooders = [Flooder(server.address, RATE) for _ in range(FLOODERS)]
        for flooder in flooders:
            assert flooder.started.wait(20)
        probe = HealthProbe(server.address)
        during = awaited(reruns(server.address, SECONDS))
        health = probe.stop()
        start = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(timeout=60)
        end = time.perf_counter() - start
        for flooder in flooders:
            flooder.stop()
    assert max(health) < SLOWEST_HEALTH
    assert statistics.median(during) < 2 * statistics.median(usual)
    assert end < SLOWEST_END
    assert all(flooder.sent > 500 for flooder in flooders)
