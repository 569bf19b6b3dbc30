"""The Depth view: a stack of blocks, with the shortcut and without it."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.depth import MAX_SEEDS, DepthRecord, propagate
from explorer.figures.depth import curves_figure, lesion_figure, paths_figure
from explorer.lesions import Kind, LesionRecord, lesion
from explorer.page import picture
from explorer.page.controls import choice, number, optional_choice
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import Experiment, Result
from explorer.page.findings import findings, told
from explorer.page.gate import GATE
from explorer.page.kept import kept, peek
from explorer.page.linked_figure import current_theme, linked_figure
from explorer.page.picture import Block, both
from explorer.paths import PathRecord, path_lengths
from explorer.recipes import Recipe
from explorer.stack import MAX_DEPTH, Progress
from explorer.trace import trace_block
from explorer.variants import V1, VARIANTS

KEY = "depth_block"
Made = TypeVar("Made")


def view(experiment: Experiment, result: Result) -> None:
    """Draws the view of one experiment."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = number("Blocks", 1, MAX_DEPTH, 32, key="depth", width=140)
        runs = number(
            "Runs",
            1,
            MAX_SEEDS,
            8,
            key="runs",
            width=140,
            help="Each with weights of its own; block l of run s has the seed of the weights "
            "plus 1000·s + l − 1.",
        )
        norm = choice("BatchNorm", ("on", "off"), key="norm")
        after = choice("ReLU after the sum", ("on", "off"), key="after")
    recipe = V1 if norm == "on" else VARIANTS["no_bn"]
    if after == "off":
        recipe = replace(recipe, after=())
    stack = _Stack(experiment, recipe, depth, runs)
    found = stack.made("curves", stack.propagated)
    if found is None:
        return
    residual, plain = found
    theme = current_theme("curves")
    wide, narrow = both(
        lambda arrangement: curves_figure(residual, plain, theme=theme, arrangement=arrangement)
    )
    linked_figure(wide, narrow=narrow.layout, key="curves", theme=theme)
    for words in findings(residual, plain):
        st.caption(words)
    if experiment.use_running_average and norm == "on":
        st.caption(
            "Eval mode: every block's running statistics are fresh, mean 0 and variance 1, "
            "whatever number of passes the sidebar says."
        )
    _further(stack)


@dataclass(frozen=True)
class _Stack:
    """What the view computes, and the arguments of it."""

    experiment: Experiment
    recipe: Recipe
    depth: int
    runs: int

    @property
    def plain(self) -> Recipe:
        """The same block without its shortcut."""
        return replace(self.recipe, shortcut=None, title=f"{self.recipe.title}, no skip")

    def arguments(self) -> dict[str, Any]:
        """What everything that runs a stack takes."""
        return {
            "seed": self.experiment.seed,
            "x": self.experiment.load(),
            "features": self.experiment.features,
            "depth": self.depth,
            "use_running_average": self.experiment.use_running_average,
        }

    def propagated(self, progress: Progress) -> tuple[DepthRecord, DepthRecord]:
        residual, plain = (
            propagate(variant=recipe, seeds=self.runs, progress=half, **self.arguments())
            for recipe, half in zip((self.recipe, self.plain), _halves(progress), strict=True)
        )
        return residual, plain

    def lesions(self, kind: Kind, progress: Progress) -> tuple[LesionRecord, LesionRecord]:
        residual, plain = (
            lesion(variant=recipe, kind=kind, progress=half, **self.arguments())
            for recipe, half in zip((self.recipe, self.plain), _halves(progress), strict=True)
        )
        return residual, plain

    def paths(self, progress: Progress) -> PathRecord:
        return path_lengths(variant=self.recipe, progress=progress, **self.arguments())

    def key(self, name: str, runs: int) -> tuple[Hashable, ...]:
        """What names one of its results completely."""
        return name, *self.experiment.key(self.recipe), self.depth, runs

    def made(self, name: str, make: Callable[[Progress], Made]) -> Made | None:
        """What `make` makes, shown as it goes on. None if the reader has stopped it, or if it
        cannot be made, which is told."""
        key = self.key(name, self.runs if name == "curves" else 1)  # the others are of the first
        private = self.experiment.private
        place = st.empty()
        is_stopped = st.session_state.get("depth_stopped") == key
        if is_stopped and peek(key, private=private) is None:
            with place.container(horizontal=True, vertical_alignment="center"):
                st.info("Stopped.")
                st.button("Run it", key=f"run {name}", on_click=_stop, args=(None,))
            return None

        def shown() -> Made:
            with place.container(horizontal=True, vertical_alignment="center"):
                bar = st.progress(0.0, "Running the stacks")
                st.button("Stop", key=f"stop {name}", on_click=_stop, args=(key,))
            return make(lambda done, total: _show(bar, done, total))

        try:
            return kept(key, shown, private=private, place=place, words=None, is_long=True)
        except PROBLEMS as problem:
            show_problem(problem)
            return None


