"""The controls of a checkpoint, in the sidebar: the picture, its preprocessing, and the block."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.engine.network import Network
from explorer.errors import check_real
from explorer.inputs import GENERATORS, decode_upload, generate
from explorer.inputs.class_names import LONGEST, read_class_names
from explorer.inputs.limits import MAX_PICTURE_SIDE
from explorer.inputs.preprocessing import (
    MIN_SIDE,
    PreprocessedPicture,
    Preprocessing,
    default_preprocessing,
    preprocess,
)
from explorer.model.checkpoint import Conventions
from explorer.page.cache import get_or_compute
from explorer.page.checkpoints import chosen_checkpoint
from explorer.page.controls import integer_input, select
from explorer.page.experiment import Experiment
from explorer.page.input_source import file_uploader
from explorer.page.link_state import publish
from explorer.page.linked_file import differs_from_link, linked_file
from explorer.page.plain_text import show_note
from explorer.records import NetworkTrace

SAMPLE_SIDE = 320  # pixels of a sample picture
DIGITS_WHITE = 16  # the value of white in scikit-learn's digits
SAMPLES = {name: each.title for name, each in GENERATORS.items() if each.group == "sample"}
PRESETS = {
    "imagenet": "ImageNet",
    "half": "0.5 and 0.5",
    "none": "none",
}

PictureOf = tuple[np.ndarray, tuple[Hashable, ...], str]  # a picture, its key, and its title


@dataclass(frozen=True)
class CheckpointSelection:
    """A checkpoint's network and a preprocessed picture."""

    network: Network
    picture: PreprocessedPicture
    picture_key: tuple[Hashable, ...]
    picture_title: str
    settings: Preprocessing
    classes: tuple[str, ...]
    private: bool
    conventions: Conventions

    @property
    def title(self) -> str:
        """The network in words."""
        return str(self.network.settings["name"])

    @property
    def key(self) -> tuple[Hashable, ...]:
        """The key of results of this network on this picture."""
        return self.network.provenance, self.picture_key, self.settings

    def trace(self) -> NetworkTrace:
        """Return the trace of the picture, in eval mode."""
        return get_or_compute(
            ("checkpoint trace", *self.key),
            partial(self.network.trace, self.picture.normalised),
            private=self.private,
            placeholder=st.empty(),
            message="Running the network; the first time its blocks are compiled",
            is_quick=True,
        )

    def experiment(self, block: str) -> Experiment:
        """Return the experiment of one block, on the residual stream that reaches it."""
        traced = self.trace()[block]
        x = traced["x"]
        note = (
            f"The weights are those of {block} in the checkpoint {self.title}. The input is the "
            f"residual stream that reaches {block}: {self.picture_title}."
        )
        return Experiment(
            input_key=("checkpoint stream", *self.key, block),
            load=lambda: x,
            private=self.private,
            notes=(note,),
            seed=0,
            features=self.network.models[block].features,
            use_running_average=True,
            warmup_passes=0,
            block=self.network.models[block],
            traced=traced,
        )


def checkpoint_selection() -> CheckpointSelection | None:
    """Draw the controls; return what they select, or None if the picture's file is missing.

    Raises:
        NoCheckpoint: no checkpoint is chosen.
        InputError: the checkpoint or the picture cannot be read.
    """
    checkpoint = chosen_checkpoint()
    network = checkpoint.network
    titles = {**SAMPLES, "upload": "Your own file"}
    kind = select("Picture", titles, "landscape", key="checkpoint_picture")
    chosen = _own_picture() if kind == "upload" else sample_picture(kind)
    if chosen is None:
        return None
    picture, key, title = chosen
    settings = _preprocessing(network)
    return CheckpointSelection(
        network=network,
        picture=preprocess(picture, settings),
        picture_key=key,
        picture_title=title,
        settings=settings,
        classes=_class_names(network),
        private=checkpoint.private or kind == "upload",
        conventions=checkpoint.conventions,
    )


