from dataclasses import asdict
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from explorer import InputError, Trainer, TrainingSettings, train
from explorer.engine import training
from explorer.engine.stochastic_depth import expected, survival_of
from explorer.engine.training_step import loss_and_numbers, training_step, transformation
from explorer.model.network import NETWORK_VARIANTS
from explorer.model.weight_file import flatten
from tests.short_runs import pictures, short_run, short_settings

IMAGES, LABELS = jnp.asarray(pictures().train_images), jnp.asarray(pictures().train_labels)
WITH_SHORTCUT = [name for name in NETWORK_VARIANTS if name != "no_skip"]


def test_survival_falls_linearly_with_depth() -> None:
    """Huang et al. 2016, eq. 4, with p_L = 0.5."""
    np.testing.assert_allclose(survival_of(4, 0.5), [0.875, 0.75, 0.625, 0.5])
    np.testing.assert_array_equal(survival_of(3, 1), 1)


def gradient(variant: str, kept: Any) -> tuple[dict[str, np.ndarray], Any]:
    network = short_run(variant).at(2)
    found, (_, numbers) = jax.grad(
        lambda own: loss_and_numbers(
            network.spec.structure(), own, network.statistics, IMAGES, LABELS, kept
        ),
        has_aux=True,
    )(network.parameters)
    return flatten(found), numbers


def test_blocks_that_are_kept_change_nothing() -> None:
    one, numbers = gradient("v1", None)
    other, same = gradient("v1", np.ones(2, np.float32))
    for name, array in one.items():
        np.testing.assert_allclose(other[name], array, rtol=1e-6, atol=1e-7, err_msg=name)
    np.testing.assert_allclose(numbers["branch ratio"], same["branch ratio"], rtol=1e-6)


@pytest.mark.parametrize("variant", ["v1", "full_preact"])
def test_a_block_that_is_dropped_gets_no_gradient(variant: str) -> None:
    found, numbers = gradient(variant, np.array([0, 1], np.float32))
    for name, array in found.items():
        if name.startswith("block1."):
            np.testing.assert_array_equal(array, 0, err_msg=name)
    assert np.abs(found["block2.conv1.kernel"]).max() > 0
    assert np.abs(found["stem.conv.kernel"]).max() > 0
    assert numbers["branch ratio"][0] == 0
    assert numbers["branch ratio"][1] > 0


def test_a_step_of_a_block_that_is_dropped_moves_it_by_its_decay_alone() -> None:
    network = short_run().at(0)
    state = network.parameters, network.statistics, transformation("sgd").init(network.parameters)
    kept = np.array([1, 0], np.float32)
    spec = network.spec.structure()
    (after, _, _), numbers = training_step(
        spec, "sgd", jax.tree.map(np.array, state), np.float32(0.5), IMAGES, LABELS, kept
    )
    for name, array in flatten(after["block2"]).items():
        before = network.arrays[f"block2.{name}"]
        np.testing.assert_allclose(array, before * (1 - 0.5e-4), rtol=1e-6, err_msg=name)
    assert numbers["gradient norm"][1] == 0
    assert numbers["gradient norm"][0] > 0


@pytest.mark.parametrize("variant", WITH_SHORTCUT)
def test_at_test_time_f_is_scaled_by_its_probability(variant: str) -> None:
    """Huang et al. 2016, eq. 5: F(x) times its probability in every block."""
    network = short_run(variant).at(2)
    survival = np.array([0.75, 0.5])
    spec, parameters = network.spec, expected(network.spec, network.parameters, survival)
    x, last = jnp.asarray(pictures().test_images), spec.block.residual
    scaled = {
        name: lambda stage, value, p=p: p * value if stage == last else value
        for name, p in zip(spec.names, survival.astype(np.float32), strict=True)
    }
    found, logits = spec.network(parameters, network.statistics).stages(x, True)
    wanted, same = spec.network(network.parameters, network.statistics).stages(x, True, scaled)
    for name in spec.names:
        for stage in (last, "out"):
            np.testing.assert_allclose(found[name][stage], wanted[name][stage], atol=1e-5)
    np.testing.assert_allclose(logits, same, atol=1e-5)
    plain = spec.network(network.parameters, network.statistics).stages(x, True)[1]
    assert np.abs(plain - logits).max() > 1e-3


def test_parameters_without_drops_are_the_networks_own() -> None:
    network = short_run().at(2)
    parameters = network.parameters
    assert expected(network.spec, parameters, np.ones(2)) is parameters


def test_the_expectation_is_read_only_and_leaves_the_weights() -> None:
    network = short_run().at(2)
    before = {name: array.copy() for name, array in network.arrays.items()}
    found = flatten(expected(network.spec, network.parameters, np.array([0.75, 0.5])))
    assert not any(array.flags.writeable for array in found.values())
    assert {array.dtype.name for array in found.values()} == {"float32"}
    for name, array in before.items():
        np.testing.assert_array_equal(network.arrays[name], array)


def test_a_training_drops_blocks_as_often_as_its_probabilities_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = []

    def recorded(spec: Any, optimiser: Any, state: Any, *batch: Any) -> Any:
        drawn.append(batch[-1])
        numbers = {"loss": 0.0, "accuracy": 0.0, "gradient norm": [], "branch ratio": []}
        return state, numbers

    monkeypatch.setattr(training, "training_step", recorded)
    settings = short_settings(blocks=4, survival=0.5, steps=2000)
    trainer = Trainer(pictures(), settings)
    monkeypatch.setattr(training, "check_steps", lambda steps: ())
    for _ in trainer.steps():
        pass
    found = np.stack(drawn)
    assert set(np.unique(found)) == {0, 1}
    # Five standard deviations of a mean of 2000.
    np.testing.assert_allclose(found.mean(axis=0), [0.875, 0.75, 0.625, 0.5], atol=0.056)
    together = (found[:, 2] * found[:, 3]).mean()
    assert together == pytest.approx(0.625 * 0.5, abs=0.056)


def test_a_run_with_drops_is_reproducible_and_keeps_the_expectation() -> None:
    settings = asdict(short_settings(survival=0.5, steps=4))
    one, again = train(pictures(), **settings), train(pictures(), **settings)
    for name, array in one.network.arrays.items():
        np.testing.assert_array_equal(array, again.network.arrays[name])
    dropped = one.history["branch ratio"] == 0
    np.testing.assert_array_equal(dropped, one.history["gradient norm"] == 0)
    assert dropped.any()
    assert not dropped.all()
    fresh = short_run().at(0).arrays
    np.testing.assert_array_equal(
        one.at(0).arrays["block2.bn2.scale"], np.float32(0.5) * fresh["block2.bn2.scale"]
    )
    np.testing.assert_array_equal(
        one.at(0).arrays["block1.conv2.kernel"], fresh["block1.conv2.kernel"]
    )


def test_a_survival_of_1_is_a_run_without_drops() -> None:
    run = train(pictures(), **asdict(short_settings(survival=1)))
    for name, array in short_run().network.arrays.items():
        np.testing.assert_array_equal(run.network.arrays[name], array)


def test_blocks_without_a_shortcut_cannot_be_dropped() -> None:
    with pytest.raises(InputError, match=r"survival must be 1 for “No skip”, got 0.5: without a"):
        TrainingSettings(variant="no_skip", survival=0.5)
    assert TrainingSettings(variant="no_skip", survival=1).survival == 1
