"""Public functions under JAX settings that a user may have turned on, in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
# Prints the name of every function that ran; JAX's settings must be made before it computes.
SCRIPT = """
import sys, warnings
import jax
jax.config.update(sys.argv[1], True)
warnings.simplefilter("error")
import numpy as np
from explorer import Model, propagate, resnet_basic_forward, split_gradient, trace_block
from explorer.engine.ablation import ablate
from explorer.engine.paths import path_lengths
from explorer.engine.stack import Stack
from explorer.engine.state import state_variables

x = np.random.default_rng(0).standard_normal((4, 3, 2), np.float32)
stack = Stack.from_seed(0, 2, 2)
runs = {
    "resnet_basic_forward": lambda: resnet_basic_forward(0, x, 2),
    "ablate": lambda: ablate(stack, x, kind="swap").change,
    "path_lengths": lambda: path_lengths(stack, x, samples=2).norm,
    "state_variables": lambda: state_variables(Model.from_seed(0, 2), x)[0].after_train,
}
for name in ("no_skip", "full_preact"):
    runs |= {
        f"trace {name}": lambda name=name: trace_block(0, x, 2, variant=name)["out"],
        f"split {name}": lambda name=name: split_gradient(
            0, x, 2, cotangent=x, variant=name
        ).total,
        f"propagate {name}": lambda name=name: propagate(
            0, x, 2, depth=2, variant=name
        ).curves["std"],
    }
for name, run in runs.items():
    assert np.isfinite(np.asarray(run())).all(), name
    print(name)
"""


@pytest.mark.parametrize("setting", ["jax_enable_x64", "jax_debug_nans", "jax_disable_jit"])
def test_public_functions_run_under_a_setting_of_jax(setting: str) -> None:
    command = [sys.executable, "-c", SCRIPT, setting]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.splitlines()) == 10
