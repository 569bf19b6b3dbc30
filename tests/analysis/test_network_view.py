from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import VARIANTS
from explorer.analysis.network_view import network_view
from explorer.errors import InputError
from explorer.model.variants import V1
from explorer.records import BlockTrace, NetworkTrace
from tests.helpers import network_trace, noise, staged_network


@pytest.fixture(scope="module")
def trace() -> NetworkTrace:
    return network_trace(V1, 3)


def with_stages(trace: NetworkTrace, block: str, **stages: np.ndarray) -> NetworkTrace:
    """Return the trace with other stages of one block."""
    found: BlockTrace = trace[block]
    changed = replace(found, stages=MappingProxyType({**found.stages, **stages}))
    return replace(trace, blocks=MappingProxyType({**trace.blocks, block: changed}))


def test_numbers_of_a_block_by_hand(trace: NetworkTrace) -> None:
    x, add = (np.zeros((2, 2, 2), np.float32) for _ in range(2))
    x[..., 0] = 3  # ‖x‖ = 6
    add[..., 1] = -1
    add[0, 0, 1] = 0
    add[0, 1, 0] = 5
    found = with_stages(
        trace, "block2", x=x, bn2=np.full_like(x, 0.5), add=add, out=np.maximum(add, 0)
    )
    view = network_view(found).blocks[1]
    assert view.ratio == pytest.approx(8**0.5 * 0.5 / 6)
    assert view.zeroed_part == 3 / 8
    assert view.dead == 1


def test_ratios_of_zeros(trace: NetworkTrace) -> None:
    x = np.zeros_like(trace["block1"]["x"])
    only_x = network_view(with_stages(trace, "block1", x=x)).blocks[0]
    both = network_view(with_stages(trace, "block1", x=x, bn2=x)).blocks[0]
    assert only_x.ratio == np.inf
    assert np.isnan(both.ratio)


def rms_limit(*arrays: np.ndarray) -> float:
    values = np.concatenate([array.ravel() for array in arrays]).astype(np.float64)
    return float(min(np.abs(values).max(), 3 * np.sqrt(np.mean(values**2))))


def test_what_shares_a_colour_limit(trace: NetworkTrace) -> None:
    residuals = [block["bn2"] for block in trace.blocks.values()]
    stream = [trace.stream[name] for name in ("stem", *trace.blocks)]
    for channel in (None, 2):
        shown = [
            array.mean(axis=2) if channel is None else array[:, :, channel]
            for array in (*residuals, *stream)
        ]
        measured = shown if channel is None else [*residuals, *stream]
        block, stage, single = (
            network_view(trace, channel, scope) for scope in ("block", "stage", "map")
        )
        assert len({panel.limit for panel in block.panels}) == 1
        assert block.stem.limit == pytest.approx(rms_limit(*measured), rel=1e-6)
        limits = {(each.residual.limit, each.stream.limit) for each in stage.blocks}
        ((of_residuals, of_stream),) = limits
        assert of_residuals == pytest.approx(rms_limit(*measured[:3]), rel=1e-6)
        assert stage.stem.limit == of_stream == pytest.approx(rms_limit(*measured[3:]), rel=1e-6)
        assert single.blocks[1].residual.limit == pytest.approx(rms_limit(shown[1]), rel=1e-6)
        assert single.blocks[2].stream.limit == pytest.approx(rms_limit(shown[6]), rel=1e-6)


def test_without_a_last_relu_nothing_is_zeroed() -> None:
    view = network_view(network_trace(VARIANTS["full_preact"], 2))
    assert all(block.zeroed is None and np.isnan(block.zeroed_part) for block in view.blocks)


def test_values_that_are_not_finite_are_counted(trace: NetworkTrace) -> None:
    bn2, add = trace["block2"]["bn2"].copy(), trace["block2"]["add"].copy()
    bn2[1, 2] = add[1, 2] = np.nan
    bn2[3, 3] = add[3, 3] = [np.inf, -np.inf, 0, 0]
    view = network_view(with_stages(trace, "block2", bn2=bn2, add=add))
    assert view.blocks[1].residual.missing == 2
    assert np.isnan(view.blocks[1].zeroed_part)
    assert np.isnan(view.blocks[1].ratio)


def test_a_batch_and_a_network_without_blocks_are_refused(trace: NetworkTrace) -> None:
    with pytest.raises(InputError, match=r"a batch of 2; use trace.image\(n\)"):
        network_view(replace(trace, images=np.zeros((2, 8, 6, 1), np.float32)))
    with pytest.raises(InputError, match="at least one block"):
        network_view(replace(trace, blocks=MappingProxyType({})))
    with pytest.raises(InputError, match=r"channel must be .*3.* got 4"):
        network_view(trace, 4)


def test_blocks_with_stride_lie_on_the_pixels_of_the_stem() -> None:
    """A picture of 9×7: the stem keeps it, and the second block leaves 5×4 pixels."""
    trace = staged_network().trace(noise((9, 7, 1)))
    view = network_view(trace, channel=1)
    assert view.is_staged
    assert view.shape == (9, 7, 4)
    assert [block.shape for block in view.blocks] == [(9, 7, 4), (5, 4, 8), (5, 4, 8)]
    assert [block.stream.pitch for block in view.blocks] == [1, 2, 2]
    # Pixel 0 of the smaller maps covers pixels 0 and 1 of the stem's.
    assert view.blocks[2].residual.top == view.blocks[2].residual.left == 0.5
    for name, block in zip(trace.blocks, view.blocks, strict=True):
        np.testing.assert_array_equal(block.stream.values, trace[name]["out"][:, :, 1])
        np.testing.assert_array_equal(block.residual.values, trace[name]["bn2"][:, :, 1])
        assert block.zeroed is not None
        np.testing.assert_array_equal(block.zeroed, trace[name]["add"][:, :, 1] < 0)
    with pytest.raises(InputError, match=r"channel must be .*0 to 3"):
        network_view(trace, channel=4)
    assert not network_view(network_trace(V1, 3)).is_staged
