import functools
from collections.abc import Iterator

import pytest
from streamlit.components.v2 import manifest_scanner

from explorer.page import cache, runs, trainings
from explorer.page.cache import ResultCache
from tests.helpers import wait_for_trainings


@pytest.fixture(scope="session", autouse=True)
def packages_scanned_once() -> Iterator[None]:
    """Every AppTest scans all installed packages for components, half of its time; once will do."""
    with pytest.MonkeyPatch.context() as patch:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture
def no_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server without training runs but the shipped ones, whose users stay; none trains after."""
    results = ResultCache(64, 2**28, 600)
    for module in (cache, runs):
        monkeypatch.setattr(module, "RESULT_CACHE", results)
    # An AppTest has no runtime between its runs.
    monkeypatch.setattr(trainings, "_session_is_active", lambda: lambda: True)
    yield
    wait_for_trainings()
