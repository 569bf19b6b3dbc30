"""Details of the What if view: the code that differs, the block's state, and Linen parity."""

import inspect
from functools import partial

import numpy as np
import streamlit as st

from explorer.engine.linen_parity import LinenBlock, linen_parity
from explorer.engine.state import state_variables
from explorer.model.block import BasicBlock
from explorer.model.source_code import nnx_script, source_diff
from explorer.model.spec import BlockSpec
from explorer.page.cache import get_or_compute
from explorer.page.controls import optional_segmented_choice
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import Experiment
from explorer.page.npy_file import npy_file
from explorer.records import BlockTrace


def draw_details(experiment: Experiment, canonical: BlockTrace, spec: BlockSpec) -> None:
    """Draw the control, and the selected details of a spec and the basic block."""
    chosen = optional_segmented_choice(
        "Code and state", tuple(_VIEWS), key="what_if_details", titles=_TITLES
    )
    if not chosen:
        return
    try:
        _VIEWS[chosen](experiment, canonical, spec)
    except PROBLEMS as problem:
        show_problem(problem, "what if details")


def _code(experiment: Experiment, canonical: BlockTrace, spec: BlockSpec) -> None:
    in_eval = canonical.use_running_average
    if difference := source_diff(canonical.spec, spec, in_eval):
        reference = "v1" if experiment.block is None else "the trained block"
        st.caption(f"The difference from {reference}.")
        st.code(difference, language=None)
    if experiment.block is not None:
        st.caption(
            "The weights are trained, so no seed makes them. Save the network in the Network view "
            "and load it with explorer.load_checkpoint."
        )
        return
    words = ""
    if not experiment.input_source:
        words = " It reads this input from the file x.npy, which the button below saves."
    if experiment.image is not None:
        words += " The input is the whole batch, so the digest is of the outputs of all images."
    st.caption(
        "A complete script with the settings of this page, which needs only Flax and NumPy. "
        "Kernels with the same name and shape as in v1 are equal to v1's." + words
    )
    x = experiment.whole_input(canonical)
    code = nnx_script(
        spec,
        x.shape,
        seed=experiment.seed,
        features=experiment.features,
        use_running_average=in_eval,
        warmup_passes=experiment.warmup_passes,
        input_source=experiment.input_source,
    )
    st.code(code, language=None)
    if not experiment.input_source:
        st.download_button(
            "Save x.npy", partial(npy_file, x), "x.npy", on_click="ignore", key="npy"
        )


def _state(experiment: Experiment, canonical: BlockTrace, spec: BlockSpec) -> None:
    variables = get_or_compute(
        ("state", *experiment.key(spec)),
        lambda: state_variables(experiment.model(spec), experiment.whole_input(canonical)),
        private=experiment.private,
        placeholder=st.empty(),
        message="Calling the block twice",
    )
    statistics = [variable for variable in variables if variable.kind == "BatchStat"]
    if statistics:
        moved = 1 - experiment.model(spec).batch_norm.momentum
        st.caption(
            "The norms are modules inside the block, so their running statistics are part of the "
            "block's state. A call in train mode updates them in place, without returning "
            f"them: each moves {moved * 100:.0f} % of the way to this input's. A call in eval mode "
            "does not."
        )
        st.dataframe(
            {
                "running statistic": [variable.path for variable in statistics],
                "fresh block": [_first_value(variable.initial) for variable in statistics],
                "after a train-mode call": [
                    _first_value(variable.after_train) for variable in statistics
                ],
                "after an eval-mode call": [
                    _first_value(variable.after_eval) for variable in statistics
                ],
                "changed by train": [
                    _changed(variable.initial, variable.after_train) for variable in statistics
                ],
                "changed by eval": [
                    _changed(variable.after_train, variable.after_eval) for variable in statistics
                ],
            },
            hide_index=True,
        )
        st.caption("Values of channel 0; the last two columns are about all channels.")
    st.caption(
        "All variables of the block. Param variables are trained, BatchStat variables are updated "
        "by calls in train mode, and Constant variables are constants of the spec."
    )
    st.dataframe(
        {
            "path": [variable.path for variable in variables],
            "kind": [variable.kind for variable in variables],
            "shape": [
                "×".join(map(str, variable.initial.shape)) or "scalar" for variable in variables
            ],
            "values": [variable.initial.size for variable in variables],
        },
        hide_index=True,
    )


def _first_value(array: np.ndarray) -> str:
    return f"{array.flat[0]:.6f}".replace("-", "−")


def _changed(before: np.ndarray, after: np.ndarray) -> str:
    return "no" if np.array_equal(before, after) else "yes"


def _linen(experiment: Experiment, canonical: BlockTrace, spec: BlockSpec) -> None:
    parity = get_or_compute(
        ("Linen parity", *experiment.key(canonical.spec)),
        partial(
            linen_parity,
            canonical.model,
            experiment.whole_input(canonical),
            use_running_average=canonical.use_running_average,
            warmup_passes=canonical.warmup_passes,
        ),
        private=experiment.private,
        placeholder=st.empty(),
        message="Running Linen",
    )
    st.markdown(
        f"Largest difference between Linen and NNX on this input: "
        f"**{max(parity.differences.values()):.3g}**."
    )
    st.caption(
        "The basic block in both styles of Flax, run with the same weights, on the same input and "
        "in the same mode. NNX stores running statistics in the module and updates them in place; "
        "Linen takes them as the collection batch_stats and returns the updated ones if mutable "
        "contains it."
    )
    st.dataframe(
        {
            "compared": list(parity.differences),
            "largest |Linen − NNX|": [f"{value:.3g}" for value in parity.differences.values()],
        },
        hide_index=True,
        width="content",
    )
    left, right = st.columns(2)
    left.caption("NNX")
    left.code(inspect.getsource(BasicBlock), language=None)
    right.caption("Linen")
    right.code(inspect.getsource(LinenBlock), language=None)
    right.code(
        "out, moved = block.apply(\n"
        '    {"params": params, "batch_stats": batch_stats},\n'
        '    x, use_running_average, mutable=["batch_stats"],\n)',
        language=None,
    )


_VIEWS = {"code": _code, "state": _state, "linen": _linen}
_TITLES = {"code": "code", "state": "state", "linen": "Linen"}
