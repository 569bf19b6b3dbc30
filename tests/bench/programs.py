"""The operations that XLA compiles the block to, bare and traced, to explain the engine's rows.

`python -m tests.bench.programs` prints the milliseconds of the two convolutions, with the XLA
flags of its environment.
"""

import json
import os
import re
import statistics
import subprocess
import sys
from collections import Counter

import jax
import jax.numpy as jnp

from explorer.engine.stage_program import run_stages
from explorer.model.weights import Arrays, Model
from explorer.server.memory import reuse_freed_memory
from tests.bench.engine import calls
from tests.bench.table import Row, compared, paired, table
from tests.browser.server import ROOT

HEIGHT, CHANNELS = 64, 64
NAME = f"{HEIGHT}×{HEIGHT}×{CHANNELS}"
FLAG = "--xla_cpu_use_onednn=true"  # selects oneDNN, which PyTorch uses
TURNS, ROUNDS = 5, 40
HEADINGS = ("program", "operations", "outputs", "output kB", "temporary kB")


def rows() -> list[Row]:
    """Measure the two convolutions with and without the flag, alternating."""
    times: dict[str, list[float]] = {"": [], FLAG: []}
    for _ in range(TURNS):
        for flags, found in times.items():
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.programs"],
                cwd=ROOT,
                env={**os.environ, "XLA_FLAGS": flags},
                stdout=subprocess.PIPE,
                check=True,
            )
            found.append(json.loads(done.stdout))
    what = f"{NAME}: convolutions only, with {FLAG}"
    return [compared(what, "ms", "without the flag", times[FLAG], times[""])]


def convolution_milliseconds() -> float:
    """Return the median time of the two convolutions in this process."""
    reuse_freed_memory()
    call = {"convolutions": calls(HEIGHT, CHANNELS)["convolutions"]}
    return statistics.median(paired(call, ROUNDS)["convolutions"])


def markdown() -> str:
    """Return a table of the operations, outputs and memory of the compiled programs."""
    x = jnp.zeros((HEIGHT, HEIGHT, CHANNELS))
    model = Model.from_seed(0, CHANNELS)
    structure, weights = model.structure, (model.parameters, model.statistics)

    @jax.jit
    def bare(parameters: Arrays, running: Arrays, x: jax.Array) -> jax.Array:
        return run_stages(structure, parameters, running, x, False)[0]["out"]

    compiled = {
        "bare": bare.lower(*weights, x).compile(),
        "traced": run_stages.lower(structure, *weights, x, False).compile(),
    }
    return table(HEADINGS, [_cells(name, executable) for name, executable in compiled.items()])


def _cells(name: str, compiled: jax.stages.Compiled) -> tuple[str, ...]:
    text = compiled.as_text() or ""
    entry = text[text.index("\nENTRY") :]
    operations = Counter(
        f"`{_last(line, 'op_name')}` ({_last(line, 'kind').lstrip('_')})"
        for line in entry.splitlines()
        if " fusion(" in line or " convolution(" in line or " custom-call(" in line
    )
    memory = compiled.memory_analysis()
    assert memory
    return (
        f"{NAME}, {name}",
        ", ".join(f"{count} {name}" for name, count in sorted(operations.items())),
        str(len(jax.tree.leaves(compiled.out_info))),
        f"{memory.output_size_in_bytes / 1000:.0f}",
        f"{memory.temp_size_in_bytes / 1000:.0f}",
    )


def _last(line: str, key: str) -> str:
    """Return the last part of the last value that an instruction has for this key."""
    found = re.findall(rf'{key}"?[=:]\s*"?([^",]+)', line)
    return found[-1].split("/")[-1] if found else "?"


if __name__ == "__main__":
    print(json.dumps(convolution_milliseconds()))
