"""The markup of lessons: a small part of Markdown, and marks for numbers."""

import re
from dataclasses import dataclass
from html import escape

from explorer.errors import InputError, describe

# The only signs with a meaning; everything else is text.
_TOKEN = re.compile(
    r"\*\*(?P<bold>[^*]+)\*\*"
    r"|\*(?P<emphasis>[^*\s](?:[^*]*[^*\s])?)\*"
    r"|`(?P<code>[^`]+)`"
    r"|\[(?P<words>[^\]]+)\]\((?P<address>[^)\s]*)\)"
    r"|\{(?P<mark>[^{}]*)\}"
)
_ADDRESS = re.compile(r"\?[^\"<>]*|https://[^\"<>]+")
# Digits that are no claim about the page: names such as conv1, sizes of kernels, citations,
# years and zero.
_NAMES = re.compile(
    r"[^\W\d_]\w*\d\w*"
    r"|\d×\d(?!\d|×)"
    r"|(?:Fig\.|Table|eq\.|Sec\.)\s\d+(?:\.\d+)*"
    r"|(?:ResNet|CIFAR)-\d+"
    r"|\b(?:19|20)\d\d[a-z]?\b"
    r"|(?<![\d.,])0(?![\d.,%]*\d|%)"
)


@dataclass(frozen=True)
class Number:
    """A number in a text.

    Attributes:
        name: what it is, such as "bn2" or "zeroed".
        text: the number as it stands in the text.
    """

    name: str
    text: str


@dataclass(frozen=True)
class Passage:
    """A text.

    Attributes:
        html: the text as HTML, in which all signs of the source are escaped.
        numbers: the numbers in it, in order.
    """

    html: str
    numbers: tuple[Number, ...] = ()


def parse_passage(text: str) -> Passage:
    """Return a text with markup as a passage.

    Args:
        text: one paragraph: `**bold**`, `*emphasis*`, `` `code` ``, `[words](address)` with an
            address that begins with "?" or "https://", and `{name = number}`.

    Raises:
        InputError: a number is not marked, a brace is not closed, or an address is not legal.
    """
    numbers: list[Number] = []
    html = _html(" ".join(text.split()), numbers)
    return Passage(html, tuple(numbers))


def _html(text: str, numbers: list[Number]) -> str:
    parts, end = [], 0
    for token in _TOKEN.finditer(text):
        parts += [_plain(text[end : token.start()]), _marked(token, numbers)]
        end = token.end()
    return "".join([*parts, _plain(text[end:])])


def _marked(token: re.Match[str], numbers: list[Number]) -> str:
    found = token.groupdict()
    if (bold := found["bold"]) is not None:
        return f"<strong>{_html(bold, numbers)}</strong>"
    if (emphasis := found["emphasis"]) is not None:
        return f"<em>{_html(emphasis, numbers)}</em>"
    if (code := found["code"]) is not None:
        return f"<code>{_plain(code)}</code>"
    if (mark := found["mark"]) is not None:
        number = _number(mark)
        numbers.append(number)
        return f'<span style="white-space: nowrap">{escape(number.text)}</span>'
    address = found["address"]
    if not _ADDRESS.fullmatch(address):
        raise InputError(
            f"the address {describe(address)} of a link must begin with ? (this page) or https://."
        )
    return f'<a href="{escape(address)}">{_html(found["words"], numbers)}</a>'


def _number(mark: str) -> Number:
    name, equals, text = (part.strip() for part in mark.partition("="))
    if not (name and equals and text):
        raise InputError(
            f"{{{describe(mark)[1:-1]}}} is no number: write a name, = and the number, as in "
            "{bn2 = 0.25}."
        )
    return Number(name, text)


def _plain(text: str) -> str:
    if found := re.search("[{}]", text):
        raise InputError(f"the brace {found[0]} has no partner in the same paragraph.")
    if found := re.search(r"\d[\d.,]*", _NAMES.sub("", text)):
        raise InputError(
            f"the number {describe(found[0].rstrip('.,'))} is not marked: write "
            "{name = number}, or the number as a word."
        )
    return escape(text)
