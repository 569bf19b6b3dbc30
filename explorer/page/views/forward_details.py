"""What stands behind the stage figure: a pixel's arithmetic, and one further view at a time."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from explorer.analysis.distributions import distribution
from explorer.analysis.gallery import Order, gallery
from explorer.analysis.pixel import Pixel, explain
from explorer.analysis.sum_comparison import cells_in_box, compare_sum
from explorer.analysis.summary import channel_table
from explorer.figures.distributions import distributions_layouts
from explorer.figures.gallery import gallery_layouts
from explorer.figures.panels import panels
from explorer.figures.pixel import arithmetic_figure
from explorer.figures.sum_comparison import plane_figure, sum_comparison_figure
from explorer.linked_figure.payload import Link, PanelPixel
from explorer.page.cache import get_or_compute
from explorer.page.component import component_state, linked_figure
from explorer.page.controls import check, choice, optional_choice
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import Experiment
from explorer.page.stage_panel import MAX_MARKED, Shown, both, integers
from explorer.records import BlockTrace

Box = tuple[float, float, float, float]
ONE_CHANNEL = (
    "Arithmetic, who won and the plane belong to one channel, and the mean over channels is shown: "
    "set Show to channel to see them."
)


def arithmetic(trace: BlockTrace, shown: Shown, pin: PanelPixel) -> None:
    """The exact sum behind the pinned pixel."""
    if shown.channel is None:
        st.caption(ONE_CHANNEL)
        return
    stage = panels(trace.spec)[pin.panel].stage
    pixel = Pixel(stage, pin.row, pin.col, shown.channel)
    found = explain(trace, pixel)
    wide, narrow = both(
        lambda arrangement: arithmetic_figure(found, theme=shown.theme, arrangement=arrangement)
    )
    linked_figure(wide, narrow=narrow.layout, key="arithmetic", theme=shown.theme)


def choose() -> str | None:
    """Draws the control for further views; the chosen one's name, None for none."""
    return optional_choice("Look further", tuple(_VIEWS), key="further")


def draw(view: str | None, experiment: Experiment, trace: BlockTrace, shown: Shown) -> None:
    """Draws one further view."""
    if not view:
        return
    try:
        _VIEWS[view](experiment, trace, shown)
    except PROBLEMS as problem:
        show_problem(problem)


def cells_in_plane(trace: BlockTrace, shown: Shown) -> np.ndarray | None:
    """`(H, W)` bool: the cells in the box drawn in the plane, if there is one."""
    box = _box()
    if shown.channel is None or not box:
        return None
    return cells_in_box(compare_sum(trace, shown.channel), box[:2], box[2:])


def _gallery(experiment: Experiment, trace: BlockTrace, shown: Shown) -> None:
    order: Order = choice(
        "Order",
        ("index", "ratio", "zeroed"),
        key="order",
        help="By number, by ‖F(x)‖ / ‖x‖, or by the part that the last ReLU zeroed.",
    )
    tiles = get_or_compute(
        ("gallery", *experiment.key(trace.spec), order),
        partial(gallery, trace, order),
        private=experiment.private,
        placeholder=st.empty(),
        message="Sorting the channels",
    )
    figure = gallery_layouts(trace, tiles, scope=shown.scope, theme=shown.theme)
    chosen = None
    if shown.channel is not None:
        chosen = PanelPixel("x", *tiles.place(shown.channel))

    def pick() -> None:
        numbers = integers((component_state("gallery", "pick") or "").split(",")[1:])
        if numbers and len(numbers) == 2:
            channel = tiles.channel(*numbers)
            if channel is not None:
                st.session_state["channel"] = channel

    link = Link(
        panels=tuple(tiles.sheets),
        rows=tiles.rows,
        cols=tiles.cols,
        label="All channels of every stage. Arrow keys move over the tiles, Enter picks a channel.",
        labels=tiles.texts,
        hint="Move over a tile to follow one channel; click to pick it.",
        pin=chosen,
        picks=True,
    )
    linked_figure(
        figure.spec(),
        narrow=figure.narrow,
        key="gallery",
        theme=shown.theme,
        link=link,
        on_pick_change=pick,
    )


def _who_won(experiment: Experiment, trace: BlockTrace, shown: Shown) -> None:
    if shown.channel is None:
        st.caption(ONE_CHANNEL)
        return
    found = compare_sum(trace, shown.channel)
    wide, narrow = both(
        lambda arrangement: sum_comparison_figure(found, theme=shown.theme, arrangement=arrangement)
    )
    linked_figure(wide, narrow=narrow.layout, key="who_won", theme=shown.theme)
    st.caption(
        "The cells of this channel. Passed: x is positive and stays so. Lifted by F: x alone would "
        "have been cut, F(x) raised the sum above zero. Pulled below zero by F: x alone would have "
        "passed. Kept dead: x alone would have been cut, and F(x) did not change that."
    )


