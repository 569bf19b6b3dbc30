"""Every fault is planted, found at its place, and nothing else is remarked."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from explorer.analysis.network_health import NetworkHealth, network_health
from explorer.engine.network import Network
from explorer.errors import InputError
from explorer.model.weights import Model
from tests.helpers import noise, staged_network

PICTURE = noise((12, 10, 1))


@pytest.fixture(scope="module")
def sound() -> Network:
    """A network whose running statistics are those of the picture."""
    network = staged_network()
    trace = network.trace(PICTURE, use_running_average=False)

    def calibrated(model: Model, norms: Any) -> Model:
        statistics = {
            name: {"mean": norm.batch_mean, "var": norm.batch_var} for name, norm in norms.items()
        }
        return replace(model, statistics=statistics)

    models = {name: calibrated(model, trace[name].norms) for name, model in network.models.items()}
    return replace(network, stem=calibrated(network.stem, trace.stem.norms), models=models)


def changed(network: Network, block: str, layer: str, **arrays: Any) -> Network:
    """Return the network with other parameters of a layer, by a function of the present ones."""
    model = network.models[block]
    own = dict(model.parameters[layer])
    for name, change in arrays.items():
        own[name] = np.asarray(change(own[name]), np.float32)
    parameters = {**model.parameters, layer: own}
    models = {**network.models, block: replace(model, parameters=parameters)}
    return replace(network, models=MappingProxyType(models))


def remarks(health: NetworkHealth) -> dict[str, tuple[str, ...]]:
    return {row.name: row.remarks for row in health.rows if row.remarks}


def test_a_sound_network_has_no_remarks_and_its_numbers_are_those_of_the_trace(
    sound: Network,
) -> None:
    trace = sound.trace(PICTURE)
    health = network_health(trace)
    assert remarks(health) == {}
    assert health.remarks == ()
    for row, block in zip(health.rows, trace.blocks.values(), strict=True):
        identity = block[block.spec.identity or "x"]
        ratio = np.linalg.norm(block["bn2"]) / np.linalg.norm(identity)
        assert row.ratio == pytest.approx(ratio, rel=1e-5)
        assert row.zeroed == pytest.approx(np.mean(block["add"] < 0), abs=1e-6)
        assert row.largest == np.abs(block["out"]).max()
        assert (row.channels, row.gamma) == (block["out"].shape[-1], 1)
        assert row.distance < 0.1


def test_a_block_that_adds_nothing(sound: Network) -> None:
    network = changed(sound, "layer3.0", "bn2", scale=np.zeros_like, bias=np.zeros_like)
    found = remarks(network_health(network.trace(PICTURE)))
    assert found == {"layer3.0": ("γ of its last norm is near 0", "adds nothing")}


def test_dead_channels(sound: Network) -> None:
    network = changed(sound, "layer2.0", "bn2", bias=lambda bias: bias - 100)
    found = remarks(network_health(network.trace(PICTURE)))
    assert "nearly all channels are zero on this picture" in found["layer2.0"]
    assert network_health(network.trace(PICTURE)).rows[1].dead == 8


def test_statistics_that_were_never_updated(sound: Network) -> None:
    fresh = staged_network()
    models = {**sound.models, "layer1.0": fresh.models["layer1.0"]}
    network = replace(sound, models=MappingProxyType(models))
    found = remarks(network_health(network.trace(PICTURE)))
    assert "never updated" in found["layer1.0"][0]
    health = network_health(replace(sound, stem=fresh.stem).trace(PICTURE))
    assert "The stem's running statistics were never updated" in health.remarks[0]


def test_statistics_far_from_the_pictures(sound: Network) -> None:
    model = sound.models["layer2.0"]
    statistics = {
        name: {"mean": each["mean"] + 50, "var": each["var"]}
        for name, each in model.statistics.items()
    }
    models = {**sound.models, "layer2.0": replace(model, statistics=statistics)}
    health = network_health(replace(sound, models=MappingProxyType(models)).trace(PICTURE))
    assert "running statistics are far from this picture's" in remarks(health)["layer2.0"]


def test_pictures_that_were_not_normalised(sound: Network) -> None:
    raw = network_health(sound.trace(np.abs(PICTURE) * 100))
    assert "was probably not normalised" in raw.remarks[0]
    positive = network_health(sound.trace(np.abs(PICTURE)))
    assert "mean was probably not subtracted" in positive.remarks[0]


def test_values_that_are_not_finite(sound: Network) -> None:
    network = changed(sound, "layer3.0", "conv2", bias=lambda bias: bias + np.inf)
    assert (
        "has values that are not finite"
        in remarks(network_health(network.trace(PICTURE)))["layer3.0"]
    )


def test_a_batch_is_refused(sound: Network) -> None:
    with pytest.raises(InputError, match="trace must be of one picture"):
        network_health(sound.trace(PICTURE[None]))
