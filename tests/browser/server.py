"""Start the page on a free port, as a context manager."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parent.parent.parent
TIMEOUT = 120  # seconds, enough for a busy machine


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    process: subprocess.Popen[bytes]

    def memory(self) -> int:
        """Return its resident memory in bytes, on Linux."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """Return its peak memory in bytes since `forget_peak`, on Linux."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Reset `peak`; 5 is the value that clear_refs defines for it, see proc(5)."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def _status(self, what: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(rf"{what}:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    *options: str,
    script: str = "app.py",
    port: int | None = None,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    most_blocks: int | None = None,
    log: BinaryIO | None = None,
) -> Iterator[Server]:
    """Run the server during the `with` block.

    No file that it writes may exceed `most_blocks` of 512 bytes, as on a full disk. What it logs
    goes to `log`, or to where this process logs.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", script]
    settings = [f"--server.port={port}", "--server.headless=true", *options]
    # A script in a subfolder also imports `explorer` from the top level.
    variables = {**os.environ, "PYTHONPATH": str(folder), **(environment or {})}
    for name in ("XLA_FLAGS", "JAX_COMPILATION_CACHE_DIR"):  # compiled and kept as for users
        variables.pop(name, None)
    if most_blocks is not None:
        command = ["sh", "-c", f'ulimit -f {most_blocks} && exec "$@"', "sh", *command]
    process = subprocess.Popen(
        [*command, *settings], cwd=folder, stdout=subprocess.DEVNULL, stderr=log, env=variables
    )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process)
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT)


@contextmanager
def running_page(*options: str, script: str = "app.py") -> Iterator[str]:
    """Run the server during the `with` block and yield its address."""
    with running_server(*options, script=script) as server:
        yield server.address


def wait_until_healthy(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"The server stopped with exit code {server.returncode}.")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The server did not answer within {TIMEOUT} s.")