def sample_picture(kind: str) -> PictureOf:
    """Return a sample picture, its key, and its title."""
    channels = GENERATORS[kind].channels or 3
    picture = generate(kind, SAMPLE_SIDE, SAMPLE_SIDE, channels, 0)
    return picture, ("sample", kind), f"the sample “{SAMPLES[kind]}”"


def _own_picture() -> PictureOf | None:
    """Draw the field for a picture; return it with key and title, or None without a file."""
    linked_file()
    file = file_uploader()
    if file is None:
        return None
    picture, key = decoded_picture(file)
    digest = key[1][:16]
    publish("file", file.name[:80], None)
    publish("digest", digest, None)
    for sentence in differs_from_link(digest):
        show_note(sentence)
    return picture, key, "your picture"


def decoded_picture(file: UploadedFile) -> tuple[np.ndarray, tuple[str, str, str]]:
    """Return an uploaded picture, and its key with the file's digest in the middle."""
    data = file.getvalue()
    key = "upload", hashlib.blake2b(data).hexdigest(), PurePath(file.name).suffix.lower()
    picture = get_or_compute(
        ("checkpoint picture", *key),
        lambda: decode_upload(file.name, data, max_side=MAX_PICTURE_SIDE).array,
        private=True,
        placeholder=st.empty(),
        message="Reading the picture",
    )
    return picture, key


def select_checkpoint_block(network: Network) -> str:
    """Draw the list of blocks; return the one selected."""
    names = {name: name for name in network.blocks}
    return select("Block of the network", names, network.blocks[0], key="checkpoint_block")


def _class_names(network: Network) -> tuple[str, ...]:
    """Draw the field for a file of names; return them, else the network's own, else numbers."""
    with st.expander("Names of the classes"):
        file = st.file_uploader(
            "Names of the classes",
            key="class_names",
            help="A text file with one name a line, in the order of the classes.",
            label_visibility="collapsed",
            max_upload_size=1,
        )
    if file is not None:
        return read_class_names(file.getvalue(), network.classes)
    own = network.settings.get("classes")
    if isinstance(own, list) and len(own) == network.classes:
        return tuple(str(name)[:LONGEST] for name in own)
    return tuple(f"class {label}" for label in range(network.classes))


def _usual_preprocessing(network: Network) -> tuple[str, Preprocessing]:
    """Return the default for a network, and what the names of its settings in a link begin with.

    Each kind of network has names of its own, since its defaults are not in the link.
    """
    settings = network.settings
    if settings.get("dataset") == ["digits"] and network.channels == 1:
        mean, deviation = (
            check_real(name, settings.get(name)) / DIGITS_WHITE for name in ("mean", "deviation")
        )
        return "digits_", Preprocessing(8, 8, (mean,), (deviation,))
    is_small = network.stem.spec.grids()["out"].stride == 1
    return "small_" if is_small else "", default_preprocessing(network.channels, is_small)


def _preprocessing(network: Network) -> Preprocessing:
    """Draw the controls of the preprocessing; return it."""
    kind, usual = _usual_preprocessing(network)
    left, right = st.columns(2)
    with left:
        resize = integer_input(
            "Resize to",
            MIN_SIDE,
            MAX_PICTURE_SIDE,
            usual.resize,
            key=f"{kind}resize",
            help="The picture's shorter side, in pixels.",
        )
    with right:
        crop = integer_input(
            "Crop",
            MIN_SIDE,
            resize,
            min(usual.crop, resize),
            key=f"{kind}crop",
            help="The side of the square that is cut from the middle.",
        )
    if network.channels != 3:
        return Preprocessing(resize, crop, usual.mean, usual.deviation)
    preset = select(
        "Mean and deviation",
        PRESETS,
        "imagenet",
        key="normalise",
        help="(value − mean) / deviation for values from 0 to 1. ImageNet’s: mean 0.485, 0.456, "
        "0.406 and deviation 0.229, 0.224, 0.225.",
    )
    mean, deviation = {
        "imagenet": (usual.mean, usual.deviation),
        "half": ((0.5,) * 3, (0.5,) * 3),
        "none": ((0.0,) * 3, (1.0,) * 3),
    }[preset]
    return Preprocessing(resize, crop, mean, deviation)
