"""Tests of the metrics: a running server's, and where they are served."""

import asyncio
import http.client
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from prometheus_client import start_http_server
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry
from starlette.responses import Response

from explorer.errors import InputError
from explorer.page.limiter import Busy, WorkLimiter
from explorer.server import metrics, session_cap
from explorer.server.metrics_port import METRICS, metrics_address, serve_metrics
from explorer.server.refusals import REFUSALS, Refusal
from explorer.server.session_cap import MAX_MESSAGE_BYTES
from tests.browser.server import Server, free_port, running_server
from tests.load.client import Client, awaited
from tests.server.asgi import get

Samples = dict[tuple[str, tuple[str, ...]], float]


def scrape(address: str) -> Samples:
    """Return all values, by name and values of labels, as Prometheus reads them."""
    request = urllib.request.Request(
        f"{address}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        text = response.read().decode()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def status(address: str, method: str, path: str, **headers: str) -> int:
    """Return the status of the answer to a request without a body."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=names)
    found = connection.getresponse().status
    connection.close()
    return found


@dataclass(frozen=True)
class Watched:
    """A running server and the address of its metrics."""

    server: Server
    metrics: str


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    port = free_port()
    with running_server(environment={METRICS: str(port)}) as server:
        yield Watched(server, f"http://127.0.0.1:{port}")


def test_sessions_and_runs_are_counted(watched: Watched) -> None:
    async def visit() -> tuple[Samples, Samples]:
        clients = [await Client.open(watched.server.address) for _ in range(3)]
        for client in clients:
            await client.run()
        connected = scrape(watched.metrics)
        await clients[0].close()
        while (left := scrape(watched.metrics))["explorer_sessions", ()] == 3:
            await asyncio.sleep(0.05)
        for client in clients[1:]:
            await client.close()
        return connected, left

    before = scrape(watched.metrics)
    connected, left = awaited(visit())
    sessions, opened = ("explorer_sessions", ()), ("explorer_sessions_opened_total", ())
    assert (before[sessions], connected[sessions], left[sessions]) == (0, 3, 2)
    assert (before[opened], connected[opened], left[opened]) == (0, 3, 3)
    runs = ("explorer_run_seconds_count", ("finished",))
    assert (before[runs], connected[runs]) == (0, 3)
    assert connected["explorer_run_seconds_sum", ("finished",)] > 0
    assert connected["explorer_computation_wait_seconds_count", ("work",)] > 0
    assert connected["explorer_result_cache_bytes", ()] > 0
    memory = connected["process_resident_memory_bytes", ()]
    assert memory == pytest.approx(watched.server.memory(), rel=0.5)


def test_refusals_are_counted_by_kind(watched: Watched) -> None:
    async def send_too_long_a_message() -> None:
        client = await Client.open(watched.server.address)
        await client.connection.send(bytes(MAX_MESSAGE_BYTES + 1))
        await client.connection.wait_closed()

    before = scrape(watched.metrics)
    awaited(send_too_long_a_message())
    for _ in range(2):
        assert status(watched.server.address, "GET", "/_stcore/health", host="evil.example") == 403
    upload = "/_stcore/upload_file/session/file"
    for _ in range(3):
        assert status(watched.server.address, "PUT", upload, content_length="9" * 12) == 413
    after = scrape(watched.metrics)
    kinds = ("sessions", "message_size", "message_rate", "upload", "origin", "computation")
    keys = [("explorer_refusals_total", (kind,)) for kind in kinds]
    assert [after[key] - before[key] for key in keys] == [0, 1, 0, 3, 2, 0]


def test_a_full_server_counts_whom_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_cap, "MAX_SESSIONS", 0)
    before = REFUSALS[Refusal.SESSIONS]
    assert get(session_cap.SessionCap(Response()), "/")[0] == 503
    assert REFUSALS[Refusal.SESSIONS] == before + 1


def test_a_limiter_is_reported_while_work_runs_and_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = WorkLimiter(slots=1, queue=1, timeout=20)
    monkeypatch.setitem(metrics.LIMITERS, "work", limiter)
    registry, waits = metrics.registry(), threading.Event()

    def wait() -> None:
        with limiter.slot(lambda ahead: waits.set()):
            pass

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    thread = threading.Thread(target=wait)
    with limiter.slot():
        thread.start()
        assert waits.wait(10)
        with pytest.raises(Busy), limiter.slot():
            pass
        assert value("explorer_computations_running", limiter="work") == 1
        assert value("explorer_computations_queued", limiter="work") == 1
        assert value("explorer_computations_queued", limiter="long_work") == 0
    thread.join()
    assert value("explorer_computations_running", limiter="work") == 0
    assert value("explorer_computation_wait_seconds_count", limiter="work") == 2
    assert value("explorer_computation_wait_seconds_bucket", limiter="work", le="0.1") == 1
    assert value("explorer_refusals_total", kind="computation") == 1


@pytest.mark.parametrize("setting", [None, "", "  "])
def test_metrics_are_off_by_default(setting: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(METRICS, raising=False)
    if setting is not None:
        monkeypatch.setenv(METRICS, setting)
    assert metrics_address() is None
    threads = threading.active_count()
    serve_metrics()
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("9100", ("127.0.0.1", 9100)),
        ("0.0.0.0:9100", ("0.0.0.0", 9100)),
        ("[::]:65535", ("::", 65535)),
        (" 192.0.2.1:1 ", ("192.0.2.1", 1)),
    ],
)
def test_an_address_may_be_named(
    setting: str, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(METRICS, setting)
    assert metrics_address() == address


@pytest.mark.parametrize(
    "bad",
    [
        "yes",
        "0",
        "65536",
        "-1",
        "9100.0",
        "9 100",
        "²",
        "٩١٠٠",
        ":9100",
        "localhost:9100",
        "9" * 5000,
        "127.0.0.1",
        "127.0.0.1:",
        "http://127.0.0.1:9100",
        "0.0.0.0:9100\n0.0.0.0:9101",
    ],
)
def test_what_is_no_port_is_refused_in_one_sentence(
    bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(METRICS, bad)
    with pytest.raises(InputError) as refused:
        metrics_address()
    message = str(refused.value)
    assert message.startswith(f"{METRICS} is '")
    assert "which is no port; set a port from 1 to 65535 such as 9100, or an address" in message
    assert "\n" not in message
    with pytest.raises(SystemExit, match=f"^{METRICS} is "):
        serve_metrics()


def test_a_port_in_use_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    server, thread = start_http_server(0, "127.0.0.1", CollectorRegistry())
    monkeypatch.setenv(METRICS, str(server.server_port))
    sentence = (
        rf"^{METRICS} is 127.0.0.1:{server.server_port}, where the server cannot listen \(Addr"
    )
    try:
        with pytest.raises(SystemExit, match=sentence):
            serve_metrics()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(METRICS, "9100")
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(
        SystemExit, match=rf"^{METRICS} needs .*prometheus_client.*; run: pip install"
    ):
        serve_metrics()
