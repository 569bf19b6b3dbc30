"""Details of the Network view: ablation, confusion matrix, running statistics and saving."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer import load_checkpoint
from explorer.data import digits
from explorer.engine.network import Network
from explorer.engine.network_ablation import ablate_network
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training_run import TrainingRun
from explorer.engine.training_settings import TrainingSettings
from explorer.page import runs
from tests.helpers import decoded, figure_messages, page
from tests.plain_accuracy import plain_accuracy

pytestmark = pytest.mark.usefixtures("no_runs")
TITLES = {"v1": "residual, v1", "no_skip": "plain, no shortcut"}
DATA = digits()


def network(variant: str = "v1", step: int = 180) -> Network:
    run = shipped_run(TrainingSettings(blocks=3, variant=variant))
    assert run
    return run.at(step)


def opened(details: str, **link: str) -> AppTest:
    return without_exception(
        page(
            input="zone_plate",
            **{"view": "network", "net_blocks": "3", "network_details": details} | link,
        )
    )


def without_exception(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].message
    return at


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


def traces(at: AppTest, figure: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in figure_messages(at)[figure]["figure"]["data"]}


def numbers(given: Any) -> np.ndarray:
    return decoded(given) if isinstance(given, dict) else np.array(given, float)


def test_removing_blocks_draws_the_ablations_of_both_networks() -> None:
    at = opened("ablation")
    drawn = [
        numbers(each["y"])
        for each in figure_messages(at)["network_ablation"]["figure"]["data"]
        if "y" in each
    ]
    for variant, title in TITLES.items():
        record = ablate_network(network(variant), DATA.test_images, DATA.test_labels)
        for expected in (record.deleted, record.swapped):
            assert any(
                values.size == expected.size and np.allclose(values, expected) for values in drawn
            )
        worst = int(record.deleted.argmin())
        names = network(variant).blocks
        order = [name for name in names if name != f"block{worst + 1}"]
        found = plain_accuracy(network(variant), DATA.test_images, DATA.test_labels, order)
        assert (
            f"{title}: {record.intact:.1%} intact; without one block from {found:.1%} "
            f"(block{worst + 1}) to {record.deleted.max():.1%}." in captions(at)
        )


def test_removing_blocks_at_a_step_that_one_network_lacks_is_of_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Shipped runs of 27 blocks are kept at two steps, a run trained here at more."""

    def two_steps_of_v1(settings: TrainingSettings) -> TrainingRun | None:
        run = shipped_run(settings)
        if run is None or settings.variant != "v1":
            return run
        return replace(run, networks={step: run.at(step) for step in (0, 180)})

    monkeypatch.setattr(runs, "shipped_run", two_steps_of_v1)
    at = opened("ablation", network="1", net_step="16")
    (words,) = (words for words in captions(at) if " intact; " in words)
    assert words.startswith("plain, no shortcut: ")


def test_the_confusion_matrix_has_the_counts() -> None:
    at = opened("confusion", network="1", net_step="16")
    predicted = network("no_skip", 16).predict(DATA.test_images)
    counts = np.zeros((10, 10))
    for label, guess in zip(DATA.test_labels, predicted, strict=True):
        counts[label, guess] += 1
    drawn = traces(at, "confusion")
    errors, correct = numbers(drawn["errors"]["z"]), numbers(drawn["correct"]["z"])
    np.testing.assert_array_equal(np.where(np.eye(10), correct, errors), counts)
    link = figure_messages(at)["confusion"]["link"]
    assert link["labels"][3 * 10 + 8] == f"true 3, predicted 8: {int(counts[3, 8])}"
    assert "Click on a cell to see its pictures." in captions(at)
    assert "pictures" not in figure_messages(at)


def test_a_cell_that_was_clicked_lists_its_pictures() -> None:
    at = opened("confusion", net_step="16")
    predicted = network(step=16).predict(DATA.test_images)
    is_wrong = predicted != DATA.test_labels
    label, guess = DATA.test_labels[is_wrong][0], predicted[is_wrong][0]
    indices = np.flatnonzero((DATA.test_labels == label) & (predicted == guess))
    at.session_state["confusion_cell"] = f"errors,{label},{guess}"
    without_exception(at.run())
    assert f"True {label}, predicted {guess}: {len(indices)} pictures." in captions(at)
    sheet = traces(at, "pictures")
    drawn = [numbers(each["z"]) for each in sheet.values() if "z" in each]
    for index in indices:
        pixels = DATA.test_images[index, :, :, 0]
        assert any(_holds(values, pixels) for values in drawn)


def _holds(sheet: np.ndarray, pixels: np.ndarray) -> bool:
    """Return whether a picture is a part of a sheet."""
    if min(np.subtract(sheet.shape, pixels.shape)) < 0:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(sheet, pixels.shape)
    return bool(np.isclose(windows, pixels).all(axis=(2, 3)).any())


@pytest.mark.parametrize("cell", ["errors,10,0", "errors,0", "errors,a,b", "errors,-1,2", ""])
def test_a_cell_that_does_not_exist_lists_nothing(cell: str) -> None:
    at = opened("confusion")
    at.session_state["confusion_cell"] = cell
    without_exception(at.run())
    assert "Click on a cell to see its pictures." in captions(at)


def test_recalibration_shows_the_accuracy_before_and_after() -> None:
    at = opened("statistics", net_step="8")
    without_exception(at.button(key="recalibrate").click().run())
    found = network(step=8)
    again = found.recalibrated(DATA.train_images)
    before, after = (
        plain_accuracy(each, DATA.test_images, DATA.test_labels, found.blocks)
        for each in (found, again)
    )
    assert before != after
    assert (
        f"Test accuracy: {before:.1%} with the running statistics, {after:.1%} after "
        "recalibration." in [markdown.value for markdown in at.markdown]
    )


def test_the_saved_file_is_the_selected_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    saved: dict[str, Any] = {}

    def download_button(label: str, data: Any, name: str, **others: Any) -> None:
        saved[name] = data()

    monkeypatch.setattr(st, "download_button", download_button)
    at = opened("save", network="1", net_step="64")
    ((name, data),) = saved.items()
    assert name == "no_skip_3_step64.safetensors"
    path = tmp_path / name
    path.write_bytes(data)
    loaded, expected = load_checkpoint(path), network("no_skip", 64)
    assert loaded.spec == expected.spec
    assert loaded.arrays.keys() == expected.arrays.keys()
    for key, array in expected.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[key], array)
    assert f"network = load_checkpoint({name!r})" in at.code[0].value
