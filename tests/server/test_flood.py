"""A server under flood: the only tests of time, since the limits are promised in seconds."""

import asyncio
import http.client
import signal
import statistics
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest

from tests.browser.server import Server, running_server
from tests.load.client import Client, awaited
from tests.load.flooder import LABEL, Flooder

pytestmark = pytest.mark.slow
FLOODERS, RATE = 4, 500  # messages per second each
SECONDS = 10
# Seconds. Without the limit of messages, health is silent for more than 20, and the end takes
# more than 90.
SLOWEST_HEALTH, SLOWEST_END = 10, 30
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


async def rerun_times(addresses: Sequence[str], seconds: float) -> list[list[float]]:
    """Return the times of reruns at each address, of a user who changes the seed again and again.

    The addresses take turns, so that whatever else the machine does slows all of them.
    """
    clients = [await Client.open(address) for address in addresses]
    times: list[list[float]] = [[] for _ in addresses]
    for client in clients:
        await client.run()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for client, found in zip(clients, times, strict=True):
            client.set_number(LABEL, len(found) % 7)
            found.append(await client.run())
        await asyncio.sleep(PAUSE)
    for client in clients:
        await client.close()
    return times


def seconds_until_ended(server: Server) -> float:
    """Send SIGTERM and return the seconds until the server has ended."""
    start = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(timeout=60)
    return time.perf_counter() - start


def test_flooders_do_not_stop_the_server(address: str) -> None:
    """A server without flooders tells the usual time of a rerun."""
    with running_server() as server:
        awaited(rerun_times([server.address, address], 2))
        flooders = [Flooder(server.address, RATE) for _ in range(FLOODERS)]
        for flooder in flooders:
            assert flooder.started.wait(20)
        probe = HealthProbe(server.address)
        flooded, usual = awaited(rerun_times([server.address, address], SECONDS))
        health = probe.stop()
        end = seconds_until_ended(server)
        for flooder in flooders:
            flooder.stop()
    assert max(health) < SLOWEST_HEALTH
    assert statistics.median(flooded) < 2 * statistics.median(usual)
    assert end < SLOWEST_END
    assert all(flooder.sent > 500 for flooder in flooders)


def test_a_slow_upload_does_not_keep_the_server_from_ending() -> None:
    async def with_slow_upload(server: Server) -> float:
        client = await Client.open(server.address)
        await client.run()
        upload = http.client.HTTPConnection(urlsplit(server.address).netloc)
        upload.request("GET", "/_stcore/health")
        answer = upload.getresponse()
        cookie = answer.headers["set-cookie"].split(";")[0]
        answer.read()
        upload.putrequest("PUT", f"/_stcore/upload_file/{client.session}/file")
        upload.putheader("Cookie", cookie)
        upload.putheader("X-Xsrftoken", cookie.split("=", 1)[1])
        upload.putheader("Content-Type", "multipart/form-data; boundary=b")
        upload.putheader("Content-Length", "1000")
        upload.endheaders(b"--b\r\n")
        await asyncio.sleep(0.5)
        seconds = await asyncio.to_thread(seconds_until_ended, server)
        upload.close()
        await client.close()
        return seconds

    with running_server() as server:
        assert awaited(with_slow_upload(server)) < SLOWEST_END
