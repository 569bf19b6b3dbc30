import numpy as np
import pytest

from explorer import VARIANTS, InputError, trace_block
from explorer.engine.state import state_tree
from explorer.model.variants import FIXES
from tests.helpers import noise

X = noise((6, 5, 4), 1)


def test_a_train_mode_call_moves_the_running_statistics_and_an_eval_mode_call_does_not() -> None:
    leaves = {leaf.path: leaf for leaf in state_tree(3, X, 4)}
    trace = trace_block(3, X, 4)
    for name, norm in trace.norms.items():
        mean, var = leaves[f"{name}.mean"], leaves[f"{name}.var"]
        assert (mean.kind, var.kind) == ("BatchStat", "BatchStat")
        np.testing.assert_array_equal(mean.fresh, 0)
        np.testing.assert_array_equal(var.fresh, 1)
        np.testing.assert_allclose(mean.trained, norm.mean_after, atol=1e-6)
        np.testing.assert_allclose(var.trained, norm.var_after, atol=1e-6)
        assert (mean.trained != mean.fresh).any()
    for leaf in leaves.values():
        np.testing.assert_array_equal(leaf.evaluated, leaf.trained)
        if leaf.kind == "Param":
            np.testing.assert_array_equal(leaf.trained, leaf.fresh)


def test_the_tree_of_the_basic_block() -> None:
    found = {leaf.path: (leaf.kind, leaf.fresh.shape) for leaf in state_tree(0, X, 4)}
    conv = {"kernel": (3, 3, 4, 4), "bias": (4,)}
    expected = {f"conv{n}.{part}": ("Param", shape) for n in (1, 2) for part, shape in conv.items()}
    expected |= {f"bn{n}.{part}": ("Param", (4,)) for n in (1, 2) for part in ("scale", "bias")}
    expected |= {f"bn{n}.{part}": ("BatchStat", (4,)) for n in (1, 2) for part in ("mean", "var")}
    assert found == expected
    np.testing.assert_array_equal(
        next(leaf.fresh for leaf in state_tree(7, X, 4) if leaf.path == "conv2.kernel"),
        trace_block(7, X, 4).kernels["conv2"],
    )


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_every_variant_has_a_tree(name: str) -> None:
    leaves = state_tree(0, X, 4, variant=name)
    assert {leaf.kind for leaf in leaves} <= {"Param", "BatchStat", "Constant"}
    has_norms = bool(VARIANTS[name].norms())
    assert has_norms == any(leaf.kind == "BatchStat" for leaf in leaves)
    assert all(not leaf.fresh.flags.writeable for leaf in leaves)


def test_what_does_not_run_says_why() -> None:
    with pytest.raises(InputError, match="The addition does not run"):
        state_tree(0, X, 4, variant="valid_padding")
