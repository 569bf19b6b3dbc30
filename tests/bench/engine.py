"""Time of the traced block, compared with the bare forward pass and with other libraries."""

import json
import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.engine.forward import on_host, trace_block
from explorer.engine.linen_parity import LinenBlock
from explorer.engine.stage_program import run_stages
from explorer.model.weights import Model
from explorer.server.memory import reuse_freed_memory
from tests.bench.table import Row, compared, paired
from tests.browser.server import ROOT
from tests.sketch import Sketch

SHAPES = ((32, 8), (64, 64), (128, 64), (224, 64))
PEERS = ROOT / ".venv-peers/bin/python"
TURNS = 8  # of our process and the peers' process, alternating


def rows() -> list[Row]:
    """Measure the engine's rows of the table."""
    reuse_freed_memory()  # as on the server
    with peer_process() as ask:
        return [row for height, channels in SHAPES for row in _shape(height, channels, ask)]


def _shape(height: int, channels: int, ask: Callable[..., dict[str, list[float]]]) -> list[Row]:
    rounds = {32: 400, 64: 80}.get(height, 24)  # a few seconds each
    name = f"{height}×{height}×{channels}"
    timed = calls(height, channels)
    ours: dict[str, list[float]] = {call: [] for call in timed}
    theirs: dict[str, list[float]] = {}
    for _ in range(TURNS):
        for call, times in paired(timed, rounds // TURNS).items():
            ours[call] += times
        for peer, times in ask(height=height, channels=channels, rounds=rounds // TURNS).items():
            theirs.setdefault(peer, []).append(statistics.median(times))
    traced = ours["traced"]
    rows = [
        compared(f"{name}: traced", "ms", "bare jitted forward", traced, ours["bare"]),
        compared(
            f"{name}: trace_block, including the draw of the weights",
            "ms",
            "bare jitted forward",
            ours["trace_block"],
            ours["bare"],
        ),
        compared(f"{name}: traced", "ms", "eager NNX", traced, ours["eager NNX"]),
        compared(f"{name}: traced", "ms", "Linen, jitted", traced, ours["Linen"]),
    ]
    for peer, medians in theirs.items():
        is_part = "convolutions only" in peer
        what = "convolutions only" if is_part else "traced"
        mine = ours["convolutions" if is_part else "traced"]
        turns = [statistics.median(part) for part in np.array_split(mine, TURNS)]
        rows.append(compared(f"{name}: {what}", "ms", peer, turns, medians))
    return rows


def calls(height: int, channels: int) -> dict[str, Callable[[], object]]:
    """Return the functions to measure, by name."""
    x = np.random.default_rng(0).standard_normal((height, height, channels)).astype(np.float32)
    on_device = jnp.asarray(x)
    model = Model.from_seed(0, channels)
    weights = jax.device_put((model.parameters, model.statistics))
    sketch = Sketch(channels, nnx.Rngs(0))

    def merged(parameters: Any, running: Any) -> Sketch:
        block = Sketch(channels, nnx.Rngs(0))
        nnx.update(block, parameters, running)
        return block

    @jax.jit
    def bare(parameters: Any, running: Any, x: jax.Array) -> jax.Array:
        return merged(parameters, running).run(x)["out"]

    @jax.jit
    def convolutions(parameters: Any, running: Any, x: jax.Array) -> jax.Array:
        block = merged(parameters, running)
        return block.conv2(block.conv1(x))

    linen = LinenBlock(channels)
    variables = linen.init(jax.random.key(0), on_device, use_running_average=False)

    @jax.jit
    def captured(variables: Any, x: jax.Array) -> Any:
        return linen.apply(
            variables,
            x,
            False,
            mutable=["batch_stats", "intermediates"],
            capture_intermediates=True,
        )

    structure = model.structure
    return {
        "bare": lambda: on_host(bare(*weights, on_device)),
        "traced": lambda: on_host(run_stages(structure, *weights, on_device, False)),
        "trace_block": lambda: trace_block(0, x, channels),
        "eager NNX": lambda: on_host(sketch.run(on_device)),
        "Linen": lambda: on_host(captured(variables, on_device)),
        "convolutions": lambda: on_host(convolutions(*weights, on_device)),
    }


@contextmanager
def peer_process(python: Path = PEERS) -> Iterator[Callable[..., dict[str, list[float]]]]:
    """Start `peers.py`; give a function that asks it for times, empty without its environment."""
    if not python.exists():
        yield lambda **request: {}
        return
    with subprocess.Popen(
        _command(python), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()  # versions

        def ask(**request: int | str) -> dict[str, list[float]]:
            assert process.stdin
            assert process.stdout
            print(json.dumps(request), file=process.stdin, flush=True)
            answer: dict[str, list[float]] = json.loads(process.stdout.readline())
            return answer

        yield ask
        process.stdin.close()


def peer_versions(python: Path = PEERS) -> dict[str, str]:
    """Return the versions of the peers' libraries; empty if their environment is missing."""
    if not python.exists():
        return {}
    done = subprocess.run(
        _command(python), stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def _command(python: Path) -> list[str]:
    # -P: this folder's profile.py must not stand for Python's own.
    return [str(python), "-P", "-W", "ignore", str(ROOT / "tests/bench/peers.py")]
