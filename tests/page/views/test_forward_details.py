"""The details below a block's figure, for every variant and inside a stack."""

import json

import numpy as np
import pytest

from explorer import VARIANTS, BlockTrace, propagate, trace_block
from explorer.analysis.pixel import cell_at, explain
from explorer.analysis.sum_comparison import compare_sum
from explorer.analysis.summary import channel_table
from explorer.figures.pixel import equation
from explorer.inputs import generate
from explorer.model.variants import FIXES
from explorer.page.views.forward_details import DETAILS
from tests.helpers import SMALL, SMALL_PAGE, figure_messages, messages, page

X = generate("zone_plate", *SMALL)
RUNNABLE = [name for name in VARIANTS if name not in FIXES]


def expect_details(at: object, trace: BlockTrace) -> None:
    """Open every detail in turn and compare its values with the trace."""
    for name in DETAILS:
        at.segmented_control(key="details").set_value(name).run()  # type: ignore[attr-defined]
        assert not at.exception, name  # type: ignore[attr-defined]
        errors = messages(at, "error")  # type: ignore[arg-type]
        figures = figure_messages(at)  # type: ignore[arg-type]
        frames = [frame.value for frame in at.dataframe]  # type: ignore[attr-defined]
        if name in ("outcomes", "scatter") and trace.spec.identity is None:
            assert len(errors) == 1
            assert "has no sum, so there are no two terms to compare" in errors[0]
            continue
        assert errors == [], name
        if name == "channels":
            assert figures["gallery"]["link"]["panels"] == list(trace.stages)
            table = channel_table(trace)
            np.testing.assert_allclose(frames[-1]["‖F(x)‖"], table.norm_f, rtol=1e-5)
        elif name == "outcomes":
            text = json.dumps(figures["sum_comparison"]["figure"]["layout"], ensure_ascii=False)
            found = compare_sum(trace, 1)
            for category, count in zip(found.categories, found.counts, strict=True):
                assert f"{category} {count / found.identity.size:.0%}" in text
        elif name == "histograms":
            drawn = {item["name"] for item in figures["distributions"]["figure"]["data"]}
            assert drawn == set(trace.stages)
        elif name == "batch_norm":
            means = [frame["mean batch"] for frame in frames if "mean batch" in frame]
            assert len(means) == len(trace.norms)
            for mean, norm in zip(means, trace.norms.values(), strict=True):
                np.testing.assert_allclose(mean, norm.batch_mean, atol=1e-5)


def expect_arithmetic(at: object, trace: BlockTrace, stage: str) -> None:
    """The arithmetic on the page is the traced value's."""
    cell = cell_at(trace, stage, 4, 5, 1)
    assert cell is not None
    found = explain(trace, cell)
    assert found.value == pytest.approx(found.traced, abs=1e-5)
    layout = figure_messages(at)["arithmetic"]["figure"]["layout"]  # type: ignore[arg-type]
    text = " ".join(note["text"] for note in layout["annotations"])
    assert all(line in text for line in equation(found)), stage


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_details_open_for_every_variant(name: str) -> None:
    trace = trace_block(0, X, 4, variant=name)
    at = page(view="what_if", variant=name, channel="1", **SMALL_PAGE)
    expect_details(at, trace)


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_arithmetic_opens_for_every_stage_of_every_variant(name: str) -> None:
    trace = trace_block(0, X, 4, variant=name)
    for stage, values in trace.stages.items():
        if values.shape[2] < 2:  # one channel in a bottleneck of four features
            continue
        panel = f"variant {stage}"
        at = page(view="what_if", variant=name, channel="1", pin=f"{panel},4,5", **SMALL_PAGE)
        assert not at.exception
        expect_arithmetic(at, trace, stage)


@pytest.mark.parametrize("which", ["residual", "plain"])
def test_the_details_open_for_block_3_of_a_stack_of_5(which: str) -> None:
    variant = "v1" if which == "residual" else "no_skip"
    record = propagate(0, X, 4, depth=5, variant=variant)
    trace = trace_block(record.seeds[2], record.inputs[2], 4, variant=variant)
    at = page(
        view="depth",
        depth="5",
        runs="1",
        depth_details="one_block",
        block_number="3",
        stack=which,
        channel="1",
        pin="conv2,4,5",
        **SMALL_PAGE,
    )
    assert not at.exception
    expect_arithmetic(at, trace, "conv2")
    expect_details(at, trace)


def test_a_cell_that_a_stage_lacks_is_explained() -> None:
    at = page(
        view="what_if", variant="bottleneck", channel="3", pin="variant conv1,4,5", **SMALL_PAGE
    )
    assert not at.exception
    text = [caption.value for caption in at.caption]
    assert any("conv1 has no value at row 4, column 5, channel 3" in line for line in text)
