"""The cache of compiled programs: on disk between starts, and limited in memory."""

import logging
import shutil
import tempfile
import time
from pathlib import Path
from threading import Lock

import jax
from platformdirs import user_cache_path

from explorer.errors import InputError, describe

MAX_BYTES = 256 * 2**20  # on disk
MAX_PROGRAMS = 200  # in memory; about 3 MB each
SECONDS_TO_WRITE = 60  # JAX needs less for one entry
_LOG = logging.getLogger(__name__)
_COMPILE_EVENT = "/jax/core/compile/backend_compile_duration"


def enable_compilation_cache(folder: Path | None = None) -> bool:
    """Store compiled programs in a folder of at most 256 MB; drop the least recently used first.

    Args:
        folder: the folder; by default one in the user's cache directory.

    Returns:
        Whether the cache is enabled. If the folder cannot be written or its disk is full, a
        warning is logged and every start compiles again.

    Raises:
        InputError: `folder` is not a `Path`.
    """
    if folder is not None and not isinstance(folder, Path):
        raise InputError(f"folder must be a Path or None, got {describe(folder)}.")
    folder = folder or user_cache_path("residual-block-explorer") / "programs"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
        _remove_incomplete_entries(folder)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        _LOG.warning("Compilation cache disabled: %s.", error)
        return False
    if free < MAX_BYTES:
        _LOG.warning(
            "Compilation cache disabled: %d MB free on the disk of the cache folder; %d MB needed.",
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


def _remove_incomplete_entries(folder: Path) -> None:
    """Remove entries that a killed server or a full disk left incomplete.

    JAX writes an entry and then its access time; it fails on an entry without one.
    """
    for entry in folder.glob("*-cache"):
        access_time = entry.with_name(entry.name.removesuffix("-cache") + "-atime")
        is_old = entry.stat().st_mtime < time.time() - SECONDS_TO_WRITE
        if is_old and not (access_time.exists() and access_time.stat().st_size == 8):
            entry.unlink(missing_ok=True)
            access_time.unlink(missing_ok=True)


class _CompileCounter:
    """Counter of programs compiled or loaded since the last reset."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = Lock()

    def on_event(self, event: str, duration_secs: float, **kwargs: str | int) -> None:
        """Count a compile event of JAX."""
        if event == _COMPILE_EVENT:
            with self._lock:
                self._count += 1

    def reset_if_full(self) -> bool:
        """Return whether `MAX_PROGRAMS` is reached; if so, start again from 0."""
        with self._lock:
            if self._count < MAX_PROGRAMS:
                return False
            self._count = 0
            return True


_compile_counter = _CompileCounter()
jax.monitoring.register_event_duration_secs_listener(_compile_counter.on_event)


def limit_compiled_programs() -> None:
    """Drop all compiled programs from memory once there are `MAX_PROGRAMS`.

    Every input shape is compiled separately, and JAX would cache thousands of programs.
    Running programs finish; dropped ones are loaded from disk when they are needed again.
    """
    if _compile_counter.reset_if_full():
        jax.clear_caches()  # type: ignore[no-untyped-call]
