from collections.abc import Sequence
from html import unescape
from urllib.parse import quote

import pytest

from tests.hostile.client import assert_echoes_nothing, opened
from tests.hostile.urls import (
    MARKUP,
    NONSENSE,
    PARAMETERS,
    InvalidValue,
    addresses,
    together,
    unusual_urls,
    urls,
)
from tests.load.client import Client, PageError, awaited

UNUSUAL = unusual_urls()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("seed=abc", r"seed='abc': expected an integer from 0 to 4294967295."),
        ("seed=inf", "seed='inf': expected an integer"),
        ("seed=3.7", "seed='3.7': expected an integer"),
        ("height=0", "height='0': expected an integer from 1 to 2048."),
        ("seed=1&seed=2", "seed='1, 2': expected"),
        (
            "mode=" + quote(MARKUP),
            f"mode='{MARKUP}': expected one of train, eval.",
        ),
        ("input=Lena", "input='Lena': expected one of landscape, cells, digit"),
        ("pin=bn2,99,0", "pin='bn2,99,0': expected a panel's name, a row from 0 to 95"),
        ("details=scatter&box=1,2", "box='1,2': expected four finite numbers"),
        ("view=gradients&shift=9", "shift='9': expected a number from -6 to 6."),
        (
            "view=depth&height=8&width=8&channels=2&depth=2&runs=99",
            "runs='99': expected an integer from 1 to 32.",
        ),
    ],
)
def test_an_invalid_parameter_gives_one_warning(address: str, query: str, words: str) -> None:
    texts = [unescape(text) for text in awaited(opened(address, query))]
    assert sum(words in text for text in texts) == 1, texts
    assert sum("Ignored URL parameter" in text for text in texts) == 1


@pytest.mark.parametrize(
    "query", ["seed=3.7", "seed=1&seed=2", "seed=-1", "seed=inf", "seed=1e400", "seed=0x3"]
)
def test_an_invalid_parameter_leaves_the_default(address: str, query: str) -> None:
    async def seed_and_query() -> tuple[int, str]:
        client = await Client.open(address, query)
        await client.run()
        await client.close()
        return client.number_value("Seed of the weights"), client.query

    assert awaited(seed_and_query()) == (0, "")


def test_a_valid_address_gives_no_warning(address: str) -> None:
    query = "seed=3&input=normal&mode=eval&warmup=5&channel=2&details=scatter"
    query += "&box=-1,1,-2,2&pin=bn2,1,2"
    texts = awaited(opened(address, query))
    assert not any("Ignored URL parameter" in text for text in texts)


@pytest.mark.parametrize("values", addresses(), ids=lambda values: values[0].name)
def test_invalid_values_give_a_page(values: Sequence[InvalidValue], address: str) -> None:
    try:
        assert_echoes_nothing(awaited(opened(address, together(values))))
    except (AssertionError, PageError):
        for value in values:  # to name the one that fails alone
            check_alone(address, value)
        raise


def check_alone(address: str, value: InvalidValue) -> None:
    try:
        assert_echoes_nothing(awaited(opened(address, together([value]))))
    except (AssertionError, PageError) as error:
        raise AssertionError(value.name) from error


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_address_gives_a_page(name: str, address: str) -> None:
    assert_echoes_nothing(awaited(opened(address, UNUSUAL[name])))


def test_the_list_contains_every_type_of_invalid_value() -> None:
    values = [value for values in addresses() for value in values]
    assert {value.parameter for value in values} == set(PARAMETERS)
    assert {value.kind for value in values} == set(NONSENSE)
    assert len(urls()) == len(values) + len(UNUSUAL) >= 200
