"""The numbers of a difference, compared with plain NumPy on the traces' arrays."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import VARIANTS, NetworkTrace
from explorer.analysis.network_difference import (
    ArrayDifference,
    NetworkDifference,
    network_difference,
    stage_differences,
)
from explorer.engine.network import Network
from explorer.errors import InputError
from explorer.model.network import NetworkSpec
from explorer.model.variants import V1
from tests.helpers import network_trace, noise, staged_network

PICTURE, OTHER_PICTURE = noise((12, 10, 1)), noise((12, 10, 1), seed=1)


def trace(seed: int = 0, picture: np.ndarray = PICTURE) -> NetworkTrace:
    return staged_network(seed).trace(picture)


def assert_compared(found: ArrayDifference, one: np.ndarray, two: np.ndarray) -> None:
    a, b = (array.astype(np.float64).ravel() for array in (one, two))
    assert found.largest == pytest.approx(np.abs(b - a).max(), rel=1e-5)
    assert found.relative == pytest.approx(np.abs(b - a).max() / np.abs(a).max(), rel=1e-5)
    assert found.share == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(a), rel=1e-5)
    assert found.correlation == pytest.approx(np.corrcoef(a, b)[0, 1], rel=1e-5)


def with_names(given: NetworkTrace, rename: Callable[[str], str]) -> NetworkTrace:
    blocks = {rename(name): block for name, block in given.blocks.items()}
    lens = {rename(name): logits for name, logits in given.lens.items()}
    return replace(given, blocks=MappingProxyType(blocks), lens=MappingProxyType(lens))


@pytest.mark.parametrize(
    ("seed", "picture"),
    [(1, PICTURE), (0, OTHER_PICTURE)],
    ids=["another network", "another picture"],
)
def test_every_number_is_that_of_the_arrays(seed: int, picture: np.ndarray) -> None:
    one, other = trace(), trace(seed, picture)
    found = network_difference(one, other)
    assert [part.name for part in found.parts] == ["stem", *one.blocks, "logits"]
    assert_compared(found["stem"].out, one.stem["out"], other.stem["out"])
    assert_compared(found["logits"].out, one.logits, other.logits)
    for name, block in one.blocks.items():
        part, also = found[name], other[name]
        assert part.residual
        assert_compared(part.out, block["out"], also["out"])
        assert_compared(part.residual, block["bn2"], also["bn2"])
        expected = []
        for each in (block, also):
            identity = each[each.spec.identity or "x"]
            expected.append(np.linalg.norm(each["bn2"]) / np.linalg.norm(identity))
        assert part.ratios == pytest.approx(expected, rel=1e-5)


def test_the_trace_has_the_differences_of_stream_and_branch() -> None:
    one, other = trace(), trace(1)
    found = network_difference(one, other).trace
    np.testing.assert_array_equal(found.stem["out"], other.stem["out"] - one.stem["out"])
    for name, block in found.blocks.items():
        assert list(block.stages) == ["x", "bn2", "out"]
        for stage, values in block.stages.items():
            np.testing.assert_array_equal(values, other[name][stage] - one[name][stage])
            assert not values.flags.writeable
    np.testing.assert_array_equal(found.logits, other.logits - one.logits)


def test_a_network_differs_nowhere_from_itself() -> None:
    found = network_difference(trace(), trace())
    assert found.first is None
    for part in found.parts:
        for each in (part.out, part.residual or part.out):
            assert (each.largest, each.relative, each.share) == (0, 0, 0)
            assert each.correlation == pytest.approx(1)
    assert found.sentence == "Both are exactly equal in the stem, every block and the logits."
    assert not any(
        stage.any() for block in found.trace.blocks.values() for stage in block.stages.values()
    )


def changed_from(block: str) -> NetworkDifference:
    """Return the difference of a network and itself with other weights in one block."""
    network, other = staged_network(), staged_network(5)
    models = {**network.models, block: other.models[block]}
    return network_difference(trace(), replace(network, models=models).trace(PICTURE))


def test_it_names_where_they_differ_first_and_most() -> None:
    found = changed_from("layer2.0")
    assert found["stem"].out.largest == found["layer1.0"].out.largest == 0
    assert found.first is found["layer2.0"]
    shares = {part.name: part.out.share for part in found.parts}
    most = max(shares, key=lambda name: shares[name])
    assert found.most is found[most]
    assert found.sentence.startswith(
        f"They differ first in layer2.0, by {shares['layer2.0']:.2g} of the reference’s norm"
    )
    assert most == "layer2.0" or f"most in {most.replace('log', 'the log')}" in found.sentence


def test_only_the_head_differs() -> None:
    network = staged_network()
    head = {**network.head, "bias": np.ones(3, np.float32)}
    found = network_difference(trace(), replace(network, head=head).trace(PICTURE))
    assert found.first is found.most is found["logits"]
    assert "first in the logits" in found.sentence


def test_blocks_of_other_names_are_compared_in_order() -> None:
    other = with_names(trace(), lambda name: name.replace("layer", "stages."))
    found = network_difference(trace(), other)
    assert [part.other for part in found.parts[1:-1]] == ["stages.1.0", "stages.2.0", "stages.3.0"]
    assert found.first is None
    (remark,) = found.remarks
    assert "compared in order: layer1.0 with stages.1.0" in remark


def test_other_numbers_of_classes_leave_the_logits_out() -> None:
    network = staged_network()
    head = {"kernel": np.ones((8, 5), np.float32), "bias": np.zeros(5, np.float32)}
    found = network_difference(trace(), replace(network, head=head).trace(PICTURE))
    assert found.parts[-1].name == "layer3.0"
    assert found.remarks == ("The numbers of classes differ, so the logits are not compared.",)
    assert found.sentence == "Both are exactly equal in the stem and every block."


def test_a_residual_and_a_plain_network() -> None:
    one, other = network_trace(V1, 3), network_trace(VARIANTS["no_skip"], 3)
    found = network_difference(one, other)
    assert found["stem"].out.largest == 0
    residual = found["block1"].residual
    assert residual
    assert residual.largest == 0  # the same kernels on the same stream
    assert found.first is found["block1"]
    assert_compared(found["block3"].out, one["block3"]["out"], other["block3"]["out"])


def with_values(given: NetworkTrace, block: str, value: float) -> NetworkTrace:
    """Return a trace with this value at one place of a block's out."""
    out = given[block]["out"].copy()
    out[2, 1, 0] = value
    stages = {**given[block].stages, "out": out}
    blocks = {**given.blocks, block: replace(given[block], stages=stages)}
    return replace(given, blocks=blocks)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(value: float) -> None:
    one, other = trace(), with_values(trace(), "layer2.0", value)
    found = network_difference(one, other)["layer2.0"].out
    assert (found.largest, found.relative, found.share) == (np.inf, np.inf, np.inf)
    assert "0 or not finite in one of them" in network_difference(one, other).sentence
    assert network_difference(other, other).first is None


