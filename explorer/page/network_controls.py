"""The controls of networks: data set, both networks, and their training."""

import hashlib
from collections.abc import Mapping

import streamlit as st

from explorer.data import Dataset, digits, read_dataset
from explorer.engine.training_settings import MAX_BATCH, MAX_STEPS, TrainingSettings
from explorer.errors import InputError
from explorer.inputs.limits import MAX_FILE_BYTES, MAX_FILE_MEGABYTES, format_megabytes
from explorer.inputs.random_streams import MAX_SEED
from explorer.model.network import MAX_BLOCKS, MAX_WIDTH, MIN_WIDTH, NETWORK_VARIANTS
from explorer.model.variants import VARIANTS
from explorer.page.bar import Bar
from explorer.page.cache import get_cached, get_or_compute
from explorer.page.controls import integer_input, segmented_choice, select
from explorer.page.link_state import publish, setting
from explorer.page.linked_file import linked_digest
from explorer.page.plain_text import show_message, show_note
from explorer.page.trainings import Pair

RATES = ("0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10")
SURVIVALS = ("1", "0.9", "0.8", "0.65", "0.5", "0.3")
# Titles of the variants in a network.
TITLES: Mapping[str, str] = {
    name: {"v1": "residual, v1", "no_skip": "plain, no shortcut"}.get(name, VARIANTS[name].title)
    for name in NETWORK_VARIANTS
}
DEFAULTS = TrainingSettings()
_EARLIER = "own_data"


def network_controls(bar: Bar, *, is_subject: bool) -> Pair | None:
    """Draw the controls of the data set and of both trainings; return what they select.

    None if a file is missing. The most used ones are in the row if the trainings are the subject
    of the view, else they are among the others.

    Raises:
        InputError: the file is no data set, or the settings are not legal for it.
    """
    with bar.experiment if is_subject else bar.more:
        depth = integer_input("Blocks", 1, MAX_BLOCKS, DEFAULTS.blocks, key="net_blocks", width=120)
        channels = integer_input(
            "Width",
            MIN_WIDTH,
            MAX_WIDTH,
            DEFAULTS.width,
            key="net_width",
            width=120,
            help="Channels of the residual stream.",
        )
        variants = (
            select("First network", TITLES, "v1", key="net_first", width=190),
            select("Second network", TITLES, "no_skip", key="net_second", width=190),
        )
        rate = select(
            "Learning rate",
            {each: each for each in RATES},
            "0.1",
            key="net_rate",
            width=140,
            help="At the start; it falls to 0 as a cosine.",
        )
        seed = integer_input(
            "Seed of the training",
            0,
            MAX_SEED,
            key="net_seed",
            width=170,
            help="Fixes the fresh weights, the same for both networks, and the order of the "
            "pictures.",
        )
    with bar.more:
        data = segmented_choice(
            "Data set",
            ("digits", "own"),
            key="data",
            titles={"digits": "digits", "own": "your own"},
        )
        steps = integer_input("Steps", 1, MAX_STEPS, DEFAULTS.steps, key="net_steps")
        batch = integer_input("Pictures a step", 2, MAX_BATCH, DEFAULTS.batch, key="net_batch")
        optimiser = segmented_choice(
            "Optimiser",
            ("sgd", "adam"),
            key="net_optimiser",
            titles={"sgd": "SGD, momentum 0.9", "adam": "Adam"},
        )
        initialiser = segmented_choice(
            "Fresh kernels",
            ("he", "lecun"),
            key="net_kernels",
            titles={"he": "He et al.", "lecun": "LeCun (NNX)"},
            help="Variance 2 / fan-in (He et al. 2015b) or 1 / fan-in, NNX's default.",
        )
        survival = select(
            "Survival of the last block",
            {each: each for each in SURVIVALS},
            "1",
            key="net_survival",
            help="Stochastic depth (Huang et al. 2016): the probability that F(x) of the last "
            "block is kept in a step; it falls linearly from the first block on. 1 drops nothing. "
            "Networks without a shortcut keep every block.",
        )
    with bar.below:
        dataset = _own_data() if data == "own" else _digits()
    if dataset is None:
        return None
    settings = tuple(
        TrainingSettings(
            blocks=depth,
            width=channels,
            variant=variant,
            steps=steps,
            batch=min(batch, len(dataset.train_images)),
            learning_rate=float(rate),
            seed=seed,
            optimiser="adam" if optimiser == "adam" else "sgd",
            initialiser="lecun" if initialiser == "lecun" else "he",
            survival=1.0 if VARIANTS[variant].shortcut is None else float(survival),
        )
        for variant in variants
    )
    return Pair(dataset, settings, private=data == "own")


def lacks_dataset() -> bool:
    """Return whether the page is about networks on an own data set that is not chosen yet."""
    is_own = setting("weights") == "network" and setting("data") == "own"
    return is_own and st.session_state.get("data_file") is None


def ask_for_dataset() -> None:
    """Ask for the file of an own data set."""
    show_message("info", "Choose a data set: an .npz file with pictures x and labels y.")


def _digits() -> Dataset:
    return get_or_compute(
        ("dataset", "digits"),
        digits,
        private=False,
        placeholder=st.empty(),
        message="Reading the digits",
    )


def _own_data() -> Dataset | None:
    """Draw the field for a data set; return it, or None without a file."""
    file = st.file_uploader(
        "Data set",
        key="data_file",
        help="An .npz file with x (N, H, W) or (N, H, W, C) and whole numbers y (N,): at most "
        "5,000 pictures of 32×32, 4 channels and 20 classes.",
        label_visibility="collapsed",
        max_upload_size=MAX_FILE_MEGABYTES,
    )
    if file is None:
        return _earlier_data()
    if file.size > MAX_FILE_BYTES:
        raise InputError(
            f"File is {format_megabytes(file.size)}; the limit is "
            f"{format_megabytes(MAX_FILE_BYTES)}."
        )
    data = file.getvalue()
    digest = hashlib.blake2b(data).hexdigest()
    if (linked := linked_digest("data_digest")) not in (
        "",
        digest[:16],
    ) and _EARLIER not in st.session_state:
        show_note(f"This is not the data set of the link, whose digest is {linked}.")
    publish("data_digest", digest[:16], None)
    found = get_or_compute(
        ("dataset", digest),
        lambda: read_dataset(data),
        private=True,
        placeholder=st.empty(),
        message="Reading the data set",
    )
    st.session_state[_EARLIER] = digest, file.name[:80]
    return found


def _earlier_data() -> Dataset | None:
    """Return the data set that this session has read before; the field forgets its file while
    another view is shown."""
    digest, name = st.session_state.get(_EARLIER, ("", ""))
    found: Dataset | None = get_cached(("dataset", digest), private=True)
    linked = linked_digest("data_digest")
    publish("data_digest", digest[:16] if found else linked or None, None)
    if found is None and linked:
        show_note(f"This link was made with the data set of digest {linked}. Choose that file.")
    if found is not None:
        show_note(f"Data set: {name}. Choose another file to replace it.")
    return found
