"""The port on which Prometheus gets the metrics, as the operator sets it."""

import os
import sys
from ipaddress import ip_address

from explorer.errors import InputError, describe

METRICS = "EXPLORER_METRICS"  # environment variable: port, or address and port
HOST = "127.0.0.1"


def metrics_address() -> tuple[str, int] | None:
    """Return address and port that `EXPLORER_METRICS` names; None if it is not set.

    Raises:
        InputError: it names no port.
    """
    value = os.environ.get(METRICS, "").strip()
    if not value:
        return None
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else HOST
    try:
        ip_address(host)
        if port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535:
            return host, int(port)
    except ValueError:
        pass
    raise InputError(
        f"{METRICS} is {describe(value)}, which is no port; set a port from 1 to 65535 such as "
        "9100, or an address and a port such as 0.0.0.0:9100, or nothing for no metrics."
    )


def serve_metrics() -> None:
    """Serve the metrics in a thread if `EXPLORER_METRICS` is set.

    Raises:
        SystemExit: they cannot be served there; the message says why.
    """
    try:
        address = metrics_address()
        if address is not None:
            _serve(*address)
    except InputError as error:
        sys.exit(str(error))


def _serve(host: str, port: int) -> None:
    try:
        from prometheus_client import start_http_server

        from explorer.server.metrics import registry
    except ModuleNotFoundError as error:
        raise InputError(
            f"{METRICS} needs a package that is not installed ({error}); run: pip install "
            "'residual-block-explorer[page]', or set nothing for no metrics."
        ) from None
    try:
        start_http_server(port, host, registry())
    except OSError as error:
        raise InputError(
            f"{METRICS} is {host}:{port}, where the server cannot listen ({error.strerror}); set "
            "another port, or nothing for no metrics."
        ) from None
