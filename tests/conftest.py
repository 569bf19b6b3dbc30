"""Settings of a test run: folders of compiled programs that its processes share."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" not in os.environ:
    # Before anything imports JAX: workers, servers and subprocesses inherit these.
    folder = Path(tempfile.mkdtemp(prefix="explorer-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ |= {
        "XDG_CACHE_HOME": str(folder),
        # Servers keep theirs in XDG_CACHE_HOME, with a limit that these need not pay for.
        "JAX_COMPILATION_CACHE_DIR": str(folder / "tests"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in tests/browser/, which `make unit` leaves out."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
