"""Tests of scripts that compute a trace again: each is run, and must print the trace's digest."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import InputError, Model, trace_block, trace_model
from explorer.export.embedded import MAX_EMBEDDED
from explorer.export.notebook import notebook
from explorer.export.script import explorer_script, plain_script, to_script
from explorer.export.script_parts import Script
from explorer.inputs import generate
from explorer.inputs.source_code import generator_source
from explorer.model.layers import BatchNormSettings
from explorer.model.variants import V1, scaled_skip
from explorer.records import BlockTrace
from tests.helpers import noise

MAKERS: list[Callable[[BlockTrace], Script]] = [plain_script, explorer_script]
X = noise((8, 6, 4), 1)
# Runs each script in a namespace of its own, and prints what it prints last.
RUNNER = """
import contextlib, importlib.util, io, json, sys
scripts = json.load(sys.stdin)
assert (importlib.util.find_spec("explorer") is None) == (sys.argv[1] == "plain")
for name, text in scripts.items():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(text, {})
    print(name, [line for line in printed.getvalue().splitlines() if line.startswith("digest")])
"""
EVAL: dict[str, Any] = {"use_running_average": True}


def trained(variant: Any, x: np.ndarray = X, **mode: Any) -> BlockTrace:
    """Return the trace of a block whose weights no seed makes."""
    model = Model.from_seed(3, x.shape[-1], variant, BatchNormSettings(1e-3, 0.9))
    moved = {
        name: {key: value + np.float32(0.1) for key, value in each.items()}
        for name, each in model.statistics.items()
    }
    return trace_model(replace(model, statistics=moved, provenance="a file"), x, **mode)


TRACES = {
    "fresh": trace_block(5, X, 4),
    "eval": trace_block(5, X, 4, **EVAL),
    "after warm-up": trace_block(5, X, 4, **EVAL, warmup_passes=3),
    "variant after warm-up": trace_block(
        5, X, 4, **EVAL, warmup_passes=2, variant=scaled_skip(0.3)
    ),
    "batch": trace_block(0, noise((3, 5, 4, 2), 2), 2),
    "trained": trained("v1"),
    "trained, eval": trained("projection", **EVAL),
    "trained, scaled": trained(scaled_skip(0.7), **EVAL),
    "Transformer": trained("transformer_attention"),
    "wide": trained("v1", noise((4, 4, 64), 3), **EVAL),
}


@pytest.mark.parametrize("kind", ["plain", "explorer"])
def test_scripts_print_the_digest_of_the_trace(kind: str, tmp_path: Path) -> None:
    make = plain_script if kind == "plain" else explorer_script
    scripts = {name: make(trace).text for name, trace in TRACES.items()}
    folder = Path(__file__).parents[2]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    if kind == "explorer":
        environment["PYTHONPATH"] = str(folder)
    run = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", RUNNER, kind],
        input=json.dumps(scripts),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    printed = run.stdout.splitlines()
    assert len(printed) == len(TRACES)
    for line, (name, trace) in zip(printed, TRACES.items(), strict=True):
        assert line.startswith(f"{name} ['digest of out: {trace.digest()}'"), line


def printed_by(script: Script, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, content in script.files.items():
        (folder / name).write_bytes(content)
    monkeypatch.chdir(folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(script.text, {})
    return printed.getvalue()


@pytest.mark.parametrize("make", MAKERS)
def test_large_arrays_are_files_beside_the_script(
    make: Callable[[BlockTrace], Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.export.embedded.MAX_EMBEDDED", 100)
    script = make(TRACES["trained"])
    assert set(script.files) == {"input.npz", "weights.npz"}
    assert TRACES["trained"].digest() in printed_by(script, tmp_path, monkeypatch)
    with pytest.raises(InputError, match=r"too many values for a script: input\.npz has 0\.0 MB"):
        to_script(TRACES["trained"])


@pytest.mark.parametrize("make", [plain_script, explorer_script])
def test_a_formula_stands_for_the_input(
    make: Callable[[BlockTrace, str], Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = trace_block(1, generate("normal", 6, 5, 3, 7), 3)
    script = make(trace, generator_source("normal", 6, 5, 3, 7))
    assert "unpack" not in script.text
    assert trace.digest() in printed_by(script, tmp_path, monkeypatch)


def test_the_first_lines_name_digest_and_versions() -> None:
    first, second = to_script(TRACES["eval"]).splitlines()[:2]
    assert first == f"# {TRACES['eval'].spec.title}, eval mode."
    digest = TRACES["eval"].digest()
    assert second.startswith(f"# Digest of out: {digest}, with jax ")
    assert len(to_script(TRACES["eval"])) < MAX_EMBEDDED


@pytest.mark.parametrize("make", MAKERS)
def test_no_word_of_a_block_becomes_code(
    make: Callable[[BlockTrace], Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = "raise SystemExit(1)"
    words = f'</script>\'""" \u202e\n{end}\r\n{end}\u2028{end}\x85{end}\x0c{end}'
    spec = replace(V1, title=words, description=words, source=words)
    model = replace(Model.from_seed(1, 4, spec), provenance=words)
    trace = trace_model(model, X)
    script = make(trace)
    assert script.text.splitlines()[0].endswith(f"{end}, train mode.")
    assert script.text.isascii() or script.text.replace("\n", "").isprintable()
    assert trace.digest() in printed_by(script, tmp_path, monkeypatch)


def test_a_picture_of_a_batch_has_no_script_in_train_mode() -> None:
    with pytest.raises(InputError, match="one picture of a batch"):
        to_script(TRACES["batch"].image(1))


@pytest.mark.parametrize("make", MAKERS)
def test_a_notebook_has_the_script_in_cells(make: Callable[[BlockTrace], Script]) -> None:
    text = make(TRACES["fresh"]).text
    book = json.loads(notebook(text))
    about, *cells = book["cells"]
    assert (book["nbformat"], about["cell_type"]) == (4, "markdown")
    assert TRACES["fresh"].digest() in about["source"]
    assert {cell["cell_type"] for cell in cells} == {"code"}
    printed, names = io.StringIO(), {}  # type: ignore[var-annotated]
    with contextlib.redirect_stdout(printed):
        for cell in cells:
            exec(cell["source"], names)
    assert TRACES["fresh"].digest() in printed.getvalue()
