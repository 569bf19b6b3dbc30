"""Sources of the input: generated or uploaded, then standardised and widened."""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.errors import InputError
from explorer.inputs import (
    GENERATORS,
    LAYOUTS,
    Upload,
    decode_upload,
    generate,
    npz_names,
    pad_channels,
    project_channels,
    standardise,
    stored_shape,
)
from explorer.inputs.formats import is_picture
from explorer.inputs.layout import AUTO, batch_shape, choose_layout, layouts_of
from explorer.inputs.limits import MAX_CHANNELS, MAX_FILE_MEGABYTES, MAX_PICTURE_SIDE, MAX_SIDE
from explorer.inputs.random_streams import MAX_SEED
from explorer.inputs.source_code import (
    PAD_SOURCE,
    PROJECT_SOURCE,
    STANDARDISE_SOURCE,
    generator_source,
)
from explorer.inputs.upload import check_finite
from explorer.page.cache import get_cached, get_or_compute
from explorer.page.controls import integer_input, segmented_choice, select
from explorer.page.experiment import default_shape
from explorer.page.link_state import change_setting, forget, publish, setting
from explorer.page.linked_file import differs_from_link, forget_file, linked_file

SETTINGS_OF_ARRAYS = "array", "layout", "image", "statistics"
AXES_HELP = (
    "The meaning of the array's axes: N images, H rows, W columns, C channels. The notes of the "
    "Forward view say how they were read."
)
RAW_NOTE = (
    "With raw pixels from 0 to 1 the residual dominates the identity: BatchNorm gives F(x) "
    "variance 1, and x has much less."
)


@dataclass(frozen=True)
class InputSource:
    """An input and the steps applied to it before the block.

    `key` is its cache key, `load` returns the array, `notes` are sentences about it, and `source`
    is NumPy code that makes it, empty if there is none. If `image` is not None, the array is a
    batch, of which this image is shown.
    """

    key: tuple[Hashable, ...]
    load: Callable[[], np.ndarray]
    channels: int
    is_image: bool
    notes: tuple[str, ...] = ()
    source: str = ""
    image: int | None = None
    has_raw_pixels: bool = False  # from 0 to 1

    def then(
        self,
        name: Hashable,
        change: Callable[[np.ndarray], np.ndarray],
        *notes: str,
        source: str,
    ) -> "InputSource":
        """Return this source with one more step applied to its array; `source` is its code."""
        return replace(
            self,
            key=(*self.key, name),
            load=lambda: change(self.load()),
            notes=self.notes + notes,
            source=self.source and self.source + source,
        )


def generated_input(kind: str) -> InputSource:
    """Draw the controls of a generated input; return it."""
    forget_file()
    _resize_for(kind)
    fixed = GENERATORS[kind].channels
    shape = []
    limits = {"Height": MAX_SIDE, "Width": MAX_SIDE, "Channels": MAX_CHANNELS}
    for column, (label, most), default in zip(
        st.columns(2 if fixed else 3), limits.items(), default_shape(kind), strict=False
    ):
        with column:
            shape.append(integer_input(label, 1, most, default, key=label.lower()))
    st.session_state["sized_for"] = kind  # an interrupted run does not, so the next one resizes
    height, width, channels = *shape[:2], fixed or shape[2]
    seed = 0
    if GENERATORS[kind].seeded:
        seed = integer_input("Seed of the input", 0, MAX_SEED, key="input_seed")
    load = partial(generate, kind, height, width, channels, seed)
    is_image = GENERATORS[kind].group == "sample"
    settings = kind, height, width, channels, seed
    return InputSource(
        settings,
        load,
        channels,
        is_image,
        source=generator_source(*settings),
        has_raw_pixels=is_image,
    )


def _resize_for(kind: str) -> None:
    """Give another input its own size, unless the user has chosen one."""
    before = st.session_state.get("sized_for", kind)
    if before != kind:
        for side, was, now in zip(
            ("height", "width"), default_shape(before), default_shape(kind), strict=False
        ):
            if setting(side) == was:
                change_setting(side, now)


