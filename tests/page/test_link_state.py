"""Links: stable identifiers, and the names and titles of older links."""

import pytest

from explorer import VARIANTS
from explorer.inputs import GENERATORS
from explorer.page import link_state
from explorer.page.link_state import OLD_NAMES, OLD_VALUES
from explorer.page.views.variant_controls import FIX_NAMES
from tests.helpers import SMALL_PAGE, control, digest, figure_messages, messages, page


@pytest.mark.parametrize("name", GENERATORS)
def test_an_input_is_found_by_its_identifier_and_by_its_old_title(name: str) -> None:
    one = page(**SMALL_PAGE | {"input": name})
    other = page(**SMALL_PAGE | {"input": GENERATORS[name].title})
    assert one.selectbox(key="input").value == other.selectbox(key="input").value == name
    assert digest(one) == digest(other)
    assert not messages(other, "warning")


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_found_by_its_identifier_and_by_its_old_title(name: str) -> None:
    for view, variant in (("what_if", name), ("What if", VARIANTS[name].title)):
        at = page(view=view, variant=variant, **SMALL_PAGE)
        assert at.selectbox(key="variant").value == name
        assert not messages(at, "warning")


# Older links with a resulting parameter and value; every old name and value occurs.
OLD_LINKS = [
    ({"further": "who won"}, "details", "outcomes"),
    ({"further": "plane"}, "details", "scatter"),
    ({"further": "gallery"}, "details", "channels"),
    ({"details": "gallery"}, "details", "channels"),
    ({"details": "sum_comparison"}, "details", "outcomes"),
    ({"details": "distributions"}, "details", "histograms"),
    ({"details": "statistics"}, "details", "batch_norm"),
    ({"view": "What if", "what_if_details": "state"}, "details", "batch_norm"),
    ({"view": "What if", "what_if_details": "linen"}, "linen", True),
    ({"view": "What if", "closer": "Linen twin"}, "details", "code"),
    ({"view": "What if", "closer": "code"}, "details", "code"),
    ({"view": "Depth", "depth_further": "one block"}, "depth_details", "one_block"),
    ({"view": "Depth", "depth_further": "lesion"}, "depth_details", "ablation"),
    ({"view": "Depth", "depth_further": "lesion", "lesion": "swap"}, "ablation", "swap"),
    ({"view": "Depth", "depth_further": "one block", "at": "2"}, "block_number", 2),
    ({"view": "Depth", "norm": "off"}, "batch_norm", "off"),
    ({"view": "Depth", "after": "off"}, "last_relu", "off"),
    ({"view": "What if", "variant": "Eval mode, untrained", "passes": "7"}, "warmup", 7),
    ({"view": "What if", "variant": "γ₂ towards zero", "gamma": "0.3"}, "gamma2", 0.3),
    (
        {"view": "What if", "variant": "Without padding", "way_out": "crop the identity"},
        "fix",
        "crop_identity",
    ),
    (
        {"view": "What if", "variant": "Unequal channels", "way_out": "project the identity"},
        "fix",
        "project_identity",
    ),
    ({"view": "What if", "variant": "Without padding", "way_out": "as it is"}, "fix", "none"),
    ({"features": "6", "widen": "zero channels"}, "widen", "zero_channels"),
    ({"features": "6", "widen": "1×1 projection"}, "widen", "projection"),
    ({"view": "Gradients", "cotangent": "pinned pixel"}, "cotangent", "pixel"),
    ({"view": "Gradients", "cotangent": "squared error"}, "cotangent", "error"),
    ({"view": "Gradients", "block": "No skip"}, "variant", "no_skip"),
    ({"view": "gradients", "variant": "bottleneck", "block": "no_bn"}, "variant", "no_bn"),
    ({"view": "what_if", "variant": "no_bn", "trained_variant": "v1"}, "variant", "no_bn"),
    ({"view": "Forward"}, "view", "forward"),
]


