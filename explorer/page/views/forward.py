"""The Forward view: the stage figure, its numbers and its details."""

import math

import numpy as np
import streamlit as st

from explorer.analysis.summary import Headline
from explorer.links.stage_link import PanelBlock
from explorer.model.spec import BlockSpec
from explorer.page.bar import Bar
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import Experiment, Result, run
from explorer.page.last_result import is_stale
from explorer.page.link_state import change_setting
from explorer.page.plain_text import show_note
from explorer.page.views import forward_details
from explorer.page.views.subject import Subject

KEY = "stages"
PRECISION_LIMIT = 1e-3
DWARFED = 20  # times as large: the smaller term hardly shows


def view(experiment: Experiment, result: Result, bar: Bar) -> None:
    """Draw the view of one experiment."""
    _figure(experiment, bar)
    if not is_stale():  # else these numbers would be taken for those of the settings
        _numbers(experiment, result)
        _below(result)


def _numbers(experiment: Experiment, result: Result) -> None:
    _checks(result.numbers.headline, result.trace.spec)
    if experiment.notes:
        show_note(" ".join(experiment.notes))
    _compare_sizes(experiment, result.numbers.headline.ratio)
    if result.trace["x"].shape[:2] == (1, 1):
        st.caption(
            "With one pixel, a channel's batch variance is 0, so in train mode F(x) is 0 "
            "everywhere."
        )


def _compare_sizes(experiment: Experiment, ratio: float) -> None:
    """Say if x is much larger than F(x) or the reverse, and offer to standardise the input."""
    if 1 / DWARFED <= ratio <= DWARFED or not 0 < ratio < math.inf:
        return
    words = (
        f"F(x) is {ratio:,.0f} × as large as x (Euclidean norms), so x hardly shows in the sum."
        if ratio > 1
        else f"x is {1 / ratio:,.0f} × as large as F(x) (Euclidean norms), so F(x) hardly shows in "
        "the sum."
    )
    if "standardised" in experiment.input_key:
        st.caption(words)
        return
    st.caption(
        f"{words} BatchNorm gives F(x) about variance 1; a standardised input has variance 1 too."
    )
    st.button("Standardise each channel", on_click=_standardise, key="offer_standardise")


def _standardise() -> None:
    change_setting("standardise", "always")


def _below(result: Result) -> None:
    if not np.isfinite(off := result.numbers.variance_error):
        st.caption(
            "Overflow: a stage has values so large that E[v²], with which NNX computes the batch "
            "variance, exceeds float32's range of ±3.4e38. The stages after it are not finite or "
            "wrong. Standardise the input, or scale it down."
        )
    elif off > PRECISION_LIMIT:
        st.caption(
            f"Precision: a batch variance is off by {off:.1%} here. NNX computes E[v²] − E[v]² in "
            "float32, which loses digits if a channel's mean is much larger than its standard "
            "deviation. Standardise the input to avoid it."
        )
    st.caption(
        f"Digest of out: {result.numbers.digest}. The same link gives the same digest on this "
        "machine and with these versions; another processor may change the last bits."
    )


def _summary(numbers: Headline) -> str:
    """Return sentences on how large F(x) is, how much of the sum is x, and what is zeroed."""
    words = []
    if math.isfinite(numbers.ratio):
        size = f"{numbers.ratio:.2f}" if 0.01 <= numbers.ratio < 1000 else f"{numbers.ratio:.2g}"
        words.append(f"F(x) is {size} × as large as x.")
    if math.isfinite(numbers.identity_share):
        words.append(f"Of their summed variance, {numbers.identity_share:.0%} comes from x.")
    if math.isfinite(numbers.zeroed):
        words.append(
            f"{numbers.zeroed:.1%} of the cells of all channels are zeroed by the last ReLU."
        )
    return " ".join(words)


def _checks(numbers: Headline, spec: BlockSpec) -> None:
    """Draw the same numbers with their definitions, and those that must be 0."""
    residual, identity = spec.residual, spec.identity or "x"
    cards = [
        (
            "‖F(x)‖ / ‖x‖",
            f"{numbers.ratio:.3f}",
            "residual against identity",
            "Euclidean norms over all cells. Above 1 the residual is larger; undefined where x is "
            "all zero.",
        ),
        (
            "Variance from x",
            f"{numbers.identity_share:.0%}",
            "the identity's share",
            "Var(x) / (Var(x) + Var(F(x))), over all cells.",
        ),
        (
            "Zeroed",
            f"{numbers.zeroed:.1%}",
            "by the last ReLU",
            "Fraction of the cells of all channels where F(x) + x is negative, so that out is 0.",
        ),
        (
            f"add − {residual} − {identity}",
            f"{numbers.add_error:.3g}",
            "0: the sum is exact",
            f"Largest difference between add and {residual} + {identity}, in float32.",
        ),
        (
            "ReLU(add) − out",
            f"{numbers.relu_error:.3g}",
            "0: the ReLU is exact",
            "Largest difference between out and max(add, 0), in float32.",
        ),
    ]
    with st.expander("Checks"), st.container(horizontal=True):
        for label, value, line, definition in cards:
            with st.container(width=142, gap=None):
                is_known = "nan" not in value and "inf" not in value
                st.metric(label, value if is_known else "–", help=definition)
                st.caption(line)


def _words_on_shortcut(spec: BlockSpec) -> str:
    if spec.shortcut is None:
        return "The block has no shortcut: out depends on x through F alone."
    if spec.shortcut:
        return (
            "The shortcut has layers, which change x before the sum: the shapes of x and out may "
            "differ (He et al. 2015, Sec. 3.2)."
        )
    return (
        "The identity panel is the same array as x: the shortcut computes nothing, so x reaches "
        "the sum whatever F does. Only the last ReLU, after the sum, can still zero it (He et al. "
        "2015, Fig. 2)."
    )


@st.fragment
def _figure(experiment: Experiment, bar: Bar) -> None:
    # Streamlit keeps a fragment's arguments for the whole session, so the result is not one.
    try:
        result = run(experiment, st.empty())
    except PROBLEMS as problem:
        show_problem(problem, "figure")
        return
    trace = result.trace
    subject = Subject(trace, experiment.key(trace.spec), experiment.private, experiment)
    forward_details.draw_block(
        KEY,
        [PanelBlock(trace)],
        subject,
        bar,
        summary=None if is_stale() else lambda: _summary(result.numbers.headline),
        caption=_words_on_shortcut(trace.spec)
        + " Purple frames mark the pixels that enter the one under the "
        "pointer through the convolutions"
        + (
            "."
            if trace.use_running_average
            else "; in train mode, all pixels also enter through the batch statistics."
        ),
    )
