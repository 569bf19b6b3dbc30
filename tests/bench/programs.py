"""The operations that XLA compiles the block to, bare and traced, to explain the engine's rows."""

import re
from collections import Counter

import jax
import jax.numpy as jnp

from explorer.engine.stage_program import run_stages
from explorer.model.weights import Arrays, Model
from tests.bench.table import table

HEIGHT, CHANNELS = 64, 64
NAME = f"{HEIGHT}×{HEIGHT}×{CHANNELS}"
HEADINGS = ("program", "operations", "outputs", "output kB", "temporary kB")


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
