"""Results stay what they were: values recorded before the engine took models.

Digests differ between processors, so values are compared. `recorded_values.json` holds, for
20 experiments, 16 cells of out with its mean and deviation; and the same of gradients and
curves for 10 more. To record them anew: `python -m tests.engine.test_recorded_values`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import propagate, split_gradient, trace_block
from explorer.inputs import generate

FILE = Path(__file__).with_name("recorded_values.json")
VARIANTS = [
    "v1",
    "no_skip",
    "relu_before_add",
    "bn_after_add",
    "relu_only_preact",
    "full_preact",
    "scaled_skip",
    "projection",
    "zero_pad",
    "zero_gamma",
    "no_bn",
    "bottleneck",
    "transformer_mlp",
    "transformer_attention",
    "eval_untrained",
]
SHAPES = [(8, 6, 4), (1, 1, 1), (7, 5, 16), (24, 24, 8), (9, 11, 3)]


def sample(values: np.ndarray) -> list[float]:
    """Return 16 cells, evenly spread, with mean and deviation."""
    flat = np.asarray(values, np.float64).ravel()
    cells = flat[np.linspace(0, flat.size - 1, 16).astype(int)]
    return [float(value) for value in (*cells, flat.mean(), flat.std())]


def outputs() -> dict[str, list[float]]:
    """Return samples of out for 20 experiments."""
    found = {
        name: trace_block(seed, generate("normal", 8, 6, 4, seed), 4, variant=name)["out"]
        for seed, name in enumerate(VARIANTS)
    }
    for index, shape in enumerate(SHAPES):
        x = generate("normal", *shape, index)
        mode: dict[str, Any] = {"use_running_average": index % 2 == 1, "warmup_passes": index}
        found[f"shape {shape}"] = trace_block(2**32 - 1 - index, x, shape[2], **mode)["out"]
    return {name: sample(values) for name, values in found.items()}


def gradients_and_curves() -> dict[str, list[float]]:
    """Return samples of all gradients, and of all curves, for 10 experiments."""
    found = {}
    for seed, name in enumerate(["v1", "full_preact", "projection", "no_skip", "transformer_mlp"]):
        x = generate("normal", 8, 6, 4, seed)
        shape = trace_block(seed, x, 4, variant=name)["out"].shape
        cotangent = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
        split = split_gradient(seed, x, 4, cotangent=cotangent, variant=name)
        for part in ("total", "identity", "residual"):
            found[f"gradient {name} {part}"] = sample(getattr(split, part))
    # A cell that is 0 up to rounding changes gradients by more than rounding when its ReLU flips;
    # these stacks are small and hold none.
    for seed, name in enumerate(["v1", "no_skip", "full_preact", "no_bn", "eval_untrained"]):
        x = generate("normal", 8, 6, 4, seed)
        record = propagate(seed + 40, x, 4, depth=4, seeds=2, variant=name)
        for curve, values in record.curves.items():
            if np.isfinite(values).all():
                found[f"curve {name} {curve}"] = sample(values)
    return found


@pytest.mark.parametrize("compute", [outputs, gradients_and_curves])
def test_results_are_those_recorded(compute: Any) -> None:
    recorded = json.loads(FILE.read_text(encoding="utf-8"))[compute.__name__]
    found = compute()
    assert found.keys() == recorded.keys()
    for name, values in recorded.items():
        tolerance = 1e-5 * max(1.0, float(np.abs(values).max()))
        np.testing.assert_allclose(found[name], values, atol=tolerance, rtol=0, err_msg=name)


if __name__ == "__main__":
    results = {compute.__name__: compute() for compute in (outputs, gradients_and_curves)}
    FILE.write_text(json.dumps(results, indent=0) + "\n", encoding="utf-8")
