"""The choice of a variant and its parameters, for What if and Gradients.

Both views share it, so a variant stays chosen from one to the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.engine.forward import MAX_WARMUP_PASSES
from explorer.inputs.limits import MAX_CHANNELS
from explorer.model.relatives import relatives
from explorer.model.spec import BlockSpec
from explorer.model.variant_groups import GROUPS
from explorer.model.variants import FAMILIES, FIXES, V1, with_bias, zero_gamma
from explorer.page.controls import (
    integer_input,
    optional_integer_input,
    segmented_choice,
    select,
    slider,
)
from explorer.page.experiment import Experiment
from explorer.page.link_state import forget, forget_setting, has_navigated, setting

OWN = "own"  # the name of a block that is not among its relatives
GROUP_TITLES = {"skip": "Skip", "order": "Order", "norm": "Norm", "shape": "Shape"}
GROUP_TITLES |= {"other": "Other"}
# Names of the fixes in the URL, by variant.
FIX_NAMES = {"valid_padding": "crop_identity", "wrong_channels": "project_identity"}
_CHOSEN = "variant_chosen"
_UNTOUCHED = "untouched_block"  # the name of the default, where nobody has chosen a variant


def variant_controls(
    experiment: Experiment, *, is_own_default: bool, end: DeltaGenerator
) -> tuple[BlockSpec, int | None]:
    """Draw the controls of the variant; return its spec, and its warm-up passes or None.

    `end` is the place of a button, which is lower than a control with a label.
    The block itself is the default if `is_own_default`, else the first variant of it.
    """
    offered = relatives(experiment.spec)
    own = next((n for n, spec in offered.items() if spec.key == experiment.spec.key), OWN)
    titles = _titles(experiment, offered, own)
    default = own if is_own_default else next(name for name in titles if name != own)
    _forget_default_of_other_view(default)
    name = select(
        "Variant",
        titles,
        default,
        key="variant",
        width=300,
        on_change=_remember_choice,
    )
    # The default of γ₂ differs between variants. After Back, the address has the γ₂ of its variant.
    if st.session_state.pop(_CHOSEN, False) and not has_navigated():
        forget("gamma2")
    spec = experiment.spec if name == own else offered[name]
    spec = _with_parameters(spec, name, end, is_fresh=experiment.block is None)
    if is_own_default and spec == experiment.spec:
        st.session_state[_UNTOUCHED] = name
    warmup_passes = None
    if spec.always_eval and setting("mode") != "eval":  # else under More
        warmup_passes = integer_input(
            "Warm-up passes",
            0,
            MAX_WARMUP_PASSES,
            key="warmup",
            width=220,
            help="Each moves the running statistics 1 % of the way to this input's.",
        )
    return spec, warmup_passes


def _forget_default_of_other_view(default: str) -> None:
    """Forget a block that was shown only because it was the default there, or of another block."""
    untouched = st.session_state.pop(_UNTOUCHED, None)
    if untouched not in (None, default) and setting("variant") == untouched:
        forget_setting("variant")


def _remember_choice() -> None:
    st.session_state[_CHOSEN] = True


def variant_title(spec: BlockSpec, name: str) -> str:
    """Return a variant's title after that of its group."""
    group = next((group for group, names in GROUPS.items() if name in names), None)
    return f"{GROUP_TITLES[group]} · {spec.title}" if group else spec.title


def _titles(experiment: Experiment, offered: Mapping[str, BlockSpec], own: str) -> dict[str, str]:
    """Return the titles of the block itself and of its variants, group by group."""
    title = experiment.spec.title
    titles = {own: title if experiment.block is None else f"{title}, as trained"}
    ordered = [name for names in GROUPS.values() for name in names if name in offered]
    for name in dict.fromkeys([*ordered, *offered]):
        if name != own:
            titles[name] = variant_title(offered[name], name)
    return titles


def _with_parameters(
    spec: BlockSpec, name: str, end: DeltaGenerator, *, is_fresh: bool
) -> BlockSpec:
    """Draw the controls of a variant's parameters; return the spec with them."""
    if is_fresh and name == "v1":
        return _shifted(_scaled(spec), end)
    if name in FAMILIES:
        family = FAMILIES[name]
        given = {key: _PARAMETERS[key]() for key in family.parameters}
        chosen = {key: value for key, value in given.items() if value is not None}
        spec = family.make(**chosen)
    if is_fresh and name == "zero_gamma":
        return _shifted(spec, end)
    if name in FIXES:
        words, fixed = FIXES[name]
        fix = FIX_NAMES[name]
        titles_of_fixes = {"none": "as it is", fix: words}
        options = tuple(titles_of_fixes)
        if segmented_choice("The sum", options, key="fix", titles=titles_of_fixes) == fix:
            spec = fixed
    return spec


def _scaled(spec: BlockSpec) -> BlockSpec:
    """Draw the slider of γ₂; return v1 with it."""
    gamma = _gamma(1.0)
    return spec if gamma == 1 else replace(zero_gamma(gamma), title=f"v1, γ₂ = {gamma:g}")


def _shifted(spec: BlockSpec, end: DeltaGenerator) -> BlockSpec:
    """Draw the controls of a bias behind a button; return the spec with it."""
    with end.popover("Bias"):
        stage = segmented_choice(
            "Shift", ("conv1", "bn1"), key="shifted", help="The layer whose bias the slider sets."
        )
        bias = slider("Bias before the first ReLU", -6.0, 6.0, 0.0, 0.5, key="shift")
    if not bias:
        return spec
    title = "v1" if spec == V1 else spec.title
    return replace(
        with_bias(spec, stage, bias),
        title=f"{title}, {stage}'s bias {bias:g}".replace("-", "−"),
        description=f"{spec.description} The bias of {stage} shifts what the first ReLU receives.",
    )


def _factor() -> float:
    return slider("λ, which scales both paths", 0.0, 1.0, 0.5, 0.05, key="factor", width=200)


def _gamma(default: float = 0.0) -> float:
    return slider("γ₂, bn2's scale", 0.0, 1.0, default, 0.05, key="gamma2", width=190)


def _out() -> int | None:
    return optional_integer_input(
        "Channels of out", 1, MAX_CHANNELS, key="out", placeholder="default", width=160
    )


def _stride() -> int:
    return int(segmented_choice("Stride", ("1", "2"), key="stride"))


_PARAMETERS: Mapping[str, Callable[[], Any]] = {
    "factor": _factor,
    "gamma": _gamma,
    "out": _out,
    "stride": _stride,
}
