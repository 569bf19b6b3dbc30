"""What XLA compiles the block to, bare and traced: the profile behind the engine's rows.

`python -m tests.bench.programs` prints how many milliseconds the two convolutions take in this
process, whose environment may hold flags for XLA.
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

from explorer.engine.forward import Arrays, initial_state, run_stages
from explorer.model.variants import V1
from explorer.server.memory import reuse_freed_memory
from tests.bench.engine import calls
from tests.bench.table import Row, compared, paired, table
from tests.browser.server import ROOT

HEIGHT, CHANNELS = 64, 64
NAME = f"{HEIGHT}×{HEIGHT}×{CHANNELS}"
FLAG = "--xla_cpu_use_onednn=true"  # asks for the library that PyTorch uses
TURNS, ROUNDS = 5, 40
HEADINGS = ("program", "parts", "arrays out", "kB out", "kB of scratch")


def rows() -> list[Row]:
    """The two convolutions with another library, asked of XLA by a flag; in turns."""
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
    what = f"{NAME}: the two convolutions alone, with {FLAG}"
    return [compared(what, "ms", "the same without", times[FLAG], times[""])]


def convolution_milliseconds() -> float:
    reuse_freed_memory()
    one = {"convolutions": calls(HEIGHT, CHANNELS)["convolutions"]}
    return statistics.median(paired(one, ROUNDS)["convolutions"])


def markdown() -> str:
    """What the compiled programs consist of, as a table."""
    x = jnp.zeros((HEIGHT, HEIGHT, CHANNELS))
    weights = initial_state(0, V1, CHANNELS)
    program = V1.program()

    @jax.jit
    def bare(parameters: Arrays, running: Arrays, x: jax.Array) -> jax.Array:
        return run_stages(program, parameters, running, x, False)[0]["out"]

    compiled = {
        "bare": bare.lower(*weights, x).compile(),
        "traced": run_stages.lower(program, *weights, x, False).compile(),
    }
    return table(HEADINGS, [_cells(name, one) for name, one in compiled.items()])


def _cells(name: str, compiled: jax.stages.Compiled) -> tuple[str, ...]:
    text = compiled.as_text() or ""
    entry = text[text.index("\nENTRY") :]
    parts = Counter(
        f"`{_last(line, 'op_name')}` ({_last(line, 'kind').lstrip('_')})"
        for line in entry.splitlines()
        if " fusion(" in line or " convolution(" in line or " custom-call(" in line
    )
    memory = compiled.memory_analysis()
    assert memory
    return (
        f"{NAME}, {name}",
        ", ".join(f"{count} {part}" for part, count in sorted(parts.items())),
        str(len(jax.tree.leaves(compiled.out_info))),
        f"{memory.output_size_in_bytes / 1000:.0f}",
        f"{memory.temp_size_in_bytes / 1000:.0f}",
    )


def _last(line: str, key: str) -> str:
    """The last word of the last value that an instruction has under this key."""
    found = re.findall(rf'{key}"?[=:]\s*"?([^",]+)', line)
    return found[-1].split("/")[-1] if found else "?"


if __name__ == "__main__":
    print(json.dumps(convolution_milliseconds()))
