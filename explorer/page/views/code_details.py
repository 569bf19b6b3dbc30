"""The detail of a block's code: how it differs from the reference, and a script or a class."""

from functools import partial

import streamlit as st

from explorer.model.source_code import nnx_script, nnx_source, source_diff
from explorer.page.controls import toggle
from explorer.page.display import DisplaySettings
from explorer.page.experiment import Experiment
from explorer.page.npy_file import npy_file
from explorer.page.views.linen_details import draw_linen
from explorer.page.views.subject import Subject


def code(subject: Subject, display: DisplaySettings) -> None:
    """Draw the code of a block, and on request the comparison of the basic block with Linen."""
    experiment, reference, trace = subject.experiment, subject.reference, subject.trace
    in_eval = trace.use_running_average
    if reference and (difference := source_diff(reference.spec, subject.spec, in_eval)):
        name = "v1" if experiment is None or experiment.block is None else "the trained block"
        st.caption(f"The difference from {name}.")
        st.code(difference, language=None)
    if experiment is None or experiment.block is not None:
        _source(subject)
    else:
        _script(experiment, subject)
    if toggle("Compare with Flax Linen", key="linen"):
        draw_linen(subject)


def _source(subject: Subject) -> None:
    """Draw the block alone, whose weights no script draws."""
    words = (
        "The block is one of a stack."
        if subject.experiment is None
        else "The weights are trained, so no seed makes them. Save the network in the Network view "
        "and load it with explorer.load_checkpoint."
    )
    trace = subject.trace
    st.caption(words)
    source = nnx_source(subject.spec, trace.use_running_average, trace.model.batch_norm)
    st.code(source, language=None)


def _script(experiment: Experiment, subject: Subject) -> None:
    """Draw a script that runs the block as the page does."""
    words = ""
    if not experiment.input_source:
        words = " It reads this input from the file x.npy, which the button below saves."
    if experiment.image is not None:
        words += " The input is the whole batch, so the digest is of the outputs of all images."
    st.caption(
        "A complete script with the settings of this page, which needs only Flax and NumPy. "
        "Kernels with the same name and shape as in v1 are equal to v1's." + words
    )
    x = experiment.whole_input(subject.trace)
    script = nnx_script(
        subject.spec,
        x.shape,
        seed=experiment.seed,
        features=experiment.features,
        use_running_average=subject.trace.use_running_average,
        warmup_passes=experiment.warmup_passes,
        input_source=experiment.input_source,
    )
    st.code(script, language=None)
    if not experiment.input_source:
        st.download_button(
            "Save x.npy", partial(npy_file, x), "x.npy", on_click="ignore", key="npy"
        )
