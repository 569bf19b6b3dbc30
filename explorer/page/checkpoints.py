"""The checkpoint that the user has chosen: their own file, or one of the operator's folder."""

import hashlib
import os
import re
from collections.abc import Mapping
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
from explorer.page.link_state import publish, restore
from explorer.page.linked_file import linked_digest
from explorer.page.plain_text import show_message, show_note

FOLDER = "EXPLORER_CHECKPOINTS"  # environment variable: a folder with checkpoints for all users
ENDINGS = ".safetensors", ".npz"
OWN = "own"
StrideIn = Literal["3x3", "1x1"]
ZeroChannels = Literal["around", "after"]
EPSILONS = ("1e-5", "1e-3", "1e-6")
_EARLIER = "own_checkpoint"


class NoCheckpoint(Exception):
    """The error where no checkpoint is chosen."""


def ask_for_checkpoint() -> None:
    """Ask for a checkpoint; a link holds its digest, but not its content."""
    linked = linked_digest("checkpoint_digest")
    if linked:
        show_message(
            "info",
            f"This link was made with the checkpoint of digest {linked}. Choose that file to see "
            "the same network.",
        )
    else:
        show_message(
            "info",
            "Choose the checkpoint of a ResNet: a .safetensors or .npz file with the names of "
            "torchvision, timm or transformers. The README has the lines that convert others.",
        )


def chosen_checkpoint() -> tuple[Network, bool]:
    """Draw the controls of the checkpoint; return its network, and whether it is private.

    Raises:
        NoCheckpoint: no file is chosen.
        InputError: the file is no checkpoint of a ResNet.
    """
    shared = shared_checkpoints()
    name = OWN
    if shared:
        titles = {OWN: "your own file"} | {each: each for each in shared}
        name = select("Checkpoint", titles, OWN, key="checkpoint")
    if name != OWN:
        path = shared[name]
        status = path.stat()
        found = _network(("shared", name, status.st_mtime_ns, status.st_size), path, name, False)
        return found, False
    return _own_network(), True


def shared_checkpoints() -> Mapping[str, Path]:
    """Return the checkpoints in the operator's folder by name; none without a folder."""
    folder = os.environ.get(FOLDER)
    if not folder or not Path(folder).is_dir():
        return {}
    files = sorted(path for path in Path(folder).iterdir() if path.is_file())
    return {path.name: path for path in files if path.suffix in ENDINGS}


def _own_network() -> Network:
    file = st.file_uploader(
        "Checkpoint file",
        key="checkpoint_file",
        help=f"A .safetensors or .npz file of at most {format_megabytes(MAX_CHECKPOINT_BYTES)}.",
        max_upload_size=MAX_CHECKPOINT_BYTES // 1_000_000,
    )
    if file is None:
        digest, name = st.session_state.get(_EARLIER, ("", ""))
        if not digest:
            publish("checkpoint_digest", linked_digest("checkpoint_digest") or None, None)
            raise NoCheckpoint
        show_note(f"Checkpoint: {name}. Choose another file to replace it.")
        publish("checkpoint_digest", digest[:16], None)
        kept = get_cached(("checkpoint file", digest), private=True) or b""
        return _network(("own", digest), kept, name, True)
    data = file.getvalue()
    digest = hashlib.blake2b(data).hexdigest()
    # Kept for other conventions: the field is empty after another view.
    get_or_compute(
        ("checkpoint file", digest),
        lambda: data,
        private=True,
        placeholder=st.empty(),
        message=None,
    )
    if (linked := linked_digest("checkpoint_digest")) not in (
        "",
        digest[:16],
    ) and _EARLIER not in st.session_state:
        show_note(f"This is not the checkpoint of the link, whose digest is {linked}.")
    found = _network(("own", digest), data, file.name, True)
    publish("checkpoint_digest", digest[:16], None)
    st.session_state[_EARLIER] = digest, file.name[:80]
    return found


def _network(key: tuple[object, ...], source: bytes | Path, name: str, private: bool) -> Network:
    """Return the network of a file, read once; again with other conventions."""
    conventions = _conventions()
    full_key = "checkpoint", *key, conventions
    if source == b"" and get_cached(full_key, private=private) is None:
        del st.session_state[_EARLIER]  # the cache has dropped it
        raise NoCheckpoint
    return get_or_compute(
        full_key,
        partial(load_checkpoint, source, name=name[:80], conventions=conventions),
        private=private,
        placeholder=st.empty(),
        message="Reading the checkpoint",
    )


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
    st.session_state.setdefault("strides", "")
    text = st.text_input(
        "Strides of the stages",
        key="strides",
        placeholder="1, 2, 2, …",
        max_chars=60,
        persist_state="session",
        help="Of the first block of every stage. Empty: 1, and 2 for every later stage.",
    ).strip()
    if text and legal(text) is None:
        raise InputError(f"Strides must be {expected}; got {describe(text)}.")
    publish("strides", text or None, None)
    return tuple(int(part) for part in text.split(",")) if text else None
