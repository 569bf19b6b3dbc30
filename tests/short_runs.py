"""Small trained networks that several tests share."""

from dataclasses import replace
from functools import cache
from types import MappingProxyType

import numpy as np

from explorer.data import Dataset, dataset_from_arrays, digits
from explorer.engine.training import Trainer, train
from explorer.engine.training_run import TrainingRun
from explorer.engine.training_settings import TrainingSettings
from tests.helpers import noise

RATE, STEPS = 0.05, 3


@cache
def pictures() -> Dataset:
    """Three classes of noisy pictures of 6×5 pixels and 2 channels: 24 to train and 6 to test."""
    labels = np.arange(30) % 3
    images = noise((30, 6, 5, 2)) + labels[:, None, None, None]
    return dataset_from_arrays(images, labels)


def short_settings(variant: str = "v1", blocks: int = 2, **others: object) -> TrainingSettings:
    """Return settings in which every step sees all training pictures."""
    count = len(pictures().train_images)
    given = {"width": 4, "steps": STEPS, "batch": count, "learning_rate": RATE} | others
    return TrainingSettings(variant=variant, blocks=blocks, **given)  # type: ignore[arg-type]


@cache
def short_run(variant: str = "v1", blocks: int = 2, optimiser: str = "sgd") -> TrainingRun:
    """Return a run of three steps, with the network before and after each of them."""
    trainer = Trainer(pictures(), short_settings(variant, blocks, optimiser=optimiser))
    networks = {0: trainer.network()}
    for progress in trainer.steps():
        networks[progress.step] = trainer.network()
    return replace(trainer.run(), networks=MappingProxyType(networks))


@cache
def digits_run() -> TrainingRun:
    """Return a run that learns the digits."""
    return train(digits(), blocks=3, width=8, steps=100, batch=128, learning_rate=0.1, seed=0)
