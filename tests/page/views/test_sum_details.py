"""Details of the sum, on blocks whose values are written down by hand."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.linked_figure.payload import PanelPixel
from explorer.model.spec import BlockSpec
from explorer.model.variants import V1, VARIANTS, projection
from explorer.model.weights import FromSeed, Model
from explorer.page.views.subject import ONE_CHANNEL, Subject
from explorer.records import BlockTrace
from tests.helpers import TIMEOUT, decoded, figure_messages, messages

X = np.array([[-1, 0.5, 2], [3, -2, 1]], np.float32)
F = np.array([[2, -1, -3], [1, 1, 0]], np.float32)
# Both terms lie in this box in the first cell and the last of the second row.
BOX, IN_BOX = (-2.0, 1.0, 0.0, 2.0), [[1, 0, 0], [0, 1, 1]]
ILLEGAL = "Ignored URL parameter box='{}': expected four finite numbers, separated by commas."


@dataclass(frozen=True)
class Display:
    """The display settings that these details read."""

    channel: int | None = 0
    theme: str = "light"
    pin: PanelPixel | None = None
    window: None = None


def block_of(x: np.ndarray, residual: np.ndarray, spec: BlockSpec = V1) -> BlockTrace:
    """Return a trace of one channel, whose identity is x, with these terms of the sum."""
    add = x + residual
    stages = {"x": x, "bn2": residual, "add": add, "out": np.maximum(add, 0)}
    return trace_of(spec, stages)


def trace_of(spec: BlockSpec, stages: dict[str, np.ndarray]) -> BlockTrace:
    model = Model(spec, 1, {}, {}, FromSeed(0))
    return BlockTrace(model, False, 0, {name: each[..., None] for name, each in stages.items()}, {})


def script(part: str, trace: "Any", display: "Any", drawn: "Any") -> None:
    import streamlit as st

    from explorer.page.errors import PROBLEMS, show_problem
    from explorer.page.link_state import ignored_parameters, update_old_link
    from explorer.page.views import sum_details

    update_old_link()
    if drawn is not None:
        st.session_state["scatter"] = {"box": drawn}
    try:
        if part == "cells":
            st.session_state["cells"] = sum_details.cells_in_drawn_box(trace, display)
        else:
            getattr(sum_details, part)(trace, display)
    except PROBLEMS as problem:
        show_problem(problem)
    for sentence in ignored_parameters():
        st.warning(sentence)


def draw(part: str, trace: object, display: Display, drawn: object = None, **link: Any) -> AppTest:
    arguments = {"part": part, "trace": trace, "display": display, "drawn": drawn}
    at = AppTest.from_function(script, default_timeout=TIMEOUT, kwargs=arguments)
    at.query_params.update(link)
    at.run()
    assert not at.exception
    return at


def marked(trace: BlockTrace | None = None, drawn: object = None, **link: Any) -> AppTest:
    """Return a page that holds the cells marked by the box."""
    return draw("cells", trace or block_of(X, F), Display(), drawn, **link)


def link_of(box: tuple[float, ...]) -> str:
    return ",".join(f"{edge:g}" for edge in box)


@pytest.mark.parametrize(
    ("box", "cells"),
    [
        (BOX, IN_BOX),
        ((1.0, -2.0, 2.0, 0.0), IN_BOX),  # drawn from the other corner
        ((-9.0, 9.0, -9.0, 9.0), [[1, 1, 1], [1, 1, 1]]),
        ((3.0, 3.0, 1.0, 1.0), [[0, 0, 0], [1, 0, 0]]),  # edges belong to it
        ((4.0, 9.0, -9.0, 9.0), [[0, 0, 0], [0, 0, 0]]),
    ],
)
@pytest.mark.parametrize("is_drawn", [True, False])
def test_the_cells_of_a_box_are_those_with_both_terms_in_it(
    box: tuple[float, ...], cells: list[list[int]], is_drawn: bool
) -> None:
    at = marked(drawn=list(box)) if is_drawn else marked(box=link_of(box))
    np.testing.assert_array_equal(at.session_state["cells"], np.array(cells, bool))
    assert at.query_params["box"] == link_of(box)
    assert not at.warning


def test_what_is_drawn_replaces_the_box_of_the_url() -> None:
    at = marked(drawn=[3, 3, 1, 1], box=link_of(BOX))
    assert at.session_state["cells"].sum() == 1
    assert at.query_params["box"] == "3,3,1,1"


@pytest.mark.parametrize("drawn", [[], [1, 2, 3], ["a", 1, 2, 3], [None] * 4, [[], 1, 2, 3]])
def test_a_click_and_what_is_no_box_remove_it_without_a_warning(drawn: list[object]) -> None:
    at = marked(drawn=drawn, box=link_of(BOX))
    assert at.session_state["cells"] is None
    assert at.query_params == {}
    assert not at.warning


@pytest.mark.parametrize(
    "box",
    ["", "1", "0,1,2", "0,1,2,3,4", "a,b,c,d", "0;1;2;3", "nan,0,1,2", "0,1,2,inf", "0,1e400,2,3"],
)
def test_an_illegal_box_is_reported_once_and_removed(box: str) -> None:
    at = marked(box=box)
    assert [warning.value for warning in at.warning] == [ILLEGAL.format(box)]
    assert at.session_state["cells"] is None
    assert at.query_params == {}
    assert not at.run().warning


def test_a_repeated_box_is_reported_and_removed() -> None:
    at = marked(box=["0,1,0,1", "0,2,0,2"])
    assert [warning.value for warning in at.warning] == [ILLEGAL.format("0,1,0,1, 0,2,0,2")]
    assert at.session_state["cells"] is None


def test_the_url_has_four_digits_of_a_box() -> None:
    at = marked(drawn=[-0.123456, 1234567.0, 0.00001234567, 2])
    assert at.query_params["box"] == "-0.1235,1.235e+06,1.235e-05,2"


def test_cells_of_a_block_with_stride_2_are_the_pixels_that_they_stand_for() -> None:
    identity = np.array([[0, 1, 0], [0, 0, 1]], np.float32)
    residual = np.zeros_like(identity)
    stages = {"x": np.zeros((4, 6), np.float32), "bn_proj": identity, "bn2": residual}
    trace = trace_of(projection(1, 2), {**stages, "add": identity, "out": identity})
    at = marked(trace, drawn=[0.5, 1.5, -1, 1])
    expected = np.zeros((4, 6), bool)
    expected[:2, 2:4] = expected[2:, 4:] = True
    np.testing.assert_array_equal(at.session_state["cells"], expected)


def test_without_a_channel_or_a_sum_no_cells_are_marked_and_the_box_stays() -> None:
    for trace, display in (
        (block_of(X, F), Display(channel=None)),
        (block_of(X, F), Display(channel=1)),
        (block_of(X, F, VARIANTS["no_skip"]), Display()),
    ):
        at = draw("cells", trace, display, box=link_of(BOX))
        assert at.session_state["cells"] is None
        assert at.query_params["box"] == link_of(BOX)
        assert not messages(at, "error")


def subject(trace: BlockTrace) -> Subject:
    return Subject(trace, ("by hand",), False)


def caption(at: AppTest) -> str:
    (only,) = (caption.value for caption in at.caption)
    return only


def test_the_scatter_plot_has_every_cell_the_pin_and_the_number_of_cells_in_the_box() -> None:
    pin = PanelPixel("out", 1, 0)
    at = draw("scatter", subject(block_of(X, F)), Display(pin=pin), box=link_of(BOX))
    figure = figure_messages(at)["scatter"]["figure"]
    points = {item["name"]: (decoded(item["x"]), decoded(item["y"])) for item in figure["data"]}
    np.testing.assert_array_equal(points["cells"], (X.ravel(), F.ravel()))
    np.testing.assert_array_equal(points["pinned"], ([3], [1]))
    assert figure_messages(at)["scatter"]["link"]["box"] == list(BOX)
    assert "marked in every panel above. The box holds 3 cells. Zoom" in caption(at)
    assert "At most" not in caption(at)


def test_without_a_box_no_cells_are_counted() -> None:
    at = draw("scatter", subject(block_of(X, F)), Display())
    assert "The box holds" not in caption(at)


@pytest.mark.parametrize(("cells", "is_sample"), [(3000, False), (3001, True)])
def test_more_cells_than_are_marked_are_said_to_be_a_sample(cells: int, is_sample: bool) -> None:
    x = np.zeros((1, 3200), np.float32)
    x[0, cells:] = 2
    at = draw("scatter", subject(block_of(x, np.zeros_like(x))), Display(), box="-1,1,-1,1")
    sample = " At most 3,000 of them, evenly sampled, are marked." if is_sample else ""
    assert f"The box holds {cells:,} cells.{sample} Zoom into" in caption(at)


@pytest.mark.parametrize(
    ("spec", "last"), [(V1, "stays zero"), (replace(V1, after=()), "stays negative")]
)
def test_the_comparison_names_its_four_categories(spec: BlockSpec, last: str) -> None:
    """The sums are 1, −0.5, −1 and 4, −1, 1."""
    at = draw("outcomes", subject(block_of(X, F, spec)), Display())
    assert caption(at) == (
        "The cells of this channel. Stays positive: the identity and the sum are positive. Raised "
        "above zero by F: the identity is not positive, the sum is. Lowered below zero by F: the "
        f"identity is positive, the sum is not. {last.capitalize()}: neither is positive."
    )
    texts = [
        note["text"]
        for note in figure_messages(at)["sum_comparison"]["figure"]["layout"]["annotations"]
    ]
    names = ["stays positive", "raised above zero by F", "lowered below zero by F", last]
    for name, share in zip(names, ["33%", "17%", "33%", "17%"], strict=True):
        assert any(f"{name} {share}" in text for text in texts), name


@pytest.mark.parametrize("part", ["scatter", "outcomes"])
def test_a_mean_over_channels_has_no_sum_to_compare(part: str) -> None:
    at = draw(part, subject(block_of(X, F)), Display(channel=None))
    assert caption(at) == ONE_CHANNEL
    assert figure_messages(at) == {}


@pytest.mark.parametrize("part", ["scatter", "outcomes"])
def test_a_block_without_a_sum_says_so(part: str) -> None:
    at = draw(part, subject(block_of(X, F, VARIANTS["no_skip"])), Display())
    assert "has no sum, so there are no two terms" in messages(at, "error")[0]
    assert figure_messages(at) == {}
