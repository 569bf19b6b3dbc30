"""Ablation of networks against a plain loop of hand-written NNX over all pictures."""

from functools import cache

import jax
import numpy as np
import pytest

from explorer import VARIANTS, InputError, Network
from explorer.engine import network as network_module
from explorer.engine.network_ablation import ablate_network
from explorer.engine.network_parts import BATCH
from explorer.inputs.random_streams import Purpose, random_stream
from explorer.model.network import NetworkSpec
from explorer.records import NetworkAblation
from tests.helpers import noise
from tests.plain_accuracy import plain_accuracy

SEED = 3
IMAGES = noise((BATCH + 4, 4, 4, 1), 1)  # more than one batch


def network_of(variant: str, blocks: int) -> Network:
    """Return a network with random values of every variable, which predicts all its classes."""
    fresh = Network.from_seed(1, NetworkSpec(VARIANTS[variant], blocks, 4, 1, 5))
    random = np.random.default_rng(0)

    def spread(array: np.ndarray) -> np.ndarray:
        return np.asarray(array + 0.3 * random.uniform(-1, 1, array.shape), np.float32)

    parameters, statistics = jax.tree.map(spread, (fresh.parameters, fresh.statistics))
    network = Network.from_arrays(fresh.spec.block, parameters, statistics)
    head = parameters["head"]
    head["bias"] = head["bias"] - network.logits(IMAGES).mean(axis=0)
    return Network.from_arrays(fresh.spec.block, parameters, statistics)


def labels_of(network: Network) -> np.ndarray:
    """Return labels of which the network predicts at least three quarters."""
    labels = network.predict(IMAGES).copy()
    labels[::4] = 0
    return labels


def check_against_plain(
    network: Network, images: np.ndarray, labels: np.ndarray, found: NetworkAblation, seed: int
) -> None:
    """Check every accuracy of an ablation against a plain loop."""
    names = list(network.blocks)

    @cache
    def accuracy(*order: str) -> float:
        return plain_accuracy(network, images, labels, order)

    assert found.intact == accuracy(*names)
    assert found.deleted.shape == (len(names),)
    assert found.swapped.shape == (len(names) - 1,)
    for index, name in enumerate(names):
        assert found.deleted[index] == accuracy(*[each for each in names if each != name])
    for index in range(len(names) - 1):
        order = list(names)
        order[index : index + 2] = names[index + 1], names[index]
        assert found.swapped[index] == accuracy(*order)
    random = random_stream(seed, Purpose.ABLATION)
    assert found.random.shape == (len(found.counts), 20)
    for count, row in zip(found.counts, found.random, strict=True):
        for value in row:
            removed = random.choice(len(names), count, replace=False)
            assert value == accuracy(*[names[i] for i in range(len(names)) if i not in removed])


@pytest.mark.parametrize("variant", ["v1", "no_skip"])
def test_every_accuracy_equals_a_plain_loop(variant: str) -> None:
    network = network_of(variant, 3)
    labels = labels_of(network)
    found = ablate_network(network, IMAGES, labels, seed=SEED)
    assert len({found.intact, *found.deleted.tolist(), *found.swapped.tolist()}) >= 4
    check_against_plain(network, IMAGES, labels, found, SEED)
    assert found.intact == network.accuracy(IMAGES, labels)


def test_mean_and_spread_are_over_the_draws() -> None:
    draws = np.array([[0.0, 1.0, 0.5, 0.5], [0.25, 0.25, 0.25, 0.25]])
    found = NetworkAblation(1.0, np.ones(2), np.ones(1), np.array([1, 2]), draws)
    np.testing.assert_allclose(found.mean, [0.5, 0.25])
    np.testing.assert_allclose(found.spread, [np.sqrt(0.125), 0])


@pytest.mark.parametrize(
    ("blocks", "counts"),
    [
        (1, [1]),
        (8, [1, 2, 3, 4, 5, 6, 7, 8]),
        (12, [1, 3, 4, 6, 7, 9, 10, 12]),
    ],
)
def test_the_numbers_of_random_blocks(blocks: int, counts: list[int]) -> None:
    images = IMAGES[:2]
    found = ablate_network(network_of("v1", blocks), images, np.array([0, 1]))
    assert found.counts.tolist() == counts
    assert set(found.random[0]) <= set(found.deleted)
    assert found.spread[-1] == 0  # without any block there is one network


def test_the_seed_fixes_the_random_blocks() -> None:
    network = network_of("v1", 8)
    labels = labels_of(network)[:32]
    one, same, other = (
        ablate_network(network, IMAGES[:32], labels, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.random, same.random)
    assert not np.array_equal(one.random, other.random)
    np.testing.assert_array_equal(one.deleted, other.deleted)


def test_blocks_that_end_without_a_relu() -> None:
    network = network_of("full_preact", 3)
    labels = labels_of(network)
    found = ablate_network(network, IMAGES, labels)
    expected = np.argmax(network.logits(IMAGES, ["block1", "block3"]), axis=1) == labels
    assert found.deleted[1] == expected.mean()


def test_large_pictures_are_run_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of("v1", 2)
    labels = labels_of(network)
    expected = ablate_network(network, IMAGES, labels)
    monkeypatch.setattr(network_module, "MAX_STREAM_VALUES", 100 * 4 * 4 * 4)
    calls: list[int] = []
    found = ablate_network(
        network, IMAGES, labels, progress=lambda done, total: calls.append(total)
    )
    # Both blocks, either one, swapped, and none; 100, 100 and 60 pictures.
    assert calls == [15] * 15
    np.testing.assert_array_equal(found.deleted, expected.deleted)
    np.testing.assert_array_equal(found.random, expected.random)


def test_progress_grows_to_the_total() -> None:
    calls: list[tuple[int, int]] = []
    network = network_of("v1", 3)
    ablate_network(
        network,
        IMAGES,
        labels_of(network),
        progress=lambda done, total: calls.append((done, total)),
    )
    # In order, three deleted, two swapped, three with two deleted, one with three; two batches.
    assert calls == [(done, 20) for done in range(1, 21)]


def test_arrays_are_read_only() -> None:
    found = ablate_network(network_of("v1", 2), IMAGES[:2], np.array([0, 1]))
    for array in (found.deleted, found.swapped, found.counts, found.random):
        assert not array.flags.writeable


def test_what_is_refused() -> None:
    network, images, labels = network_of("v1", 2), IMAGES[:2], np.array([0, 1])
    with pytest.raises(InputError, match="network must be a Network, got 3"):
        ablate_network(3, images, labels)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="images must have 4 axes, got 3"):
        ablate_network(network, images[0], labels)
    with pytest.raises(InputError, match="labels must be 2 integers"):
        ablate_network(network, images, labels[:1])
    with pytest.raises(InputError, match="images must have 1 channels"):
        ablate_network(network, noise((2, 4, 4, 3)), labels)
    with pytest.raises(InputError, match="seed must be an integer"):
        ablate_network(network, images, labels, seed=-1)
    with pytest.raises(InputError, match="progress must be a function"):
        ablate_network(network, images, labels, progress=1)  # type: ignore[arg-type]
