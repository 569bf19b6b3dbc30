from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from flax import nnx

from explorer import VARIANTS, InputError, Model, split_gradient, trace_block, trace_model
from explorer.engine.ablation import ablate
from explorer.engine.gradients import split_trace
from explorer.engine.linen_parity import linen_parity
from explorer.engine.paths import path_lengths
from explorer.engine.propagation import propagate, propagate_stack
from explorer.engine.stack import Stack
from explorer.engine.state import state_variables
from explorer.model import weights
from explorer.model.layers import BatchNormSettings
from explorer.model.spec_block import build_block
from explorer.model.variants import FIXES, V1, scaled_skip, zero_gamma
from explorer.model.weights import FromSeed, draw_weights, split_state
from tests.helpers import SMALL, noise

X = noise(SMALL, 1)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_weights_are_those_of_eager_nnx(name: str) -> None:
    """Convolutions bit for bit; other kernels within the rounding of a fused initialiser."""
    model = Model.from_seed(2**32 - 1, 4, name)
    block = build_block(VARIANTS[name], 4, nnx.Rngs(2**32 - 1), model.batch_norm)
    expected = split_state(block)
    found = dict(model.parameters), dict(model.statistics)

    def compare(path: Any, one: Any, other: Any) -> None:
        is_dense = any(part in str(path) for part in ("dense", "attention"))
        np.testing.assert_allclose(one, other, rtol=1e-6 if is_dense else 0, atol=0)

    jax.tree_util.tree_map_with_path(compare, found, expected)


def test_many_seeds_are_drawn_as_one_by_one() -> None:
    structure = Model.structure_of(V1, 4)
    seeds = np.arange(40)
    several = draw_weights(structure, seeds, V1)[0]
    for seed in (0, 15, 16, 39):
        one = Model.from_seed(seed, 4).parameters
        np.testing.assert_array_equal(several["conv2"]["kernel"][seed], one["conv2"]["kernel"])


def test_the_key_holds_what_determines_the_result_and_no_text() -> None:
    model = Model.from_seed(3, 4)
    renamed = Model.from_seed(3, 4, replace(V1, title="Other", description="Words.", source="-"))
    assert renamed.key == model.key
    others = [
        Model.from_seed(4, 4),
        Model.from_seed(3, 5),
        Model.from_seed(3, 4, "no_skip"),
        Model.from_seed(3, 4, zero_gamma(0.5)),
        Model.from_seed(3, 4, scaled_skip(0.5)),
        Model.from_seed(3, 4, scaled_skip(0.6)),
        Model.from_seed(3, 4, batch_norm=BatchNormSettings(epsilon=1e-3)),
        Model.from_seed(3, 4, batch_norm=BatchNormSettings(momentum=0.9)),
    ]
    assert len({model.key, *(other.key for other in others)}) == 9
    assert hash(model.key) == hash(renamed.key)
    assert str(model.provenance) == "seed 3"
    assert model.provenance == FromSeed(3)


def test_weights_are_read_only() -> None:
    model = Model.from_seed(3, 4, zero_gamma(0.5))
    for array in jax.tree.leaves((dict(model.parameters), dict(model.statistics))):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    np.testing.assert_array_equal(model.parameters["bn2"]["scale"], np.float32(0.5))


def test_a_model_without_its_shortcut_shares_the_weights() -> None:
    model = Model.from_seed(3, 4, "projection")
    without_shortcut = model.without_shortcut()
    assert without_shortcut.parameters["conv1"] is model.parameters["conv1"]
    assert set(without_shortcut.parameters) == {"conv1", "bn1", "conv2", "bn2"}
    assert without_shortcut.key != model.key
    np.testing.assert_allclose(
        trace_model(without_shortcut, X)["bn2"], trace_model(model, X)["bn2"]
    )


def test_a_block_of_a_model_is_the_callers_own() -> None:
    model = Model.from_seed(3, 4)
    first, second = model.block(), model.block()
    first(jax.numpy.asarray(X), use_running_average=False)
    means = [split_state(block)[1]["bn1"]["mean"] for block in (first, second)]
    assert np.abs(means[0]).max() > 0
    np.testing.assert_array_equal(means[1], model.statistics["bn1"]["mean"])


def test_the_size_of_a_structure_counts_every_weight() -> None:
    model = Model.from_seed(3, 4, "projection")
    arrays = jax.tree.leaves((dict(model.parameters), dict(model.statistics)))
    assert model.structure.size == sum(array.size for array in arrays)


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(InputError, match=r"variant must be one of v1, .*; got 'v2'"):
        Model.from_seed(0, 4, "v2")


class Draws:
    """Counts the models whose weights are drawn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        one, several = weights._draw, weights._draw_several

        def draw(seed: Any, structure: Any) -> Any:
            self.count += 1
            return one(seed, structure)

        def draw_several(seeds: Any, structure: Any) -> Any:
            self.count += len(seeds)
            return several(seeds, structure)

        monkeypatch.setattr(weights, "_draw", draw)
        monkeypatch.setattr(weights, "_draw_several", draw_several)


def test_weights_are_drawn_once_for_every_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through forward, gradients, What if and a stack."""
    draws, cotangent = Draws(monkeypatch), np.ones(X.shape)
    model, variant = Model.from_seed(3, 4), Model.from_seed(3, 4, "full_preact")
    stack = Stack.from_seed(3, 4, 16)
    assert draws.count == 1 + 1 + 16
    for each in (model, variant, model.without_shortcut()):
        for in_eval in (False, True):
            trace = trace_model(each, X, use_running_average=in_eval, warmup_passes=2)
            split_trace(trace, cotangent)
        state_variables(each, X)
    linen_parity(model, X)
    for blocks in (stack, stack.without_shortcut()):
        propagate_stack(blocks, X)
        ablate(blocks, X, kind="delete")
        ablate(blocks, X, kind="swap")
    path_lengths(stack, X, samples=2)
    trace_model(stack.model(5), X)
    assert draws.count == 18


def test_the_conveniences_draw_once(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = Draws(monkeypatch)
    trace_block(3, X, 4, use_running_average=True, warmup_passes=2)
    assert draws.count == 1
    split_gradient(3, X, 4, cotangent=np.ones(X.shape))
    assert draws.count == 2
    propagate(3, X, 4, depth=16)
    assert draws.count == 18


def test_compiled_engine_programs_hold_no_random_numbers() -> None:
    """Not only do they call no drawing function: nothing random is computed in them."""
    from explorer.engine.stage_program import run_stages

    model = Model.from_seed(3, 4)
    text = run_stages.lower(model.structure, model.parameters, model.statistics, X, False).as_text()
    assert "threefry" not in text
    assert "random" not in text
