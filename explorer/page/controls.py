"""Widgets whose values are in the URL: a widget's key is the name of its parameter.

Streamlit's own binding writes titles instead of identifiers, accepts 3.7 as 3 and fails on
infinity, so these widgets are bound here. They keep their values while they are not drawn. No run
writes a value that the browser has sent: Streamlit would send it back, and so undo what the user
has chosen in the meantime.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import streamlit as st

from explorer.page.link_state import control_key, publish, restore, setting

Option = TypeVar("Option", bound=str)
_KEPT: Literal["session"] = "session"


def integer_input(
    label: str,
    low: int,
    high: int,
    default: int | None = None,
    *,
    key: str,
    always_in_url: bool = False,
    **style: Any,
) -> int:
    """Draw a field for an integer from `low` to `high`; return it.

    A value that exceeds `high`, which may have changed, is set to `high`. The default is in the
    URL too if `always_in_url`, as is needed where it may be another one elsewhere.
    """
    default = low if default is None else default
    restore(key, lambda text: _integer(text, low, high), f"an integer from {low} to {high}")
    widget = control_key(key)
    value = st.session_state.setdefault(widget, default)
    if value is None or value > high:
        st.session_state[widget] = default if value is None else high
    chosen = st.number_input(label, low, high, key=widget, persist_state=_KEPT, **style)
    publish(key, chosen, None if always_in_url else default)
    return chosen


def optional_integer_input(
    label: str, low: int, high: int, *, key: str, **style: Any
) -> int | None:
    """Draw a field for an integer from `low` to `high`; return it, or None if it is empty."""
    restore(key, lambda text: _integer(text, low, high), f"an integer from {low} to {high}")
    widget = control_key(key)
    st.session_state.setdefault(widget, None)
    chosen = st.number_input(label, low, high, None, key=widget, persist_state=_KEPT, **style)
    publish(key, chosen, None)
    return chosen


def slider(
    label: str, low: float, high: float, default: float, step: float, *, key: str, **style: Any
) -> float:
    """Draw a slider for a number from `low` to `high`; return it."""
    restore(key, lambda text: _number(text, low, high), f"a number from {low:g} to {high:g}")
    widget = control_key(key)
    st.session_state.setdefault(widget, default)
    chosen = st.slider(label, low, high, step=step, key=widget, persist_state=_KEPT, **style)
    publish(key, chosen, default)
    return chosen


def option_slider(
    label: str, options: Sequence[int], default: int, *, key: str, **style: Any
) -> int:
    """Draw a slider over a few integers, at least one; return the one chosen."""
    expected = f"one of {', '.join(map(str, options))}"
    legal = {str(option): option for option in options}
    restore(key, legal.get, expected)
    widget = control_key(key)
    if st.session_state.setdefault(widget, default) not in options:
        st.session_state[widget] = default
    if len(options) == 1:  # Streamlit's slider needs two
        return options[0]
    chosen = st.select_slider(label, options, key=widget, persist_state=_KEPT, **style)
    publish(key, chosen, default)
    return int(chosen)


def select(
    label: str, titles: Mapping[Option, str], default: Option, *, key: str, **style: Any
) -> Option:
    """Draw a list of titles; return the identifier of the one selected."""
    options = list(titles)
    _restore_option(key, options)
    widget = control_key(key)
    if st.session_state.setdefault(widget, default) not in titles:
        st.session_state[widget] = default
    chosen = st.selectbox(
        label,
        options,
        format_func=lambda option: titles.get(option, option),
        key=widget,
        persist_state=_KEPT,
        **style,
    )
    publish(key, chosen, default)
    return chosen


def segmented_choice(
    label: str,
    options: Sequence[Option],
    key: str,
    titles: Mapping[Option, str] | None = None,
    help: str | None = None,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> Option:
    """Draw a few options side by side; return the one chosen. The first is the default."""
    _restore_option(key, options)
    widget = control_key(key)
    if st.session_state.setdefault(widget, options[0]) not in options:
        st.session_state[widget] = options[0]
    chosen = st.segmented_control(
        label,
        list(options),
        format_func=lambda option: _title(option, titles),
        required=True,
        key=widget,
        persist_state=_KEPT,
        help=help,
        label_visibility=label_visibility,
    )
    publish(key, chosen, options[0])
    return chosen or options[0]


def undrawn_choice(options: Sequence[Option], key: str) -> Option:
    """Return the option that the URL names, without a control; the first is the default."""
    _restore_option(key, options)
    chosen: Option = setting(key, options[0])
    publish(key, chosen, options[0])
    return chosen


def optional_segmented_choice(
    label: str, options: Sequence[Option], key: str, titles: Mapping[Option, str] | None = None
) -> Option | None:
    """Draw a few options side by side; return the one chosen, or None."""
    _restore_option(key, options)
    widget = control_key(key)
    st.session_state.setdefault(widget, None)
    chosen = st.segmented_control(
        label,
        list(options),
        format_func=lambda option: _title(option, titles),
        key=widget,
        persist_state=_KEPT,
    )
    publish(key, chosen, None)
    return chosen


def toggle(label: str, key: str) -> bool:
    """Draw a switch; return whether it is on."""
    legal = {"true": True, "false": False}
    restore(key, lambda text: legal.get(text.lower()), "true or false")
    widget = control_key(key)
    st.session_state.setdefault(widget, False)
    chosen = st.toggle(label, key=widget, persist_state=_KEPT)
    publish(key, "true" if chosen else None, None)
    return chosen


def _title(option: str, titles: Mapping[Any, str] | None) -> str:
    return titles.get(option, option) if titles else option.replace("_", " ")


def _restore_option(key: str, options: Sequence[str]) -> None:
    restore(key, lambda text: text if text in options else None, f"one of {', '.join(options)}")


def _integer(text: str, low: int, high: int) -> int | None:
    value = _number(text, low, high)
    return int(value) if value is not None and value == int(value) else None


def _number(text: str, low: float, high: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if low <= value <= high else None