@pytest.mark.parametrize(("link", "key", "value"), OLD_LINKS)
def test_an_old_link_has_the_same_effect(link: dict[str, str], key: str, value: object) -> None:
    at = page(**{**SMALL_PAGE, "depth": "3", "runs": "1", **link})
    assert not at.exception
    assert not messages(at, "warning")
    assert at.session_state[key] == value
    assert figure_messages(at)


def test_every_old_name_and_value_is_tested() -> None:
    names = {name for link, _, _ in OLD_LINKS for name in link}
    assert set(OLD_NAMES) <= names
    of_lists = {"input", "variant", "view"}
    tested = {(OLD_NAMES.get(n, n), v) for link, _, _ in OLD_LINKS for n, v in link.items()}
    for parameter, values in OLD_VALUES.items():
        if parameter not in of_lists:
            assert {(parameter, old) for old in values} <= tested
    assert set(OLD_VALUES["fix"].values()) == {"none", *FIX_NAMES.values()}


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        ("seed", "nan", "an integer from 0 to 4294967295"),
        ("features", "1.5", "an integer from 1 to 512"),
        ("view", "Backwards", "one of forward, what_if, gradients, depth"),
        ("input", "Lena", f"one of {', '.join(GENERATORS)}, upload"),
        ("scope", "all", "one of block, stage, map"),
        (
            "details",
            "none",
            "one of pixel, outcomes, scatter, channels, histograms, batch_norm, code",
        ),
    ],
)
def test_an_illegal_value_is_ignored_with_a_sentence(
    parameter: str, value: str, expected: str
) -> None:
    at = page(**SMALL_PAGE | {parameter: value})
    (warning,) = messages(at, "warning")
    assert warning.startswith(f"Ignored URL parameter {parameter}='{value}': expected {expected}")
    usual = SMALL_PAGE if parameter != "input" else {"height": "8", "width": "6"}
    assert digest(at) == digest(page(**usual))
    at.run()
    assert not messages(at, "warning")


class Navigated:
    is_history_navigation = True


def test_after_back_every_widget_has_the_value_of_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    link = {
        **SMALL_PAGE,
        "view": "what_if",
        "variant": "projection",
        "stride": "2",
        "out": "3",
        "seed": "5",
        "mode": "eval",
        "warmup": "2",
        "details": "code",
        "linen": "true",
        "difference": "true",
        "show": "mean",
        "features": "6",
        "widen": "zero_channels",
    }
    at = page(**link)
    before = {key: at.session_state[control(at, key)] for key in link}
    at.query_params.clear()
    at.query_params.update(SMALL_PAGE | {"view": "what_if", "variant": "projection"})
    with monkeypatch.context() as patch:
        patch.setattr(link_state, "get_script_run_ctx", Navigated)
        at.run()
    assert not at.exception
    assert not messages(at, "error")
    assert at.query_params == SMALL_PAGE | {"view": "what_if", "variant": "projection"}
    defaults = {"stride": "1", "out": None, "seed": 0, "mode": "train", "details": "pixel"}
    defaults |= {"difference": False, "show": "channel", "features": None}
    assert {key: at.session_state[control(at, key)] for key in defaults} == defaults
    at.query_params.update(link)
    with monkeypatch.context() as patch:
        patch.setattr(link_state, "get_script_run_ctx", Navigated)
        at.run()
    assert {key: at.session_state[control(at, key)] for key in link} == before
    assert at.query_params == link
    at.query_params.update({"seed": "9"})  # no navigation: the session's values stay
    at.run()
    assert at.number_input(key=control(at, "seed")).value == 5


def test_a_run_from_an_earlier_url_keeps_what_was_published_since() -> None:
    at = page(**SMALL_PAGE, view="what_if", variant="projection", stride="2")
    earlier = dict(at.query_params)
    at.toggle(key="difference").set_value(True)
    at.segmented_control(key="stride").set_value("1")
    at.run()
    at.query_params.update(earlier)
    del at.query_params["difference"]
    at.segmented_control(key="view").set_value("forward")
    at.run()
    assert at.query_params == SMALL_PAGE | {"variant": "projection", "difference": "true"}
