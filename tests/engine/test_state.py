import numpy as np
import pytest

from explorer import VARIANTS, InputError, Model, trace_block
from explorer.engine.state import state_variables
from explorer.model.variants import FIXES
from tests.helpers import SMALL, noise

X = noise(SMALL, 1)


def test_a_train_mode_call_moves_the_running_statistics_and_an_eval_mode_call_does_not() -> None:
    variables = {variable.path: variable for variable in state_variables(Model.from_seed(3, 4), X)}
    trace = trace_block(3, X, 4)
    for name, norm in trace.norms.items():
        mean, var = variables[f"{name}.mean"], variables[f"{name}.var"]
        assert (mean.kind, var.kind) == ("BatchStat", "BatchStat")
        np.testing.assert_array_equal(mean.initial, 0)
        np.testing.assert_array_equal(var.initial, 1)
        np.testing.assert_allclose(mean.after_train, norm.mean_after, atol=1e-6)
        np.testing.assert_allclose(var.after_train, norm.var_after, atol=1e-6)
        assert (mean.after_train != mean.initial).any()
    for variable in variables.values():
        np.testing.assert_array_equal(variable.after_eval, variable.after_train)
        if variable.kind == "Param":
            np.testing.assert_array_equal(variable.after_train, variable.initial)


def test_the_variables_of_the_basic_block() -> None:
    found = {
        variable.path: (variable.kind, variable.initial.shape)
        for variable in state_variables(Model.from_seed(0, 4), X)
    }
    conv = {"kernel": (3, 3, 4, 4), "bias": (4,)}
    expected = {f"conv{n}.{part}": ("Param", shape) for n in (1, 2) for part, shape in conv.items()}
    expected |= {f"bn{n}.{part}": ("Param", (4,)) for n in (1, 2) for part in ("scale", "bias")}
    expected |= {f"bn{n}.{part}": ("BatchStat", (4,)) for n in (1, 2) for part in ("mean", "var")}
    assert found == expected
    np.testing.assert_array_equal(
        next(
            variable.initial
            for variable in state_variables(Model.from_seed(7, 4), X)
            if variable.path == "conv2.kernel"
        ),
        trace_block(7, X, 4).model.parameters["conv2"]["kernel"],
    )


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_every_variant_has_variables(name: str) -> None:
    variables = state_variables(Model.from_seed(0, 4, name), X)
    assert {variable.kind for variable in variables} <= {"Param", "BatchStat", "Constant"}
    has_norms = bool(VARIANTS[name].norms())
    assert has_norms == any(variable.kind == "BatchStat" for variable in variables)
    assert all(not variable.initial.flags.writeable for variable in variables)


def test_a_variant_that_does_not_run_is_refused() -> None:
    with pytest.raises(InputError, match="The addition does not run"):
        state_variables(Model.from_seed(0, 4, "valid_padding"), X)
