"""Expected values below a checkpoint's figure: a file of them, and where the network departs."""

import hashlib
from functools import partial
from typing import Any

import streamlit as st

from explorer.engine.expected_arrays import LOGITS
from explorer.engine.expected_file import NPY_MAGIC, read_expected
from explorer.engine.expected_record import ExpectedComparison, StageDifference
from explorer.engine.expected_values import compare_with_expected
from explorer.errors import InputError
from explorer.inputs.limits import MAX_FILE_BYTES, MAX_FILE_MEGABYTES, format_megabytes
from explorer.model.network import STEM
from explorer.page.cache import get_or_compute
from explorer.page.checkpoint_selection import CheckpointSelection
from explorer.page.controls import select
from explorer.page.npy_file import npy_file
from explorer.page.plain_text import show_message, show_note


def expected_values(selection: CheckpointSelection) -> None:
    """Draw the field for a file, and the comparison with it.

    Raises:
        InputError: the file cannot be read or compared.
    """
    file = st.file_uploader(
        "Expected values",
        key="expected_file",
        help="A .npz or .safetensors file of arrays by name: a block’s out, a stage such as "
        "layer1.0.bn2, stem, or logits. Or a .npy file of one of them.",
        max_upload_size=MAX_FILE_MEGABYTES,
    )
    if file is None:
        st.caption(
            "Activations of another implementation for this picture, in NHWC or NCHW order: the "
            "first stage that departs is found, and usual causes are tried."
        )
        st.download_button(
            "Save the normalised picture",
            partial(npy_file, selection.picture.normalised),
            "picture.npy",
            on_click="ignore",
            key="save_picture",
            help="(H, W, channels) float32, as the network receives it.",
        )
        return
    if file.size > MAX_FILE_BYTES:
        raise InputError(
            f"File is {format_megabytes(file.size)}; the limit is "
            f"{format_megabytes(MAX_FILE_BYTES)}."
        )
    data = file.getvalue()
    name = _select_name(selection) if data.startswith(NPY_MAGIC) else None
    found: ExpectedComparison = get_or_compute(
        ("expected values", *selection.key, hashlib.blake2b(data).hexdigest(), name),
        lambda: compare_with_expected(
            selection.network, selection.picture.normalised, read_expected(data, name)
        ),
        private=True,
        placeholder=st.empty(),
        message="Comparing with the expected values; usual causes are compiled one by one",
    )
    show_message("warning" if found.first else "info", found.sentence)
    st.dataframe(
        [_row(each) for each in found.differences],
        hide_index=True,
        height="content",
        # By default small differences are shown as 0.
        column_config={
            name: st.column_config.NumberColumn(format="%.3g")
            for name in ("relative", "largest difference", "expected", "found")
        },
    )
    for each in found.differences:
        if each.note:
            show_note(f"{each.name}: {each.note}")
    st.caption(
        "Relative: the largest difference as a share of the stage’s largest expected value; a "
        "stage departs beyond 0.001. Rows, columns and channels count from 0."
    )


def _select_name(selection: CheckpointSelection) -> str:
    """Draw the list of what a single array can be; return its name."""
    names = (STEM, *selection.network.blocks, LOGITS)
    titles = {name: name if name == LOGITS else f"out of {name}" for name in names}
    return select("The array is", titles, selection.network.blocks[0], key="expected_name")


def _row(difference: StageDifference) -> dict[str, Any]:
    at = difference.position or ()
    row, column, channel = at if len(at) == 3 else (None, None, at[0] if at else None)
    return {
        "stage": difference.name,
        "departs": difference.departs,
        "relative": difference.relative,
        "largest difference": difference.largest,
        "row": row,
        "column": column,
        "channel or class": channel,
        "expected": difference.expected,
        "found": difference.found,
        "order": difference.layout,
    }
