"""The controls of an experiment. The key of a widget is its name in the URL."""

import streamlit as st

from explorer.engine.forward import MAX_WARMUP_PASSES
from explorer.inputs import GENERATORS
from explorer.inputs.limits import MAX_CHANNELS
from explorer.inputs.random_streams import MAX_SEED
from explorer.page.bar import Bar
from explorer.page.checkpoint_selection import checkpoint_selection, select_checkpoint_block
from explorer.page.controls import integer_input, optional_integer_input, segmented_choice, select
from explorer.page.errors import PROBLEMS
from explorer.page.experiment import DEFAULT_INPUT, Experiment
from explorer.page.input_source import (
    InputSource,
    file_uploader,
    generated_input,
    standardise_choice,
    standardised,
    uploaded_input,
    widened,
)
from explorer.page.network_controls import network_controls
from explorer.page.network_selection import network_selection, select_block
from explorer.page.offer_training import NotTrained
from explorer.page.runs import find_runs


def network_source(bar: Bar) -> str:
    """Draw the choice between networks that are trained here and a checkpoint; return it."""
    with bar.experiment:
        return segmented_choice(
            "Networks",
            ("trained", "checkpoint"),
            key="network_from",
            titles={"trained": "trained here", "checkpoint": "a checkpoint"},
        )


def experiment_controls(bar: Bar) -> Experiment | None:
    """Draw the controls; return the experiment, or None if something has to be chosen first.

    All widgets are drawn, whatever is wrong with the input.

    Raises:
        InputError: the input cannot be read, or does not fit the selected features.
    """
    with bar.more:
        weights = segmented_choice(
            "Weights",
            ("seed", "network", "checkpoint"),
            key="weights",
            titles={"network": "trained"},
            help="Seed: fresh weights, on your own input. Trained, checkpoint: a block of "
            "a network trained here or of a file, on the residual stream that reaches it.",
        )
    if weights == "network":
        return _trained_block(bar)
    if weights == "checkpoint":
        return _checkpoint_block(bar)
    return _untrained_block(bar)


def _trained_block(bar: Bar) -> Experiment | None:
    """Draw the controls of a block of a trained network; return its experiment."""
    pair = network_controls(bar, is_subject=False)
    if pair is None:
        return None
    if find_runs(pair) is None:
        raise NotTrained(pair)
    selection = network_selection(pair, bar)
    if selection is None:
        return None
    with bar.experiment:
        name = select_block(selection.network)
    with bar.below:
        st.caption(f"{name} of {selection.title}.")
    return selection.experiment(name)


def _checkpoint_block(bar: Bar) -> Experiment | None:
    """Draw the controls of a block of a checkpoint; return its experiment."""
    with st.sidebar:
        selection = checkpoint_selection()
    if selection is None:
        return None
    with bar.experiment:
        return selection.experiment(select_checkpoint_block(selection.network))


def _untrained_block(bar: Bar) -> Experiment | None:
    """Draw the controls of a block with fresh weights; return its experiment."""
    with bar.experiment:
        titles = {key: kind.title for key, kind in GENERATORS.items()} | {"upload": "Your own file"}
        kind = select("Input", titles, DEFAULT_INPUT, key="input", width=190)
    with bar.below if kind == "upload" else bar.more:
        source, problem = _source(kind)
    with bar.more:
        if kind != "upload":
            _keep_file()
        standardise = standardise_choice()
        if source:
            source = standardised(source, standardise)
    with bar.experiment:
        seed = integer_input(
            "Seed of the weights",
            0,
            MAX_SEED,
            key="seed",
            width=150,
            help="Fixes the random kernels of both convolutions, as nnx.Rngs(seed).",
        )
        features = optional_integer_input(
            "Features",
            1,
            MAX_CHANNELS,
            key="features",
            width=130,
            placeholder=f"{source.channels}, as x" if source else "as x",
            help="Channels of the block. Empty: as many as the input has.",
        )
        widen = "no"
        if features is not None and (source is None or features != source.channels):
            widen = segmented_choice(
                "Widen the input",
                ("no", "zero_channels", "projection"),
                key="widen",
                titles={
                    "no": "no",
                    "zero_channels": "zero channels",
                    "projection": "1×1 projection",
                },
            )
        mode = segmented_choice(
            "Mode",
            ("train", "eval"),
            key="mode",
            help="Train: BatchNorm uses this input's statistics, and moves the running ones "
            "towards them. Eval: it uses the running ones, which stay.",
        )
    warmup_passes = 0
    if mode == "eval":
        with bar.more:
            warmup_passes = integer_input(
                "Warm-up passes",
                0,
                MAX_WARMUP_PASSES,
                key="warmup",
                help="Train-mode passes before this one. Each moves the running statistics 1 % of "
                "the way from mean 0 and variance 1 to this input's.",
            )
    if problem:
        raise problem
    if source is None:
        return None
    if features is not None and features != source.channels:
        source = widened(source, widen, features, seed)
    return Experiment(
        input_key=source.key,
        load=source.load,
        private=kind == "upload",
        notes=source.notes,
        seed=seed,
        features=features or source.channels,
        use_running_average=mode == "eval",
        warmup_passes=warmup_passes,
        input_source=source.source,
        image=source.image,
    )


def _source(kind: str) -> tuple[InputSource | None, Exception | None]:
    """Draw the controls of the input; return it, or what is wrong with it."""
    try:
        return (uploaded_input() if kind == "upload" else generated_input(kind)), None
    except PROBLEMS as problem:
        return None, problem


def _keep_file() -> None:
    """Keep the field with the session's file, which Streamlit forgets if no field shows it."""
    if st.session_state.get("file") is not None:
        with st.expander("Your own file"):
            file_uploader()
            st.caption("Select “Your own file” under Input to use it again.")
