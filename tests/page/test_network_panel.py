from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import TIMEOUT, figure_messages


def script() -> None:
    import streamlit as st

    from explorer.model.variants import V1
    from explorer.page.network_panel import network_panel
    from tests.helpers import network_trace

    clicked = network_panel("network", network_trace(V1, 3), channel=1)
    st.text(str(clicked and (clicked.block, clicked.pixel.row, clicked.pixel.col)))


@pytest.mark.parametrize(
    ("reported", "from_url", "expected"),
    [
        (None, False, "None"),
        (None, True, "('block2', 3, 1)"),
        ("block3 out,7,5", True, "('block3', 7, 5)"),
        ("stem,0,0", False, "(None, 0, 0)"),
        ("", True, "None"),
        ("block3 out,8,0", False, "None"),
        ("block4 out,0,0", False, "None"),
        (7, False, "None"),
    ],
)
def test_a_click_returns_its_block_and_pixel(reported: Any, from_url: bool, expected: str) -> None:
    at = AppTest.from_function(script, default_timeout=TIMEOUT)
    if from_url:
        at.query_params["network_pin"] = "block2 F(x),3,1"
    if reported is not None:
        at.session_state["network"] = {"pin": reported}
    at.run()
    assert not at.exception
    assert at.text[0].value == expected
    message = figure_messages(at)["network"]
    assert message["link"]["acked_pin"] == (reported if isinstance(reported, str) else None)
    z = message["figure"]["data"][1]["z"]
    assert z["shape"] == "8, 6"
    assert message["narrow"]["width"] < message["figure"]["layout"]["width"]
    assert np.isfinite(message["figure"]["layout"]["coloraxis"]["cmax"])
