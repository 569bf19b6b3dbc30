"""Words from outside are plain text wherever the page shows them."""

from itertools import cycle
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.page import upload
from tests.files import npy, npz
from tests.hostile.urls import PARAMETERS

WORDS = (
    "https://evil.example/x",
    "www.evil.example",
    "a@evil.example",
    "a\n\n    code",
    "<a href=//evil.example>x</a>",
    "[x](//evil.example)",
    "<code>x</code>",
    "`x` **x** ~~x~~",
    "$x^2$",
    ":smile: :material/home:",
    ":red[x] :blue-badge[x]",
)
# What Markdown makes of such words, in the page's main part and its sidebar.
FORMATTED = "a, code, pre, strong, em, del, .katex, .stMarkdownColoredText, .stMarkdownBadge"
SHOWN = "[data-kind], .stHtml"
# Read only with a file, repeated in the list, or unknown.
UNREPORTED = {
    *("file", "digest", "array", "side", "layout", "image", "statistics"),
    *("block", "nobody"),
}


def expect_plain_text(page: Page, *words: str) -> None:
    """Wait for the words in a message or a note; fail if any of the page is formatted."""
    for word in words:
        page.locator(SHOWN).filter(has_text=word).first.wait_for()
    formatted = page.evaluate(
        """([shown, formatted]) => [...document.querySelectorAll(
            '[data-testid=stMain], [data-testid=stSidebar]')]
            .flatMap((part) => [...part.querySelectorAll(formatted)])
            // Bold words of a lesson, and the code of the page itself.
            .filter((node) => !node.closest('.st-key-lesson_card, [data-testid=stCode]'))
            .map((node) => node.outerHTML)""",
        [SHOWN, FORMATTED],
    )
    assert formatted == []


def groups() -> dict[str, list[str]]:
    """Return parameters by the rest of the address with which they are read."""
    found: dict[str, list[str]] = {}
    for parameter, rest in PARAMETERS.items():
        if parameter not in UNREPORTED:
            found.setdefault(rest, []).append(parameter)
    return found


def test_every_parameter(open_page: OpenPage) -> None:
    words = cycle(WORDS)
    for rest, parameters in groups().items():
        query = "&".join(f"{name}={quote(next(words))}" for name in parameters)
        page = open_page(f"?{query}&{rest}")
        expect_plain_text(page, *(f"Ignored URL parameter {name}=" for name in parameters))


@pytest.mark.parametrize("word", WORDS)
def test_every_word(open_page: OpenPage, word: str) -> None:
    given = quote(word)
    page = open_page(f"?view={given}&input=upload&file={given}&digest={given}")
    expect_plain_text(
        page,
        f"Ignored URL parameter view={word!r}",
        f"with the file {word} (digest {word[:16]})",
    )


def test_an_uploaded_file(open_page: OpenPage) -> None:
    page = open_page("?input=upload&file=www.evil.example&digest=a%40evil.example")
    array = np.zeros((8, 8, 2), np.float32)
    for name, data in {
        "www.evil.example.npy": npy(array),
        "a@evil.example.npz": npz(**{"www.evil.example": array, "a@evil.example": array}),
        "https:__evil.example.npz": npz(**{"https://evil.example": array}),
    }.items():
        upload(page, name, data)
        expect_plain_text(page, f"{name} was read as 8×8×2")
    refused = {
        "www.evil.example": b"not an array",
        "www.evil.example.csv": b"1,https://evil.example\n",
        "b.npz": npz(**{"www.evil.example": np.array(["text"])}),
        "c.npz": npz(**{"a@evil.example": np.zeros(()), "www.evil.example": np.zeros(())}),
    }
    for name, data in refused.items():
        upload(page, name, data)
        page.locator("[data-kind=error]").wait_for()
        expect_plain_text(page)
        upload(page, "good.npy", npy(array))
        page.locator("[data-kind=error]").wait_for(state="detached")  # else the upload is cut off
        expect_plain_text(page, "good.npy was read as")
