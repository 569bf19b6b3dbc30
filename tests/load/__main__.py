"""Load test, `make load`: many users at once, without browsers; rows with limits.

`python -m tests.load trainings` measures only the row of this name.

Each row starts a new server. A run that shows an exception is an error, and so is a digest that
is wrong for the user's seed. The same load on a bare Streamlit page is measured for comparison,
to distinguish a slow page from a busy machine. The rows with workers serve with HAProxy, which must
be installed.
"""

import argparse
import asyncio
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial

from explorer.engine.forward import trace_block
from explorer.inputs import generate, standardise
from explorer.page.experiment import DEFAULT_INPUT, default_shape
from tests.browser.server import running_server
from tests.load.client import Client
from tests.load.processes import first_visit, flood, outage, running_service
from tests.load.trainings import start_training, watch_training
from tests.load.uploads import checkpoint, upload_checkpoints

SESSION_TIMEOUT = 150  # seconds; Streamlit keeps a disconnected session for 120
MEGABYTE = 2**20


@dataclass
class Measurements:
    """Measurements of all users of one row.

    Attributes:
        reruns: seconds of each rerun.
        first_runs: seconds of each user's first run.
        errors: messages of failed runs.
        digests: seed and digest of each picture.
        steps: steps done of each training.
        uploads: checkpoints uploaded by each of the users who do so.
    """

    reruns: list[float] = field(default_factory=list)
    first_runs: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    digests: list[tuple[int, str]] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    uploads: list[int] = field(default_factory=list)

    def p95(self) -> float:
        """Return the 95th percentile of the reruns."""
        return statistics.quantiles(self.reruns, n=20)[-1]


def change_page(client: Client, rng: random.Random) -> None:
    """Change one setting of the page: mostly the channel or the seed, sometimes the view."""
    choice = rng.random()
    if choice < 0.45 and client.has_number("Channel"):
        client.set_number("Channel", rng.randrange(8))
    elif choice < 0.85:
        client.set_number("Seed of the weights", rng.randrange(1000))
    else:
        client.choose("View", rng.choice(["Forward", "What if", "Gradients"]))


def change_bare_page(client: Client, rng: random.Random) -> None:
    """Change the only number of the bare page."""
    client.set_number("Number", rng.randrange(1000))


@cache
def expected_digest(seed: int) -> str:
    """Compute the digest of the page's default input with this seed."""
    shape = default_shape(DEFAULT_INPUT)
    return trace_block(seed, standardise(generate(DEFAULT_INPUT, *shape)), shape[2]).digest()


def check_digests(measured: Measurements) -> None:
    """Add an error for each digest that is wrong for its seed."""
    for seed, digest in measured.digests:
        if digest != expected_digest(seed):
            measured.errors.append(
                f"wrong digest: seed {seed} gave {digest}, expected {expected_digest(seed)}"
            )


Change = Callable[[Client, random.Random], None]


async def use_page(
    address: str, change: Change, seed: int, think: float, until: float, measured: Measurements
) -> None:
    """Open the page, then wait and change something until the time is over."""
    rng = random.Random(seed)
    await asyncio.sleep(rng.uniform(0, think))
    try:
        client = await Client.open(address)
        measured.first_runs.append(await client.run())
        while True:
            await asyncio.sleep(rng.expovariate(1 / think))
            if time.monotonic() > until:
                break
            change(client, rng)
            measured.reruns.append(await client.run())
            if digest := client.digest():
                measured.digests.append((client.number_value("Seed of the weights"), digest))
        await client.close()
    except Exception as error:
        measured.errors.append(f"{type(error).__name__}: {error}")


async def run_users(
    address: str, change: Change, users: int, think: float, seconds: float
) -> Measurements:
    """Let several users use the page at once."""
    measured = Measurements()
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(use_page(address, change, user, think, until, measured) for user in range(users))
    )
    return measured


async def run_visits(address: str, count: int, at_once: int = 8) -> Measurements:
    """Open the page, run it once and disconnect, `count` times."""
    measured, limit = Measurements(), asyncio.Semaphore(at_once)

    async def visit() -> None:
        async with limit:
            try:
                client = await Client.open(address)
                measured.first_runs.append(await client.run())
                await client.close()
            except Exception as error:
                measured.errors.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*(visit() for _ in range(count)))
    return measured


async def run_users_beside(
    address: str, users: int, think: float, seconds: float, *, trainings: int, uploaders: int
) -> Measurements:
    """Let several users use the page while others train networks or upload checkpoints."""
    if uploaders:
        checkpoint()  # made before the users come
    clients = [await start_training(address, seed) for seed in range(1, 1 + trainings)]
    until = time.monotonic() + seconds
    watched = [asyncio.create_task(watch_training(client, until)) for client in clients]
    uploading = [
        asyncio.create_task(upload_checkpoints(address, user, think, until))
        for user in range(uploaders)
    ]
    measured = await run_users(address, change_page, users, think, seconds)
    measured.steps = list(await asyncio.gather(*watched))
    measured.errors += ["training: it ended early"] * measured.steps.count(0)
    for done in await asyncio.gather(*uploading, return_exceptions=True):
        if isinstance(done, BaseException):
            measured.errors.append(f"upload: {type(done).__name__}: {done}")
        else:
            measured.uploads.append(done)
    measured.errors += ["upload: no checkpoint was read"] * measured.uploads.count(0)
    return measured


