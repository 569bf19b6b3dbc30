"""Mounts a linked figure on the Streamlit page and reads what the browser reports of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib.resources import files
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from explorer.figures.theme import THEMES, ThemeName, style_variables
from explorer.linked_figure.message import message, with_views
from explorer.linked_figure.payload import Link, View
from explorer.page.asset_urls import linked_figure_url, plotly_url
from explorer.page.last_result import is_stale
from explorer.page.link_state import has_navigated
from explorer.page.picture_theme import picture_theme

# What the browser may report, with its type; a hostile one may send anything.
_STATE_TYPES = {
    "theme": str,
    "pin": str,
    "pick": str,
    "window": str,
    "box": list,
    "step": int,
    "views": str,
}
_OWN_COLOURS = """
.linked-figure[data-theme="{}"] {{
  {}
  background: var(--st-background-color);
}}
"""
_FIGURES, _OUTDATED = "linked_figures", "outdated_reports"
_COMPONENT = st.components.v2.component(
    "linked_figure",
    html='<div class="linked-figure"></div>',
    css=(files("explorer.linked_figure") / "linked_figure.css").read_text(encoding="utf-8")
    + "".join(_OWN_COLOURS.format(theme, style_variables(theme)) for theme in THEMES),
    js=(files("explorer.page") / "component.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # Plotly puts its styles in the document's head
)


@dataclass(frozen=True)
class Picture:
    """One view of a figure; the attributes are as for `linked_figure`."""

    figure: Mapping[str, Any]
    narrow: go.Layout | Mapping[str, Any] | None
    link: Link
    view: View


def current_theme(key: str) -> ThemeName:
    """Return the theme to draw figure `key` for: the picture's, or the one the browser shows."""
    seen = picture_theme() or component_state(key, "theme") or st.context.theme.type
    return "dark" if seen == "dark" else "light"


def component_state(
    key: str, name: Literal["theme", "pin", "pick", "window", "box", "step", "views"]
) -> Any:
    """Return what the browser last reported of figure `key`; None if nothing of that type."""
    reported = _reported(key, name)
    outdated = st.session_state.get(_OUTDATED, {})
    if (key, name) in outdated:
        if outdated[key, name] == reported:
            return None
        del outdated[key, name]
    return reported


def _reported(key: str, name: str) -> Any:
    state = st.session_state.get(key)
    reported = state.get(name) if isinstance(state, Mapping) else None
    return reported if isinstance(reported, _STATE_TYPES[name]) else None


def forget_reported() -> None:
    """After Back or Forward, prefer the URL's pin and box to what the browser last reported."""
    if has_navigated():
        st.session_state[_OUTDATED] = {
            (key, name): value
            for key in st.session_state.get(_FIGURES, ())
            for name in ("pin", "box")
            if (value := _reported(key, name)) is not None
        }


def linked_figure(
    figure: go.Figure | Mapping[str, Any],
    *,
    key: str,
    theme: ThemeName,
    label: str = "",
    narrow: go.Layout | Mapping[str, Any] | None = None,
    link: Link | None = None,
    stale: bool = False,
    view: View | None = None,
    others: Callable[[], Iterable[Picture]] = tuple,
    controls: Mapping[str, str] | None = None,
    gallery: Mapping[str, Any] | None = None,
    **callbacks: Any,
) -> None:
    """Show a figure, and keep its DOM node, zoom and position on the page at every change.

    Args:
        figure: what to show, or its `data` and `layout` as plain dicts; the layout has
            a width, a height and margins in pixels, and is scaled to the space on the page.
        key: name of the figure on the page; `component_state` reads what the browser reports of it.
        theme: the theme that it was drawn for; the browser reports another one
            if it shows that.
        label: what the figure shows, as a sentence for screen readers; the link's if it has one.
        narrow: the layout for small windows, for the same traces.
        link: what links its panels; None for a figure without interaction.
        stale: draw it pale, as the last result before an error; the page's own state does so too.
        view: which of the figure's views it is, if it has several.
        others: return the other views. The browser asks for them when the reader is about to change
            the view, so that it shows them without the server.
        controls: the settings for the `channel`, `scope` and `show` of the view.
        gallery: the `channels` that a pick of a cell selects, row by row, of `cols` each.
        callbacks: `on_pin_change` and the like, called when the browser reports a change.
    """
    compose = partial(
        message,
        label=label,
        stale=stale or is_stale(),
        restored=any(key == of for of, _ in st.session_state.get(_OUTDATED, {})),
        theme=theme,
        own_colours=picture_theme() is not None,
        accent=THEMES[theme].accent,
        plotly=plotly_url(),
        module=linked_figure_url(),
        controls=controls,
        gallery=gallery,
    )
    text = compose(figure, narrow=narrow, link=link, view=view and asdict(view))
    if view and view.subject and component_state(key, "views") == view.subject:
        text = with_views(
            text,
            (
                compose(each.figure, narrow=each.narrow, link=each.link, view=asdict(each.view))
                for each in others()
            ),
        )
    st.session_state.setdefault(_FIGURES, set()).add(key)
    handlers = {f"on_{name}_change": _nothing for name in _STATE_TYPES} | callbacks
    _COMPONENT(key=key, data=text.encode(), **handlers)


def _nothing() -> None:
    """Streamlit asks for a callback for every value that a component may send."""