def _stop(key: object) -> None:
    st.session_state["depth_stopped"] = key


def _show(bar: DeltaGenerator, done: int, total: int) -> None:
    bar.progress(done / total, f"Running the stacks: {done / total:.0%}")
    GATE.give_way()


def _halves(progress: Progress) -> tuple[Progress, Progress]:
    """One progress for two tasks of the same length."""
    return (
        lambda done, total: progress(done, 2 * total),
        lambda done, total: progress(done + total, 2 * total),
    )


@st.fragment
def _further(stack: _Stack) -> None:
    chosen = optional_choice("Look further", ("one block", "lesion", "paths"), "depth_further")
    try:
        if chosen == "one block":
            _one_block(stack)
        elif chosen == "lesion":
            _lesion(stack)
        elif chosen == "paths":
            _paths(stack)
    except PROBLEMS as problem:
        show_problem(problem)


def _one_block(stack: _Stack) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = number("Block", 1, stack.depth, key="at", width=140)
        which = choice("Stack", ("residual", "plain"), key="stack")
    records = stack.made("curves", stack.propagated)
    if records is None:
        return
    record = records[which == "plain"]
    index = at - 1
    experiment = stack.experiment
    trace = kept(
        stack.key(f"block {index} of {which}", runs=1),
        lambda: trace_block(
            record.seeds[index],
            record.inputs[index],
            experiment.features,
            use_running_average=experiment.use_running_average,
            variant=record.recipe,
        ),
        private=experiment.private,
        place=st.empty(),
        words="Running the block",
    )
    block = Block(trace)
    shown = picture.controls(KEY, block)
    picture.draw(KEY, [block], shown)
    st.caption(
        f"Block {index + 1} of the first run: its weights have seed {record.seeds[index]}, its "
        f"input is the output of {f'block {index}' if index else 'nothing before: x itself'}."
    )


def _lesion(stack: _Stack) -> None:
    kind: Kind = choice("Do what to a block", ("delete", "swap"), key="lesion")
    found = stack.made(f"lesion {kind}", partial(stack.lesions, kind))
    if found is None:
        return
    theme = current_theme("lesion_figure")
    figure = lesion_figure(*found, theme=theme)
    linked_figure(figure, key="lesion_figure", theme=theme)
    means = [float(np.mean(record.change)) if record.change.size else 0 for record in found]
    st.caption(
        f"Mean change: {told(means[0], 2)} of the output's norm with shortcuts, "
        f"{told(means[1], 2)} without. "
        "In trained nets deleting one block hardly hurts a residual net and destroys a plain one "
        "(Veit et al. 2016). The weights here are untrained, and what is measured is the output, "
        "not the error."
    )


def _paths(stack: _Stack) -> None:
    found = stack.made("paths", stack.paths)
    if found is None:
        return
    theme = current_theme("paths_figure")
    wide, narrow = both(
        lambda arrangement: paths_figure(found, theme=theme, arrangement=arrangement)
    )
    linked_figure(wide, narrow=narrow.layout, key="paths_figure", theme=theme)
    carried = found.norm * found.paths
    middle = float(np.sum(found.lengths * carried) / (np.sum(carried) or np.nan))
    st.caption(
        f"Through n = {found.depth} blocks there are 2ⁿ paths, most of them about n/2 blocks long. "
        f"Weighted by the gradient that they carry, the mean length is {told(middle, 1)} instead "
        f"of {found.depth / 2:.1f}. Veit et al. 2016 (Fig. 6) find in a trained net that the "
        "gradient comes from short paths. Sampled: 16 paths of each length shown, bars are "
        "standard errors; norms are added up as if no two paths cancelled."
    )
