"""The code that the page shows is run, and must give what the page draws."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import VARIANTS, BlockTrace, Model, trace_model
from explorer.inputs import generate, standardise
from explorer.inputs.source_code import (
    STANDARDISE_SOURCE,
    generator_source,
)
from explorer.model.layers import (
    DEFAULT_BATCH_NORM,
    BatchNormSettings,
    Conv,
    PadChannels,
    ReLU,
)
from explorer.model.pooling import AvgPool, MaxPool
from explorer.model.source_code import nnx_script, nnx_source, source_diff
from explorer.model.spec import BlockSpec
from explorer.model.variants import (
    CROPPED_IDENTITY,
    FAMILIES,
    FIXES,
    V1,
    projection,
    scaled_skip,
    zero_gamma,
    zero_pad,
)
from tests.helpers import SMALL, noise

SEED, SHAPE = 4, SMALL
X = noise(SHAPE, 2)
SPECS = {name: spec for name, spec in VARIANTS.items() if name not in FIXES}
SPECS |= {f"{name}: {words}": spec for name, (words, spec) in FIXES.items()}
SPECS |= {
    "scaled 0.15": scaled_skip(0.15),
    "to 12, stride 2": projection(12, 2),
    "padded to 11, stride 2": zero_pad(11, 2),
    "gamma 0.3": zero_gamma(0.3),
    "padded around to 11": replace(
        zero_pad(11, 2), shortcut=(("pad", PadChannels(11, 2, "around")),)
    ),
    "pooled": replace(
        projection(8, 2),
        shortcut=(("pool", AvgPool()), ("proj", Conv(size=1, out=8))),
        after=(("relu2", ReLU()), ("out", MaxPool())),
    ),
}


BATCH = np.stack([X, noise(SHAPE, 3)])
SETTINGS = BatchNormSettings(1e-2, 0.9)
# Runs every script in a namespace of its own, without the explorer, and saves its output.
RUNNER = """
import importlib.util, json, sys
import numpy as np
assert importlib.util.find_spec("explorer") is None
for name, script in json.load(sys.stdin).items():
    print("script", name)
    names = {}
    exec(script, names)
    np.save(f"{name}.npy", names["out"])
"""


class Case:
    """A script with its settings, and the trace that it must give."""

    def __init__(
        self,
        spec: BlockSpec,
        x: np.ndarray = X,
        source: str = "",
        settings: BatchNormSettings = DEFAULT_BATCH_NORM,
        **mode: Any,
    ):
        features = x.shape[-1]
        self.model = Model.from_seed(SEED, features, spec, settings)
        self.x, self.mode = x, mode
        self.script = nnx_script(
            spec,
            x.shape,
            seed=SEED,
            features=features,
            batch_norm=settings,
            input_source=source,
            **mode,
        )

    def trace(self) -> BlockTrace:
        return trace_model(self.model, self.x, **self.mode)


NOISE = generate("normal", 8, 6, 4, 7)
NOISE_SOURCE = generator_source("normal", 8, 6, 4, 7)
WARM = {"use_running_average": True, "warmup_passes": 3}
CASES: dict[str, tuple[BlockSpec, dict[str, Any]]] = {
    **{f"variant {number}": (spec, {}) for number, spec in enumerate(SPECS.values())},
    "eval": (V1, {"use_running_average": True}),
    "warm": (V1, WARM),
    "eval untrained": (VARIANTS["eval_untrained"], {"warmup_passes": 2}),
    "settings": (V1, {"settings": SETTINGS, **WARM}),
    "settings of a projection": (projection(), {"settings": SETTINGS}),
    "made": (V1, {"x": NOISE, "source": NOISE_SOURCE}),
    "made and standardised": (
        VARIANTS["full_preact"],
        {"x": standardise(NOISE), "source": NOISE_SOURCE + STANDARDISE_SOURCE},
    ),
    "batch": (V1, {"x": BATCH}),
    "padded batch": (zero_pad(), {"x": BATCH}),
    "attention batch": (VARIANTS["transformer_attention"], {"x": BATCH}),
    "cropped batch": (CROPPED_IDENTITY, {"x": BATCH}),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """The folder with every script's output, and what each printed."""
    folder = tmp_path_factory.mktemp("scripts")
    scripts = {}
    for name, (spec, options) in CASES.items():
        case = Case(spec, **options)
        file = f"{name} x.npy"
        np.save(folder / file, case.x)
        scripts[name] = case.script.replace("x.npy", file)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", RUNNER],
        input=json.dumps(scripts),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    parts = [part.splitlines() for part in run.stdout.split("script ")[1:]]
    return folder, {name: lines for name, *lines in parts}


@pytest.mark.parametrize("name", CASES)
def test_the_script_shown_gives_the_traced_output(
    name: str, printed: tuple[Path, dict[str, list[str]]]
) -> None:
    folder, lines = printed
    spec, options = CASES[name]
    trace = Case(spec, **options).trace()
    np.testing.assert_allclose(np.load(folder / f"{name}.npy"), trace["out"], atol=1e-5)
    spread, digest = lines[name]
    assert spread == f"std of out: {trace['out'].std():.3f}"
    if spec is V1 and not trace.warmup_passes:  # which are added up outside of the program
        assert digest == f"digest of out: {trace.digest()}"


@pytest.mark.parametrize("name", FIXES)
def test_the_code_of_what_does_not_run_does_not_run(name: str) -> None:
    script = Case(VARIANTS[name], source=generator_source("normal", *SHAPE, 0)).script
    with pytest.raises(TypeError, match="add got incompatible shapes"):
        exec(script, {})


@pytest.mark.parametrize("name", SPECS)
def test_the_difference_turns_one_code_into_the_other(name: str) -> None:
    before, after = nnx_source(V1).splitlines(), nnx_source(SPECS[name]).splitlines()
    lines = source_diff(V1, SPECS[name]).splitlines()
    gone = [line[1:] for line in lines if line.startswith("-")]
    new = [line[1:] for line in lines if line.startswith("+")]
    assert bool(lines) == (name != "v1")
    for line in gone:
        before.remove(line)
    for line in new:
        after.remove(line)
    assert before == after


def test_families_start_at_the_variant_of_their_name() -> None:
    for name, family in FAMILIES.items():
        assert family.make() == VARIANTS[name]


def test_the_code_has_epsilon_and_momentum_where_they_are_not_nnxs() -> None:
    assert "epsilon=0.01, momentum=0.9" in nnx_source(V1, batch_norm=SETTINGS)
    assert "epsilon" not in nnx_source(V1)
