"""The settings that a link carries as URL parameters, and their older names."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.errors import describe
from explorer.inputs import GENERATORS
from explorer.model.variants import VARIANTS

# Parameters of older links, with their present names.
OLD_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "further": "details",
        "closer": "details",
        "what_if_details": "details",
        "depth_further": "depth_details",
        "lesion": "ablation",
        "passes": "warmup",
        "gamma": "gamma2",
        "way_out": "fix",
        "at": "block_number",
        "norm": "batch_norm",
        "after": "last_relu",
        "block": "variant",
        "trained_variant": "variant",
    }
)
_LINEN = ("linen", "Linen twin")  # in older links a detail, now a switch in the detail "code"
# Values of older links, by parameter.
OLD_VALUES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "view": {
            "Forward": "forward",
            "What if": "what_if",
            "Gradients": "gradients",
            "Depth": "depth",
        },
        "input": {
            **{generator.title: name for name, generator in GENERATORS.items()},
            "Your own file": "upload",
        },
        "variant": {spec.title: name for name, spec in VARIANTS.items()},
        "details": {
            "who won": "outcomes",
            "sum_comparison": "outcomes",
            "plane": "scatter",
            "gallery": "channels",
            "distributions": "histograms",
            "statistics": "batch_norm",
            "state": "batch_norm",
            **dict.fromkeys(_LINEN, "code"),
        },
        "depth_details": {"one block": "one_block", "lesion": "ablation"},
        "fix": {
            "as it is": "none",
            "crop the identity": "crop_identity",
            "project the identity": "project_identity",
        },
        "widen": {"zero channels": "zero_channels", "1×1 projection": "projection"},
        "cotangent": {"pinned pixel": "pixel", "squared error": "error"},
    }
)
_UNCHECKED, _IGNORED = "unchecked_parameters", "ignored_parameters"
_RESTORED, _PUBLISHED = "restored_parameters", "published_parameters"
_OPENED = "opened_settings"
_NUMBERS = "numbers_of_widgets"  # by the name of a setting


def control_key(name: str) -> str:
    """Return the key of the widget of a setting: its name, until the page changes the value.

    The browser keeps the value of a widget in a closed popover, and sends it with every click.
    A value that the page sets would be undone by it, so it belongs to another widget.
    """
    number = st.session_state.get(_NUMBERS, {}).get(name, 0)
    return f"{name} {number}" if number else name


def setting(name: str, default: Any = None) -> Any:
    """Return the present value of a setting."""
    return st.session_state.get(control_key(name), default)


def change_setting(name: str, value: Any) -> None:
    """Set a setting, before its control is drawn."""
    if setting(name) != value:
        forget_setting(name)
        st.session_state[control_key(name)] = value


def forget_setting(name: str) -> None:
    """Forget the value of a setting: its control restores that of the URL, or has its default."""
    if (key := control_key(name)) in st.session_state:
        del st.session_state[key]
        numbers: dict[str, int] = st.session_state.setdefault(_NUMBERS, {})
        numbers[name] = numbers.get(name, 0) + 1


def has_navigated() -> bool:
    """Return whether this run is for another URL: after Back, Forward or `open_settings`."""
    return _is_history() or _OPENED in st.session_state


def is_new_link() -> bool:
    """Return whether this run is the session's first, or the first after Back or Forward."""
    return _is_history() or _UNCHECKED not in st.session_state


def _is_history() -> bool:
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def open_settings(settings: Mapping[str, str]) -> None:
    """Let the next run, or this one before `forget_settings`, begin as with a link of these
    settings and no others."""
    st.session_state[_OPENED] = dict(settings)


def forget_settings() -> None:
    """After Back, Forward or `open_settings`, forget all settings, so that those of the URL are
    restored."""
    if not has_navigated():
        return
    for name in st.session_state.get(_RESTORED, ()):
        forget_setting(name)
    st.session_state.pop(_UNCHECKED, None)
    st.session_state.pop(_PUBLISHED, None)
    if (opened := st.session_state.get(_OPENED)) is not None:
        # The browser may still send the old URL: what it has and this one lacks is removed again.
        st.session_state[_PUBLISHED] = dict.fromkeys(st.query_params) | opened
        st.query_params.from_dict(opened)


def end_navigation() -> None:
    """Say that a run has restored all settings; one that is interrupted is begun again."""
    st.session_state.pop(_OPENED, None)


