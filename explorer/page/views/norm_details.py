"""Details of a block's BatchNorms: their statistics, and the state that calls change."""

import numpy as np
import streamlit as st

from explorer.engine.state import state_variables
from explorer.page.cache import get_or_compute
from explorer.page.display import DisplaySettings
from explorer.page.views.subject import Subject


def batch_norm(subject: Subject, display: DisplaySettings) -> None:
    """Draw the statistics of this pass, then the block's variables before and after two calls."""
    _statistics(subject)
    _state(subject)


def _statistics(subject: Subject) -> None:
    trace = subject.trace
    if not trace.norms:
        st.caption("This block has no BatchNorm, so it has no statistics.")
        return
    used = "running" if trace.use_running_average else "batch"
    for name, norm in trace.norms.items():
        source = trace.spec.inputs()[name]
        st.markdown(f"**{name}** normalises {source} by the {used} mean and variance.")
        st.dataframe(
            {
                "channel": np.arange(norm.mean.size),
                "mean before": norm.mean_before,
                "mean batch": norm.batch_mean,
                "mean after": norm.mean_after,
                "variance before": norm.var_before,
                "variance batch": norm.batch_var,
                "variance after": norm.var_after,
            },
            hide_index=True,
        )
    momentum = next(iter(trace.norms.values())).momentum
    st.caption(
        f"after = {momentum:g} · before + {1 - momentum:g} · batch in train mode; in eval mode the "
        "running statistics do not change. They start at mean 0 and variance 1. Numbers are "
        "rounded."
    )


def _state(subject: Subject) -> None:
    experiment, model, x = subject.experiment, subject.trace.model, subject.trace["x"]
    key = subject.key
    if experiment:
        model, key = experiment.model(subject.spec), experiment.key(subject.spec)
        x = experiment.whole_input(subject.trace)
    variables = get_or_compute(
        ("state", *key),
        lambda: state_variables(model, x),
        private=subject.private,
        placeholder=st.empty(),
        message="Calling the block twice",
    )
    statistics = [variable for variable in variables if variable.kind == "BatchStat"]
    if statistics:
        moved = 1 - model.batch_norm.momentum
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
