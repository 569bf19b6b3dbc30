"""Settings of a test run: folders of compiled programs that its processes share."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

from tests.browser.server import running_page

if "PYTEST_XDIST_WORKER" not in os.environ:
    # Before anything imports JAX. Workers, servers and subprocesses inherit these; servers use
    # XDG_CACHE_HOME, with a limit on size that the tests' own programs need not pay for.
    _folder = tempfile.mkdtemp(prefix="residual-block-explorer-tests-")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    os.environ |= {
        "XDG_CACHE_HOME": _folder,
        "JAX_COMPILATION_CACHE_DIR": os.path.join(_folder, "tests"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        # Most of the tests' time is compiling. Level 1 gives the same bits as the default and
        # compiles in half the time; servers run with the default.
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
    with running_page() as address:
        yield address
