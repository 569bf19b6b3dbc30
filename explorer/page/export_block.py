"""What can be saved of a block: picture, arrays, numbers and scripts."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from explorer.export.arrays import (
    about_trace,
    check_size,
    gradient_arrays,
    npz,
    trace_arrays,
    trace_json,
)
from explorer.export.html_file import check_page_size, trace_page
from explorer.export.notebook import notebook
from explorer.export.script import explorer_script, plain_script
from explorer.export.script_parts import Script
from explorer.export.tables import channel_csv
from explorer.linked_figure.payload import PanelPixel
from explorer.page.bar import Bar
from explorer.page.display import VARIANT_PREFIX, DisplaySettings
from explorer.page.experiment import Experiment
from explorer.page.export_control import (
    Offer,
    channel_words,
    export,
    is_exporting,
    offline_page,
    script_offer,
    unless_impossible,
)
from explorer.page.own_link import own_link
from explorer.page.views.subject import Subject
from explorer.records import BlockTrace, GradientSplit

NOTE = (
    "Script and notebook run with JAX, Flax and NumPy alone, “Script with explorer” with this "
    "project’s package. Each prints the digest of out."
)


def export_block(bar: Bar, subject: Subject, display: DisplaySettings) -> None:
    """Draw what can be saved of a trace, while the control is open."""
    if not is_exporting(bar):
        return
    trace, experiment = subject.trace, subject.experiment
    scripts = _scripts(trace, experiment)
    files = [*_data(trace), *_living_page(trace, display)]
    note = f"These files are of the block “{trace.spec.title}”. {NOTE}"
    title, shown = _title(trace, experiment, display), channel_words(display.channel)
    export(bar, file_name(trace), title, files, scripts, shown=shown, note=note)


def export_gradient(
    bar: Bar, split: GradientSplit, experiment: Experiment, display: DisplaySettings
) -> None:
    """Draw what can be saved of a gradient, while the control is open."""
    if not is_exporting(bar):
        return
    about, name = about_trace(split.trace), file_name(split.trace)
    offers = arrays_offer("Gradients", gradient_arrays(split), about, "-gradients")
    title = f"Gradients. {_title(split.trace, experiment, display)}"
    shown = f"gradients {channel_words(display.channel)}"
    export(bar, name, title, [*offers, *_data(split.trace)], shown=shown)


def file_name(trace: BlockTrace) -> str:
    """Return a name for files, of safe characters."""
    shape = "x".join(map(str, trace["x"].shape))
    variant = re.sub(r"[^a-z0-9]+", "-", trace.spec.title.lower()).strip("-")
    return f"residual-block-{variant}-{shape}-{trace.digest()[:8]}"


def _title(trace: BlockTrace, experiment: Experiment | None, display: DisplaySettings) -> str:
    shape = "×".join(map(str, trace["x"].shape))
    mode = "eval" if trace.use_running_average else "train"
    seed = f", seed {experiment.seed}" if experiment else ""
    shown = channel_words(display.channel)
    return (
        f"{trace.spec.title}: x {shape}{seed}, {mode} mode, {shown}, digest of out "
        f"{trace.digest()[:16]}"
    )


def arrays_offer(
    label: str, arrays: Mapping[str, np.ndarray], about: str, suffix: str = ""
) -> list[Offer]:
    """Return the offer of a .npz file with its size, or of a sentence why it is too large."""
    offers: list[Offer] = []
    with unless_impossible(offers, label):
        size = check_size(arrays)
        words = f"{size / 2**20:,.1f} MB" if size >= 2**20 else f"{-(-size // 2**10)} kB"
        make = partial(npz, arrays, about)
        offers.append(Offer(f"{label}, {words} unpacked", "npz", make, suffix))
    return offers


def _data(trace: BlockTrace) -> list[Offer]:
    return [
        *arrays_offer("Arrays", trace_arrays(trace), about_trace(trace)),
        Offer("Numbers", "json", partial(trace_json, trace)),
        Offer("Table of channels", "csv", partial(channel_csv, trace), "-channels"),
    ]


def _living_page(trace: BlockTrace, display: DisplaySettings) -> list[Offer]:
    """Return the offer of a page that needs no server."""
    make = partial(
        trace_page,
        trace,
        channel=display.channel or 0,
        pin=_pin(trace, display),
        scope=display.scope,
        link=own_link(),
    )
    return offline_page(partial(check_page_size, trace), make)


def _pin(trace: BlockTrace, display: DisplaySettings) -> PanelPixel | None:
    """Return the pinned pixel if it is one of the trace."""
    if display.pin is None:
        return None
    pin = replace(display.pin, panel=display.pin.panel.removeprefix(VARIANT_PREFIX))
    return pin if pin.panel in trace.stages else None


def _scripts(trace: BlockTrace, experiment: Experiment | None) -> list[Offer]:
    offers: list[Offer] = []
    source = experiment.input_source if experiment else ""
    with unless_impossible(offers, "Script"):
        plain, short = plain_script(trace, source), explorer_script(trace, source)
        cells = Script(notebook(plain.text), plain.files)
        offers += [
            script_offer("Script", "py", plain),
            script_offer("Notebook", "ipynb", cells),
            script_offer("Script with explorer", "py", short, "-explorer"),
        ]
    return offers