def update_old_link() -> None:
    """Replace names and values of an older link by the present ones, once per link."""
    if _UNCHECKED in st.session_state:
        return
    _prefer_block_of_gradients()
    for old, new in OLD_NAMES.items():
        if old in st.query_params:
            if new not in st.query_params:
                st.query_params[new] = st.query_params.get_all(old)
            del st.query_params[old]
    if st.query_params.get("details") in _LINEN:
        st.query_params["linen"] = "true"
    for name, values in OLD_VALUES.items():
        given = st.query_params.get_all(name)
        if len(given) == 1 and given[0] in values:
            st.query_params[name] = values[given[0]]
    st.session_state[_UNCHECKED] = set(st.query_params)


def _prefer_block_of_gradients() -> None:
    """Let the block of an older link to Gradients replace the variant, which was of What if."""
    if st.query_params.get("view") not in ("gradients", "Gradients"):
        return
    is_fresh = st.query_params.get("weights", "seed") == "seed"
    name = "block" if is_fresh else "trained_variant"
    if name in st.query_params:
        st.query_params["variant"] = st.query_params.get_all(name)


def restore(key: str, parse: Callable[[str], Any], expected: str) -> None:
    """Set a widget's value from the URL, unless the session has one.

    `parse` returns the value of a text, or None for an invalid text. Invalid parameters of the
    session's first URL are reported once.
    """
    st.session_state.setdefault(_RESTORED, set()).add(key)
    if control_key(key) in st.session_state:
        return
    given = st.query_params.get_all(key)
    if not given:
        return
    value = parse(given[0]) if len(given) == 1 else None
    if value is None:
        _ignore(key, given, expected)
    else:
        st.session_state[control_key(key)] = value


def publish(key: str, value: Any, default: Any) -> None:
    """Write a widget's value into the URL, or remove the parameter of a default value."""
    _write({key: None if value is None or value == default else str(value)})


def withdraw(*keys: str) -> None:
    """Remove parameters from the URL."""
    _write(dict.fromkeys(keys))


def forget(*keys: str) -> None:
    """Give widgets their defaults, and remove their parameters from the URL."""
    for key in keys:
        forget_setting(key)
    withdraw(*keys)


def check(key: str, is_legal: Callable[[str], bool], expected: str) -> None:
    """Remove an invalid parameter from the session's first URL, and report it."""
    if key not in st.session_state.get(_UNCHECKED, ()):
        return
    given = st.query_params.get_all(key)
    if given and not (len(given) == 1 and is_legal(given[0])):
        _ignore(key, given, expected)
    st.session_state[_UNCHECKED].discard(key)


def ignored_parameters() -> list[str]:
    """Return one sentence for each URL parameter ignored since the last call."""
    sentences: list[str] = st.session_state.pop(_IGNORED, [])
    return sentences


def _write(changes: Mapping[str, str | None]) -> None:
    """Set parameters of the URL, or remove those that are None.

    A run begins with the URL that the browser had at the click. It lacks what the session has
    published since then, so that is written again: in one step, as Streamlit sends the browser a
    URL for each.
    """
    published: dict[str, str | None] = st.session_state.setdefault(_PUBLISHED, {})
    published.update(changes)
    if (opened := st.session_state.get(_OPENED)) is not None:  # by a run that has not ended
        both = opened | changes
        st.session_state[_OPENED] = {name: text for name, text in both.items() if text is not None}
    wanted = {name: [] if text is None else [text] for name, text in published.items()}
    if any(st.query_params.get_all(name) != values for name, values in wanted.items()):
        present = {name: st.query_params.get_all(name) for name in st.query_params}
        merged = present | wanted
        st.query_params.from_dict({name: values for name, values in merged.items() if values})


def _ignore(key: str, given: Sequence[str], expected: str) -> None:
    withdraw(key)
    unchecked: set[str] = st.session_state.get(_UNCHECKED, set())
    if key in unchecked:
        unchecked.discard(key)
        st.session_state.setdefault(_IGNORED, []).append(
            f"Ignored URL parameter {key}={describe(', '.join(given))}: expected {expected}."
        )
        context = get_script_run_ctx()
        if context is not None and context.fragment_ids_this_run:
            st.rerun()  # only a run of the whole page shows the sentence
