"""The logic of the Gradients view, without a browser."""

import numpy as np
import pytest

from explorer import VARIANTS, trace_block
from explorer.analysis.receptive_field import influence
from explorer.analysis.summary import gradient_numbers
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.inputs import generate
from explorer.model.variants import FIXES, V1, with_bias, zero_gamma
from tests.files import npy
from tests.helpers import SMALL, SMALL_PAGE, decoded, figure_messages, messages, page, upload

X = generate("zone_plate", 32, 32, 8)
SMALL_X = generate("zone_plate", *SMALL)


def test_the_figure_and_the_numbers_are_the_splits() -> None:
    at = page(input="zone_plate", view="gradients", cotangent="random", channel="2")
    assert not at.exception
    trace = trace_block(0, X, 8)
    split = split_trace(trace, cotangent_of("random", trace, seed=0))
    drawn = {item["name"]: item for item in figure_messages(at)["gradients"]["figure"]["data"]}
    expected = {"x": split.total, "residual": split.residual, "identity": split.identity}
    expected |= {name: split.stages[name] for name in ("conv1", "relu1", "add", "out")}
    for name, gradient in expected.items():
        np.testing.assert_array_equal(decoded(drawn[name]["z"]), gradient[:, :, 2])
    numbers = gradient_numbers(split)
    assert [m.value for m in at.metric][:4] == [
        f"{numbers.identity:.4g}",
        f"{numbers.residual:.4g}",
        f"{numbers.identity_share:.0%}",
        f"{numbers.cosine:.3f}".replace("-", "−"),
    ]


def test_the_parts_are_said_in_a_sentence() -> None:
    at = page(view="gradients", **SMALL_PAGE)
    trace = trace_block(0, SMALL_X, 4)
    numbers = gradient_numbers(split_trace(trace, cotangent_of("ones", trace)))
    words = (
        f"The gradient at x has a part through the shortcut, of norm {numbers.identity:.4g}, and a "
        f"part through F, of norm {numbers.residual:.4g}. Of their squared norms, "
        f"{numbers.identity_share:.0%} comes through the shortcut."
    )
    assert words in [each.value for each in at.markdown]
    without = page(view="gradients", variant="no_skip", **SMALL_PAGE)
    assert any(each.value.startswith("The gradient at x has the norm") for each in without.markdown)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_every_block_has_its_gradient(name: str) -> None:
    at = page(view="gradients", block=VARIANTS[name].title, **SMALL_PAGE)
    assert not at.exception
    assert not messages(at, "error")
    panels = figure_messages(at)["gradients"]["link"]["panels"]
    assert {"x", "residual", "out"} <= set(panels)
    assert ("identity" in panels) == (VARIANTS[name].shortcut is not None)


@pytest.mark.parametrize("cotangent", ["random", "ones", "pinned pixel", "squared error"])
def test_every_cotangent(cotangent: str) -> None:
    at = page(input="zone_plate", view="gradients", cotangent=cotangent, pin="add,4,30")
    assert not at.exception
    trace = trace_block(0, X, 8)
    kind = {"pinned pixel": "pixel", "squared error": "error"}.get(cotangent, cotangent)
    sent = cotangent_of(kind, trace, (4, 30, 0))  # type: ignore[arg-type]
    drawn = {item["name"]: item for item in figure_messages(at)["gradients"]["figure"]["data"]}
    np.testing.assert_array_equal(decoded(drawn["out"]["z"]), sent[:, :, 0])


def test_gamma_and_bias_are_the_blocks() -> None:
    faded = page(input="zone_plate", view="gradients", cotangent="random", gamma2="0.0")
    assert faded.metric[1].value == "0"
    trace = trace_block(0, X, 8, variant=zero_gamma(0.0))
    split = split_trace(trace, cotangent_of("random", trace))
    assert faded.metric[0].value == f"{gradient_numbers(split).identity:.4g}"
    dead = page(
        input="zone_plate", view="gradients", cotangent="random", shifted="bn1", shift="-6.0"
    )
    trace = trace_block(0, X, 8, variant=with_bias(V1, "bn1", -6.0))
    split = split_trace(trace, cotangent_of("random", trace))
    assert dead.metric[1].value == f"{gradient_numbers(split).residual:.4g}"


