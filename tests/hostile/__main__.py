"""`make fuzz`: the corpus of files, 10,000 mutations and all URLs, with a summary."""

import asyncio
import time

from tests.browser.server import Server, running_server
from tests.hostile.client import assert_echoes_nothing, opened
from tests.hostile.corpus import CASES
from tests.hostile.files import check, read_corpus
from tests.hostile.fuzz import fuzz
from tests.hostile.urls import PARAMETERS, urls

MUTATIONS = 10_000
MAX_SECONDS, MAX_GROWTH = 1.0, 100e6  # per file or URL; bytes above the process at rest


def check_files() -> None:
    """Check every file of the corpus, and time and memory."""
    results = read_corpus()
    for name, case in CASES.items():
        check(case, results[name])
    rejected = sum(result.message is not None for result in results.values())
    slowest = max(results, key=lambda name: results[name].seconds)
    growth = max(result.growth for result in results.values())
    largest = next(name for name in results if results[name].growth == growth)
    print(
        f"files: {len(results)}, {len(results) - rejected} read, {rejected} rejected; slowest "
        f"{results[slowest].seconds:.2f} s ({slowest}); peak memory {growth / 1e6:.0f} MB above "
        f"rest ({largest})"
    )
    assert results[slowest].seconds <= MAX_SECONDS
    assert growth <= MAX_GROWTH


async def check_urls(server: Server) -> None:
    """Open every URL, and check that the page shows no exception, and time and memory."""
    for view in set(PARAMETERS.values()):  # compiles each view before time is measured
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
        f"URLs: {len(seconds)}, 0 exceptions; slowest {seconds[slowest]:.2f} s ({slowest}); "
        f"peak memory {growth[largest] / 1e6:.0f} MB above rest ({largest})",
        flush=True,
    )
    assert seconds[slowest] <= MAX_SECONDS
    assert growth[largest] <= MAX_GROWTH


def check_mutations() -> None:
    """Read every mutation of the valid files."""
    start = time.perf_counter()
    read, rejected = fuzz(MUTATIONS)
    print(
        f"mutations: {MUTATIONS:,}, {read:,} read, {rejected:,} rejected, 0 exceptions; "
        f"{time.perf_counter() - start:.1f} s"
    )


if __name__ == "__main__":
    check_files()
    check_mutations()
    with running_server() as server:
        asyncio.run(check_urls(server))
