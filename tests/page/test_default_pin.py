"""The page as it opens: its input, and the pixel that is pinned on it."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import trace_block
from explorer.figures.printed import adds_up
from explorer.inputs import generate, standardise
from tests.helpers import SMALL_PAGE, control, digest, figure_messages, page

PIN = {"panel": "add", "row": 57, "col": 69}


def pinned(at: AppTest, figure: str = "stages") -> object:
    assert not at.exception
    return figure_messages(at)[figure]["link"]["pin"]


def test_the_pixel_pinned_on_the_default_input_is_one_that_f_keeps() -> None:
    at = page()
    trace = trace_block(0, standardise(generate("landscape", 96, 96, 3)), 3)
    assert digest(at) == trace.digest()
    assert pinned(at) == PIN
    assert at.query_params == {}
    x, residual, total = (trace[stage][57, 69, 0] for stage in ("x", "bn2", "add"))
    assert x < 0 < total
    assert adds_up([f"{x:.3f}", f"{residual:.3f}"], f"{total:.3f}")
    neighbours = trace["add"][56:59, 68:71, 0]
    assert np.all(neighbours > 0)  # a click next to it tells the same


def test_a_removed_pin_stays_removed_and_in_the_url() -> None:
    at = page(pin="none")
    assert pinned(at) is None
    assert pinned(at.run()) is None
    assert at.query_params == {"pin": "none"}
    at.segmented_control(key="view").set_value("gradients").run()
    at.segmented_control(key="view").set_value("forward").run()
    assert pinned(at) is None


def test_another_input_has_no_pin_until_the_user_sets_one() -> None:
    at = page()
    at.selectbox(key="input").set_value("digit").run()
    assert pinned(at) is None
    assert at.query_params == {"input": "digit"}
    at.selectbox(key="input").set_value("landscape").run()
    assert pinned(at) == PIN


@pytest.mark.parametrize("link", [SMALL_PAGE, {"input_seed": "1"}, {"height": "95"}])
def test_only_the_default_input_has_a_pin(link: dict[str, str]) -> None:
    at = page(**link)
    assert pinned(at) is None
    assert at.query_params == link


def test_an_input_has_its_own_size_until_the_user_chooses_one() -> None:
    at = page()
    at.selectbox(key=control(at, "input")).set_value("impulse").run()
    assert at.query_params == {"input": "impulse"}
    assert at.number_input(key=control(at, "height")).value == 32
    at.number_input(key=control(at, "height")).set_value(20).run()
    at.selectbox(key=control(at, "input")).set_value("landscape").run()
    assert at.query_params == {"height": "20"}