def test_a_bias_that_the_norm_subtracts_is_explained() -> None:
    words = "bn1 subtracts the batch mean"
    train = page(input="zone_plate", view="gradients", shift="-6.0")
    assert any(words in c.value for c in train.caption)
    for link in ({"mode": "eval"}, {"shifted": "bn1"}):
        at = page(view="gradients", shift="-6.0", **link)
        assert not any(words in c.value for c in at.caption)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_one_pixel_is_explained_by_its_mode(mode: str) -> None:
    alive = [
        trace_block(0, X, 8, use_running_average=in_eval)["out"] > 0 for in_eval in (False, True)
    ]
    row, col = (int(at) for at in np.argwhere(np.all(alive, axis=0)[10:, 10:, 0])[0] + 10)
    pin = f"out,{row},{col}"
    at = page(input="zone_plate", view="gradients", cotangent="pixel", mode=mode, pin=pin)
    words = "gradient outside it is 0" if mode == "eval" else "depends on every pixel of x"
    assert any(words in c.value for c in at.caption)
    trace = trace_block(0, X, 8, use_running_average=mode == "eval")
    found = influence(split_trace(trace, cotangent_of("pixel", trace, (row, col, 0))))
    assert (found.outside == 0) == (mode == "eval")
    titles = [
        a["text"] for a in figure_messages(at)["influence"]["figure"]["layout"]["annotations"]
    ]
    assert f"<b>The basic block, v1</b>: {found.outside:.1%} outside the frame" in titles
    assert titles[1].startswith("<b>without the shortcut</b>")


def test_a_branch_and_a_pixel_without_gradient_are_explained() -> None:
    dead = page(
        input="zone_plate", view="gradients", shifted="bn1", shift="-6.0", cotangent="pixel"
    )
    words = " ".join(c.value for c in dead.caption)
    assert "The gradient through F is 0" in words
    assert "depends on every pixel of x" not in words
    trace = trace_block(0, X, 8)
    row, col = (int(at) for at in np.argwhere(trace["add"][:, :, 0] < 0)[0])
    at = page(input="zone_plate", view="gradients", cotangent="pixel", pin=f"out,{row},{col}")
    assert any("the last ReLU zeroed it" in c.value for c in at.caption)
    assert not any("No pixel is pinned" in c.value for c in at.caption)


@pytest.mark.parametrize(
    ("block", "link"),
    [
        ("v1", {}),
        ("v1", {"show": "mean"}),
        ("zero_pad", {"channel": "3"}),
        ("no_skip", {"mode": "eval"}),
        ("full_preact", {}),
    ],
)
def test_without_a_pin_the_pixel_with_the_largest_out_is_taken(
    block: str, link: dict[str, str]
) -> None:
    at = page(view="gradients", cotangent="pixel", block=block, **SMALL_PAGE, **link)
    trace = trace_block(
        0, SMALL_X, 4, variant=block, use_running_average=link.get("mode") == "eval"
    )
    channel = int(link.get("channel", "0"))
    row, col = np.argwhere(trace["out"][:, :, channel] == trace["out"][:, :, channel].max())[0]
    words = f"the largest out in channel {channel} is taken: [{row}, {col}]."
    assert any(words in caption.value for caption in at.caption)
    assert any(f"of out[{row}, {col}], channel {channel}" in text.value for text in at.markdown)
    assert float(at.metric[0].value) + float(at.metric[1].value) > 0


def test_a_channel_without_a_pixel_that_is_not_zeroed_is_explained() -> None:
    x = -np.abs(SMALL_X) - np.float32(1)
    at = upload(page(view="gradients", cotangent="pixel", gamma2="0"), "a.npy", npy(x))
    assert not trace_block(0, x, 4, variant=zero_gamma(0.0))["out"].any()
    assert any("the last ReLU zeroed every pixel of channel 0" in c.value for c in at.caption)
    assert not messages(at, "error")


def test_shapes_that_differ_have_no_squared_error() -> None:
    at = page(input="zone_plate", view="gradients", variant="zero_pad", cotangent="error")
    assert not at.exception
    assert "choose another cotangent" in messages(at, "error")[0]


def test_values_that_overflow_do_not_break_the_view() -> None:
    at = upload(
        page(input="zone_plate", view="gradients", cotangent="random"),
        "a.npy",
        npy(np.full((4, 4, 2), 3e38, np.float32)),
    )
    assert not at.exception
    assert "gradients" in figure_messages(at)