def test_a_reference_of_zeros() -> None:
    zeros = np.zeros_like(trace().stem["out"])
    one = replace(trace(), stem=replace(trace().stem, stages={"out": zeros}))
    found = network_difference(one, trace())["stem"].out
    assert (found.relative, found.share) == (np.inf, np.inf)
    assert np.isnan(found.correlation)
    assert network_difference(one, one)["stem"].out.share == 0


def test_shapes_that_do_not_agree() -> None:
    with pytest.raises(InputError, match="has 3 blocks and the other 2; a comparison needs"):
        network_difference(network_trace(V1, 3), network_trace(V1, 2))
    wide = Network.from_seed(0, NetworkSpec(V1, 3, width=5, channels=1, classes=3))
    with pytest.raises(InputError, match=r"out of stem is 8×6×4 .* and 8×6×5 in the other"):
        network_difference(network_trace(V1, 3), wide.trace(noise((8, 6, 1))))
    with pytest.raises(InputError, match=r"out of stem is 12×10×4 .* and 8×6×4 in the other"):
        network_difference(trace(), trace(0, noise((8, 6, 1))))
    with pytest.raises(InputError, match=r"F\(x\) of layer2.0 is 6×5×8"):
        network_difference(trace(), without_stride())


def without_stride() -> NetworkTrace:
    network, plain = staged_network(), Network.from_seed(0, NetworkSpec(V1, 3, 4, 1, 3))
    models = dict(zip(network.models, plain.models.values(), strict=True))
    head = plain.head
    return replace(network, models=models, head=head).trace(PICTURE)


def test_traces_of_batches_and_without_blocks_are_refused() -> None:
    batch = staged_network().trace(PICTURE[None])
    with pytest.raises(InputError, match="trace must be of one picture"):
        network_difference(trace(), batch)
    with pytest.raises(InputError, match="at least one block"):
        network_difference(network_trace(V1, 0), network_trace(V1, 0))
    with pytest.raises(InputError, match="NetworkTrace"):
        network_difference(trace(), None)  # type: ignore[arg-type]


def test_the_stages_of_a_block() -> None:
    one, other = network_trace(V1, 3)["block2"], network_trace(VARIANTS["no_skip"], 3)["block2"]
    found = stage_differences(one, other)
    assert list(found) == list(other.stages)
    for stage, difference in found.items():
        assert difference
        assert_compared(difference, one[stage], other[stage])
    backwards = stage_differences(other, one)
    assert backwards["add"] is None
    halved = trace()["layer2.0"]
    assert stage_differences(trace()["layer1.0"], halved)["out"] is None
