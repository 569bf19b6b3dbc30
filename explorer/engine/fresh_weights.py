"""A network of the same layers as another, with random weights."""

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from explorer.engine.arrays import frozen
from explorer.engine.network import FromNetwork, Network
from explorer.errors import check_type
from explorer.inputs.random_streams import Purpose, check_seed, random_stream
from explorer.model.weights import Arrays, Model


def with_fresh_weights(network: Network, seed: float) -> Network:
    """Return a network of the same layers with random weights, as before a training.

    Kernels of convolutions have variance 2 / fan-in (He et al. 2015b), the head's 1 / fan-in.
    Running means are 0 and running variances 1. Constants of the layers, such as γ = 1 and β = 0 of
    BatchNorms, are those of the specs, and biases 0.

    Args:
        network: the network.
        seed: integer 0 … 2³²−1, fixes the weights.

    Raises:
        InputError: an argument is outside its documented range.
    """
    check_type("network", network, Network)
    checked = check_seed(seed)
    random = random_stream(checked, Purpose.NETWORK)
    provenance = "fresh weights", checked, network.provenance

    def fresh(name: str, model: Model) -> Model:
        return replace(
            model,
            parameters=_drawn(model, random),
            statistics=frozen({name: _cleared(each) for name, each in model.statistics.items()}),
            provenance=FromNetwork(provenance, name),
        )

    kernel = network.head["kernel"]
    return replace(
        network,
        stem=fresh("stem", network.stem),
        models=MappingProxyType({name: fresh(name, each) for name, each in network.models.items()}),
        final=network.final and fresh("final", network.final),
        head=frozen(
            {
                "kernel": _normal(kernel.shape, 1 / len(kernel), random),
                "bias": np.zeros_like(network.head["bias"]),
            }
        ),
        provenance=provenance,
    )


def _drawn(model: Model, random: np.random.Generator) -> Arrays:
    constants, found = model.spec.constants(), {}
    for layer, values in model.parameters.items():
        own = {name: np.zeros_like(value) for name, value in values.items()}
        own |= {
            name: np.full_like(values[name], value)
            for name, value in constants.get(layer, {}).items()
        }
        if "kernel" in own:
            shape = own["kernel"].shape
            own["kernel"] = _normal(shape, 2 / math.prod(shape[:-1]), random)
        found[layer] = own
    return frozen(found)


def _cleared(statistics: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        "mean": np.zeros_like(statistics["mean"]),
        "var": np.ones_like(statistics["var"]),
    }


def _normal(shape: tuple[int, ...], variance: float, random: np.random.Generator) -> np.ndarray:
    return random.standard_normal(shape, dtype=np.float32) * np.float32(math.sqrt(variance))
