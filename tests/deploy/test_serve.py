"""Tests of `deploy/serve.py`, with a program in the place of HAProxy that does nothing."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.browser.server import ROOT, TIMEOUT, free_port

METRICS = "EXPLORER_METRICS"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables with which `haproxy` is found and waits until it is ended."""
    program = tmp_path / "haproxy"
    program.write_text("#!/bin/sh\nexec sleep 600\n", encoding="ascii")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}


def serve(workers: int, variables: Mapping[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "deploy/serve.py", f"--workers={workers}"]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def has_metrics(port: int) -> bool:
    """Wait until metrics are served on a port, and return whether they are the page's."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
                return b"\nexplorer_sessions 0.0\n" in response.read()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_each_process_serves_its_metrics_on_a_port_of_its_own(environment: dict[str, str]) -> None:
    port = free_port()
    process = serve(2, {**environment, METRICS: f"127.0.0.1:{port}"})
    try:
        assert has_metrics(port)
        assert has_metrics(port + 1)
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT)


@pytest.mark.parametrize("bad", ["yes", "0", "65535", "127.0.0.1", "localhost:9100", "9" * 5000])
def test_what_is_no_port_is_refused_in_one_sentence(bad: str, environment: dict[str, str]) -> None:
    process = serve(2, {**environment, METRICS: bad})
    _, log = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 2
    message = log.splitlines()[-1]
    assert f"error: {METRICS} is '{bad[:40]}', which is no port for the first of 2" in message
    assert "set a port from 1 to 65534 such as 9100" in message
