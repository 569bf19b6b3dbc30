"""The sidebar: input, seed, features and mode. The key of a widget is its name in the URL."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.engine.forward import MAX_WARMUP_PASSES
from explorer.inputs import GENERATORS
from explorer.inputs.limits import MAX_CHANNELS
from explorer.inputs.random_streams import MAX_SEED
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
from explorer.page.trainings import Pair


def network_source() -> str:
    """Draw the choice between networks that are trained here and a checkpoint; return it."""
    with st.sidebar:
        return segmented_choice(
            "Networks",
            ("trained", "checkpoint"),
            key="network_from",
            titles={"trained": "trained here", "checkpoint": "a checkpoint"},
        )


def pair_controls() -> tuple[Pair | None, DeltaGenerator]:
    """Draw the sidebar of the views of networks.

    Return the pair, or None if a file is missing, and the place for a view's own controls.

    Raises:
        InputError: the data set cannot be read, or the settings are not legal for it.
    """
    with st.sidebar:
        st.caption("Two networks from the same fresh kernels, on the same pictures.")
        above = st.container()
        return network_controls(), above


def experiment_controls() -> Experiment | None:
    """Draw the sidebar; return the experiment, or None if something has to be chosen first.

    All widgets are drawn, whatever is wrong with the input.

    Raises:
        InputError: the input cannot be read, or does not fit the selected features.
    """
    with st.sidebar:
        st.header("Residual block explorer")
        subject = st.empty()
        weights = segmented_choice(
            "Weights",
            ("seed", "network", "checkpoint"),
            key="weights",
            titles={"network": "trained"},
            help="Seed: fresh weights, on your own input. Trained, checkpoint: a block of "
            "a network trained here or of a file, on the residual stream that reaches it.",
        )
        if weights == "network":
            subject.caption("One block of a trained network, on the stream that reaches it.")
            return _trained_block()
        if weights == "checkpoint":
            subject.caption("One block of a checkpoint, on the stream that reaches it.")
            return _checkpoint_block()
        subject.caption("One ResNet basic block on your own input: out = ReLU(F(x) + x).")
    return _untrained_block()


def _trained_block() -> Experiment | None:
    """Draw the controls of a block of a trained network; return its experiment."""
    block = st.container()
    pair = network_controls()
    if pair is None:
        return None
    with block:
        if find_runs(pair) is None:
            raise NotTrained(pair)
        selection = network_selection(pair)
        if selection is None:
            return None
        name = select_block(selection.network)
        st.caption(f"{name} of {selection.title}.")
        return selection.experiment(name)


def _checkpoint_block() -> Experiment | None:
    """Draw the controls of a block of a checkpoint; return its experiment."""
    block = st.container()
    selection = checkpoint_selection()
    if selection is None:
        return None
    with block:
        return selection.experiment(select_checkpoint_block(selection.network))


def _untrained_block() -> Experiment | None:
    """Draw the controls of a block with fresh weights; return its experiment."""
    with st.sidebar:
        titles = {key: kind.title for key, kind in GENERATORS.items()} | {"upload": "Your own file"}
        kind = select("Input", titles, DEFAULT_INPUT, key="input")
        source, problem = _source(kind)
        if kind != "upload":
            _keep_file()
        standardise = standardise_choice()
        if source:
            source = standardised(source, standardise)
        st.divider()
        seed = integer_input(
            "Seed of the weights",
            0,
            MAX_SEED,
            key="seed",
            help="Fixes the random kernels of both convolutions, as nnx.Rngs(seed).",
        )
        features = optional_integer_input(
            "Features",
            1,
            MAX_CHANNELS,
            key="features",
            placeholder=f"{source.channels}, as the input" if source else "as the input",
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
            help="Train: BatchNorm uses this input's statistics. Eval: the running ones.",
        )
        warmup_passes = 0
        if mode == "eval":
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
