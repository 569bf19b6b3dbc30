"""The whole page: what it ignores of a link, each with one sentence."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import VARIANTS, trace_block
from explorer.inputs import GENERATORS, generate, standardise
from explorer.model.variant_groups import GROUPS
from tests.helpers import ROOT, SMALL_PAGE, TIMEOUT, digest, figure_messages, messages, page

Link = dict[str, str | list[str]]
HEIGHT, WIDTH, CHANNELS = 8, 6, 4
SIZE: Link = {
    "input": "zone_plate",
    "height": str(HEIGHT),
    "width": str(WIDTH),
    "channels": str(CHANNELS),
}
X = generate("zone_plate", HEIGHT, WIDTH, CHANNELS)
PIN = "a panel's name, a row from 0 to 7 and a column from 0 to 5, separated by commas"
BOX = "four finite numbers, separated by commas"
SEED = "an integer from 0 to 4294967295"


def open_link(link: Link) -> AppTest:
    at = AppTest.from_file(ROOT / "explorer" / "page" / "main.py", default_timeout=TIMEOUT)
    at.query_params.update(SIZE | link)
    at.run()
    assert not at.exception
    return at


def warnings(at: AppTest) -> list[str]:
    return messages(at, "warning")


def ignored(name: str, given: str, expected: str) -> str:
    return f"Ignored URL parameter {name}='{given}': expected {expected}."


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "bn1",
        "bn1,3",
        "bn1,3,4,5",
        "bn1;3;4",
        "bn1,-1,4",
        "bn1,8,4",
        "bn1,3,6",
        "bn1,3.0,4",
        "bn1,nan,4",
        "bn1,٣,4",
        "bn1,3,00000004",
        "bn9,3,4",
        "BN1,3,4",
        "3,4,bn1",
        "variant bn9,3,4",
    ],
)
def test_a_malformed_pin_is_reported_once_and_nothing_is_pinned(pin: str) -> None:
    at = open_link({"pin": pin})
    assert warnings(at) == [ignored("pin", pin, PIN)]
    assert figure_messages(at)["stages"]["link"]["pin"] is None
    assert at.query_params == SIZE
    assert warnings(at.run()) == []


def test_a_legal_pin_is_pinned_and_stays_in_the_url() -> None:
    at = open_link({"pin": "bn1,7,5"})
    assert warnings(at) == []
    assert figure_messages(at)["stages"]["link"]["pin"] == {"panel": "bn1", "row": 7, "col": 5}
    assert at.query_params == SIZE | {"pin": "bn1,7,5"}


def test_a_pin_that_a_smaller_input_lacks_is_removed_without_a_warning() -> None:
    at = open_link({"pin": "bn1,7,5", "width": "7"})
    at.number_input(key="width").set_value(WIDTH - 1).run()
    assert warnings(at) == []
    assert figure_messages(at)["stages"]["link"]["pin"] is None
    assert "pin" not in at.query_params


@pytest.mark.parametrize("box", ["1,2,3", "0,1,nan,2", "left,right,low,high", ""])
def test_a_malformed_box_is_reported_once_and_no_cells_are_marked(box: str) -> None:
    at = open_link({"details": "scatter", "box": box})
    assert warnings(at) == [ignored("box", box, BOX)]
    assert figure_messages(at)["stages"]["link"]["cells"] == []
    assert at.query_params == SIZE | {"details": "scatter"}
    assert warnings(at.run()) == []


def test_a_box_is_not_read_while_the_scatter_plot_is_closed() -> None:
    at = open_link({"box": "1,2,3"})
    assert warnings(at) == []
    at.segmented_control(key="details").set_value("scatter").run()
    assert warnings(at) == [ignored("box", "1,2,3", BOX)]


@pytest.mark.parametrize(
    ("link", "key", "given", "expected", "default"),
    [
        ({"variant": "zero_gamma"}, "gamma2", "1.01", "a number from 0 to 1", 0.0),
        ({"variant": "zero_gamma"}, "gamma2", "-0.1", "a number from 0 to 1", 0.0),
        ({"variant": "scaled_skip"}, "factor", "nan", "a number from 0 to 1", 0.5),
        ({"variant": "scaled_skip"}, "factor", "half", "a number from 0 to 1", 0.5),
        ({"view": "gradients"}, "gamma2", "2", "a number from 0 to 1", 1.0),
        ({"view": "gradients"}, "shift", "-6.5", "a number from -6 to 6", 0.0),
    ],
)
def test_an_illegal_value_of_a_slider_is_reported_and_the_default_taken(
    link: Link, key: str, given: str, expected: str, default: float
) -> None:
    at = open_link({"view": "what_if"} | link | {key: given})
    assert warnings(at) == [ignored(key, given, expected)]
    assert at.slider(key=key).value == default
    assert key not in at.query_params


@pytest.mark.parametrize("given", ["1", "on", "yes", ""])
def test_an_illegal_value_of_a_toggle_is_reported_and_it_is_off(given: str) -> None:
    at = open_link({"view": "what_if", "difference": given})
    assert warnings(at) == [ignored("difference", given, "true or false")]
    assert at.toggle(key="difference").value is False
    assert not any(
        name.startswith("difference") for name in figure_messages(at)["compared"]["link"]["grids"]
    )
    assert "difference" not in at.query_params


def test_repeated_parameters_are_reported_each_and_the_defaults_taken() -> None:
    repeated: Link = {
        "view": ["what_if", "gradients"],
        "input": ["normal", "normal"],
        "seed": ["1", "2"],
        "mode": ["eval", "train"],
        "channel": ["1", "1"],
        "show": ["mean", "channel"],
        "pin": ["bn1,1,1", "bn1,2,2"],
        "details": ["channels", "scatter"],
    }
    at = open_link(repeated)
    expected = {
        "view": "one of forward, what_if, gradients, depth, train, network",
        "input": f"one of {', '.join(GENERATORS)}, upload",
        "seed": SEED,
        "mode": "one of train, eval",
        "channel": "an integer from 0 to 2",
        "show": "one of channel, mean",
        "pin": PIN,
        "details": "one of pixel, outcomes, scatter, channels, histograms, batch_norm, code",
    }
    assert sorted(warnings(at)) == sorted(
        ignored(name, ", ".join(given), expected[name]) for name, given in repeated.items()
    )
    assert at.query_params == {name: side for name, side in SIZE.items() if name != "input"}
    landscape = standardise(generate("landscape", HEIGHT, WIDTH, 3))
    assert digest(at) == trace_block(0, landscape, 3).digest()


def test_repeated_parameters_of_other_views_are_reported_too() -> None:
    at = open_link(
        {
            "view": "what_if",
            "variant": ["no_skip", "bottleneck"],
            "difference": ["true", "true"],
            "details": "scatter",
            "box": ["0,1,0,1", "0,2,0,2"],
        }
    )
    offered = [name for names in GROUPS.values() for name in names if name in VARIANTS]
    assert sorted(warnings(at)) == [
        ignored("box", "0,1,0,1, 0,2,0,2", BOX),
        ignored("difference", "true, true", "true or false"),
        ignored("variant", "no_skip, bottleneck", f"one of {', '.join(['v1', *offered])}"),
    ]
    assert at.selectbox(key="variant").value == offered[0]


def test_a_sentence_shows_markup_of_a_link_as_text() -> None:
    at = open_link({"seed": "**[x](http://y)**"})
    assert warnings(at) == [ignored("seed", "**[x](http://y)**", SEED)]


def test_a_setting_is_kept_while_another_view_is_shown() -> None:
    at = page(view="gradients", **SMALL_PAGE)
    at.slider(key="gamma2").set_value(0.5).run()
    at.segmented_control(key="view").set_value("forward").run()
    at.number_input(key="seed").set_value(3).run()
    at.segmented_control(key="view").set_value("gradients").run()
    assert at.slider(key="gamma2").value == 0.5
    assert at.query_params["gamma2"] == "0.5"
