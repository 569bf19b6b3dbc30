"""The difference of two runs of networks, on the page: table, figure, and one block's stages."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.colour_limits import Scope
from explorer.analysis.network_difference import (
    ArrayDifference,
    NetworkDifference,
    PartDifference,
    network_difference,
    stage_differences,
)
from explorer.links.stage_link import PanelBlock
from explorer.page import stage_panel
from explorer.page.bar import draw_bar
from explorer.page.cache import get_or_compute
from explorer.page.network_panel import network_difference_panel
from explorer.page.plain_text import show_message, show_note
from explorer.records import BlockTrace, NetworkTrace

KEY, BLOCK_KEY = "difference_figure", "difference_block"
PREFIX = "other "  # of the other block's panels
COLUMNS = {
    name: st.column_config.NumberColumn(format="%.3g")  # by default small ones are shown as 0
    for name in (
        "largest |difference|",
        "relative",
        "‖difference‖/‖reference‖",
        "correlation",
        "of F(x)",
        "‖F‖/‖x‖, reference",
        "‖F‖/‖x‖, other",
    )
}


@dataclass(frozen=True)
class Run:
    """A network's trace of a picture, in words and with its key."""

    trace: NetworkTrace
    key: tuple[Hashable, ...]
    title: str
    private: bool


def compare(reference: Run, other: Run, *, channel: int | None, scope: Scope) -> None:
    """Draw the difference of two runs.

    Args:
        reference: the run that the view shows.
        other: the run to compare with it.
        channel, scope: those of the view's network figure.

    Raises:
        InputError: the shapes of the networks do not agree.
    """
    key = reference.key, other.key
    private = reference.private or other.private
    difference: NetworkDifference = get_or_compute(
        ("network difference", *key),
        partial(network_difference, reference.trace, other.trace),
        private=private,
        placeholder=st.empty(),
        message="Comparing",
    )
    show_note(f"Reference: {reference.title}. Other: {other.title}.")
    show_message("info", difference.sentence)
    for remark in difference.remarks:
        show_note(remark)
    _table([_part_row(part) for part in difference.parts])
    st.caption(
        "Of the residual stream after the stem and every block, and of the logits. Relative: the "
        "largest difference as a share of the reference’s largest value. Of F(x): "
        "‖difference‖/‖reference‖ of F(x)."
    )
    pin = network_difference_panel(KEY, difference, channel=channel, scope=scope)
    block = pin.block if pin else None
    if block is None:
        st.caption("Click on a block of this figure to see its difference stage by stage.")
        return
    _block(reference.trace[block], other.trace[difference[block].other], (*key, block), private)


def _block(
    reference: BlockTrace, other: BlockTrace, key: tuple[Hashable, ...], private: bool
) -> None:
    """Draw the stages of a block in both runs, and their difference."""
    found: Mapping[str, ArrayDifference | None] = get_or_compute(
        ("stage differences", *key),
        partial(stage_differences, reference, other),
        private=private,
        placeholder=st.empty(),
        message="Comparing the stages",
    )
    st.header(f"{key[-1]}, stage by stage", anchor=False)
    _table([_stage_row(stage, each) for stage, each in found.items()])
    blocks = [
        PanelBlock(reference, heading="Reference"),
        PanelBlock(other, PREFIX, "Other"),
    ]
    difference = PanelBlock(other, "difference ", "Difference: other − reference")
    display = stage_panel.controls(BLOCK_KEY, draw_bar(), *blocks, difference, prefix="compare_")
    stage_panel.draw(BLOCK_KEY, blocks, display, difference=difference)


def _table(rows: list[dict[str, Any]]) -> None:
    st.dataframe(rows, hide_index=True, height="content", column_config=COLUMNS)


def _part_row(part: PartDifference) -> dict[str, Any]:
    names = {"part": part.name}
    if part.other != part.name:
        names["other’s name"] = part.other
    one, two = part.ratios or (None, None)
    return {
        **names,
        **_numbers(part.out),
        "of F(x)": part.residual.share if part.residual else None,
        "‖F‖/‖x‖, reference": one,
        "‖F‖/‖x‖, other": two,
    }


def _stage_row(stage: str, difference: ArrayDifference | None) -> dict[str, Any]:
    if difference is None:
        return {"stage": stage, "note": "the reference has no such stage, or one of another shape"}
    return {"stage": stage, **_numbers(difference)}


def _numbers(difference: ArrayDifference) -> dict[str, float | None]:
    correlation = difference.correlation
    return {
        "largest |difference|": difference.largest,
        "relative": difference.relative,
        "‖difference‖/‖reference‖": difference.share,
        "correlation": None if np.isnan(correlation) else correlation,
    }
