import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

from explorer.engine.compilation_cache import enable_compilation_cache
from tests.browser.server import running_page

WORKER = "PYTEST_XDIST_WORKER"
_folders = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Share one new compilation cache between the workers, their servers and subprocesses.

    The folder is empty at the start of a run and removed at its end, so that a run does not
    depend on the one before. Workers and servers find it as the user's cache folder.
    """
    if WORKER not in os.environ:
        folder = tempfile.mkdtemp(prefix="residual-block-explorer-tests-")
        config.stash[_folders] = folder
        os.environ["XDG_CACHE_HOME"] = folder
    enable_compilation_cache()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the compilation cache of this run."""
    if folder := config.stash.get(_folders, None):
        shutil.rmtree(folder, ignore_errors=True)


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
