"""Widgets that live in the URL: a control's key is its parameter's name."""

from typing import Final, Literal, TypeVar

import streamlit as st

URL: Final = "query-params"
Option = TypeVar("Option", bound=str)


def choice(
    label: str,
    options: tuple[Option, ...],
    key: str,
    help: str | None = None,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> Option:
    """One of a few options, side by side; the first is the default.

    A link such as `?scope=` can leave the widget empty, which counts as the default.
    """
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
