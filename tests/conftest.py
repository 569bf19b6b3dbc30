"""Settings of a test run: folders of compiled programs that its processes share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.server import running_server

# Kept between runs: most of the tests' time is compiling. Runs on another version of Python, or in
# another environment with the same JAX, find the programs too. `make clean` removes them.
CACHE = Path(__file__).parent.parent / ".pytest_cache"
PROGRAMS = CACHE / "programs"
MAX_PROGRAM_BYTES = 2**30

if "PYTEST_XDIST_WORKER" not in os.environ:
    # Nothing removes single programs: JAX's limit on size costs more time than it is worth here.
    if sum(file.stat().st_size for file in PROGRAMS.glob("*")) > MAX_PROGRAM_BYTES:
        shutil.rmtree(PROGRAMS, ignore_errors=True)
    # Before anything imports JAX. Workers, servers and subprocesses inherit these; servers keep
    # their programs in XDG_CACHE_HOME.
    os.environ |= {
        "XDG_CACHE_HOME": str(CACHE / "servers"),
        "JAX_COMPILATION_CACHE_DIR": str(PROGRAMS),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        # Compiles in about a tenth less time than the default, with which servers run. Blocks whose
        # digests are compared between the two have the same bits.
        "XLA_FLAGS": "--xla_backend_optimization_level=1",
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in tests/browser/ with the mark that `make unit` leaves out."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of the worker's server, which its tests share."""
    lessons = {"EXPLORER_LESSONS": str(Path(__file__).parent / "browser" / "lessons")}
    with running_server(environment=lessons) as server:
        yield server.address
