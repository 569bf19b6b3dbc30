"""Gradient norms at kept networks against the gradient of the loss."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from explorer import InputError, Network, train
from explorer.analysis.training_history import gradient_norms_at
from explorer.data import dataset_from_arrays
from explorer.engine.training_step import loss_and_numbers
from tests.helpers import noise

HISTORY = {"gradient norm": np.arange(6, dtype=np.float32).reshape(3, 2)}


@pytest.mark.parametrize(("step", "row"), [(0, 0), (1, 1), (2, 2), (3, 2)])
def test_by_hand(step: int, row: int) -> None:
    found = gradient_norms_at(HISTORY, step)
    np.testing.assert_array_equal(found, HISTORY["gradient norm"][row])


def test_the_row_is_of_the_weights_kept_at_the_step() -> None:
    """Where every batch is the whole training set, the order of its pictures does not matter."""
    data = dataset_from_arrays(noise((20, 3, 3)), np.arange(20) % 2)
    count = len(data.train_images)
    run = train(data, blocks=1, width=4, steps=4, batch=count, learning_rate=1.0)
    assert run.snapshots == (0, 2, 4)
    images, labels = jnp.asarray(data.train_images), jnp.asarray(data.train_labels)
    for step in (0, 2):
        kept = run.at(step)

        def loss(parameters: Any, kept: Network = kept) -> jax.Array:
            return loss_and_numbers(kept.spec, parameters, kept.statistics, images, labels)[0]

        leaves = jax.tree.leaves(jax.grad(loss)(kept.parameters)["block1"])
        expected = np.sqrt(sum(np.sum(np.square(leaf)) for leaf in leaves))
        np.testing.assert_allclose(gradient_norms_at(run.history, step), [expected], rtol=1e-3)
    assert not np.allclose(gradient_norms_at(run.history, 0), gradient_norms_at(run.history, 2))
    np.testing.assert_array_equal(
        gradient_norms_at(run.history, 4), gradient_norms_at(run.history, 3)
    )


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="step must be an integer from 0 to 3, got 4"):
        gradient_norms_at(HISTORY, 4)
    with pytest.raises(InputError, match="history must be that of a training run"):
        gradient_norms_at({}, 0)
