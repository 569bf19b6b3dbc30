"""The checkpoint that the user has chosen: their own file, or one of the operator's folder."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import streamlit as st

from explorer.engine.checkpoint import load_checkpoint
from explorer.engine.network import Network
from explorer.errors import InputError, describe
from explorer.inputs.limits import MAX_CHECKPOINT_BYTES, format_megabytes
from explorer.model.checkpoint import Conventions
from explorer.page.cache import get_cached, get_or_compute
from explorer.page.controls import segmented_choice, select
from explorer.page.link_state import control_key, publish, restore, setting
from explorer.page.linked_file import linked_digest
from explorer.page.plain_text import show_message, show_note

FOLDER = "EXPLORER_CHECKPOINTS"  # environment variable: a folder with checkpoints for all users
ENDINGS = ".safetensors", ".npz"
OWN = "own"
MAX_KEPT_BYTES = 50_000_000  # of a file that the session keeps
StrideIn = Literal["3x3", "1x1"]
ZeroChannels = Literal["around", "after"]
EPSILONS = ("1e-5", "1e-3", "1e-6")


@dataclass(frozen=True)
class FileField:
    """A field for a checkpoint of one's own.

    Attributes:
        label, key: of the field.
        digest: the URL parameter of the file's digest.
        earlier: where the session keeps digest and name of the file; the field forgets it while
            another view is shown.
        words: what sentences call the file.
    """

    label: str
    key: str
    digest: str
    earlier: str
    words: str


@dataclass(frozen=True)
class ChosenCheckpoint:
    """A checkpoint's network, whether it is private, and what was assumed to read it."""

    network: Network
    private: bool
    conventions: Conventions


FIELD = FileField(
    "Checkpoint file", "checkpoint_file", "checkpoint_digest", "own_checkpoint", "checkpoint"
)
COMPARED_FIELD = FileField(
    "Second checkpoint file",
    "compare_file",
    "compare_digest",
    "compared_checkpoint",
    "second checkpoint",
)


class NoCheckpoint(Exception):
    """The error where no checkpoint is chosen."""


def ask_for_checkpoint(field: FileField = FIELD) -> None:
    """Ask for a checkpoint; a link holds its digest, but not its content."""
    linked = linked_digest(field.digest)
    if linked:
        show_message(
            "info",
            f"This link was made with the {field.words} of digest {linked}. Choose that file to "
            "see the same network.",
        )
    else:
        show_message(
            "info",
            f"Choose the {field.words} of a ResNet: a .safetensors or .npz file with the names of "
            "torchvision, timm or transformers. The README has the lines that convert others.",
        )


def chosen_checkpoint() -> ChosenCheckpoint:
    """Draw the controls of the checkpoint; return it.

    Raises:
        NoCheckpoint: no file is chosen.
        InputError: the file is no checkpoint of a ResNet.
    """
    shared = shared_checkpoints()
    source = _shared_or_own("Checkpoint", "checkpoint", shared, FIELD)
    return _checkpoint(source, _conventions())


def compared_checkpoint(conventions: Conventions) -> ChosenCheckpoint:
    """Draw the controls of a checkpoint to compare with; return it, read with these conventions.

    Raises:
        NoCheckpoint, InputError: as for `chosen_checkpoint`.
    """
    shown = setting("checkpoint")
    shared = {name: path for name, path in shared_checkpoints().items() if name != shown}
    source = _shared_or_own("Other checkpoint", "compare_checkpoint", shared, COMPARED_FIELD)
    return _checkpoint(source, conventions)


def shared_checkpoints() -> Mapping[str, Path]:
    """Return the checkpoints in the operator's folder by name; none without a folder."""
    folder = os.environ.get(FOLDER)
    if not folder or not Path(folder).is_dir():
        return {}
    files = sorted(path for path in Path(folder).iterdir() if path.is_file())
    return {path.name: path for path in files if path.suffix in ENDINGS}


@dataclass(frozen=True)
class _Source:
    """A file to read; the data of an earlier one of the session are empty."""

    key: tuple[object, ...]
    data: bytes | Path
    name: str
    field: FileField | None = None  # of the user's own file


def _shared_or_own(label: str, key: str, shared: Mapping[str, Path], field: FileField) -> _Source:
    name = OWN
    if shared:
        titles = {OWN: "your own file"} | {each: each for each in shared}
        name = select(label, titles, OWN, key=key, width=300)
    if name == OWN:
        return _own(field)
    path = shared[name]
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(
            f"The checkpoint {name} is no longer in the server's folder. Choose another."
        ) from None
    return _Source(("shared", name, status.st_mtime_ns, status.st_size), path, name)


