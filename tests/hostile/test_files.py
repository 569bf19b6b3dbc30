import pytest

from tests.hostile.corpus import CASES
from tests.hostile.files import check, outcomes
from tests.hostile.fuzz import fuzz
from tests.hostile.reader import Outcome

MEMORY = 100_000_000  # bytes above the process at rest


@pytest.fixture(scope="module")
def found() -> dict[str, Outcome]:
    return outcomes()


@pytest.mark.parametrize("name", CASES)
def test_each_file_is_read_as_what_it_holds_or_refused_in_one_sentence(
    name: str, found: dict[str, Outcome]
) -> None:
    check(CASES[name], found[name])


def test_no_file_needs_much_memory(found: dict[str, Outcome]) -> None:
    largest = max(found, key=lambda name: found[name].growth)
    assert found[largest].growth <= MEMORY, largest


def test_the_corpus_is_large_and_has_both_kinds() -> None:
    assert len(CASES) >= 100
    assert sum(case.refused is None for case in CASES.values()) >= 40
    assert sum(case.refused is not None for case in CASES.values()) >= 60


def test_one_changed_byte_is_read_or_refused() -> None:
    read, refused = fuzz(2000)
    assert min(read, refused) > 200
