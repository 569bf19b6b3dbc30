"""`make fuzz`: the whole corpus, all addresses and 10,000 mutations, with a summary."""

import asyncio
import time

from tests.browser.server import Server, running_server
from tests.hostile.client import assert_echoes_nothing, opened
from tests.hostile.corpus import CASES
from tests.hostile.files import check, outcomes
from tests.hostile.fuzz import fuzz
from tests.hostile.urls import PARAMETERS, urls

MUTATIONS = 10_000
SECONDS, MEMORY = 1.0, 100e6


def files() -> None:
    found = outcomes()
    for name, case in CASES.items():
        check(case, found[name])
    refused = sum(outcome.message is not None for outcome in found.values())
    slowest = max(found, key=lambda name: found[name].seconds)
    growth = max(outcome.growth for outcome in found.values())
    largest = next(name for name in found if found[name].growth == growth)
    print(
        f"files: {len(found)}, refused {refused}, read {len(found) - refused}; slowest "
        f"{found[slowest].seconds:.2f} s ({slowest}); most memory above rest {growth / 1e6:.0f} MB "
        f"({largest})"
    )
    assert found[slowest].seconds <= SECONDS
    assert growth <= MEMORY


async def addresses(server: Server) -> None:
    for view in set(PARAMETERS.values()):  # what each compiles is no hostile address's cost
        await opened(server.address, view)
    seconds, growth = {}, {}
    for name, query in urls().items():
        resting = server.memory()
        server.forget_peak()
        start = time.perf_counter()
        assert_echoes_nothing(await opened(server.address, query))
        seconds[name] = time.perf_counter() - start
        growth[name] = server.peak() - resting
    slowest, largest = max(seconds, key=seconds.__getitem__), max(growth, key=growth.__getitem__)
    print(
        f"addresses: {len(seconds)}, exceptions 0; slowest {seconds[slowest]:.2f} s ({slowest}); "
        f"most memory above rest {growth[largest] / 1e6:.0f} MB ({largest})",
        flush=True,
    )
    assert seconds[slowest] <= SECONDS
    assert growth[largest] <= MEMORY


def mutations() -> None:
    start = time.perf_counter()
    read, refused = fuzz(MUTATIONS)
    print(
        f"mutations: {MUTATIONS:,}, refused {refused:,}, read {read:,}, escaped 0; "
        f"{time.perf_counter() - start:.1f} s"
    )


if __name__ == "__main__":
    files()
    mutations()
    with running_server() as server:
        asyncio.run(addresses(server))
