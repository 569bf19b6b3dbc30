"""Controls: what each takes from the URL, writes into it and rejects."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import TIMEOUT

INTEGER = "an integer from 2 to 9"
NUMBER = "a number from 0 to 1.5"
FRUIT = "one of apple, pear"
SIZE = "one of small, very_large"
EXTRA = "one of salt, sugar"
SWITCH = "true or false"
DEFAULTS = {
    "count": 5,
    "optional": None,
    "level": 0.5,
    "fruit": "apple",
    "size": "small",
    "extra": None,
    "switch": False,
}


def script() -> None:
    """One control of each kind; "returned" holds what they return."""
    import streamlit as st

    from explorer.page import controls
    from explorer.page.link_state import ignored_parameters, update_old_link

    update_old_link()
    high = st.session_state.get("high", 9)
    titles = st.session_state.get("titles", {"apple": "An apple", "pear": "A pear"})
    st.session_state["returned"] = {
        "count": controls.integer_input("Count", 2, high, 5, key="count"),
        "optional": controls.optional_integer_input("Optional", 2, 9, key="optional"),
        "level": controls.slider("Level", 0.0, 1.5, 0.5, 0.05, key="level"),
        "fruit": controls.select("Fruit", titles, "apple", key="fruit"),
        "size": controls.segmented_choice("Size", ("small", "very_large"), key="size"),
        "extra": controls.optional_segmented_choice("Extra", ("salt", "sugar"), key="extra"),
        "switch": controls.toggle("Switch", key="switch"),
    }
    for sentence in ignored_parameters():
        st.warning(sentence)


def controls_page(**link: str | list[str]) -> AppTest:
    at = AppTest.from_function(script, default_timeout=TIMEOUT)
    at.query_params.update(link)
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def returned(at: AppTest) -> dict[str, Any]:
    values = at.session_state["returned"]
    assert isinstance(values, dict)
    return values


def test_without_parameters_every_control_has_its_default_and_the_url_stays_empty() -> None:
    at = controls_page()
    assert returned(at) == DEFAULTS
    assert at.query_params == {}
    assert not at.warning


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("count", "2", 2),
        ("count", "9", 9),
        ("count", "7.0", 7),
        ("optional", "4", 4),
        ("level", "0", 0.0),
        ("level", "1.5", 1.5),
        ("level", "3e-1", 0.3),
        ("fruit", "pear", "pear"),
        ("size", "very_large", "very_large"),
        ("extra", "sugar", "sugar"),
        ("switch", "true", True),
        ("switch", "True", True),
    ],
)
def test_a_value_is_taken_from_the_url_and_stays_there(key: str, text: str, value: object) -> None:
    at = controls_page(**{key: text})
    assert returned(at) == DEFAULTS | {key: value}
    assert type(returned(at)[key]) is type(value)
    in_url = "true" if value is True else str(value)
    assert at.query_params == {key: in_url}
    assert not at.warning
    assert returned(run(at)) == DEFAULTS | {key: value}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("count", "5"),
        ("level", "0.5"),
        ("level", "0.50"),
        ("fruit", "apple"),
        ("size", "small"),
        ("switch", "false"),
    ],
)
def test_a_default_is_removed_from_the_url(key: str, text: str) -> None:
    at = controls_page(**{key: text})
    assert returned(at) == DEFAULTS
    assert at.query_params == {}
    assert not at.warning


def test_what_is_set_on_the_page_is_in_the_url_until_it_is_the_default_again() -> None:
    at = controls_page(other="untouched")
    at.number_input(key="count").set_value(6)
    at.number_input(key="optional").set_value(3)
    at.slider(key="level").set_value(1.0)
    at.selectbox(key="fruit").select("pear")
    at.segmented_control(key="size").set_value("very_large")
    at.segmented_control(key="extra").set_value("salt")
    at.toggle(key="switch").set_value(True)
    run(at)
    assert at.query_params == {
        "other": "untouched",
        "count": "6",
        "optional": "3",
        "level": "1.0",
        "fruit": "pear",
        "size": "very_large",
        "extra": "salt",
        "switch": "true",
    }
    at.number_input(key="count").set_value(5)
    at.number_input(key="optional").set_value(None)
    at.slider(key="level").set_value(0.5)
    at.selectbox(key="fruit").select("apple")
    at.segmented_control(key="size").set_value("small")
    at.segmented_control(key="extra").set_value(None)
    at.toggle(key="switch").set_value(False)
    run(at)
    assert returned(at) == DEFAULTS
    assert at.query_params == {"other": "untouched"}


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("count", "1", INTEGER),
        ("count", "10", INTEGER),
        ("count", "3.7", INTEGER),
        ("count", "nan", INTEGER),
        ("count", "inf", INTEGER),
        ("count", "-inf", INTEGER),
        ("count", "five", INTEGER),
        ("count", "", INTEGER),
        ("optional", "1", INTEGER),
        ("optional", "10", INTEGER),
        ("optional", "None", INTEGER),
        ("level", "-0.01", NUMBER),
        ("level", "1.51", NUMBER),
        ("level", "nan", NUMBER),
        ("level", "inf", NUMBER),
        ("level", "half", NUMBER),
        ("fruit", "plum", FRUIT),
        ("fruit", "An apple", FRUIT),
        ("fruit", "PEAR", FRUIT),
        ("size", "very large", SIZE),
        ("size", "", SIZE),
        ("extra", "none", EXTRA),
        ("switch", "1", SWITCH),
        ("switch", "yes", SWITCH),
        ("switch", "", SWITCH),
    ],
)
def test_an_illegal_value_is_reported_once_and_the_default_taken(
    key: str, given: str, expected: str
) -> None:
    at = controls_page(**{key: given})
    sentence = f"Ignored URL parameter {key}='{given}': expected {expected}."
    assert [warning.value for warning in at.warning] == [sentence]
    assert returned(at) == DEFAULTS
    assert at.query_params == {}
    assert not run(at).warning


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("count", ["7", "8"], INTEGER),
        ("count", ["7", "7"], INTEGER),
        ("optional", ["3", "4"], INTEGER),
        ("level", ["1.0", "0.9"], NUMBER),
        ("fruit", ["pear", "apple"], FRUIT),
        ("size", ["very_large", "small"], SIZE),
        ("extra", ["salt", "sugar"], EXTRA),
        ("switch", ["true", "false"], SWITCH),
    ],
)
def test_a_repeated_parameter_is_reported_and_the_default_taken(
    key: str, given: list[str], expected: str
) -> None:
    at = controls_page(**{key: given})
    sentence = f"Ignored URL parameter {key}='{', '.join(given)}': expected {expected}."
    assert [warning.value for warning in at.warning] == [sentence]
    assert returned(at) == DEFAULTS
    assert at.query_params == {}


def test_every_illegal_parameter_has_its_own_sentence_and_legal_ones_are_taken() -> None:
    at = controls_page(count="0", level="0.75", size="huge")
    assert [warning.value for warning in at.warning] == [
        f"Ignored URL parameter count='0': expected {INTEGER}.",
        f"Ignored URL parameter size='huge': expected {SIZE}.",
    ]
    assert returned(at) == DEFAULTS | {"level": 0.75}


def test_a_long_illegal_value_is_truncated_in_the_sentence() -> None:
    at = controls_page(fruit="p" * 5000)
    assert at.warning[0].value == (
        f"Ignored URL parameter fruit='{'p' * 38}…: expected one of apple, pear."
    )


def test_the_url_is_read_at_the_beginning_of_the_session_only() -> None:
    at = controls_page(count="7")
    at.query_params["count"] = "8"
    assert returned(run(at))["count"] == 7
    assert at.query_params == {"count": "7"}


def test_an_integer_that_has_become_too_large_is_set_to_the_limit() -> None:
    at = controls_page(count="9")
    at.session_state["high"] = 6
    assert returned(run(at))["count"] == 6
    assert at.query_params == {"count": "6"}


def test_an_option_that_no_longer_exists_becomes_the_default() -> None:
    at = controls_page(fruit="pear")
    at.session_state["titles"] = {"plum": "A plum", "apple": "An apple"}
    assert returned(run(at))["fruit"] == "apple"
    assert at.query_params == {}


def test_titles_are_shown_and_identifiers_returned() -> None:
    at = controls_page()
    assert at.selectbox(key="fruit").options == ["An apple", "A pear"]
    labels = [option.content for option in at.segmented_control(key="size").proto.options]
    assert labels == ["small", "very large"]
