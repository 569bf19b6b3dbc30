"""The gradient of a class's score through a network, against plain NNX, an oracle, identities."""

from typing import Any

import jax
import numpy as np
import pytest
from safetensors.numpy import save

from explorer import InputError, class_gradient, load_checkpoint
from explorer.engine.gradients import split_trace
from explorer.engine.network import Network
from explorer.model.checkpoint import Conventions
from tests.checkpoint_gradients import logit_gradient
from tests.checkpoints import NETWORKS, Architecture, Settings, run_network, state_of
from tests.helpers import noise
from tests.plain_network import PlainNetwork, randomise

IMAGE = np.random.default_rng(0).standard_normal((6, 5, 2)).astype(np.float32)
LABEL = 2


@pytest.fixture(scope="module", params=["v1", "no_skip", "full_preact"])
def networks(request: pytest.FixtureRequest) -> tuple[Network, PlainNetwork]:
    plain = randomise(PlainNetwork(request.param, 2))
    return Network.from_nnx(plain, request.param), plain


def expect_close(found: Any, expected: Any) -> None:
    largest = float(np.abs(expected).max())
    assert largest > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * largest)


def test_it_equals_the_gradient_of_plain_nnx(networks: tuple[Network, PlainNetwork]) -> None:
    network, plain = networks
    expected = jax.grad(lambda x: plain.run(x[None], True)[2][0, LABEL])(IMAGE)
    found = class_gradient(network, IMAGE, LABEL)
    expect_close(found.picture, expected)
    assert found.label == LABEL
    np.testing.assert_array_equal(found.logits, network.trace(IMAGE).logits)
    assert list(found.blocks) == list(network.blocks)


def test_the_parts_of_every_block_add_up(networks: tuple[Network, PlainNetwork]) -> None:
    network, _ = networks
    found = class_gradient(network, IMAGE, LABEL)
    after = [*list(found.blocks.values())[1:]]
    for split, following in zip(found.blocks.values(), after, strict=False):
        expect_close(split.identity + split.residual, split.total)
        np.testing.assert_array_equal(split.cotangent, following.total)
    np.testing.assert_array_equal(found.stem.cotangent, found["block1"].total)
    assert not found.picture.flags.writeable


def test_the_parts_are_those_of_the_traced_block(networks: tuple[Network, PlainNetwork]) -> None:
    network, _ = networks
    found, trace = class_gradient(network, IMAGE, LABEL), network.trace(IMAGE)
    for name, split in found.blocks.items():
        expected = split_trace(trace[name], split.cotangent)
        expect_close(split.residual, expected.residual)
        largest = np.abs(split.total).max()
        np.testing.assert_allclose(split.identity, expected.identity, atol=1e-5 * largest)
        if network.variant == "v1":
            passed = np.where(trace[name]["add"] > 0, split.cotangent, 0)
            np.testing.assert_array_equal(split.identity, passed)


def test_the_last_cotangent_by_hand() -> None:
    """The head is linear in the mean over the 30 pixels."""
    network = Network.from_nnx(randomise(PlainNetwork("v1", 2)))
    split = class_gradient(network, IMAGE, LABEL)["block2"]
    expected = np.broadcast_to(network.head["kernel"][:, LABEL] / 30, split.cotangent.shape)
    np.testing.assert_allclose(split.cotangent, expected, rtol=1e-6)


@pytest.mark.parametrize(("net", "conventions"), NETWORKS.values(), ids=NETWORKS)
def test_it_equals_the_oracle_for_checkpoints(net: Architecture, conventions: Settings) -> None:
    state = state_of(net)
    image = noise((9, 11, net.channels), 1)
    expected = logit_gradient(net, state, run_network(net, state, image), LABEL)
    network = load_checkpoint(save(state), conventions=Conventions(**conventions))
    found = class_gradient(network, image, LABEL)
    assert list(found.blocks) == list(network.blocks) == list(expected)[-2::-1]
    expect_close(found.picture, expected["stem"].x)
    for name, split in found.blocks.items():
        right = expected[name]
        expect_close(split.cotangent, right.out)
        expect_close(split.total, right.x)
        expect_close(split.identity, right.identity)
        expect_close(split.residual, right.residual)


def test_what_is_refused(networks: tuple[Network, PlainNetwork]) -> None:
    network, _ = networks
    with pytest.raises(InputError, match=rf"label must be .*0 to {network.classes - 1}.*got 9"):
        class_gradient(network, IMAGE, 9)
    with pytest.raises(InputError, match="images must have 3 axes"):
        class_gradient(network, IMAGE[None], LABEL)
    with pytest.raises(InputError, match="network must be a Network, got 1"):
        class_gradient(1, IMAGE, LABEL)  # type: ignore[arg-type]
