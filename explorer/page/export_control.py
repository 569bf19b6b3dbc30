"""The control “Export”: what a view offers to save."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import streamlit as st

from explorer.errors import InputError
from explorer.export.embed_snippet import embed_snippet
from explorer.export.script_parts import Script
from explorer.page.bar import Bar
from explorer.page.own_link import own_link
from explorer.page.picture_theme import picture_theme_field
from explorer.page.plain_text import show_message
from explorer.page.save_picture import save_picture


@dataclass(frozen=True)
class Offer:
    """A file that can be saved; its content is made at the click.

    `suffix` is a part of its name, `problem` says why there is no such file.
    """

    label: str
    ending: str
    make: Callable[[], str | bytes] | None = None
    suffix: str = ""
    problem: str = ""


def is_exporting(bar: Bar) -> bool:
    """Return whether the control is open."""
    return bar.export is not None


def export(
    bar: Bar, name: str, title: str, *rows: Sequence[Offer], shown: str = "", note: str = ""
) -> None:
    """Draw the buttons that save picture and files.

    Args:
        bar: has the place of the control, which is open.
        name: of the files, without their endings.
        title: a line that the user may put above the picture.
        rows: of buttons.
        shown: what the picture shows, for its file's name.
        note: a sentence under the buttons.
    """
    if bar.export is None:
        return
    with bar.export.container():
        picture_theme_field()
        save_picture("-".join([name, *shown.split()]), title)
        for row in rows:
            with st.container(horizontal=True):
                for offer in row:
                    _draw(offer, name)
        if note:
            st.caption(note)
        if link := own_link():
            st.caption("To embed this page in another page, without an uploaded file:")
            st.code(embed_snippet(link, title), language=None, wrap_lines=True)


def script_offer(label: str, ending: str, script: Script, suffix: str = "") -> Offer:
    """Return the offer of a script; with the files that it reads it is in a .zip file."""
    if not script.files:
        return Offer(label, ending, lambda: script.text, suffix)
    pack = partial(_zipped, f"script.{ending}", script)
    return Offer(f"{label}, with its data", "zip", pack, f"{suffix}-{ending}")


def offline_page(check: Callable[[], None], make: Callable[[], str]) -> list[Offer]:
    """Return the offer of a page that needs no server, or of the sentence that `check` raises."""
    offers: list[Offer] = []
    with unless_impossible(offers, "Offline page"):
        check()
        offers.append(Offer("Offline page", "html", make))
    return offers


def channel_words(channel: int | None) -> str:
    """Return what a figure shows, for titles and, with hyphens, for names of files."""
    return "mean over channels" if channel is None else f"channel {channel}"


@contextmanager
def unless_impossible(offers: list[Offer], label: str) -> Iterator[None]:
    """Add an offer that says why there is no such file, if this raises InputError."""
    try:
        yield
    except InputError as problem:
        offers.append(Offer(label, "", problem=str(problem)))


def _draw(offer: Offer, name: str) -> None:
    if offer.make is None:
        show_message("info", f"{offer.label}: {offer.problem}")
        return
    st.download_button(
        f"{offer.label} (.{offer.ending})",
        offer.make,
        f"{name}{offer.suffix}.{offer.ending}",
        on_click="ignore",
        key=f"export_{offer.suffix}_{offer.ending}",
    )


def _zipped(name: str, script: Script) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        archive.writestr(name, script.text)
        for each, data in script.files.items():
            archive.writestr(each, data)
    return content.getvalue()
