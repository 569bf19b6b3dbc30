"""Serve the page with several processes behind HAProxy: `make serve WORKERS=4`.

Every process is `streamlit run app.py` on a port of its own, with the options that this script does
not know. A process that ends is started again. SIGHUP restarts them one after the other; SIGTERM
and SIGINT end all. With `EXPLORER_METRICS=9100` the first process serves its metrics on port 9100,
the second on port 9101, and so on.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from string import Template
from types import FrameType

ROOT = Path(__file__).parent.parent
START_TIMEOUT = 120  # seconds
LOOK_EVERY = 0.2  # seconds
METRICS = "EXPLORER_METRICS"  # environment variable: port, or address and port
PAUSE = 1.0  # seconds before a process that has ended is started again


def free_port() -> int:
    """Return a port of this machine that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Worker:
    """One process of the page.

    Attributes:
        name: its name in HAProxy's configuration and in the cookie.
        options: of `streamlit run`.
        metrics: its `EXPLORER_METRICS`; empty for none.
        port: that it listens on, on 127.0.0.1.
    """

    name: str
    options: list[str]
    metrics: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it need not answer yet."""
        command = [sys.executable, "-m", "streamlit", "run", "app.py", *self.options]
        command += ["--server.address=127.0.0.1", f"--server.port={self.port}"]
        self.process = subprocess.Popen(
            [*command, "--server.headless=true"],
            cwd=ROOT,
            env={**os.environ, METRICS: self.metrics},
        )

    def stop(self) -> None:
        """End the process and wait for it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def has_ended(self) -> bool:
        """Return whether the process has ended."""
        return self.process is None or self.process.poll() is not None

    def is_healthy(self) -> bool:
        """Return whether the process answers."""
        url = f"http://127.0.0.1:{self.port}/_stcore/health"
        try:
            with urllib.request.urlopen(url, timeout=1):
                return True
        except OSError:
            return False


class Service:
    """The processes and HAProxy in front of them."""

    def __init__(self, workers: list[Worker], bind: str, folder: Path) -> None:
        self.workers = workers
        self.socket, self._config = folder / "haproxy.sock", folder / "haproxy.cfg"
        self._config.write_text(configuration(bind, self.workers, self.socket), encoding="utf-8")
        self._ends, self._restarts = threading.Event(), threading.Event()

    def run(self) -> int:
        """Serve until a signal ends it; return the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._take)
        for worker in self.workers:
            worker.start()
        haproxy = subprocess.Popen(["haproxy", "-db", "-f", str(self._config)])
        try:
            while not self._ends.wait(LOOK_EVERY):
                if haproxy.poll() is not None:
                    return 1
                self._start_ended()
                if self._restarts.is_set():
                    self._restarts.clear()
                    self._restart()
            return 0
        finally:
            haproxy.terminate()
            for worker in self.workers:
                worker.stop()
            haproxy.wait()

    def _take(self, number: int, frame: FrameType | None) -> None:
        (self._restarts if number == signal.SIGHUP else self._ends).set()

    def _start_ended(self) -> None:
        for worker in self.workers:
            if worker.has_ended():
                print(f"{worker.name} has ended; it is started again.", file=sys.stderr, flush=True)
                time.sleep(PAUSE)
                worker.start()

    def _restart(self) -> None:
        """Restart one process after the other; the others serve its users meanwhile."""
        for worker in self.workers:
            self._tell(f"set server workers/{worker.name} state maint")
            worker.stop()
            worker.start()
            until = time.monotonic() + START_TIMEOUT
            while not worker.is_healthy() and time.monotonic() < until:
                if self._ends.wait(LOOK_EVERY):
                    return
            self._tell(f"set server workers/{worker.name} state ready")

    def _tell(self, command: str) -> None:
        """Send a command to HAProxy."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(f"{command}\n".encode())
            connection.recv(4096)


def metrics_addresses(value: str, workers: int) -> list[str]:
    """Return `EXPLORER_METRICS` for each process: the port of `value`, and those that follow it.

    Raises:
        ValueError: `value` names no port, or too few follow it.
    """
    value = value.strip()
    if not value:
        return [""] * workers
    host, colon, port = value.rpartition(":")
    try:
        if colon:
            ip_address(host.removeprefix("[").removesuffix("]"))
        first = int(port) if port.isascii() and port.isdecimal() else 0
    except ValueError:
        first = 0
    last = 65536 - workers
    if not 1 <= first <= last:
        raise ValueError(
            f"{METRICS} is {value[:40]!r}, which is no port for the first of {workers} processes; "
            f"set a port from 1 to {last} such as 9100, or an address and a port such as "
            "0.0.0.0:9100, or nothing for no metrics."
        )
    return [f"{host}{colon}{first + number}" for number in range(workers)]


def configuration(bind: str, workers: list[Worker], socket: Path) -> str:
    """Return the configuration of HAProxy."""
    servers = "\n".join(
        f"    server {worker.name} 127.0.0.1:{worker.port} cookie {worker.name}"
        for worker in workers
    )
    template = Template((ROOT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8"))
    return template.substitute(bind=bind, servers=servers, socket=socket)


def main() -> int:
    """Serve with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    parser.add_argument("--bind", default="127.0.0.1:8501", help="address and port to listen on")
    parser.add_argument("--certificate", help="file with certificate and key, for TLS")
    found, options = parser.parse_known_args()
    if found.workers < 1:
        parser.error(f"--workers must be at least 1, got {found.workers}")
    try:
        metrics = metrics_addresses(os.environ.get(METRICS, ""), found.workers)
    except ValueError as error:
        parser.error(str(error))
    if shutil.which("haproxy") is None:
        parser.error("HAProxy is not installed; on Debian: apt-get install haproxy")
    bind = str(found.bind)
    if found.certificate:
        bind += f" ssl crt {Path(found.certificate).resolve()} alpn h2,http/1.1"
    # The cookies of one process must be valid in the others.
    os.environ.setdefault("STREAMLIT_SERVER_COOKIE_SECRET", secrets.token_hex(32))
    workers = [Worker(f"w{number}", options, each) for number, each in enumerate(metrics, 1)]
    with tempfile.TemporaryDirectory() as folder:
        return Service(workers, bind, Path(folder)).run()


if __name__ == "__main__":
    sys.exit(main())
