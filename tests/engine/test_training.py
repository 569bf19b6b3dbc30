import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from explorer import (
    InputError,
    Network,
    Trainer,
    TrainingRun,
    TrainingSettings,
    digits,
    train,
    train_steps,
)
from explorer.data import Dataset, dataset_from_arrays
from explorer.engine import training
from explorer.engine.training import check_steps, snapshot_steps
from explorer.engine.training_step import loss_and_numbers, training_step
from explorer.model.network_weights import draw_network
from explorer.model.weight_file import flatten
from tests.plain_network import PlainNetwork, gradients, train_plain, weights_of
from tests.short_runs import RATE, STEPS, digits_run, pictures, short_run, short_settings

IMAGES, LABELS = pictures().train_images, pictures().train_labels
COMPARED = [
    ("v1", 2),
    ("no_skip", 2),
    ("full_preact", 2),
    ("scaled_skip", 2),
    ("no_bn", 2),
    ("v1", 8),
    ("v1", 27),
]


def plain_at(run: TrainingRun, step: int = 0) -> PlainNetwork:
    """Return a plain NNX network with the weights of a step."""
    network = run.at(step)
    plain = PlainNetwork(network.variant, network.spec.blocks)
    return plain.set(network.parameters, network.statistics)


def expect_close_by_layer(found: Any, expected: dict[str, np.ndarray], relative: float) -> None:
    """Compare arrays relative to the largest value of their layer.

    The gradient of a bias before BatchNorm is 0 but for rounding.
    """
    for name, array in expected.items():
        layer = name.rpartition(".")[0]
        values = [np.abs(other).max() for n, other in expected.items() if n.startswith(layer)]
        np.testing.assert_allclose(
            found[name], array, rtol=0, atol=relative * max(values) + 1e-12, err_msg=name
        )


@pytest.mark.parametrize(("variant", "blocks"), COMPARED)
def test_the_gradient_is_that_of_plain_nnx(variant: str, blocks: int) -> None:
    network = short_run(variant, blocks).at(0)
    spec, statistics = network.spec.structure(), network.statistics
    images, labels = jnp.asarray(IMAGES), jnp.asarray(LABELS)
    found, (after, numbers) = jax.grad(
        lambda own: loss_and_numbers(spec, own, statistics, images, labels), has_aux=True
    )(network.parameters)
    plain = plain_at(short_run(variant, blocks))
    _, expected = gradients(plain, IMAGES, LABELS)
    expect_close_by_layer(flatten(found), flatten(expected), 1e-4)
    running = weights_of(plain)
    for name, array in flatten(after).items():
        np.testing.assert_allclose(array, running[name], rtol=1e-4, atol=1e-6, err_msg=name)
    _, stages, logits = plain_at(short_run(variant, blocks)).run(IMAGES, False)
    last = network.spec.block.residual
    ratios = [np.linalg.norm(s[last]) / np.linalg.norm(s["x"]) for s in stages]
    np.testing.assert_allclose(numbers["branch ratio"], ratios, rtol=1e-4)
    assert float(numbers["accuracy"]) == np.float32(np.mean(logits.argmax(-1) == LABELS))


@pytest.mark.parametrize(
    ("variant", "blocks", "optimiser"),
    [*((*each, "sgd") for each in COMPARED), ("no_bn", 2, "adam")],
)
def test_steps_are_those_of_optax_on_plain_nnx(variant: str, blocks: int, optimiser: str) -> None:
    """Every step sees all pictures, so their order does not matter.

    Adam divides by the size of the gradient, which is rounding for a bias before BatchNorm.
    """
    run, plain = short_run(variant, blocks, optimiser), plain_at(short_run(variant, blocks))
    for index, (loss, gradient) in enumerate(
        train_plain(plain, IMAGES, LABELS, STEPS, RATE, optimiser)
    ):
        assert run.history["train loss"][index] == pytest.approx(loss, rel=1e-5)
        norms = [
            math.sqrt(sum(float((a * a).sum()) for a in flatten(gradient[name]).values()))
            for name in run.network.blocks
        ]
        np.testing.assert_allclose(run.history["gradient norm"][index], norms, rtol=1e-3)
        expected = weights_of(plain)
        if optimiser == "adam":
            del expected["stem.conv.bias"], expected["stem.bn.mean"]
        found = run.at(index + 1).arrays
        expect_close_by_layer(found, expected, 1e-4)
        statistics = {n: a for n, a in expected.items() if n.endswith(("mean", "var"))}
        assert statistics
        for name, array in statistics.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-4, err_msg=name)
    assert max(np.abs(run.at(0).arrays[n] - a).max() for n, a in run.network.arrays.items()) > 0.01


