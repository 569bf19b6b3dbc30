from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer import InputError, Model, trace_model
from explorer.engine.linen_parity import linen_parity
from explorer.model.layers import BatchNormSettings
from tests.helpers import noise


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (32, 32, 8)])
@pytest.mark.parametrize(("use_running_average", "warmup"), [(False, 0), (True, 0), (True, 30)])
def test_linen_and_nnx_agree(
    shape: tuple[int, int, int], use_running_average: bool, warmup: int
) -> None:
    model, x = Model.from_seed(5, shape[2]), noise(shape, 2)
    mode: dict[str, Any] = {"use_running_average": use_running_average, "warmup_passes": warmup}
    trace, parity = trace_model(model, x, **mode), linen_parity(model, x, **mode)
    np.testing.assert_allclose(parity.out, trace["out"], atol=1e-5)
    for name, norm in trace.norms.items():
        np.testing.assert_allclose(parity.statistics[name]["mean"], norm.mean_after, atol=1e-5)
        np.testing.assert_allclose(parity.statistics[name]["var"], norm.var_after, atol=1e-5)
    assert set(parity.differences) == {"out", "bn1.mean", "bn1.var", "bn2.mean", "bn2.var"}
    assert max(parity.differences.values()) <= 1e-5


def test_linen_runs_with_the_models_own_epsilon_and_momentum_and_on_a_batch() -> None:
    model = Model.from_seed(5, 3, batch_norm=BatchNormSettings(1e-2, 0.9))
    batch = np.stack([noise((7, 5, 3), seed) for seed in (1, 2)])
    parity = linen_parity(model, batch)
    assert parity.out.shape == batch.shape
    assert max(parity.differences.values()) <= 1e-5


def test_linen_really_runs_and_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = Model.from_seed(5, 3), noise((7, 5, 3), 2)
    trace = trace_model(model, x)
    doubled = dict(model.parameters["conv2"], kernel=model.parameters["conv2"]["kernel"] * 2)
    other = replace(model, parameters={**model.parameters, "conv2": doubled})
    # Linen gets doubled kernels, NNX those of the model.
    monkeypatch.setattr("explorer.engine.linen_parity.trace_model", lambda *_, **__: trace)
    parity = linen_parity(other, x)
    np.testing.assert_allclose(parity.statistics["bn1"]["var"], trace.norms["bn1"].var_after)
    expected = 0.01 * np.abs(trace.norms["bn2"].batch_var * 3).max()
    assert parity.differences["bn2.var"] == pytest.approx(expected, rel=1e-3)


def test_linen_has_the_basic_block_alone() -> None:
    with pytest.raises(InputError, match="this model is “No skip”"):
        linen_parity(Model.from_seed(0, 2, "no_skip"), noise((4, 4, 2), 0))
