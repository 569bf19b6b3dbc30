"""The sidebar: input, seed, features and mode. Every control's key is its name in the URL."""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath

import numpy as np
import streamlit as st

from explorer.engine.forward import MAX_WARMUP_PASSES
from explorer.errors import InputError
from explorer.inputs import (
    FILE_EXTENSIONS,
    GENERATORS,
    Upload,
    decode_upload,
    generate,
    npz_names,
    pad_channels,
    project_channels,
    standardise,
)
from explorer.inputs.limits import MAX_CHANNELS, MAX_PICTURE_SIDE, MAX_SIDE
from explorer.model.arguments import MAX_SEED
from explorer.page.cache import get_cached, get_or_compute
from explorer.page.controls import integer_input, optional_integer_input, segmented_choice, select
from explorer.page.errors import escape_markdown
from explorer.page.experiment import DEFAULT_INPUT, DEFAULT_SHAPE, Experiment

RAW_NOTE = (
    "With raw pixels from 0 to 1 the residual dominates the identity: BatchNorm gives F(x) "
    "variance 1, and x has much less."
)


def experiment_controls() -> Experiment | None:
    """Draws the sidebar and returns what it says; None while a file is still missing.

    Raises:
        InputError: the input cannot be read, or does not fit the features asked for.
    """
    with st.sidebar:
        st.header("Residual block explorer")
        st.caption("One ResNet basic block on your own input: out = ReLU(F(x) + x).")
        titles = {key: kind.title for key, kind in GENERATORS.items()} | {"upload": "Your own file"}
        kind = select("Input", titles, DEFAULT_INPUT, key="input")
        source = _uploaded() if kind == "upload" else _generated(kind)
        if source is None:
            return None
        source = _standardised(source)
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
            placeholder=f"{source.channels}, as the input",
            help="Channels of the block. Empty: as many as the input has.",
        )
        widen = "no"
        if features is not None and features != source.channels:
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
        passes = 0
        if mode == "eval":
            passes = integer_input(
                "Warm-up passes",
                0,
                MAX_WARMUP_PASSES,
                key="warmup",
                help="Train-mode passes before this one. Each moves the running statistics 1 % of "
                "the way from mean 0 and variance 1 to this input's.",
            )
    if features is not None and features != source.channels:
        source = _widened(source, widen, features, seed)
    return Experiment(
        input_key=source.key,
        load=source.load,
        private=kind == "upload",
        notes=source.notes,
        seed=seed,
        features=features or source.channels,
        use_running_average=mode == "eval",
        warmup_passes=passes,
    )


@dataclass(frozen=True)
class _Source:
    """An input on its way to the block: what names it, what makes it, what to say of it."""

    key: tuple[Hashable, ...]
    load: Callable[[], np.ndarray]
    channels: int
    is_image: bool
    notes: tuple[str, ...] = ()

    def then(
        self, name: Hashable, change: Callable[[np.ndarray], np.ndarray], *notes: str
    ) -> "_Source":
        """This source with one more step applied to its array."""
        return replace(
            self,
            key=(*self.key, name),
            load=lambda: change(self.load()),
            notes=self.notes + notes,
        )


def _generated(kind: str) -> _Source:
    _forget_file()
    fixed = GENERATORS[kind].channels
    shape = []
    limits = {"Height": MAX_SIDE, "Width": MAX_SIDE, "Channels": MAX_CHANNELS}
    for column, (label, most), default in zip(
        st.columns(2 if fixed else 3), limits.items(), DEFAULT_SHAPE, strict=False
    ):
        with column:
            shape.append(integer_input(label, 1, most, default, key=label.lower()))
    height, width, channels = *shape[:2], fixed or shape[2]
    seed = 0
    if GENERATORS[kind].seeded:
        seed = integer_input("Seed of the input", 0, MAX_SEED, key="input_seed")
    load = partial(generate, kind, height, width, channels, seed)
    is_image = GENERATORS[kind].group == "sample"
    return _Source((kind, height, width, channels, seed), load, channels, is_image)


