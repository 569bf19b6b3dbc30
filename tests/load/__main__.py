"""`make load`: many readers at once, without browsers; three rows with their bounds.

Each row has a server of its own. A run that shows an exception is an error, and so is a
digest that is not that of the reader's seed. Beside it
stands the same load on a bare Streamlit page, so that a noisy machine can be told
from a slow page.
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from explorer.engine.forward import trace_block
from explorer.inputs import generate
from explorer.page.experiment import DEFAULT_INPUT, DEFAULT_SHAPE
from tests.browser.server import running_server
from tests.load.client import Client

REST = 150  # seconds; Streamlit keeps a session that was cut off for 120
MEGABYTE = 2**20


@dataclass
class Tally:
    """What the readers of one row saw: seconds of each rerun, and errors."""

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    shown: list[tuple[int, str]] = field(default_factory=list)  # seed and digest

    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]


def acts(client: Client, chance: random.Random) -> None:
    """One thing that a reader does: mostly another channel or seed, now and then a view."""
    kind = chance.random()
    if kind < 0.45 and client.has_number("Channel"):
        client.set_number("Channel", chance.randrange(8))
    elif kind < 0.85:
        client.set_number("Seed of the weights", chance.randrange(1000))
    else:
        client.choose("View", chance.choice(["Forward", "What if", "Gradients"]))


def presses(client: Client, chance: random.Random) -> None:
    """On the bare page there is one number."""
    client.set_number("Number", chance.randrange(1000))


@cache
def expected(seed: int) -> str:
    """The digest of the page's own input with this seed, computed here."""
    return trace_block(seed, generate(DEFAULT_INPUT, *DEFAULT_SHAPE), DEFAULT_SHAPE[2]).digest()


def check(tally: Tally) -> None:
    """Adds an error for each picture that was not its seed's."""
    for seed, digest in tally.shown:
        if digest != expected(seed):
            tally.errors.append(f"wrong picture: seed {seed} gave {digest}, not {expected(seed)}")


Act = Callable[[Client, random.Random], None]


async def reader(
    address: str, act: Act, number: int, think: float, until: float, tally: Tally
) -> None:
    """Opens the page, then acts and thinks in turn."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, think))
    try:
        client = await Client.open(address)
        tally.first.append(await client.run())
        while True:
            await asyncio.sleep(chance.expovariate(1 / think))
            if time.monotonic() > until:
                break
            act(client, chance)
            tally.seconds.append(await client.run())
            if digest := client.digest():
                tally.shown.append((client.number("Seed of the weights"), digest))
        await client.close()
    except Exception as error:
        tally.errors.append(f"{type(error).__name__}: {error}")


async def crowd(address: str, act: Act, readers: int, think: float, seconds: float) -> Tally:
    tally = Tally()
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(reader(address, act, number, think, until, tally) for number in range(readers))
    )
    return tally


async def visits(address: str, count: int, at_once: int = 8) -> Tally:
    """Opens the page, lets it run once and leaves, again and again."""
    tally, places = Tally(), asyncio.Semaphore(at_once)

    async def visit() -> None:
        async with places:
            try:
                client = await Client.open(address)
                tally.first.append(await client.run())
                await client.close()
            except Exception as error:
                tally.errors.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*(visit() for _ in range(count)))
    return tally


def think_row(readers: int, think: float, seconds: float, bound: float) -> bool:
    """One row of readers who think; whether it is within its bound."""
    with running_server() as server:
        ours = asyncio.run(crowd(server.address, acts, readers, think, seconds))
    check(ours)
    with running_server(script="tests/load/bare.py") as server:
        bare = asyncio.run(crowd(server.address, presses, readers, think, seconds / 2))
    good = not ours.errors and ours.p95() <= bound
    cells = (
        f"{readers} readers, {think:g} s think time",
        f"{len(ours.seconds)} reruns",
        f"p95 {ours.p95():.2f} s",
        f"bound {bound:g} s",
        f"median {statistics.median(ours.seconds):.3f} s",
        f"first run p95 {statistics.quantiles(ours.first, n=20)[-1]:.2f} s",
        f"bare page p95 {bare.p95():.3f} s",
        f"ratio {ours.p95() / bare.p95():.1f}",
        f"{len(ours.shown)} pictures checked",
        f"errors {len(ours.errors)}",
        "within" if good else "BEYOND",
    )
    print(*cells, sep=" | ", flush=True)
    print(*ours.errors[:3], sep="\n", end="\n" if ours.errors else "", file=sys.stderr)
    return good


def visit_row(count: int, bound: float) -> bool:
    """A thousand readers who come and go; whether the server is as small as before."""
    with running_server() as server:
        asyncio.run(visits(server.address, 50))  # what every server needs once it is used
        before = server.memory()
        tally = asyncio.run(visits(server.address, count))
        peak = server.memory()
        time.sleep(REST)
        asyncio.run(
            visits(server.address, 1)
        )  # Streamlit looks for sessions that have ended when used
        after = server.memory()
    growth = (after - before) / MEGABYTE
    good = not tally.errors and growth <= bound
    cells = (
        f"{count} connects and closes",
        f"{before / MEGABYTE:.0f} MB before, {peak / MEGABYTE:.0f} MB at their end, "
        f"{after / MEGABYTE:.0f} MB after the session time-out",
        f"growth {growth:.0f} MB",
        f"bound {bound:g} MB",
        f"errors {len(tally.errors)}",
        "within" if good else "BEYOND",
    )
    print(*cells, sep=" | ", flush=True)
    return good


if __name__ == "__main__":
    rows = [
        think_row(30, 8, 80, bound=1),
        think_row(100, 20, 100, bound=5),
        visit_row(1000, bound=50),
    ]
    sys.exit(not all(rows))
