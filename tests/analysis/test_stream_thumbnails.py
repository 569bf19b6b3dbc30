"""Thumbnails along a network against the stages of its trace."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import VARIANTS, InputError, Network, NetworkTrace
from explorer.analysis.stream_thumbnails import stream_thumbnails
from explorer.model.network import NetworkSpec
from tests.helpers import noise

PICTURE = noise((4, 5, 1), 2)


def network(variant: str) -> Network:
    return Network.from_seed(0, NetworkSpec(VARIANTS[variant], 2, 4, 1, 4))


@pytest.fixture(scope="module", params=["v1", "no_skip", "full_preact"])
def trace(request: pytest.FixtureRequest) -> NetworkTrace:
    return network(request.param).trace(PICTURE)


def arrays(trace: NetworkTrace) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return F(x) and the stream of a trace, independent of its spec."""
    last = "conv2" if trace["block1"].spec == VARIANTS["full_preact"] else "bn2"
    branch = {name: trace[name][last] for name in ("block1", "block2")}
    outs = {name: trace[name]["out"] for name in branch}
    return branch, {"stem": trace["block1"]["x"], **outs}


def limit(values: np.ndarray) -> float:
    return min(np.abs(values).max(), 3 * np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def test_one_channel(trace: NetworkTrace) -> None:
    found = stream_thumbnails(trace, 2)
    branch, stream = arrays(trace)
    assert found.channel == 2
    for maps, expected in ((found.branch, branch), (found.stream, stream)):
        assert list(maps) == list(expected)
        for name, values in expected.items():
            assert maps[name].dtype == np.float32
            np.testing.assert_array_equal(maps[name], values[:, :, 2])
    together = np.concatenate([*branch.values(), *stream.values()])
    assert found.limit == pytest.approx(limit(together))
    assert found.limit == stream_thumbnails(trace, 0).limit


def test_the_mean_over_channels(trace: NetworkTrace) -> None:
    found = stream_thumbnails(trace)
    branch, stream = arrays(trace)
    assert found.channel is None
    for maps, expected in ((found.branch, branch), (found.stream, stream)):
        for name, values in expected.items():
            assert maps[name].shape == (4, 5)
            assert maps[name].dtype == np.float32
            np.testing.assert_allclose(maps[name], sum(np.moveaxis(values, 2, 0)) / 4, atol=1e-5)
    shown = np.concatenate([*found.branch.values(), *found.stream.values()])
    assert found.limit == pytest.approx(limit(shown))


def test_a_stream_of_zeros_has_limit_1() -> None:
    trace = network("v1").trace(PICTURE)
    zeros = {name: np.zeros((4, 5, 4), np.float32) for name in trace["block1"].stages}
    block = replace(trace["block1"], stages=MappingProxyType(zeros))
    blank = replace(
        trace,
        blocks=MappingProxyType({"block1": block}),
        stream=MappingProxyType({"stem": zeros["x"], "block1": zeros["out"]}),
    )
    assert stream_thumbnails(blank).limit == stream_thumbnails(blank, 0).limit == 1


def test_what_is_refused(trace: NetworkTrace) -> None:
    with pytest.raises(InputError, match="channel must be an integer from 0 to 3, got 4"):
        stream_thumbnails(trace, 4)
    with pytest.raises(InputError, match="trace must be of one picture"):
        stream_thumbnails(network("v1").trace(PICTURE[None]))
