"""Several processes behind HAProxy: what users notice when one ends, and what a flood does."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed

from tests.browser.server import ROOT, TIMEOUT, free_port
from tests.load.client import Client, PageError

USERS = 16
QUERY = "seed=5"
ABUSIVE = "127.0.0.2"  # another address of this machine


@dataclass(frozen=True)
class Service:
    """A running `deploy/serve.py`."""

    address: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        """Return the process numbers of the workers, on Linux."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = [int(number) for number in children.read_text(encoding="ascii").split()]
        return [
            number
            for number in found
            if b"streamlit" in Path(f"/proc/{number}/cmdline").read_bytes()
        ]


@contextmanager
def running_service(workers: int) -> Iterator[Service]:
    """Run the page with several processes during the `with` block."""
    port = free_port()
    command = [sys.executable, "deploy/serve.py", f"--workers={workers}"]
    process = subprocess.Popen(
        [*command, f"--bind=127.0.0.1:{port}"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    service = Service(f"http://127.0.0.1:{port}", process)
    try:
        deadline, seen = time.monotonic() + TIMEOUT, set[str]()
        while len(seen) < workers:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The service did not start; is HAProxy installed?")
            time.sleep(0.1)
            seen |= {cookie} if (cookie := worker_cookie(service.address)) else set()
        yield service
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT)


def get(address: str, path: str, source: str = "127.0.0.1") -> tuple[int, bytes, str]:
    """Return status, body and cookie; status 0 if there is no answer."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=20, source_address=(source, 0))
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        cookie = response.headers.get("set-cookie", "").partition(";")[0]
        return response.status, response.read(), cookie
    except OSError:
        return 0, b"", ""
    finally:
        connection.close()


def worker_cookie(address: str) -> str:
    """Return the cookie that leads to a worker; empty if none answers."""
    return get(address, "/")[2]


@dataclass
class Outage:
    """What the users of a service noticed.

    Attributes:
        seconds: from each user's lost connection to the next picture.
        errors: of users, such as a wrong digest.
        statuses: of requests made all the time, as a visitor without a cookie.
    """

    seconds: list[float]
    errors: list[str]
    statuses: Counter[int]


async def outage(service: Service, cause: signal.Signals, users: int = USERS) -> Outage:
    """Kill one worker (SIGKILL), or restart all in turn (SIGHUP), while users are connected."""
    cookies = [await asyncio.to_thread(worker_cookie, service.address) for _ in range(users)]
    clients = [await _opened(service, cookie) for cookie in cookies]
    digest = clients[0].digest()
    found = Outage([], [], Counter())
    workers = service.workers()
    # The cookies name workers in turn, so each has as many users.
    wanted = users // len(workers) if cause == signal.SIGKILL else users
    ended = workers[0] if cause == signal.SIGKILL else service.process.pid
    waiting = [
        asyncio.create_task(_back(service, client, cookie, digest, found))
        for client, cookie in zip(clients, cookies, strict=True)
    ]
    os.kill(ended, cause)
    deadline = time.monotonic() + TIMEOUT
    while len(found.seconds) < wanted and time.monotonic() < deadline:
        status = (await asyncio.to_thread(get, service.address, "/_stcore/health"))[0]
        found.statuses[status] += 1
        await asyncio.sleep(0.05)
    for task in waiting:
        task.cancel()
    if len(found.seconds) < wanted:
        found.errors.append(f"{len(found.seconds)} of {wanted} users came back")
    return found


async def _opened(service: Service, cookie: str) -> Client:
    client = await Client.open(service.address, QUERY, cookie)
    await client.run()
    return client


async def _back(service: Service, client: Client, cookie: str, digest: str, found: Outage) -> None:
    """Wait until the connection is lost, then connect again as the page does, with its URL."""
    try:
        while True:
            await client.connection.recv()
    except ConnectionClosed:
        pass
    lost = time.perf_counter()
    while True:
        try:
            client = await _opened(service, cookie)
            break
        except (OSError, PageError, ConnectionClosed, TimeoutError):
            await asyncio.sleep(0.2)
    found.seconds.append(time.perf_counter() - lost)
    if client.digest() != digest:
        found.errors.append(f"digest {client.digest()} instead of {digest}")


def first_visit(address: str) -> Counter[int]:
    """Request the page and its scripts as a browser does; return the statuses."""
    status, page, _ = get(address, "/")
    paths = re.findall(rb'(?:src|href)="\./(static/[^"]+)"', page)
    statuses = Counter([status])
    statuses.update(get(address, f"/{path.decode()}")[0] for path in paths)
    return statuses


def flood(address: str, until: float) -> Counter[int]:
    """Request the page as fast as possible from another address; return the statuses."""
    statuses: Counter[int] = Counter()
    while time.monotonic() < until:
        statuses[get(address, "/", ABUSIVE)[0]] += 1
    return statuses
