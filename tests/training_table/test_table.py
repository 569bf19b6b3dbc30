"""The table of trainings: its numbers against single trainings, its texts by hand."""

import re
from typing import Any

import numpy as np
import pytest

from explorer import Dataset, TrainingSettings, train
from explorer.data import dataset_from_arrays
from tests.helpers import noise
from tests.training_table import runs
from tests.training_table.document import claim, document, spread
from tests.training_table.runs import Pair, pairs

pytestmark = pytest.mark.slow
SETTINGS: dict[str, Any] = {"width": 4, "steps": 3, "batch": 8, "learning_rate": 0.05}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_from_arrays(noise((40, 3, 3)), np.arange(40) % 2, title="Noise")


def pair(blocks: int, seed: int, residual: float, plain: float) -> Pair:
    accuracy = {"residual": 0.9625, "plain": 0.5}
    return Pair(blocks, 2 * blocks + 2, seed, {"residual": residual, "plain": plain}, accuracy)


PAIRS = [
    pair(3, 0, 0.1, 0.2),
    pair(3, 1, 0.3, 0.2),
    pair(8, 0, 0.1, 0.5),
    pair(8, 1, 0.2, 1.5),
]


def test_pairs_are_of_trainings_with_these_settings(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LAST_STEPS", 2)
    first, second = pairs(dataset, [1], [0, 5], **SETTINGS)
    assert (first.blocks, first.layers, first.seed) == (1, 4, 0)
    assert (second.blocks, second.layers, second.seed) == (1, 4, 5)
    assert first.loss != second.loss
    for kind, variant in (("residual", "v1"), ("plain", "no_skip")):
        run = train(dataset, blocks=1, variant=variant, seed=5, **SETTINGS)
        assert second.loss[kind] == pytest.approx(sum(run.history["train loss"][1:]) / 2)
        accuracy = run.network.accuracy(dataset.test_images, dataset.test_labels)
        assert second.accuracy[kind] == pytest.approx(accuracy)


def test_the_claim_is_computed() -> None:
    assert claim(PAIRS) == (
        "At 1 of 2 depths (18 layers) the plain network's training loss is larger than the "
        "residual network's in all 2 seeds."
    )
    assert claim([*PAIRS[2:], pair(27, 0, 0, 1), pair(27, 1, 0, 1)]).startswith(
        "At 2 of 2 depths (18 and 56 layers) the"
    )
    assert claim(PAIRS[:2]).startswith("At 0 of 1 depths the plain")


def test_the_document(dataset: Dataset) -> None:
    text = document(PAIRS, dataset, TrainingSettings(**SETTINGS))
    assert claim(PAIRS) in text
    assert "| 8 | 18 | 0.150 (0.100 – 0.200) | 1.000 (0.500 – 1.500) | 96.2 (96.2 – 96.2)" in text
    assert "| 2 of 2 |" in text
    assert "| 3 | 8 | 1 | 0.300 | 0.200 | 96.2 | 50.0 |" in text
    assert "of 3 and 8 blocks are trained with the seeds\n0 and 1." in text
    assert "the mean over the last 3 steps" in text
    for row in (
        "| data | Noise |",
        "| pictures to train and to test on | 32 and 8 |",
        "| width | 4 channels |",
        "| steps | 3 |",
        "| batch | 8 pictures |",
        "| optimiser | SGD, momentum 0.9, weight decay 0.0001 |",
        "| learning rate | 0.05, falling to 0 as a cosine |",
        "| initial kernels | He et al. 2015b |",
    ):
        assert row in text
    versions = ("jax", "flax", "numpy", "Python")
    assert all(re.search(rf"{name} \d+\.\d+\.\d+", text) for name in versions)
    assert "{" not in text


def test_mean_and_range() -> None:
    assert spread([1.0, 2.0, 6.0], 1) == "3.0 (1.0 – 6.0)"
