"""Details of the Network view: errors by class, and networks without some of their blocks."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import streamlit as st

from explorer.analysis.classification import confusion, in_cell
from explorer.engine.network_ablation import ablate_network
from explorer.engine.progress import Progress
from explorer.figures.confusion import confusion_layouts
from explorer.figures.network_ablation import network_ablation_layouts
from explorer.figures.picture_sheet import LabelledPictures, picture_sheet_layouts
from explorer.linked_figure.payload import PickLink
from explorer.links.reported import integers
from explorer.page.cache import get_or_compute
from explorer.page.component import component_state, current_theme, linked_figure
from explorer.page.controls import optional_segmented_choice
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.jobs import halves, run_job
from explorer.page.network_controls import TITLES
from explorer.page.network_panel import ShownNetwork
from explorer.page.network_selection import Selection, predictions
from explorer.page.views.compare_trained import compare_trained
from explorer.records import NetworkAblation

MOST_PICTURES = 30


def view(selection: Selection, shown: ShownNetwork) -> None:
    """Draw the control and the selected details below the figure."""
    chosen = optional_segmented_choice(
        "Details",
        ("ablation", "compare", *_DETAILS),
        key="network_details",
        titles={
            "ablation": "remove a block",
            "compare": "compare",
            "confusion": "confusion matrix",
            "statistics": "running statistics",
            "save": "save",
        },
    )
    if not chosen:
        return
    try:
        if chosen == "ablation":
            _ablation(selection, shown.clicked)
        elif chosen == "compare":
            compare_trained(selection, channel=shown.channel, scope=shown.scope)
        else:
            _DETAILS[chosen](selection)
    except PROBLEMS as problem:
        show_problem(problem, "network details")


def title_of(selection: Selection, index: int) -> str:
    """Return the short title of one of the two networks."""
    return TITLES[selection.runs[index].settings.variant]


def _ablation(selection: Selection, clicked: str | None) -> None:
    """Draw the test accuracies of both networks without some of their blocks."""
    dataset, step = selection.pair.dataset, selection.step
    networks = {
        title_of(selection, index): run.at(step)
        for index, run in enumerate(selection.runs)
        if step in run.networks
    }

    def compute(progress: Progress) -> tuple[NetworkAblation, ...]:
        parts = halves(progress)
        return tuple(
            ablate_network(network, dataset.test_images, dataset.test_labels, progress=part)
            for network, part in zip(networks.values(), parts, strict=False)
        )

    shown = run_job(
        "network ablation",
        ("network ablation", *(each.provenance for each in networks.values()), dataset.key),
        compute,
        private=selection.pair.private,
        message="Removing blocks",
    )
    if shown is None or shown.is_stale:  # the last one may be of other networks
        return
    found = dict(zip(networks, shown.value, strict=True))
    theme = current_theme("network_ablation")
    figure = network_ablation_layouts(found, theme=theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="network_ablation",
        theme=theme,
        label="Test accuracy of both networks without one block, with two blocks swapped, and "
        "without several blocks.",
    )
    for title, record in found.items():
        worst = int(np.argmin(record.deleted))
        words = (
            f"{title}: {record.intact:.1%} intact; without one block from "
            f"{record.deleted.min():.1%} (block{worst + 1}) to {record.deleted.max():.1%}"
        )
        if clicked is not None:
            accuracy = record.deleted[selection.network.blocks.index(clicked)]
            words += f", without {clicked} {accuracy:.1%}"
        st.caption(f"{words}.")
    st.caption(
        "Test accuracy in eval mode, with nothing trained again. Veit et al. 2016 call this a "
        "lesion study (their Fig. 3 and 5)."
    )


def _confusion(selection: Selection) -> None:
    dataset = selection.pair.dataset
    predicted = predictions(selection.network, selection.pair)
    counts = confusion(dataset.test_labels, predicted, dataset.classes)
    theme = current_theme("confusion")
    figure = confusion_layouts(counts, dataset.classes, theme=theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="confusion",
        theme=theme,
        link=_confusion_link(counts, dataset.classes),
        on_pick_change=_pick,
    )
    cell = _picked(len(dataset.classes))
    if cell is None:
        st.caption("Click on a cell to see its pictures.")
        return
    indices = in_cell(dataset.test_labels, predicted, *cell)
    shown = indices[:MOST_PICTURES]
    words = f"True {dataset.classes[cell[0]]}, predicted {dataset.classes[cell[1]]}"
    st.caption(
        f"{words}: {len(indices)} pictures."
        if len(shown) == len(indices)
        else f"{words}: the first {len(shown)} of {len(indices)} pictures."
    )
    if not len(shown):
        return
    pictures = LabelledPictures(
        dataset.test_images[shown], shown, dataset.test_labels[shown], predicted[shown]
    )
    sheet = picture_sheet_layouts(pictures, dataset.classes, theme=theme)
    linked_figure(
        sheet.figure(), narrow=sheet.narrow, key="pictures", theme=theme, label=f"{words}."
    )


def _confusion_link(counts: np.ndarray, classes: tuple[str, ...]) -> PickLink:
    names = [
        f"true {true}, predicted {guess}: {counts[row, col]}"
        for row, true in enumerate(classes)
        for col, guess in enumerate(classes)
    ]
    return PickLink(
        panels=("errors",),
        label="Counts of test pictures by true and predicted class. Arrow keys move between "
        "cells; Enter lists a cell's pictures.",
        rows=len(classes),
        cols=len(classes),
        labels=tuple(names),
        hint="Move over a cell to read it; click to list its pictures.",
    )


def _pick() -> None:
    """Keep the cell that the browser reports, which it does once."""
    st.session_state["confusion_cell"] = component_state("confusion", "pick")


def _picked(classes: int) -> tuple[int, int] | None:
    """Return the cell that the user has picked; None without one."""
    numbers = integers((st.session_state.get("confusion_cell") or "").split(",")[1:])
    if not numbers or len(numbers) != 2 or not all(0 <= each < classes for each in numbers):
        return None
    return numbers[0], numbers[1]


def _statistics(selection: Selection) -> None:
    """Compare the running statistics with those of the whole training set."""
    dataset, network = selection.pair.dataset, selection.network
    st.caption(
        "In eval mode every BatchNorm uses its running mean and variance, averages over the last "
        "batches of the training. Recalibration replaces them by those of the training pictures, "
        "all at once."
    )
    images = dataset.train_images[: network.most_calibrated(*dataset.shape[:2])]
    if st.button(f"Recalibrate over {len(images):,} training pictures", key="recalibrate"):
        after = get_or_compute(
            ("recalibrated accuracy", network.provenance, dataset.key),
            lambda: network.recalibrated(images).accuracy(dataset.test_images, dataset.test_labels),
            private=selection.pair.private,
            placeholder=st.empty(),
            message="Recalibrating",
        )
        before = np.mean(predictions(network, selection.pair) == dataset.test_labels)
        st.markdown(
            f"Test accuracy: {before:.1%} with the running statistics, {after:.1%} after "
            "recalibration."
        )


def _save(selection: Selection) -> None:
    def data() -> bytes:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "net.safetensors"
            selection.network.save(path)
            return path.read_bytes()

    settings = selection.run.settings
    name = f"{settings.variant}_{settings.blocks}_step{selection.step}.safetensors"
    st.download_button(f"Save {name}", partial(data), name, on_click="ignore", key="save_network")
    st.code(
        f"from explorer import load_checkpoint\nnetwork = load_checkpoint({name!r})", language=None
    )


_DETAILS = {
    "confusion": _confusion,
    "statistics": _statistics,
    "save": _save,
}
