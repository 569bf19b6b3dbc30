from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.browser.server import running_page
from tests.hostile.urls import MARKDOWN, MARKUP, NONSENSE, urls
from tests.load.client import Client, awaited

URLS = urls()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_page() as address:
        yield address


async def opened(address: str, query: str) -> list[str]:
    """All texts of the page that this address gives; an exception on it fails."""
    client = await Client.open(address, query)
    try:
        await client.run()
        assert client.elements, "nothing was drawn"
        return client.texts()
    finally:
        await client.close()


def assert_echoes_nothing(texts: list[str]) -> None:
    """No markup from outside, no traceback and no path."""
    for text in texts:
        for sign in (MARKUP, MARKDOWN, "Traceback", "/explorer/", "site-packages"):
            assert sign not in text


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
        ("input=Lena", "input='Lena': expected one of zone_plate, impulse, edge"),
        ("pin=bn2,99,0", "pin='bn2,99,0': expected a panel's name, a row from 0 to 31"),
        ("details=scatter&box=1,2", "box='1,2': expected four finite numbers"),
        ("view=gradients&shift=9", "shift='9': expected a number from -6 to 6."),
        ("view=depth&depth=2&runs=99", "runs='99': expected an integer from 1 to 32."),
    ],
)
def test_what_is_not_accepted_is_told_in_one_sentence(server: str, query: str, words: str) -> None:
    told = [text.replace("\\", "") for text in awaited(opened(server, query))]
    assert sum(words in text for text in told) == 1, told
    assert sum("Ignored URL parameter" in text for text in told) == 1


@pytest.mark.parametrize(
    "query", ["seed=3.7", "seed=1&seed=2", "seed=-1", "seed=inf", "seed=1e400", "seed=0x3"]
)
def test_what_is_not_accepted_leaves_the_default(server: str, query: str) -> None:
    async def shown() -> tuple[int, str]:
        client = await Client.open(server, query)
        await client.run()
        await client.close()
        return client.number("Seed of the weights"), client.query

    assert awaited(shown()) == (0, "")


def test_an_address_that_is_all_right_is_not_commented(server: str) -> None:
    query = "seed=3&input=normal&mode=eval&warmup=5&channel=2&details=scatter"
    query += "&box=-1,1,-2,2&pin=bn2,1,2"
    told = awaited(opened(server, query))
    assert not any("Ignored URL parameter" in text for text in told)


@pytest.mark.parametrize("name", URLS)
def test_each_address_gives_a_page(name: str, server: str) -> None:
    assert_echoes_nothing(awaited(opened(server, URLS[name])))


def test_the_list_is_long_and_goes_over_every_kind() -> None:
    assert len(URLS) >= 200
    kinds = {name.split(": ")[1] for name in URLS if ": " in name}
    assert set(NONSENSE) <= kinds
