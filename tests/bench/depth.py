"""Time of the Depth view's computations: 128 blocks, 8 runs, at 32×32×8.

`python -m tests.bench.depth` prints the milliseconds of each in this process as JSON: of the
first time, and then of compiled programs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from explorer.engine.ablation import ablate
from explorer.engine.compilation_cache import enable_compilation_cache
from explorer.engine.paths import path_lengths
from explorer.engine.propagation import propagate_stack
from explorer.engine.stack import Stack
from explorer.inputs import generate
from explorer.model.variants import V1
from explorer.server.memory import reuse_freed_memory
from tests.bench.starts import limited
from tests.bench.table import Row
from tests.browser.server import ROOT

DEPTH, SEEDS, SHAPE = 128, 8, (32, 32, 8)
LIMITS = {"both stacks": 3_000, "one block less, both stacks": 3_000, "paths": 3_000}
FIRST = 8_000  # milliseconds, the limit of the first use of both stacks
ROUNDS = 3


def rows() -> list[Row]:
    """Measure the rows of the table, with an empty compilation cache and with that filled."""
    name = f"{DEPTH} blocks × {SEEDS} runs, {'×'.join(map(str, SHAPE))}"
    with tempfile.TemporaryDirectory() as folder:
        empty, filled = _in_a_process(folder), _in_a_process(folder)
    first = "both stacks"
    return [
        limited(f"{name}: {first}, empty compilation cache", empty[first][:1], FIRST),
        limited(f"{name}: {first}, filled compilation cache", filled[first][:1], FIRST),
        *(
            limited(f"{name}: {what}, compiled", filled[what][1:], limit)
            for what, limit in LIMITS.items()
        ),
    ]


def _in_a_process(folder: str) -> dict[str, list[float]]:
    """Return the milliseconds of each computation, with programs kept in this folder."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.depth"],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": folder},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def measured() -> dict[str, list[float]]:
    """Return the milliseconds of each computation, the first one included."""
    reuse_freed_memory()
    x = generate("normal", *SHAPE)
    stack = Stack.from_seed(0, SHAPE[2], DEPTH, V1, runs=SEEDS)
    both = stack, stack.without_shortcut()
    work: dict[str, Callable[[], object]] = {
        "both stacks": lambda: [propagate_stack(each, x) for each in both],
        "one block less, both stacks": lambda: [ablate(each, x, kind="delete") for each in both],
        "paths": lambda: path_lengths(stack, x),
    }
    return {name: [_milliseconds(call) for _ in range(1 + ROUNDS)] for name, call in work.items()}


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    enable_compilation_cache()
    print(json.dumps(measured()))
