"""The What if view: the block and an altered one, on the same input with the same weights."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explorer.analysis import Headline
from explorer.errors import InputError
from explorer.inputs.limits import MAX_CHANNELS
from explorer.page import closer, picture
from explorer.page.controls import URL, choice
from explorer.page.errors import show_problem
from explorer.page.experiment import Experiment, Result, run
from explorer.page.picture import VARIANT_PREFIX, Block
from explorer.recipes import Recipe
from explorer.trace import MAX_WARMUP_PASSES
from explorer.variants import FAMILIES, VARIANTS, WAYS_OUT

KEY = "compared"


def view(experiment: Experiment, result: Result) -> None:
    """Draws the view of one experiment."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        recipe, passes = _variant()
    st.markdown(recipe.lesson)
    st.caption(f"{recipe.source}.")
    try:
        other = run(experiment, recipe, passes)
    except InputError as problem:
        show_problem(problem)
        _pictures(result, None)
        return
    _numbers(result, other)
    _pictures(result, other)


def _variant() -> tuple[Recipe, int | None]:
    """Draws the controls of the variant; its recipe, and passes run before if it has its own."""
    name = st.selectbox(
        "Variant",
        [*(name for name in VARIANTS if name != "v1"), "v1"],
        format_func=lambda name: VARIANTS[name].title,
        key="variant",
        bind=URL,
        width=300,
    )
    recipe = VARIANTS[name]
    if name in FAMILIES:
        family = FAMILIES[name]
        given = {key: _PARAMETERS[key]() for key in family.parameters}
        chosen = {key: value for key, value in given.items() if value is not None}
        recipe = family.make(**chosen)
    if name in WAYS_OUT:
        words, mended = WAYS_OUT[name]
        if choice("The sum", ("as it is", words), key="way_out") == words:
            recipe = mended
    passes = None
    if recipe.always_eval:
        passes = st.number_input(
            "Train-mode passes run before",
            0,
            MAX_WARMUP_PASSES,
            key="passes",
            bind=URL,
            width=220,
            help="Each moves the running statistics 1 % of the way to this input's.",
        )
    return recipe, passes


def _factor() -> float:
    return st.slider("λ, which scales both paths", 0.0, 1.0, 0.5, 0.05, key="factor", bind=URL)


def _gamma() -> float:
    return st.slider("γ₂, the last norm's scale", 0.0, 1.0, 0.0, 0.05, key="gamma", bind=URL)


def _out() -> int | None:
    return st.number_input(
        "Channels of out",
        1,
        MAX_CHANNELS,
        None,
        key="out",
        bind=URL,
        placeholder="default",
        width=160,
    )


def _stride() -> int:
    return int(choice("Stride", ("1", "2"), key="stride"))


_PARAMETERS: Mapping[str, Callable[[], Any]] = {
    "factor": _factor,
    "gamma": _gamma,
    "out": _out,
    "stride": _stride,
}


def _numbers(result: Result, other: Result) -> None:
    """The same numbers for both blocks."""
    named = {"v1": result.headline, other.trace.recipe.title: other.headline}
    table = {"block": list(named)}
    for label, tell in _NUMBERS.items():
        table[label] = [tell(numbers).replace("nan", "–") for numbers in named.values()]
    st.table(table, hide_index=True, border="horizontal", width="content")
    if other.trace.recipe.shortcut:
        st.caption("In the variant's row x stands for what its shortcut brings to the sum.")


_NUMBERS: Mapping[str, Callable[[Headline], str]] = {
    "‖F(x)‖ / ‖x‖": lambda numbers: f"{numbers.ratio:.3f}",
    "variance from x": lambda numbers: f"{numbers.identity_share:.0%}",
    "zeroed by the last ReLU": lambda numbers: f"{numbers.zeroed:.1%}",
    "correlation of out with x": lambda numbers: f"{numbers.correlation:.3f}",
    "add − F(x) − x": lambda numbers: f"{numbers.add_error:.3g}",
}


@st.fragment
def _pictures(result: Result, other: Result | None) -> None:
    """Both blocks beneath each other, and what differs."""
    blocks = [Block(result.trace, heading="v1, the reference")]
    if other:
        blocks.append(Block(other.trace, VARIANT_PREFIX, other.trace.recipe.title))
    shown = picture.controls(KEY, *blocks)
    difference = None
    if other and st.toggle("Difference, stage by stage", key="difference", bind=URL):
        difference = Block(other.trace, "difference ", "Difference: variant − v1")
    picture.draw(KEY, blocks, shown, difference=difference)
    if other:
        closer.look(result.trace, other.trace)
