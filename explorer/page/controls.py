"""Widgets that live in the URL: a control's key is its parameter's name.

Each looks at what the address says before Streamlit does, which would drop what it does
not take without a word, and fail on infinity.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

import streamlit as st

from explorer.errors import describe

URL: Final = "query-params"
TOLD: Final = "told of the address"
Option = TypeVar("Option", bound=str)


def number(
    label: str, low: int, high: int, default: int | Literal["min"] = "min", *, key: str, **look: Any
) -> int:
    """A whole number from `low` to `high`; one that has become too large is set to `high`."""
    _check_number(key, low, high, "whole numbers")
    if st.session_state.get(key, low) > high:
        st.session_state[key] = high
    return st.number_input(label, low, high, default, key=key, bind=URL, **look)


def optional_number(label: str, low: int, high: int, *, key: str, **look: Any) -> int | None:
    """A whole number from `low` to `high`, or None while the field is empty."""
    _check_number(key, low, high, "whole numbers")
    return st.number_input(label, low, high, None, key=key, bind=URL, **look)


def slider(
    label: str, low: float, high: float, default: float, step: float, *, key: str, **look: Any
) -> float:
    """A number from `low` to `high`."""
    _check_number(key, low, high, "numbers")
    return st.slider(label, low, high, default, step, key=key, bind=URL, **look)


def pick(
    label: str, titles: Mapping[Option, str], default: Option, *, key: str, **look: Any
) -> Option:
    """One of a list, by its title."""
    _check_words(key, list(titles.values()))
    options = list(titles)
    return st.selectbox(
        label,
        options,
        options.index(default),
        format_func=lambda option: titles.get(option, str(option)),
        key=key,
        bind=URL,
        **look,
    )


def choice(
    label: str,
    options: tuple[Option, ...],
    key: str,
    help: str | None = None,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> Option:
    """One of a few options, side by side; the first is the default."""
    _check_words(key, options)
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        key=key,
        bind=URL,
        help=help,
        label_visibility=label_visibility,
    )
    return chosen or options[0]


def optional_choice(label: str, options: Sequence[Option], key: str) -> Option | None:
    """One of a few options, side by side, or none."""
    _check_words(key, options)
    return st.segmented_control(label, list(options), key=key, bind=URL)


def switch(label: str, key: str) -> bool:
    """On or off."""
    _check_words(key, ("true", "false"))
    return st.toggle(label, key=key, bind=URL)


def refusals() -> list[str]:
    """What was refused of the address since last asked, a sentence each."""
    told: list[str] = st.session_state.pop(TOLD, [])
    return told


def check(key: str, is_accepted: Callable[[str], bool], accepted: str) -> None:
    """Takes a parameter that is not accepted out of the address that the session began with."""
    # Once a session: later the address says what the controls say.
    unread: set[str] = st.session_state.setdefault("unread address", set(st.query_params))
    if key not in unread:
        return
    unread.remove(key)
    given = st.query_params.get_all(key)
    if given and not (len(given) == 1 and is_accepted(given[0])):
        del st.query_params[key]
        st.session_state.setdefault(TOLD, []).append(
            f"The address says {key} = {describe(', '.join(given))}; accepted {accepted}."
        )
        if any(_is_number(text) for text in given):
            # Streamlit remembers what the address said: it takes 3.7 for 3, and fails on infinity.
            st.rerun()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_number(key: str, low: float, high: float, what: str) -> None:
    def is_one(text: str) -> bool:
        try:
            value = float(text)
        except ValueError:
            return False
        return low <= value <= high and (what == "numbers" or value == int(value))

    check(key, is_one, f"are {what} from {low:g} to {high:,}".replace("-", "−"))


def _check_words(key: str, options: Sequence[str]) -> None:
    words = f"is one of {', '.join(options)}" if len(options) <= 8 else "is a title of that list"
    check(key, lambda text: text in options, words)
