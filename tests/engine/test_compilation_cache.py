import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from explorer import trace_block
from explorer.engine import compilation_cache
from explorer.engine.compilation_cache import enable_compilation_cache, limit_compiled_programs
from tests.helpers import ROOT

# Run in a separate process, since JAX's settings are per process.
SCRIPT = """
import sys
from pathlib import Path
import jax, numpy as np
from explorer.engine.compilation_cache import enable_compilation_cache
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event.endswith("cache_hits")))
assert enable_compilation_cache(Path(sys.argv[1]))
from explorer import trace_block
print(trace_block(0, np.ones((4, 5, 2), np.float32), 2).digest(), sum(hits))
"""


def run(folder: Path) -> tuple[str, int]:
    """Return the digest of a traced block, and how many of its programs came from the folder."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    digest, hits = done.stdout.split()
    return digest, int(hits)


def test_a_second_start_loads_its_programs_from_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    first, hits = run(folder)
    assert hits == 0
    assert list(folder.glob("*-cache"))
    assert folder.stat().st_mode & 0o077 == 0
    second, hits = run(folder)
    assert hits >= 2
    assert first == second


def test_a_damaged_program_is_compiled_again(tmp_path: Path) -> None:
    first, _ = run(tmp_path)
    for entry in tmp_path.glob("*-cache"):
        entry.write_bytes(entry.read_bytes()[:100])
    second, hits = run(tmp_path)
    assert (second, hits) == (first, 0)


def test_incomplete_entries_are_removed(tmp_path: Path) -> None:
    first, _ = run(tmp_path)
    for name in ("jit_x-1-cache", "jit_y-2-cache"):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "jit_y-2-atime").write_bytes(b"")
    second, hits = run(tmp_path)
    assert second == first
    assert hits >= 2
    assert not [name for name in os.listdir(tmp_path) if name[:6] in ("jit_x-", "jit_y-")]


def test_a_folder_that_cannot_be_written_disables_the_cache_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        assert not enable_compilation_cache(tmp_path / "file" / "folder")
    assert "Compilation cache disabled" in caplog.text


def test_a_full_disk_disables_the_cache_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=2**20))
    with caplog.at_level(logging.WARNING):
        assert not enable_compilation_cache(tmp_path)
    assert "1 MB free" in caplog.text


def test_programs_in_memory_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation_cache, "MAX_PROGRAMS", 3)
    cleared = []
    monkeypatch.setattr(jax, "clear_caches", lambda: cleared.append(True))
    limit_compiled_programs()
    cleared.clear()
    for height in range(41, 44):
        trace_block(0, np.ones((height, 3, 2), np.float32), 2)
    limit_compiled_programs()
    limit_compiled_programs()
    assert cleared == [True]
