import os
import pickle
from typing import cast

import pytest
from filelock import FileLock

from tests.hostile.corpus import CASES
from tests.hostile.file_process import ReadResult
from tests.hostile.files import check, read_corpus
from tests.hostile.fuzz import fuzz

pytestmark = pytest.mark.slow
MAX_GROWTH = 100_000_000  # bytes above the process at rest


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReadResult]:
    """The results of a process that the workers share."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers of this run
    file = folder / "corpus.pickle"
    with FileLock(file.with_suffix(".lock")):
        if not file.exists():
            file.write_bytes(pickle.dumps(read_corpus()))
        return cast(dict[str, ReadResult], pickle.loads(file.read_bytes()))


@pytest.mark.parametrize("name", CASES)
def test_each_file_is_read_or_rejected_with_a_message(
    name: str, results: dict[str, ReadResult]
) -> None:
    check(CASES[name], results[name])


def test_no_file_needs_much_memory(results: dict[str, ReadResult]) -> None:
    largest = max(results, key=lambda name: results[name].growth)
    assert results[largest].growth <= MAX_GROWTH, largest


def test_the_corpus_has_many_valid_and_invalid_files() -> None:
    assert len(CASES) >= 100
    assert sum(case.error is None for case in CASES.values()) >= 40
    assert sum(case.error is not None for case in CASES.values()) >= 60


def test_files_with_one_changed_byte_are_read_or_rejected() -> None:
    read, rejected = fuzz(2000)
    assert min(read, rejected) > 200
