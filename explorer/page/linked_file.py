"""The file that a link was made with, whose name and digest are in the URL."""

import re

import streamlit as st

from explorer.page.link_state import check, withdraw
from explorer.page.plain_text import show_message


def ask_for_file() -> None:
    """Ask for a file; a link holds its name and digest, but not its content."""
    linked = linked_file()
    if linked:
        show_message(
            "info",
            f"This link was made with the file {linked[0][:80]} (digest {linked[1][:16]}). Choose "
            "that file to see the same figure.",
        )
    else:
        forget_file()
        show_message(
            "info", "Choose a picture, an array (.npy, .npz) or a table (.csv, .tsv, .txt)."
        )


def forget_file() -> None:
    """Remove the file from the URL."""
    withdraw("file", "digest")


def linked_file() -> tuple[str, str] | None:
    """Return name and digest of the file in the session's first link; None without one."""
    if "linked_file" not in st.session_state:
        name = st.query_params.get("file", "")
        st.session_state["linked_file"] = (
            (name, st.query_params.get("digest", "")) if name else None
        )
    linked: tuple[str, str] | None = st.session_state["linked_file"]
    return linked


def linked_digest(key: str) -> str:
    """Return a file's digest in the session's first link, by its parameter; empty without one."""
    remembered = f"linked_{key}"
    if remembered not in st.session_state:
        check(key, _is_digest, "16 hexadecimal digits")
        st.session_state[remembered] = st.query_params.get(key, "")
    found: str = st.session_state[remembered]
    return found


def _is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{16}", text) is not None


def differs_from_link(digest: str) -> tuple[str, ...]:
    """Return a sentence if the first file chosen is not the file of the link."""
    linked = linked_file()
    first = st.session_state.setdefault("first_file", digest)
    if linked is None or digest in (linked[1], "") or digest != first:
        return ()
    return (
        f"This is not the file of the link: its digest is {digest}, that of the link's file "
        f"{linked[1][:16]}.",
    )