def _uploaded() -> _Source | None:
    _linked_file()
    file = st.file_uploader("File", key="file", help=f"Accepted: {', '.join(FILE_EXTENSIONS)}.")
    if file is None:
        return None
    data = file.getvalue()
    digest = hashlib.blake2b(data).hexdigest()
    name = None
    if file.name.lower().endswith(".npz") and len(names := npz_names(data)) > 1:
        name = select("Array", {name: name for name in names}, names[0], key="array")
    side = integer_input(
        "Longest side of a picture",
        8,
        MAX_PICTURE_SIDE,
        128,
        key="side",
        help="Larger pictures are resized to it, in pixels. Arrays are never resized.",
    )
    key = ("upload", digest, PurePath(file.name).suffix.lower(), name, side)
    decode = partial(decode_upload, file.name, data, name=name, max_side=side)
    upload = get_or_compute(
        key, decode, private=True, placeholder=st.empty(), message="Reading the file"
    )
    shown_name, short = file.name[:80], digest[:16]
    st.query_params.update({"file": shown_name, "digest": short})
    size = "×".join(str(n) for n in upload.array.shape)
    notes = (
        f"{escape_markdown(shown_name)} was read as {size} (height × width × channels).",
        *upload.notes,
        *_unlike_the_link(short),
    )

    def load() -> np.ndarray:  # the array itself is the store's to keep, or to let go
        found: Upload = get_cached(key, private=True) or decode()
        return found.array

    return _Source(key, load, upload.array.shape[2], upload.is_image, notes)


def ask_for_file() -> None:
    """Says which file the picture needs; a link names it, but cannot carry it."""
    linked = _linked_file()
    if linked:
        st.info(
            f"This link was made with the file {escape_markdown(linked[0][:80])} (digest "
            f"{escape_markdown(linked[1][:16])}). Choose that file to see the same picture."
        )
    else:
        _forget_file()
        st.info("Choose a picture (PNG, JPEG) or an array (NPY, NPZ, CSV).")


def _forget_file() -> None:
    for part in ("file", "digest"):
        st.query_params.pop(part, None)


def _linked_file() -> tuple[str, str] | None:
    """Name and digest of the file of the link that the session began with."""
    if "linked_file" not in st.session_state:
        name = st.query_params.get("file", "")
        st.session_state["linked_file"] = (
            (name, st.query_params.get("digest", "")) if name else None
        )
    linked: tuple[str, str] | None = st.session_state["linked_file"]
    return linked


def _unlike_the_link(digest: str) -> tuple[str, ...]:
    """One sentence where the first file chosen is not the one that the link asked for."""
    linked = _linked_file()
    first = st.session_state.setdefault("first_file", digest)
    if linked is None or digest in (linked[1], "") or digest != first:
        return ()
    return (
        f"This is not the file of the link, which had digest {escape_markdown(linked[1][:16])}.",
    )


def _standardised(source: _Source) -> _Source:
    wanted = segmented_choice(
        "Standardise each channel",
        ("pictures", "always", "never"),
        key="standardise",
        help="(x − mean) / std over height and width; “pictures” does so for photos and samples "
        "only. " + RAW_NOTE,
    )
    if wanted == "always" or (wanted == "pictures" and source.is_image):
        note = "Each channel was standardised to mean 0 and variance 1; a constant one becomes 0."
        return source.then("standardised", standardise, note)
    if source.is_image:
        return replace(source, notes=(*source.notes, RAW_NOTE))
    return source


def _widened(source: _Source, widen: str, features: int, seed: int) -> _Source:
    if widen == "zero_channels":
        note = f"The input has {source.channels} channels; zeros were added up to {features}."
        change = partial(pad_channels, features=features)
    elif widen == "projection":
        note = (
            f"The input was projected from {source.channels} to {features} channels by a random "
            "1×1 convolution before the block; the identity path carries the projected input."
        )
        change = partial(project_channels, features=features, seed=seed)
    else:
        ways = (
            "add zero channels (He et al. 2015, option A) or to "
            if features > source.channels
            else ""
        )
        raise InputError(
            f"The input has {source.channels} channels and {features} features are asked for: "
            "there would be no identity path, because F(x) + x needs equal shapes. Set features "
            f"to {source.channels}, or choose under “Widen the input” to {ways}project it."
        )
    return source.then((widen, features, seed), change, note)
