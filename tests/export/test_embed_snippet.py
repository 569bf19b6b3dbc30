"""The embed snippet: what a browser's parser reads in it, and what it refuses."""

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest

from explorer.errors import InputError
from explorer.export.embed_snippet import embed_snippet

LINK = "https://explorer.example.org/blocks/?seed=3&pin=add,1,2"
NASTY = "</iframe><script>alert('1')</script> \"onload=x\" & \u202eabc\u200f"


class Elements(HTMLParser):
    """The start tags of a document, with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def attributes(snippet: str) -> dict[str, str | None]:
    """Return the attributes of the only element."""
    elements = Elements(snippet)
    ((tag, found),) = elements.found
    assert (tag, elements.text) == ("iframe", "")
    assert snippet.isascii()
    assert "\n" not in snippet
    return found


def test_the_frame_shows_the_linked_page_without_navigation() -> None:
    assert attributes(embed_snippet(LINK, "A block", height=500)) == {
        "src": f"{LINK.replace(',', '%2C')}&embed=true",
        "title": "A block",
        "width": "100%",
        "height": "500",
        "loading": "lazy",
    }


def test_words_of_the_link_and_the_title_are_no_markup() -> None:
    link = f"http://localhost:8501/{NASTY}?input=upload&file={NASTY}#{NASTY}"
    found = attributes(embed_snippet(link, f"{NASTY}\nand\r\nmore\x00"))
    assert found.keys() == {"src", "title", "width", "height", "loading"}
    assert found["title"] == f"{NASTY} and more"


def test_a_value_of_the_query_arrives_as_it_was() -> None:
    link = (
        "http://localhost:8501/?file=a%26b%20%E2%80%AE%22%3C.npy&lesson=&embed_options=dark_theme"
    )
    src = attributes(embed_snippet(link, ""))["src"]
    assert src
    assert parse_qsl(urlsplit(src).query, keep_blank_values=True) == [
        ("file", 'a&b \u202e"<.npy'),
        ("lesson", ""),
        ("embed_options", "dark_theme"),
        ("embed", "true"),
    ]


def test_the_frame_of_a_presented_page_is_an_embedded_one() -> None:
    link = "http://localhost:8501/?present=dark&Embed=false&embed=true&seed=1"
    assert attributes(embed_snippet(link, ""))["src"] == "http://localhost:8501/?seed=1&embed=true"


@pytest.mark.parametrize(
    "link",
    [
        "",
        "explorer.example.org/?seed=1",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<b>",
        "file:///etc/passwd",
        "//explorer.example.org/",
        "http:///?seed=1",
        "http://[::1",
    ],
)
def test_what_is_no_web_address_is_refused(link: str) -> None:
    with pytest.raises(InputError, match=r"^link must be the explorer's address, .*, got .*\.$"):
        embed_snippet(link, "A block")


@pytest.mark.parametrize("height", [0, -1, 10_001, float("nan")])
def test_an_illegal_height_is_refused(height: int) -> None:
    with pytest.raises(InputError, match=r"^height must be an integer from 1 to 10000, got"):
        embed_snippet(LINK, "A block", height=height)