def test_constants_are_not_trained() -> None:
    run = short_run("scaled_skip")
    for name, array in run.network.arrays.items():
        if name.endswith("factor"):
            np.testing.assert_array_equal(array, np.float32(0.5), err_msg=name)
    assert "block2.scaled_x.factor" in run.network.arrays


def test_gamma_of_the_last_norm_is_trained_from_0() -> None:
    run = short_run("zero_gamma")
    np.testing.assert_array_equal(run.at(0).arrays["block2.bn2.scale"], 0)
    assert run.network.arrays["block2.bn2.scale"].any()
    np.testing.assert_array_equal(run.history["branch ratio"][0], 0)


def expect_same_bits(one: TrainingRun, other: TrainingRun) -> None:
    assert one.snapshots == other.snapshots
    np.testing.assert_array_equal(one.checked_at, other.checked_at)
    for name, array in one.history.items():
        np.testing.assert_array_equal(array, other.history[name], err_msg=name)
    for step in one.snapshots:
        expect_same_network(one.at(step), other.at(step))


def expect_same_network(one: Network, other: Network) -> None:
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)


SETTINGS = asdict(short_settings(blocks=1, steps=9, batch=10))


def test_a_run_is_reproducible() -> None:
    one = train(pictures(), **SETTINGS)
    expect_same_bits(one, train(pictures(), **SETTINGS))
    other = train(pictures(), **SETTINGS | {"seed": 1})
    assert not np.array_equal(one.history["train loss"], other.history["train loss"])
    assert one.network.provenance != other.network.provenance


def test_stopped_and_continued_gives_the_bits_of_a_run_at_once() -> None:
    trainer = Trainer(pictures(), TrainingSettings(**SETTINGS))
    for _ in islice(trainer.steps(), 3):
        pass
    assert (trainer.done, trainer.is_finished) == (3, False)
    trainer.step()
    part = trainer.run()
    assert part.snapshots == (0, 2, 4)
    trainer.step()
    between = trainer.run()
    copies = {name: array.copy() for name, array in between.network.arrays.items()}
    for _ in trainer.steps():
        pass
    assert trainer.is_finished
    whole = train(pictures(), **SETTINGS)
    expect_same_bits(trainer.run(), whole)
    assert between.snapshots == (0, 2, 4, 5)
    for name, array in copies.items():  # later steps do not write to what was returned
        np.testing.assert_array_equal(between.network.arrays[name], array, err_msg=name)
    for name, values in part.history.items():
        np.testing.assert_array_equal(values, whole.history[name][: len(values)])
    assert list(trainer.steps()) == []
    with pytest.raises(InputError, match="All 9 steps of the training are done"):
        trainer.step()


def test_the_first_snapshot_is_the_fresh_network() -> None:
    run = short_run()
    parameters, statistics = draw_network(run.at(0).spec, 0, "he")
    for name, array in (flatten(parameters) | flatten(statistics)).items():
        np.testing.assert_array_equal(run.at(0).arrays[name], array, err_msg=name)


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        (1, [0, 1]),
        (2, [0, 2]),
        (8, [0, 2, 4, 8]),
        (180, [0, 2, 4, 8, 16, 32, 64, 128, 180]),
        (5000, [0, *(2**n for n in range(1, 13)), 5000]),
    ],
)
def test_networks_are_kept_at_powers_of_two_and_the_last_step(steps: int, kept: list[int]) -> None:
    assert sorted(snapshot_steps(steps)) == kept


@pytest.mark.parametrize("steps", [1, 5, 18, 180, 5000])
def test_the_test_accuracy_is_taken_about_evenly_and_at_the_last_step(steps: int) -> None:
    found = sorted(check_steps(steps))
    assert found[-1] == steps
    assert len(found) == min(steps, 18)
    assert set(np.diff([0, *found])) <= {math.floor(steps / 18), math.ceil(steps / 18), 1}


