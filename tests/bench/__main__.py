"""`make bench`: measures, prints one table, and writes it to docs/benchmark.md."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench import browser, engine, figures, programs, starts
from tests.bench.table import markdown
from tests.browser import chromium
from tests.browser.server import ROOT

PACKAGES = ("jax", "flax", "numpy", "streamlit", "plotly")
TEXT = """# Benchmark

Written by `make bench`; nothing here is typed by hand. {date}, commit {commit}, on {machine}.

{versions}.

Every figure is a median. Where both sides run here they take turns, and the last column but one
is the median of the ratios of paired runs, which holds on a noisy machine better than either
figure. *Traced* is the jitted program with all stages as outputs, handed over to NumPy; it is
given its weights, as the bare forward is. PyTorch keeps each stage by a forward hook. The naive
page rebuilds its figure with `make_subplots` and hands it to `st.plotly_chart`. CNN Explainer's
figures are published ones of a page in the same browser, not measured here.

{table}
## Reading it

- The bound on tracing is 1.25 times the bare forward. What a traced run adds is memory, as the
  table below tells: more arrays are written out, and each is handed over. `explorer/memory.py` lets
  freed memory be used again, since page faults for new memory would add to that.
- Where PyTorch is faster, compare the rows of the two convolutions alone, which take most of either
  forward: each side calls a library for them, and the last table names XLA's. The row with a flag
  asks XLA for the library that PyTorch uses.
- Linen's intermediates are what its modules return: two convolutions, two norms and the output, so
  three stages fewer.

## What XLA makes of the block

Counted in the compiled programs (HLO): each part with the operation it comes from, and in brackets
the kind of code that runs it, a loop that XLA wrote or a library.

{programs}
To measure again: `make bench`. It makes `.venv-peers` for PyTorch and torchlens; where they cannot
be installed their rows are left out.
"""


def main() -> None:
    parts = [engine.rows, programs.rows, figures.rows, starts.rows, browser.rows]
    rows = []
    for part in parts:
        found = part()
        print(markdown(found), flush=True)
        rows += found
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions |= {"Python": platform.python_version(), **engine.peer_versions()}
    text = TEXT.format(
        date=datetime.date.today(),
        commit=commit(),
        machine=f"{os.cpu_count()} cores, {processor()}",
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
        table=markdown(rows),
        programs=programs.markdown(),
    )
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/benchmark.md").write_text(text, encoding="utf-8")


def commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


def processor() -> str:
    """The processor's name, as Linux tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    if not chromium.find():
        sys.exit(chromium.MISSING)
    main()