def print_row(cells: Sequence[str], is_met: bool, errors: Sequence[str] = ()) -> bool:
    """Print a row, and the first errors; return whether its limit is met."""
    print(*cells, "met" if is_met else "EXCEEDED", sep=" | ", flush=True)
    print(*errors[:3], sep="\n", end="\n" if errors else "", file=sys.stderr)
    return is_met


def reruns_row(
    users: int,
    think: float,
    seconds: float,
    limit: float,
    *,
    trainings: int = 0,
    uploaders: int = 0,
    workers: int = 1,
) -> bool:
    """Print the row of users who change settings; return whether its limit is met."""
    with running_server() if workers == 1 else running_service(workers) as server:
        ours = asyncio.run(
            run_users_beside(
                server.address, users, think, seconds, trainings=trainings, uploaders=uploaders
            )
        )
    check_digests(ours)
    with running_server(script="tests/load/bare.py") as server:
        bare = asyncio.run(run_users(server.address, change_bare_page, users, think, seconds / 2))
    is_met = not ours.errors and ours.p95() <= limit
    cells = (
        f"{users} users, {think:g} s think time" + f", {workers} workers" * (workers > 1),
        *(f"a training of {steps} steps" for steps in ours.steps),
        *(f"{count} checkpoints of 47 MB uploaded" for count in ours.uploads),
        f"{len(ours.reruns)} reruns",
        f"p95 {ours.p95():.2f} s",
        f"limit {limit:g} s",
        f"median {statistics.median(ours.reruns):.3f} s",
        f"first run p95 {statistics.quantiles(ours.first_runs, n=20)[-1]:.2f} s",
        f"bare page p95 {bare.p95():.3f} s",
        f"ratio {ours.p95() / bare.p95():.1f}",
        f"{len(ours.digests)} digests checked",
        f"errors {len(ours.errors)}",
    )
    return print_row(cells, is_met, ours.errors)


def visits_row(count: int, limit: float) -> bool:
    """Print the row of users who connect and leave; return whether memory stays in its limit."""
    with running_server() as server:
        asyncio.run(run_visits(server.address, 50))  # lets the server reach its usual size
        before = server.memory()
        measured = asyncio.run(run_visits(server.address, count))
        peak = server.memory()
        time.sleep(SESSION_TIMEOUT)
        # Streamlit removes expired sessions when another one connects.
        asyncio.run(run_visits(server.address, 1))
        after = server.memory()
    growth = (after - before) / MEGABYTE
    is_met = not measured.errors and growth <= limit
    cells = (
        f"{count} visits",
        f"{before / MEGABYTE:.0f} MB before, {peak / MEGABYTE:.0f} MB after the last one, "
        f"{after / MEGABYTE:.0f} MB after the sessions expired",
        f"growth {growth:.0f} MB",
        f"limit {limit:g} MB",
        f"errors {len(measured.errors)}",
    )
    return print_row(cells, is_met)


def outage_row(name: str, cause: signal.Signals, limit: float) -> bool:
    """Print the row of users whose worker ends; return whether all came back in time."""
    with running_service(2) as service:
        found = asyncio.run(outage(service, cause))
    failed = sum(count for status, count in found.statuses.items() if status != 200)
    slowest = max(found.seconds, default=0.0)
    is_met = not found.errors and not failed and slowest <= limit
    cells = (
        name,
        f"{len(found.seconds)} users came back with the same digest",
        f"slowest {slowest:.2f} s",
        f"limit {limit:g} s",
        f"{found.statuses.total()} requests meanwhile, {failed} failed",
        f"errors {len(found.errors)}",
    )
    return print_row(cells, is_met, found.errors)


def hall_row(visits: int, seconds: float) -> bool:
    """Print the row of first visits from one address beside a flood from another one."""
    with running_service(2) as service, ThreadPoolExecutor(16) as threads:
        until = time.monotonic() + seconds
        floods = [threads.submit(flood, service.address, until) for _ in range(8)]
        visited = sum(threads.map(first_visit, visits * [service.address]), Counter[int]())
        flooded = sum((each.result() for each in floods), Counter[int]())
    is_met = set(visited) == {200} and flooded[429] > 0
    cells = (
        f"{visits} first visits from one address, {visited.total()} requests",
        f"{visited.total() - visited[200]} failed",
        f"a flood from another one: {flooded[429]} of {flooded.total()} requests refused",
    )
    return print_row(cells, is_met)


ROWS: dict[str, Callable[[], bool]] = {
    "users": partial(reruns_row, 30, 8, 80, limit=1),
    "trainings": partial(reruns_row, 30, 8, 80, limit=1, trainings=2),
    "uploads": partial(reruns_row, 30, 8, 80, limit=1, uploaders=2),
    "crowd": partial(reruns_row, 100, 20, 100, limit=5),
    "service": partial(reruns_row, 300, 20, 120, limit=5, workers=2),
    "visits": partial(visits_row, 1000, limit=50),
    "killed": partial(outage_row, "one of two workers is killed", signal.SIGKILL, limit=5),
    "restart": partial(outage_row, "two workers restart in turn", signal.SIGHUP, limit=5),
    "hall": partial(hall_row, 200, seconds=20),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.load")
    parser.add_argument("row", nargs="*", choices=[*ROWS, "all"], default="all")
    chosen = parser.parse_args().row
    are_met = [ROWS[name]() for name in (ROWS if "all" in chosen else chosen)]
    sys.exit(not all(are_met))