def test_the_history_has_the_accuracy_of_the_networks() -> None:
    run = short_run()
    assert run.checked_at.tolist() == [1, 2, 3]
    data = pictures()
    for step, accuracy in zip(run.checked_at, run.history["test accuracy"], strict=True):
        found = run.at(int(step)).accuracy(data.test_images, data.test_labels)
        assert accuracy == np.float32(found)
    shapes = {name: array.shape for name, array in run.history.items()}
    assert shapes == {
        "train loss": (3,),
        "train accuracy": (3,),
        "test accuracy": (3,),
        "gradient norm": (3, 2),
        "branch ratio": (3, 2),
    }
    assert {array.dtype.name for array in run.history.values()} == {"float32"}
    assert not any(array.flags.writeable for array in run.history.values())


def test_progress_is_what_the_history_keeps() -> None:
    steps: Iterator[Any] = train_steps(pictures(), **asdict(short_settings()))
    found = []
    try:
        while True:
            found.append(next(steps))
    except StopIteration as end:
        run = end.value
    expect_same_network(run.network, short_run().network)
    assert [progress.step for progress in found] == [1, 2, 3]
    assert {progress.steps for progress in found} == {3}
    for name, values in (
        ("train loss", [progress.loss for progress in found]),
        ("train accuracy", [progress.accuracy for progress in found]),
        ("test accuracy", [progress.test_accuracy for progress in found]),
        ("gradient norm", [progress.gradient_norm for progress in found]),
        ("branch ratio", [progress.branch_ratio for progress in found]),
    ):
        np.testing.assert_array_equal(run.history[name], np.asarray(values, np.float32))


