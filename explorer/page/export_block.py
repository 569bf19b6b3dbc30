"""What can be saved of a block: picture, arrays, numbers and scripts."""

import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import streamlit as st

from explorer.errors import InputError
from explorer.export.arrays import check_size, trace_json, trace_npz
from explorer.export.notebook import notebook
from explorer.export.script import explorer_script, plain_script
from explorer.export.script_parts import Script
from explorer.page.bar import Bar
from explorer.page.plain_text import show_message, show_note
from explorer.page.save_picture import save_picture
from explorer.page.views.subject import Subject


def export_block(bar: Bar, subject: Subject) -> None:
    """Draw what can be saved of a trace, while the control is open."""
    if bar.export is None or not bar.export.open:
        return
    name = _name(subject)
    with bar.export:
        save_picture(name, _title(subject))
        _data(name, subject)
        _scripts(name, subject)


def _data(name: str, subject: Subject) -> None:
    trace = subject.trace
    with st.container(horizontal=True):
        try:
            size = check_size(trace)
        except InputError as problem:
            show_message("info", str(problem))
        else:
            words = f"Arrays (.npz, {max(size / 2**20, 0.1):,.1f} MB at most)"
            _button(words, partial(trace_npz, trace), f"{name}.npz")
        _button("Numbers (.json)", partial(trace_json, trace), f"{name}.json")


def _scripts(name: str, subject: Subject) -> None:
    """Draw the buttons of scripts that compute the trace again."""
    trace = subject.trace
    source = subject.experiment.input_source if subject.experiment else ""
    try:
        plain, short = plain_script(trace, source), explorer_script(trace, source)
    except InputError as problem:
        show_message("info", str(problem))
        return
    with st.container(horizontal=True):
        _script("Script (.py)", plain, name)
        _script("Notebook (.ipynb)", Script(notebook(plain.text), plain.files), name, "ipynb")
        _script("Script with this package (.py)", short, f"{name}-explorer")
    show_note("Script and notebook need JAX, Flax and NumPy. All print the digest of out.")


def _script(label: str, script: Script, name: str, ending: str = "py") -> None:
    """Draw the button of a script; with the files that it reads it is in a .zip file."""
    file = f"{name}.{ending}"
    if not script.files:
        _button(label, lambda: script.text, file)
        return
    _button(f"{label}, with its data (.zip)", partial(_zipped, file, script), f"{file}.zip")


def _zipped(name: str, script: Script) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        archive.writestr(name, script.text)
        for each, data in script.files.items():
            archive.writestr(each, data)
    return content.getvalue()


def _button(label: str, make: Callable[[], str | bytes], file: str) -> None:
    ending = file.partition(".")[2]
    st.download_button(label, make, file, on_click="ignore", key=f"export_{label}_{ending}")


def _name(subject: Subject) -> str:
    """Return a name for files, of safe characters."""
    trace = subject.trace
    shape = "x".join(map(str, trace["x"].shape))
    variant = re.sub(r"[^a-z0-9]+", "-", trace.spec.title.lower()).strip("-")
    return f"residual-block-{variant}-{shape}-{trace.digest()[:8]}"


def _title(subject: Subject) -> str:
    trace = subject.trace
    shape = "×".join(map(str, trace["x"].shape))
    mode = "eval" if trace.use_running_average else "train"
    seed = f", seed {subject.experiment.seed}" if subject.experiment else ""
    return f"{trace.spec.title}: x {shape}{seed}, {mode} mode, digest of out {trace.digest()[:16]}"
