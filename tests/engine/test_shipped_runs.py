"""The shipped networks: their accuracies, and one of them trained again."""

from dataclasses import asdict
from importlib.resources import files

import numpy as np
import pytest

from explorer import digits, train
from explorer.engine import network_ablation
from explorer.engine.network_ablation import ablate_network
from explorer.engine.shipped_runs import file_name, shipped_run, shipped_settings
from explorer.engine.training_run import TrainingRun
from explorer.engine.training_settings import TrainingSettings
from tests.networks import shipped
from tests.plain_accuracy import plain_accuracy

MOST_BYTES = 1_000_000  # of a pair
ALL = shipped_settings()


def found(settings: TrainingSettings) -> TrainingRun:
    run = shipped_run(settings)
    assert run is not None
    return run


@pytest.mark.parametrize("settings", ALL, ids=file_name)
def test_deleting_a_block_agrees_with_plain_nnx(
    settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_ablation, "DRAWS", 1)  # random blocks are not compared here
    network, data = found(settings).network, digits()
    record = ablate_network(network, data.test_images, data.test_labels)
    names = network.blocks
    for index, name in enumerate(names):
        order = [other for other in names if other != name]
        expected = plain_accuracy(network, data.test_images, data.test_labels, order)
        # One picture may change its class by rounding.
        assert record.deleted[index] == pytest.approx(expected, abs=1.5 / len(data.test_labels))
    assert record.intact == pytest.approx(found(settings).history["test accuracy"][-1], abs=0.003)


def test_training_again_gives_the_shipped_curves() -> None:
    """Within a tolerance: on another processor, rounding differs and training amplifies it."""
    settings = TrainingSettings(blocks=3)
    ours, again = found(settings), shipped(train(digits(), **asdict(settings)))
    assert again.settings == ours.settings
    assert again.snapshots == ours.snapshots
    assert again.dataset == ours.dataset
    for name, steps in (("train loss", 20), ("gradient norm", 5)):
        np.testing.assert_allclose(
            again.history[name][:steps], ours.history[name][:steps], rtol=0.02
        )
    assert abs(again.history["train loss"][-9:].mean() - ours.history["train loss"][-9:].mean()) < (
        0.02
    )
    assert abs(again.history["test accuracy"][-1] - ours.history["test accuracy"][-1]) < 0.02


def test_there_is_a_file_for_every_run_and_pairs_are_small() -> None:
    folder = files("explorer.data") / "networks"
    sizes = {each.name: len(each.read_bytes()) for each in folder.iterdir()}
    assert sizes.keys() == {file_name(settings) for settings in ALL}
    for blocks in {settings.blocks for settings in ALL}:
        pair = [file_name(settings) for settings in ALL if settings.blocks == blocks]
        assert len(pair) == 2
        assert sum(sizes[name] for name in pair) <= MOST_BYTES


@pytest.mark.parametrize("settings", ALL, ids=file_name)
def test_plain_and_residual_start_from_the_same_kernels(settings: TrainingSettings) -> None:
    other = next(each for each in ALL if each.blocks == settings.blocks and each != settings)
    one, two = found(settings).at(0), found(other).at(0)
    assert one.arrays.keys() == two.arrays.keys()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, two.arrays[name])


def test_other_settings_are_not_shipped() -> None:
    assert shipped_run(TrainingSettings(blocks=4)) is None
    assert shipped_run(TrainingSettings(blocks=8, seed=1)) is None
