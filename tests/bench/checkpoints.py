"""Time to load and to trace a ResNet-18, compared with PyTorch's of the same weights."""

import statistics
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from explorer import load_checkpoint
from explorer.server.memory import reuse_freed_memory
from tests.bench.engine import peer_process
from tests.bench.table import Row, compared, paired
from tests.checkpoints import RESNET18, state_of

CLASSES, SIDE = 1000, 224
LIMITS = {"PyTorch with hooks": 1.25, "torchlens": 0.5}  # times the peer's
SECONDS_TO_LOAD = 1  # the limit
TURNS, ROUNDS = 12, 4  # of our process and the peers' process, alternating
NAME = f"ResNet-18, {SIDE}×{SIDE}"


def rows() -> list[Row]:
    """Measure the checkpoint's rows of the table."""
    reuse_freed_memory()  # as on the server
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "resnet18.safetensors"
        save_file(
            {name: np.asarray(each) for name, each in state_of(RESNET18, CLASSES).items()}, path
        )
        return [_loading(path), *_tracing(path)]


def _loading(path: Path) -> Row:
    times = paired({"load": lambda: load_checkpoint(path)}, TURNS)["load"]
    what = f"ResNet-18: loading {path.stat().st_size / 1e6:.0f} MB"
    limit = f"(limit {1000 * SECONDS_TO_LOAD} ms)"
    return Row(what, statistics.median(times), "ms", limit, None, None, len(times))


def _tracing(path: Path) -> list[Row]:
    network = load_checkpoint(path)
    picture = np.random.default_rng(0).standard_normal((SIDE, SIDE, 3), np.float32)
    ours: list[float] = []
    theirs: dict[str, list[float]] = {}
    with peer_process() as ask:
        for _ in range(TURNS):
            times = paired({"trace": lambda: network.trace(picture)}, ROUNDS)["trace"]
            ours.append(statistics.median(times))
            for peer, found in ask(file=str(path), side=SIDE, rounds=ROUNDS).items():
                theirs.setdefault(peer, []).append(statistics.median(found))
    what = f"{NAME}: every stage of every block traced"
    limits = {peer: f" (limit {LIMITS[peer]:g})" if peer in LIMITS else "" for peer in theirs}
    return [
        compared(what, "ms", peer + limits[peer], ours, medians) for peer, medians in theirs.items()
    ]