def uploaded_input() -> InputSource | None:
    """Draw the controls of an uploaded file; return it, or None without a file."""
    linked_file()
    file = file_uploader()
    if file is None:
        return None
    data = file.getvalue()
    digest = hashlib.blake2b(data).hexdigest()
    if st.session_state.setdefault("file_digest", digest) != digest:
        st.session_state["file_digest"] = digest
        forget(*SETTINGS_OF_ARRAYS)  # they were chosen for another file
    name = None
    if len(names := npz_names(data)) > 1:
        name = select("Array", {name: name for name in names}, names[0], key="array")
    layout, index, image = AUTO, 0, None
    side = MAX_PICTURE_SIDE
    if is_picture(data):
        side = integer_input(
            "Longest side of a picture",
            8,
            MAX_PICTURE_SIDE,
            128,
            key="side",
            help="In pixels. Larger pictures are resized to it; arrays are never resized.",
        )
    elif (shape := stored_shape(data, name)) is not None:
        layout, index, image = _array_controls(shape)
    keeps_batch = image is not None
    ending = PurePath(file.name).suffix.lower()
    key = ("upload", digest, ending, name, side, layout, index, keeps_batch)

    def decode() -> Upload:
        upload = decode_upload(
            file.name, data, name=name, layout=layout, index=index, max_side=side
        )
        return upload if keeps_batch else replace(upload, batch=None)

    upload = get_or_compute(
        key, decode, private=True, placeholder=st.empty(), message="Reading the file"
    )
    shown_name, short = file.name[:80], digest[:16]
    publish("file", shown_name, None)
    publish("digest", short, None)
    size = "×".join(str(n) for n in upload.array.shape)
    notes = (
        f"{shown_name} was read as {size} (height × width × channels).",
        *upload.notes,
        *differs_from_link(short),
    )

    def load() -> np.ndarray:  # the cache may have dropped the array
        found: Upload = get_cached(key, private=True) or decode()
        if found.batch is None:
            return found.array
        check_finite(found.batch)
        return found.batch

    return InputSource(
        key,
        load,
        upload.array.shape[2],
        upload.is_image,
        notes,
        image=image,
        has_raw_pixels=upload.is_image and upload.layout is None,
    )


def file_uploader(label: str = "File", key: str = "file") -> UploadedFile | None:
    """Draw the field for a file; return the file."""
    return st.file_uploader(
        label,
        key=key,
        help="A picture (PNG, JPEG, WebP, BMP, GIF, TIFF), an array (.npy, .npz) or a table "
        "(.csv, .tsv, .txt).",
        max_upload_size=MAX_FILE_MEGABYTES,
    )


def _array_controls(shape: tuple[int, ...]) -> tuple[str, int, int | None]:
    """Draw the controls of an array's axes.

    Return its layout, the image to show, and that image again if the whole batch is the input.
    """
    layouts = layouts_of(len(shape))
    layout = AUTO
    if len(layouts) > 1:
        titles = {AUTO: "automatic"} | {name: f"{name}: {LAYOUTS[name]}" for name in layouts}
        layout = select("Layout of the axes", titles, AUTO, key="layout", help=AXES_HELP)
    if not layouts or "N" not in (chosen := choose_layout(shape, layout)[0]):
        return layout, 0, None
    images = batch_shape(shape, chosen)[0]
    if images < 2:
        return layout, 0, None
    index = integer_input("Image", 0, images - 1, 0, key="image", help="Counted from 0.")
    statistics = segmented_choice(
        "BatchNorm statistics over",
        ("image", "batch"),
        key="statistics",
        titles={"image": "this image", "batch": f"all {images:,} images"},
        help="In train mode, mean and variance are those of one image or of the whole batch.",
    )
    return layout, index, index if statistics == "batch" else None


def standardise_choice() -> str:
    """Draw the control of standardisation; return its value."""
    return segmented_choice(
        "Standardise each channel",
        ("pictures", "always", "never"),
        key="standardise",
        help="(x − mean) / std over height and width. “pictures” applies it to photos and samples "
        "only. " + RAW_NOTE,
    )


def standardised(source: InputSource, wanted: str) -> InputSource:
    """Return the source, standardised if it is wanted."""
    if wanted == "always" or (wanted == "pictures" and source.is_image):
        note = "Each channel was standardised to mean 0 and variance 1; constant channels become 0."
        return source.then("standardised", standardise, note, source=STANDARDISE_SOURCE)
    if source.has_raw_pixels:
        return replace(source, notes=(*source.notes, RAW_NOTE))
    return source


def widened(source: InputSource, widen: str, features: int, seed: int) -> InputSource:
    """Return the source with its channels changed to `features`.

    Raises:
        InputError: no method of changing them is selected.
    """
    if widen == "zero_channels":
        note = f"Zero channels were appended to the input, from {source.channels} to {features}."
        change, code = partial(pad_channels, features=features), PAD_SOURCE
    elif widen == "projection":
        note = (
            f"The input was projected from {source.channels} to {features} channels by a random "
            "1×1 convolution before the block, so the identity is the projected input."
        )
        change = partial(project_channels, features=features, seed=seed)
        code = PROJECT_SOURCE
    else:
        ways = (
            "add zero channels (He et al. 2015, option A) or to "
            if features > source.channels
            else ""
        )
        raise InputError(
            f"features is {features} but the input has {_channels(source.channels)}: F(x) + x "
            f"needs equal shapes. Set features to {source.channels}, or choose under “Widen the "
            f"input” to {ways}project it."
        )
    return source.then((widen, features, seed), change, note, source=code)


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"
