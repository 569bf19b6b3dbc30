"""The basic block compared with the same block in Flax Linen."""

import inspect
from functools import partial

import streamlit as st

from explorer.engine.linen_parity import LinenBlock, linen_parity
from explorer.model.block import BasicBlock
from explorer.page.cache import get_or_compute
from explorer.page.views.subject import Subject


def draw_linen(subject: Subject) -> None:
    """Compare the reference, or the block itself without one, with the same block in Linen."""
    basic, experiment = subject.reference or subject.trace, subject.experiment
    key, x = subject.key, basic["x"]
    if experiment:
        key, x = experiment.key(basic.spec), experiment.whole_input(basic)
    parity = get_or_compute(
        ("Linen parity", *key),
        partial(
            linen_parity,
            basic.model,
            x,
            use_running_average=basic.use_running_average,
            warmup_passes=basic.warmup_passes,
        ),
        private=subject.private,
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
