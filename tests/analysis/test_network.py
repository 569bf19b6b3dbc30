"""The numbers of a network's blocks and its lens, by hand and against the trace."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import VARIANTS, BlockTrace, InputError, Network, NetworkTrace
from explorer.analysis.network import block_numbers, lens_rows
from explorer.model.network import NetworkSpec
from tests.helpers import noise

PICTURE = noise((4, 4, 1), 2)
NAMES = ["a", "b", "c", "d"]


def traced(variant: str, images: np.ndarray = PICTURE) -> NetworkTrace:
    spec = NetworkSpec(VARIANTS[variant], 2, 4, 1, len(NAMES))
    return Network.from_seed(0, spec).trace(images)


@pytest.fixture(scope="module")
def residual() -> NetworkTrace:
    return traced("v1")


def with_stages(block: BlockTrace, **stages: np.ndarray) -> BlockTrace:
    return replace(block, stages=MappingProxyType({**block.stages, **stages}))


def test_block_numbers_by_hand(residual: NetworkTrace) -> None:
    x = np.array([[[3.0, 0.0], [0.0, 4.0]]], np.float32)
    branch = np.array([[[-6.0, 0.0], [-1.0, 2.0]]], np.float32)
    add = x + branch  # −3, 0, −1, 6
    block = with_stages(residual["block1"], x=x, bn2=branch, add=add, out=np.maximum(add, 0))
    trace = replace(residual, blocks=MappingProxyType({"block1": block}))
    (numbers,) = block_numbers(trace)
    assert numbers.name == "block1"
    assert numbers.ratio == pytest.approx(np.sqrt(41) / 5)
    assert numbers.zeroed == 0.5
    assert numbers.dead == (0,)
    assert numbers.norm == 6
    # Var(x) = 25/4 − (7/4)², Var(F) = 41/4 − (5/4)²
    assert numbers.identity_share == pytest.approx(3.1875 / (3.1875 + 8.6875))


@pytest.mark.parametrize("images", [PICTURE, noise((3, 4, 4, 1), 2)], ids=["picture", "batch"])
def test_block_numbers_of_a_residual_network(images: np.ndarray) -> None:
    trace = traced("v1", images)
    found = block_numbers(trace)
    assert [each.name for each in found] == ["block1", "block2"]
    for each in found:
        block = trace[each.name]
        assert each.ratio == pytest.approx(
            np.linalg.norm(block["bn2"]) / np.linalg.norm(block["x"])
        )
        assert each.zeroed == (block["add"] < 0).mean()
        assert each.norm == pytest.approx(np.linalg.norm(trace.stream[each.name]))
        channels = block["out"].reshape(-1, 4).max(axis=0)
        assert each.dead == tuple(np.flatnonzero(channels == 0))


def test_a_plain_network_has_no_identity_share() -> None:
    trace = traced("no_skip")
    for each in block_numbers(trace):
        block = trace[each.name]
        assert np.isnan(each.identity_share)
        assert each.ratio == pytest.approx(
            np.linalg.norm(block["bn2"]) / np.linalg.norm(block["x"])
        )
        assert each.zeroed == (block["bn2"] < 0).mean()


def test_blocks_that_end_without_a_relu_have_no_zeroed_part() -> None:
    for each in block_numbers(traced("full_preact")):
        assert np.isnan(each.zeroed)
        assert each.dead == ()


def test_a_channel_with_nan_is_not_dead_and_infinities_do_not_warn(residual: NetworkTrace) -> None:
    x = np.array([[[np.inf, 0.0, np.nan]]], np.float32)
    block = with_stages(residual["block1"], x=x, bn2=-x, add=x, out=x)
    (numbers,) = block_numbers(replace(residual, blocks=MappingProxyType({"block1": block})))
    assert numbers.dead == (1,)
    assert np.isnan([numbers.ratio, numbers.zeroed, numbers.norm]).all()


def test_lens_rows_by_hand(residual: NetworkTrace) -> None:
    # e² : e¹ : e⁰ : e¹, then all equal, then one infinite
    lens = np.array([[2, 1, 0, 1], [0, 0, 0, 0], [np.inf, 0, 0, 0]], np.float32)
    first, second, third = lens_rows(replace(residual, lens=lens), NAMES)
    assert (first.position, second.position, third.position) == ("stem", "block1", "block2")
    assert first.classes == ("a", "b", "d")
    total = np.exp(2) + 2 * np.exp(1) + 1
    np.testing.assert_allclose(first.probabilities, np.exp([2, 1, 1]) / total, rtol=1e-6)
    assert second.classes == ("a", "b", "c")
    assert second.probabilities == (0.25, 0.25, 0.25)
    assert np.isnan(third.probabilities[0])


def test_the_last_row_is_the_networks_prediction(residual: NetworkTrace) -> None:
    rows = lens_rows(residual, NAMES)
    assert len(rows) == 3
    assert rows[-1].classes[0] == NAMES[int(np.argmax(residual.logits))]
    for row in rows:
        assert list(row.probabilities) == sorted(row.probabilities, reverse=True)


def test_two_classes_have_two_in_a_row(residual: NetworkTrace) -> None:
    rows = lens_rows(replace(residual, lens=np.zeros((3, 2), np.float32)), ("no", "yes"))
    assert rows[0].classes == ("no", "yes")


def test_what_is_refused(residual: NetworkTrace) -> None:
    with pytest.raises(InputError, match="trace must be a NetworkTrace, got 1"):
        block_numbers(1)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"one picture; use trace.image\(n\) for picture n"):
        lens_rows(traced("v1", PICTURE[None]), NAMES)
    with pytest.raises(InputError, match="classes must be a list of 4 names"):
        lens_rows(residual, NAMES[:3])
    with pytest.raises(InputError, match="classes must be a list of 4 names"):
        lens_rows(residual, "abcd")