def _plane(experiment: Experiment, trace: BlockTrace, shown: Shown) -> None:
    if shown.channel is None:
        st.caption(ONE_CHANNEL)
        return
    found = compare_sum(trace, shown.channel)
    pin = (shown.pin.row, shown.pin.col) if shown.pin else None
    box = _box()
    figure = plane_figure(found, theme=shown.theme, window=shown.window, pin=pin)
    link = Link(
        panels=("cells",),
        label="Every cell as a point: x across, F(x) upwards. Drag to draw a box.",
        box=box or (),
    )
    linked_figure(figure, key="plane", theme=shown.theme, link=link)
    inside = _inside(int(cells_in_box(found, box[:2], box[2:]).sum())) if box else ""
    st.caption(
        f"Drag to draw a box: its cells are marked in every panel above.{inside} Zoom into the "
        "panels and the cells in view are marked here. A click clears the box."
    )


def _inside(count: int) -> str:
    sample = f" At most {MAX_MARKED:,} of them, evenly taken, are marked." * (count > MAX_MARKED)
    return f" {count:,} cells lie in it.{sample}"


def _box() -> Box | None:
    """The box drawn in the plane, or else the link's; it is kept in the URL."""
    check(
        "box",
        lambda text: _edges(text.split(",")) is not None,
        "are four finite numbers, parted by commas",
    )
    said = component_state("plane", "box")
    box = _edges(st.query_params.get("box", "").split(",") if said is None else said)
    if box is None:
        st.query_params.pop("box", None)
        return None
    st.query_params["box"] = ",".join(f"{edge:.4g}" for edge in box)
    return box


def _edges(numbers: Sequence[str | float]) -> Box | None:
    """Left, right, low and high, if that is what they are."""
    try:
        left, right, low, high = (float(number) for number in numbers)
    except (TypeError, ValueError, OverflowError):
        return None
    return (left, right, low, high) if math.isfinite(left + right + low + high) else None


def _distributions(experiment: Experiment, trace: BlockTrace, shown: Shown) -> None:
    found = get_or_compute(
        ("distributions", *experiment.key(trace.spec)),
        lambda: {stage: distribution(trace, stage) for stage in trace.stages},
        private=experiment.private,
        placeholder=st.empty(),
        message="Counting",
    )
    figure = distributions_layouts(found, theme=shown.theme)
    linked_figure(figure.figure(), narrow=figure.narrow, key="distributions", theme=shown.theme)
    st.caption(
        "Over all cells and channels. The bars leave out what a ReLU zeroed; its part is in the "
        "title, and mean and std count it."
    )


def _channels(experiment: Experiment, trace: BlockTrace, shown: Shown) -> None:
    table = channel_table(trace)
    st.dataframe(
        {
            "channel": np.arange(trace.features),
            "‖x‖": table.norm_x,
            "‖F(x)‖": table.norm_f,
            "‖F(x)‖ / ‖x‖": table.ratio,
            "zeroed": table.zeroed,
        },
        hide_index=True,
        key="channel_table",
        on_select=_pick_channel,
        selection_mode="single-row",
        column_config={"zeroed": st.column_config.NumberColumn(format="percent")},
    )
    st.caption("Select a row to see that channel.")


def _pick_channel() -> None:
    rows = st.session_state["channel_table"].selection.rows
    if rows:
        st.session_state["channel"] = rows[0]


def _statistics(experiment: Experiment, trace: BlockTrace, shown: Shown) -> None:
    for name, conv in (("bn1", "conv1"), ("bn2", "conv2")):
        norm = trace.norms[name]
        used = "running" if trace.use_running_average else "batch"
        st.markdown(f"**{name}** normalises {conv} by the {used} mean and variance.")
        st.dataframe(
            {
                "channel": np.arange(trace.features),
                "mean before": norm.mean_before,
                "mean batch": norm.batch_mean,
                "mean after": norm.mean_after,
                "variance before": norm.var_before,
                "variance batch": norm.batch_var,
                "variance after": norm.var_after,
            },
            hide_index=True,
        )
    st.caption(
        "after = 0.99 · before + 0.01 · batch in train mode; in eval mode nothing moves. "
        "Running statistics start at mean 0 and variance 1."
    )


_VIEWS = {
    "gallery": _gallery,
    "who won": _who_won,
    "plane": _plane,
    "distributions": _distributions,
    "channels": _channels,
    "statistics": _statistics,
}
