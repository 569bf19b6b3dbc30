"""Behind the What if view: the code that differs, the block's state, and its Linen twin."""

import inspect
from functools import partial

import numpy as np
import streamlit as st

from explorer.block import BasicBlock
from explorer.linen_twin import LinenBlock, linen_twin
from explorer.nnx_source import nnx_source, source_diff
from explorer.page.controls import optional_choice
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import Experiment
from explorer.page.kept import kept
from explorer.recipes import Recipe
from explorer.state_tree import state_tree
from explorer.trace import BlockTrace


def look(experiment: Experiment, canonical: BlockTrace, recipe: Recipe) -> None:
    """Draws the control, and what is chosen, of a recipe beside the canonical block."""
    chosen = optional_choice("Look closer", tuple(_VIEWS), key="closer")
    if not chosen:
        return
    try:
        _VIEWS[chosen](experiment, canonical, recipe)
    except PROBLEMS as problem:
        show_problem(problem)


def _code(experiment: Experiment, canonical: BlockTrace, recipe: Recipe) -> None:
    in_eval = canonical.use_running_average
    if difference := source_diff(canonical.recipe, recipe, in_eval):
        st.caption("What differs from v1.")
        st.code(difference, language="diff")
    st.caption(
        "The whole block, as it can be run. Kernels of the same name and shape are v1's; the tests "
        "run this code and compare its output with the picture's."
    )
    st.code(nnx_source(recipe, in_eval), language="python")


def _state(experiment: Experiment, canonical: BlockTrace, recipe: Recipe) -> None:
    leaves = kept(
        ("state", *experiment.key(recipe)),
        lambda: state_tree(canonical.seed, canonical["x"], canonical.features, variant=recipe),
        private=experiment.private,
        place=st.empty(),
        words="Calling the block twice",
    )
    statistics = [leaf for leaf in leaves if leaf.kind == "BatchStat"]
    if statistics:
        st.caption(
            "The norms are modules inside the block, so their running statistics live in the "
            "block's own state. A call in train mode changes them in place, without returning "
            "them: each moves 1 % of the way to this input's. A call in eval mode leaves them."
        )
        st.dataframe(
            {
                "running statistic": [leaf.path for leaf in statistics],
                "fresh block": [_first(leaf.fresh) for leaf in statistics],
                "after a train-mode call": [_first(leaf.trained) for leaf in statistics],
                "after an eval-mode call": [_first(leaf.evaluated) for leaf in statistics],
                "changed by train": [_moved(leaf.fresh, leaf.trained) for leaf in statistics],
                "changed by eval": [_moved(leaf.trained, leaf.evaluated) for leaf in statistics],
            },
            hide_index=True,
        )
        st.caption("Values of channel 0; the last two columns look at all channels.")
    st.caption(
        "All variables of the block. NNX calls what is trained Param, what a train-mode call moves "
        "BatchStat, and a constant of the recipe Constant."
    )
    st.dataframe(
        {
            "path": [leaf.path for leaf in leaves],
            "kind": [leaf.kind for leaf in leaves],
            "shape": ["×".join(map(str, leaf.fresh.shape)) or "number" for leaf in leaves],
            "numbers": [leaf.fresh.size for leaf in leaves],
        },
        hide_index=True,
    )


def _first(values: np.ndarray) -> str:
    return f"{values.flat[0]:.6f}".replace("-", "−")


def _moved(before: np.ndarray, after: np.ndarray) -> str:
    return "no" if np.array_equal(before, after) else "yes"


def _linen(experiment: Experiment, canonical: BlockTrace, recipe: Recipe) -> None:
    twin = kept(
        ("Linen twin", *experiment.key(canonical.recipe)),
        partial(linen_twin, canonical),
        private=experiment.private,
        place=st.empty(),
        words="Running Linen",
    )
    st.markdown(
        f"Largest difference between Linen and NNX on this input: "
        f"**{max(twin.differences.values()):.3g}**."
    )
    st.caption(
        "The basic block in both styles of Flax, run with the same weights, on the same input and "
        "in the same mode. NNX keeps running statistics in the module and moves them in place; "
        "Linen takes them as the collection batch_stats and returns what moved, if mutable says so."
    )
    st.dataframe(
        {
            "compared": list(twin.differences),
            "largest |Linen − NNX|": [f"{value:.3g}" for value in twin.differences.values()],
        },
        hide_index=True,
        width="content",
    )
    left, right = st.columns(2)
    left.caption("NNX")
    left.code(inspect.getsource(BasicBlock), language="python")
    right.caption("Linen")
    right.code(inspect.getsource(LinenBlock), language="python")
    right.code(
        "out, moved = block.apply(\n"
        '    {"params": params, "batch_stats": batch_stats},\n'
        '    x, use_running_average, mutable=["batch_stats"],\n)',
        language="python",
    )


_VIEWS = {"code": _code, "state": _state, "Linen twin": _linen}
