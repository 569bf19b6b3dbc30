"""The HTML that shows the explorer in a frame of another page."""

import re
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from explorer.errors import InputError, check_integer, describe

MAX_HEIGHT = 10_000  # CSS pixels
_OF_THE_MODE = "embed", "present"  # parameters of the page that an embedded one replaces


def embed_snippet(link: str, title: str, *, height: int = 720) -> str:
    """Return an `<iframe>` element, as wide as the page around it, in ASCII characters.

    Args:
        link: the address of the explorer with all settings, http or https; the frame's address
            has `embed=true` besides, and no presenter mode.
        title: what the frame shows, for screen readers; line breaks become spaces.
        height: of the frame in CSS pixels, from 1 to 10,000.

    Raises:
        InputError: the link is none, or the height is out of range.
    """
    height = check_integer("height", height, 1, MAX_HEIGHT)
    words = re.sub(r"[\s\x00-\x1f\x7f]+", " ", title).strip()
    snippet = (
        f'<iframe src="{escape(_embedded(link))}" title="{escape(words)}" width="100%" '
        f'height="{height}" loading="lazy"></iframe>'
    )
    return snippet.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _embedded(link: str) -> str:
    """Return the address of the page for a frame."""
    try:
        parts = urlsplit(link)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # of malformed brackets
        is_web = False
    if not is_web:
        raise InputError(
            f"link must be the explorer's address, such as https://explorer.example.org/?seed=1, "
            f"got {describe(link)}."
        )
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if name.lower() not in _OF_THE_MODE]
    query = urlencode([*kept, ("embed", "true")])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