class Batches:
    """Keeps the labels of every batch, and the learning rates."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.labels: list[Any] = []
        self.images: list[Any] = []
        self.rates: list[float] = []
        step = training_step

        def recorded(spec: Any, optimiser: Any, state: Any, rate: Any, *batch: Any) -> Any:
            self.rates.append(float(rate))
            self.images.append(batch[0])
            self.labels.append(batch[1])
            return step(spec, optimiser, state, rate, *batch)

        monkeypatch.setattr(training, "training_step", recorded)


def test_plain_and_residual_start_alike_and_see_the_same_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches = Batches(monkeypatch)
    runs = [train(pictures(), **SETTINGS | {"variant": name}) for name in ("v1", "no_skip")]
    expect_same_network(runs[0].at(0), runs[1].at(0))
    for found in (batches.images, batches.labels):
        for one, other in zip(found[:9], found[9:], strict=True):
            np.testing.assert_array_equal(one, other)
    one, other = (run.network.arrays["head.kernel"] for run in runs)
    assert not np.array_equal(one, other)


def test_an_epoch_shows_pictures_once_and_the_next_in_another_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches = Batches(monkeypatch)
    train(pictures(), **SETTINGS)
    rows = [{image.tobytes() for image in images} for images in batches.images]
    assert [len(row) for row in rows] == [10] * 9
    assert not rows[0] & rows[1]
    assert not rows[2] & rows[3]
    assert rows[0] != rows[2]
    label_of = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    for images, labels in zip(batches.images, batches.labels, strict=True):
        assert [label_of[image.tobytes()] for image in images] == labels.tolist()


def test_the_learning_rate_falls_as_a_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = Batches(monkeypatch)
    train(pictures(), **SETTINGS)
    expected = [RATE * (1 + math.cos(math.pi * step / 9)) / 2 for step in range(9)]
    np.testing.assert_allclose(batches.rates, expected, rtol=1e-6)


def test_a_network_learns_the_digits() -> None:
    run = digits_run()
    assert run.history["train loss"][-10:].mean() < 0.3
    assert run.history["test accuracy"][-1] > 0.9
    assert run.network.settings["classes"] == list(map(str, range(10)))
    assert run.network.settings["mean"] == digits().mean
    assert run.dataset == digits().key


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_the_run(
    value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(pictures(), short_settings("no_bn"))
    for _ in islice(trainer.steps(), 2):
        pass
    before = trainer.run()
    kept = {name: array.copy() for name, array in before.network.arrays.items()}
    step = training_step

    def diverged(*arguments: Any) -> Any:
        (parameters, statistics, memory), numbers = step(*arguments)
        parameters = jax.tree.map(lambda array: array * np.nan, parameters)
        return (parameters, statistics, memory), numbers | {"loss": np.float32(value)}

    monkeypatch.setattr(training, "training_step", diverged)
    with pytest.raises(InputError, match=rf"training loss is {value} in step 3, .* smaller") as e:
        trainer.step()
    assert len(str(e.value).splitlines()) == 1
    after = trainer.run()
    assert after.snapshots == before.snapshots == (0, 2)
    for name, array in kept.items():
        np.testing.assert_array_equal(after.network.arrays[name], array, err_msg=name)
    assert len(after.history["train loss"]) == 2
    for again in (trainer.step, trainer.network):
        with pytest.raises(InputError, match=rf"training loss is {value} in step 3"):
            again()


def test_too_large_a_learning_rate_without_norms_gives_a_sentence() -> None:
    given = asdict(short_settings("no_bn", learning_rate=10, steps=200))
    with pytest.raises(InputError, match=r"The training loss is (nan|inf) in step \d+, so"):
        train(pictures(), **given)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("blocks", 0, "blocks must be an integer from 1 to 54, got 0"),
        ("blocks", 55, "blocks must be an integer from 1 to 54, got 55"),
        ("width", 3, "width must be an integer from 4 to 32, got 3"),
        ("width", 33, "width must be an integer from 4 to 32, got 33"),
        ("variant", "v2", "variant must be one of v1, no_skip, .*; got 'v2'"),
        ("variant", "projection", "variant must be one of v1, no_skip, .*; got 'projection'"),
        ("steps", 0, "steps must be an integer from 1 to 5000, got 0"),
        ("steps", 5001, "steps must be an integer from 1 to 5000, got 5001"),
        ("batch", 1, "batch must be an integer from 2 to 1024, got 1"),
        ("batch", 1025, "batch must be an integer from 2 to 1024, got 1025"),
        ("learning_rate", 0, "learning_rate must be above 0 and at most 10, got 0"),
        ("learning_rate", 10.5, "learning_rate must be above 0 and at most 10, got 10.5"),
        ("learning_rate", float("nan"), "learning_rate must be a real number .* got nan"),
        ("learning_rate", "0.1", "learning_rate must be a real number .* got '0.1'"),
        ("seed", -1, "seed must be an integer from 0 to 4294967295, got -1"),
        ("seed", 2**32, "seed must be an integer from 0 to 4294967295, got 4294967296"),
        ("optimiser", "lion", "optimiser must be one of sgd, adam; got 'lion'"),
        ("initialiser", "zeros", "initialiser must be one of he, lecun; got 'zeros'"),
        ("survival", 0, "survival must be above 0 and at most 1, got 0"),
        ("survival", 1.1, "survival must be above 0 and at most 1, got 1.1"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrainingSettings(**{name: value})
    with pytest.raises(InputError, match=message):
        train(pictures(), **{name: value})


def test_settings_are_python_numbers() -> None:
    found = TrainingSettings(blocks=np.int64(3), learning_rate=np.float32(0.5), seed=4.0)  # type: ignore[arg-type]
    assert (type(found.blocks), type(found.learning_rate), type(found.seed)) == (int, float, int)
    assert found == TrainingSettings(blocks=3, learning_rate=0.5, seed=4)
    assert hash(found) == hash(TrainingSettings(blocks=3, learning_rate=0.5, seed=4))


def test_a_batch_larger_than_the_training_set_is_refused() -> None:
    with pytest.raises(InputError, match="at most the number of training pictures, 24; got 25"):
        Trainer(pictures(), short_settings(batch=25))


def large_pictures() -> Dataset:
    images = np.random.default_rng(0).integers(0, 255, (1300, 32, 32, 1), np.uint8)
    return dataset_from_arrays(images, np.arange(1300) % 2)


def test_steps_that_would_need_too_much_memory_are_refused() -> None:
    """The limit is 2²⁴ values: 1024 pictures of 32×32 at width 16 in one block."""
    data = large_pictures()
    largest = TrainingSettings(blocks=1, width=16, batch=1024)
    Trainer(data, largest)
    for changes in ({"blocks": 2}, {"width": 17}):
        with pytest.raises(InputError, match=r"would store .* the limit is 16,777,216\. Choose"):
            Trainer(data, replace(largest, **changes))  # type: ignore[arg-type]


def test_only_a_data_set_and_settings_make_a_trainer() -> None:
    with pytest.raises(InputError, match="dataset must be a Dataset, got 'digits'"):
        Trainer("digits", short_settings())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="settings must be a TrainingSettings"):
        Trainer(pictures(), {"blocks": 2})  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [3.5, 9, -1, "0", None])
def test_a_step_that_was_not_kept_is_refused(step: Any) -> None:
    with pytest.raises(InputError, match="step must be one of 0, 1, 2, 3; got"):
        short_run().at(step)
