"""JAX's compiled programs: kept in the user's cache folder between starts, bounded in memory."""

import logging
import shutil
import tempfile
import time
from pathlib import Path
from threading import Lock

import jax
from platformdirs import user_cache_path

MAX_BYTES = 256 * 2**20
MAX_PROGRAMS = 200  # in memory; some 3 MB each
ONE_MINUTE = 60
# Options for jitted programs that draw weights: most of their compile goes into random numbers.
# At this level it takes half as long and the bits are the same, as they are not at level 0.
INIT_COMPILER_OPTIONS = {"xla_backend_optimization_level": 2}
_LOG = logging.getLogger(__name__)
_COMPILED = "/jax/core/compile/backend_compile_duration"


def enable_compilation_cache(folder: Path | None = None) -> bool:
    """Lets JAX keep what it compiles in `folder`, at most 256 MB, the least used let go first.

    Args:
        folder: where; by default the user's cache folder of this program.

    Returns:
        Whether it does. Where the folder cannot be written, or its disk is full, everything
        works as well, and a line in the log says why starts take longer.
    """
    folder = folder or user_cache_path("residual-block-explorer") / "programs"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
        _tidy(folder)
        free = shutil.disk_usage(folder).free
    except OSError as problem:
        _LOG.warning("Compiled programs are not kept: %s.", problem)
        return False
    if free < MAX_BYTES:
        _LOG.warning(
            "Compiled programs are not kept: %d MB are free on the cache folder's disk, %d are "
            "needed.",
            free >> 20,
            MAX_BYTES >> 20,
        )
        return False
    settings = {
        "jax_compilation_cache_dir": str(folder),
        "jax_compilation_cache_max_size": MAX_BYTES,
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    for name, value in settings.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]
    return True


def _tidy(folder: Path) -> None:
    """Removes what a killed server or a disk that filled up left half written: JAX writes a
    program first and its time of use after it, and stumbles over a program without one."""
    for program in folder.glob("*-cache"):
        used = program.with_name(program.name.removesuffix("-cache") + "-atime")
        is_old = program.stat().st_mtime < time.time() - ONE_MINUTE
        if is_old and not (used.exists() and used.stat().st_size == 8):
            program.unlink(missing_ok=True)
            used.unlink(missing_ok=True)


class _Counter:
    """Programs compiled since they were last let go."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = Lock()

    def note(self, event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event == _COMPILED:
            with self.lock:
                self.count += 1

    def is_full(self) -> bool:
        with self.lock:
            if self.count < MAX_PROGRAMS:
                return False
            self.count = 0
            return True


_compiled = _Counter()
jax.monitoring.register_event_duration_secs_listener(_compiled.note)


def limit_compiled_programs() -> None:
    """Lets go of all compiled programs once there are too many: each shape has its own, and
    JAX keeps thousands. Those still running finish; the others come back from the folder."""
    if _compiled.is_full():
        jax.clear_caches()  # type: ignore[no-untyped-call]
