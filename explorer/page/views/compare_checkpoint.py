"""What a checkpoint on a picture is compared with: a picture, a checkpoint, or fresh weights."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from explorer.analysis.colour_limits import Scope
from explorer.engine.fresh_weights import with_fresh_weights
from explorer.engine.network import Network
from explorer.errors import InputError
from explorer.inputs.preprocessing import preprocess
from explorer.inputs.random_streams import MAX_SEED
from explorer.page.cache import get_or_compute
from explorer.page.checkpoint_selection import (
    SAMPLES,
    CheckpointSelection,
    decoded_picture,
    sample_picture,
)
from explorer.page.checkpoints import (
    COMPARED_FIELD,
    NoCheckpoint,
    ask_for_checkpoint,
    compared_checkpoint,
)
from explorer.page.controls import integer_input, segmented_choice, select
from explorer.page.input_source import file_uploader
from explorer.page.link_state import publish, withdraw
from explorer.page.linked_file import linked_digest
from explorer.page.plain_text import show_message, show_note
from explorer.page.views.compare import Run, compare

DIGEST = "compare_picture_digest"


def compare_checkpoint(
    selection: CheckpointSelection, *, channel: int | None, scope: Scope
) -> None:
    """Draw the controls of what to compare with, and the difference.

    Raises:
        InputError: a file cannot be read, or shapes do not agree.
    """
    kind = segmented_choice("Compare with", tuple(_KINDS), key="compare_with", titles=_TITLES)
    other = _KINDS[kind](selection)
    if other is not None:
        compare(_run(selection), _run(other), channel=channel, scope=scope)


def _run(selection: CheckpointSelection) -> Run:
    title = f"{selection.title}, on {selection.picture_title}"
    return Run(selection.trace(), selection.key, title, selection.private)


def _picture(selection: CheckpointSelection) -> CheckpointSelection | None:
    """Draw the controls of another picture; return the selection with it."""
    shown = selection.picture_key
    samples = {name: title for name, title in SAMPLES.items() if ("sample", name) != shown}
    titles = {**samples, "upload": "Your own file"}
    kind = select("Other picture", titles, next(iter(samples)), key="compare_picture", width=300)
    chosen = sample_picture(kind) if kind != "upload" else None
    if kind != "upload":
        withdraw(DIGEST)
    else:
        file = file_uploader("Picture to compare with", "compare_picture_file")
        linked = linked_digest(DIGEST)
        if file is None:
            publish(DIGEST, linked or None, None)
            words = (
                f"This link was made with the second picture of digest {linked}. Choose that file "
                "to see the same."
                if linked
                else "Choose a second picture."
            )
            show_message("info", words)
            return None
        picture, key = decoded_picture(file)
        digest = key[1][:16]
        if linked not in ("", digest):
            show_note(f"This is not the second picture of the link, whose digest is {linked}.")
        publish(DIGEST, digest, None)
        chosen = picture, key, f"your picture {file.name[:80]}"
    assert chosen is not None
    picture, picture_key, title = chosen
    return replace(
        selection,
        picture=preprocess(picture, selection.settings),
        picture_key=picture_key,
        picture_title=title,
        private=selection.private or kind == "upload",
    )


def _checkpoint(selection: CheckpointSelection) -> CheckpointSelection | None:
    """Draw the controls of another checkpoint; return the selection with it."""
    try:
        other = compared_checkpoint(selection.conventions)
    except NoCheckpoint:
        ask_for_checkpoint(COMPARED_FIELD)
        return None
    channels = selection.network.channels, other.network.channels
    if channels[0] != channels[1]:
        raise InputError(
            f"Pictures of the reference have {channels[0]} channels (C), those of the other have "
            f"{channels[1]}. Choose a checkpoint for pictures of the same channels."
        )
    return replace(selection, network=other.network, private=selection.private or other.private)


def _fresh(selection: CheckpointSelection) -> CheckpointSelection:
    """Draw the field for a seed; return the selection with fresh weights."""
    seed = integer_input("Seed of the weights", 0, MAX_SEED, key="compare_seed", width=220)
    st.caption("The same layers with random kernels (He et al. 2015b), as before a training.")
    network: Network = get_or_compute(
        ("fresh weights", selection.network.provenance, seed),
        partial(with_fresh_weights, selection.network, seed),
        private=selection.private,
        placeholder=st.empty(),
        message="Drawing the weights",
    )
    name = f"fresh weights of seed {seed}"
    network = replace(network, settings={**network.settings, "name": name})
    return replace(selection, network=network)


_KINDS: Mapping[str, Callable[[CheckpointSelection], CheckpointSelection | None]] = {
    "picture": _picture,
    "checkpoint": _checkpoint,
    "fresh": _fresh,
}
_TITLES = {
    "picture": "another picture",
    "checkpoint": "another checkpoint",
    "fresh": "fresh weights",
}