def _own(field: FileField) -> _Source:
    """Draw the field for a file; return the file, or the session's earlier one."""
    file = st.file_uploader(
        field.label,
        key=field.key,
        help=f"A .safetensors or .npz file of at most {format_megabytes(MAX_CHECKPOINT_BYTES)}.",
        max_upload_size=MAX_CHECKPOINT_BYTES // 1_000_000,
    )
    if file is None:
        digest, name = st.session_state.get(field.earlier, ("", ""))
        if not digest:
            publish(field.digest, linked_digest(field.digest) or None, None)
            raise NoCheckpoint
        show_note(f"{field.words.capitalize()}: {name}. Choose another file to replace it.")
        publish(field.digest, digest[:16], None)
        kept = get_cached(("checkpoint file", digest), private=True) or b""
        return _Source(("own", digest, name), kept, name, field)
    data = file.getvalue()
    digest = hashlib.blake2b(data).hexdigest()
    if len(data) <= MAX_KEPT_BYTES:  # for other conventions: the field is empty after another view
        get_or_compute(
            ("checkpoint file", digest),
            lambda: data,
            private=True,
            placeholder=st.empty(),
            message=None,
        )
    if (linked := linked_digest(field.digest)) not in (
        "",
        digest[:16],
    ) and field.earlier not in st.session_state:
        show_note(f"This is not the {field.words} of the link, whose digest is {linked}.")
    name = file.name[:80]
    return _Source(("own", digest, name), data, name, field)


def _checkpoint(source: _Source, conventions: Conventions) -> ChosenCheckpoint:
    """Return a file's checkpoint, read once; again with other conventions."""
    key, field = ("checkpoint", *source.key, conventions), source.field
    if field and source.data == b"" and get_cached(key, private=True) is None:
        del st.session_state[field.earlier]  # the cache has dropped it
        raise NoCheckpoint
    network = get_or_compute(
        key,
        partial(load_checkpoint, source.data, name=source.name, conventions=conventions),
        private=field is not None,
        placeholder=st.empty(),
        message="Reading the checkpoint",
    )
    if field and source.data:
        digest = str(source.key[1])
        publish(field.digest, digest[:16], None)
        st.session_state[field.earlier] = digest, source.name
    return ChosenCheckpoint(network, field is not None, conventions)


def _conventions() -> Conventions:
    """Draw the controls of what shapes of weights do not tell."""
    with st.expander("What the weights do not tell"):
        stride_in: StrideIn = segmented_choice(
            "Stride of a bottleneck in",
            ("3x3", "1x1"),
            key="stride_in",
            titles={"3x3": "its 3×3", "1x1": "its first 1×1"},
            help="torchvision and timm stride in the 3×3 convolution; He et al. 2015 in the first "
            "1×1.",
        )
        zero_channels: ZeroChannels = segmented_choice(
            "New zero channels",
            ("around", "after"),
            key="zero_channels",
            titles={"around": "both sides", "after": "after"},
            help="Of shortcuts without weights (option A of He et al. 2015): half before and half "
            "after the old channels, or all after them.",
        )
        pooling = segmented_choice(
            "Max pooling after the stem",
            ("auto", "yes", "no"),
            key="max_pool",
            titles={"auto": "as usual"},
            help="As usual: after a 7×7 or a deep stem, and not after a 3×3.",
        )
        epsilon = select("ε of BatchNorm", {each: each for each in EPSILONS}, "1e-5", key="epsilon")
        strides = _strides()
    return Conventions(
        epsilon=float(epsilon),
        strides=strides,
        stride_in=stride_in,
        zero_channels=zero_channels,
        max_pool={"auto": None, "yes": True, "no": False}[pooling],
    )


def _strides() -> tuple[int, ...] | None:
    """Draw the field for the strides of the stages; return them, or None for the usual ones."""

    def legal(text: str) -> str | None:
        return text if re.fullmatch("[12]( *, *[12]){0,15}", text) else None

    expected = "1 or 2 for every stage, such as 1, 2, 2, 2"
    restore("strides", legal, expected)
    widget = control_key("strides")
    st.session_state.setdefault(widget, "")
    text = st.text_input(
        "Strides of the stages",
        key=widget,
        placeholder="1, 2, 2, …",
        max_chars=60,
        persist_state="session",
        help="Of the first block of every stage. Empty: 1, and 2 for every later stage.",
    ).strip()
    if text and legal(text) is None:
        raise InputError(f"Strides must be {expected}; got {describe(text)}.")
    publish("strides", text or None, None)
    return tuple(int(part) for part in text.split(",")) if text else None
