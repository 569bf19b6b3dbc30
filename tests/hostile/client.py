"""Open an address of the page and check its texts."""

from tests.hostile.urls import MARKDOWN, MARKUP
from tests.load.client import Client


async def opened(address: str, query: str) -> list[str]:
    """Return all texts of the page at this address; fail if it shows an exception."""
    client = await Client.open(address, query)
    try:
        await client.run()
        assert client.elements, "nothing was drawn"
        return client.texts()
    finally:
        await client.close()


def assert_echoes_nothing(texts: list[str]) -> None:
    """Fail if a text holds markup from outside, a traceback or a path.

    Markdown in HTML is no markup.
    """
    for text in texts:
        for sign in (MARKUP, "Traceback", "/explorer/", "site-packages"):
            assert sign not in text
        assert MARKDOWN not in text or text.startswith("<div ")
