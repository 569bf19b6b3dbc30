"""Colours and sizes of every figure, in one place."""

from dataclasses import dataclass
from typing import Literal

from explorer.errors import check_choice


@dataclass(frozen=True)
class Theme:
    """Colours of one theme, as CSS hex.

    `below`, `zero`, `above` are the diverging scale's ends and middle, with one
    colour between each pair; `under` and `over` mark values beyond the limit,
    `missing` those that are not finite, and `accent` the pixel under the pointer.
    `identity` is also the page's primary colour, and `page` its background, as in
    `.streamlit/config.toml`.
    """

    text: str
    muted: str
    page: str
    branch: str
    identity: str
    trunk: str
    zeroed: str
    under: str
    below: tuple[str, str]
    zero: str
    above: tuple[str, str]
    over: str
    missing: str
    accent: str
    residual_network: str
    plain_network: str


ThemeName = Literal["light", "dark"]
THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        text="#1f2733",
        muted="#5b6675",
        page="#ffffff",
        branch="#a85800",
        identity="#08706b",
        trunk="#3d4653",
        zeroed="#b9bec6",
        under="#12c46b",
        below=("#0d4a9c", "#6aaedb"),
        zero="#ffffff",
        above=("#f49a7c", "#a80f26"),
        over="#ffc800",
        missing="#c800c8",
        accent="#7a2cc9",
        residual_network="#2456b8",
        plain_network="#b8336a",
    ),
    "dark": Theme(
        text="#e8ecf2",
        muted="#9aa5b4",
        page="#0f1216",
        branch="#f59a2f",
        identity="#2cc4ba",
        trunk="#b4bdc9",
        zeroed="#5d6673",
        under="#12c46b",
        below=("#8fd0ff", "#2a6fb5"),
        zero="#12161b",
        above=("#b5412f", "#ffb199"),
        over="#ffd21f",
        missing="#ff5cff",
        accent="#d7a6ff",
        residual_network="#6f9dff",
        plain_network="#ffa8d0",
    ),
}

FONT = "Source Sans, Source Sans Pro, system-ui, sans-serif"
TITLE_SIZE, LABEL_SIZE, NOTE_SIZE = 13, 12, 11

# Extension of the colour scale at each end, for values beyond the limit, in units of the limit.
BEYOND = 0.06


def theme_of(name: ThemeName) -> Theme:
    """Return a theme by name; InputError for an unknown name."""
    check_choice("theme", name, THEMES)
    return THEMES[name]


def style_variables(name: ThemeName) -> str:
    """Return the colours that linked_figure.css uses, as CSS declarations."""
    colours = THEMES[name]
    return (
        f"--st-text-color: {colours.text}; --st-background-color: {colours.page}; "
        f"--st-primary-color: {colours.identity}; --st-border-color: {colours.zeroed}; "
        f"color-scheme: {name};"
    )


def plain_scale(theme: Theme) -> list[tuple[float, str]]:
    """Return Plotly's colour scale for values from −limit to +limit, without colours beyond it."""
    colours = (*theme.below, theme.zero, *theme.above)
    return [(index / 4, colour) for index, colour in enumerate(colours)]


def diverging_scale(theme: Theme) -> list[tuple[float, str]]:
    """Return Plotly's colour scale for values from −limit·(1 + BEYOND) to +limit·(1 + BEYOND)."""
    edge = 0.98 * BEYOND / (1 + BEYOND) / 2  # slightly outside, so that ±limit itself is not marked
    return [
        (0.0, theme.under),
        (edge, theme.under),
        *((0.5 + (at - 0.5) / (1 + BEYOND), colour) for at, colour in plain_scale(theme)),
        (1 - edge, theme.over),
        (1.0, theme.over),
    ]
