"""Tests of the log: of the filter alone, and of what a server logs of hostile clients."""

import asyncio
import logging
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed

from explorer.server.log_filter import MAX_LENGTH, WINDOW, LogFilter
from tests.browser.server import ROOT, running_server
from tests.load.client import Client, awaited

FORGED = "x\n2026-01-01 00:00:00.000 forged\r\x1b[31m\x00\x85\u2028\u2029\u202e\u200b\udc80y"
REPEATS = 12


class Log(logging.Handler):
    """A logger's formatted messages, with a clock of the test's own."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.now = 0.0
        self.logger = logging.Logger("client")
        self.logger.addFilter(LogFilter(lambda: self.now))
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += self.format(record).split("\n")


@pytest.fixture
def log() -> Log:
    return Log()


def has_controls(text: str) -> bool:
    """Return whether a text has control, formatting or separating characters."""
    return any(unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp", "Cs"} for each in text)


def fail(text: str) -> None:
    raise ValueError(text)


def test_a_message_is_one_line_without_control_characters(log: Log) -> None:
    log.logger.warning("Foreign origin: %s", FORGED)
    log.logger.warning(f"Foreign origin: {FORGED}")
    log.logger.warning("Foreign origin: %(origin)s", {"origin": FORGED})
    assert len(log.lines) == 3
    assert {*log.lines} == {
        r"Foreign origin: x\n2026-01-01 00:00:00.000 forged\r\x1b[31m\x00\x85\u2028\u2029\u202e"
        r"\u200b\udc80y"
    }


def test_other_text_is_unchanged(log: Log) -> None:
    log.logger.warning("%d %% of ‖F‖ = 0,7 — %s 💥", 5, r"C:\new")
    assert log.lines == ["5 % of ‖F‖ = 0,7 — C:\\new 💥"]


def test_a_traceback_has_lines_of_code_only(log: Log) -> None:
    try:
        try:
            fail(FORGED)
        except ValueError as error:
            error.add_note(FORGED)
            raise RuntimeError(f"outer {FORGED}") from error
    except RuntimeError:
        log.logger.exception("The page failed")
    assert log.lines[:2] == ["The page failed", "Traceback (most recent call last):"]
    assert any(line.startswith("ValueError: x\\n2026") for line in log.lines)
    assert any(line.startswith("RuntimeError: outer x\\n2026") for line in log.lines)
    assert any(line.endswith(", in fail") for line in log.lines)
    assert not any(has_controls(line) for line in log.lines)


def test_repeated_messages_are_counted(log: Log) -> None:
    for number in range(1234):
        log.logger.warning("Wrong message %d", number)
    assert log.lines == [
        "Wrong message 0",
        "Wrong message 9 (10 times within 60 s)",
        "Wrong message 99 (100 times within 60 s)",
        "Wrong message 999 (1000 times within 60 s)",
    ]
    log.now += WINDOW
    for number in range(2):
        log.logger.warning("Wrong message %d", number)
        if number == 0:  # the same message from another line is not the same kind
            log.logger.warning("Wrong message %d", number)
    assert log.lines[4:] == ["Wrong message 0", "Wrong message 0"]


def test_the_count_of_an_earlier_minute_is_told(log: Log) -> None:
    for _ in range(2):
        for number in range(5):
            log.logger.warning("Wrong message %d", number)
        log.now += WINDOW
    assert log.lines == ["Wrong message 0", "Wrong message 0 (5 times in an earlier 60 s)"]


def test_different_errors_are_each_logged_in_full(log: Log) -> None:
    def first() -> None:
        fail("first")

    def second() -> None:
        raise ValueError("second")

    def third() -> None:
        raise KeyError("third")

    for attempt in range(REPEATS):
        for work in (first, second, third):
            try:
                work()
            except Exception:
                log.logger.exception("The page failed %d", attempt)
    assert log.lines.count("Traceback (most recent call last):") == 3
    for text in ("ValueError: first", "ValueError: second", "KeyError: 'third'"):
        assert text in log.lines
    assert log.lines[-1] == "The page failed 9 (10 times within 60 s)"


def test_a_long_message_is_cut(log: Log) -> None:
    log.logger.warning("%s", "a" * 1_000_000)
    assert log.lines == ["a" * MAX_LENGTH + "… (1000000 characters)"]
    try:
        fail("b" * 1_000_000)
    except ValueError:
        log.logger.exception("failed")
    assert max(map(len, log.lines[1:])) == MAX_LENGTH


def test_arguments_that_do_not_fit_raise_nothing(log: Log) -> None:
    log.logger.warning("%d %d", "x")
    assert log.lines == ["%d %d"]


def test_all_loggers_are_filtered() -> None:
    """In a process of its own: of Streamlit, of uvicorn, of this package, and later ones."""
    code = """
import logging
import streamlit.web.server.starlette.starlette_websocket, explorer.page.errors, uvicorn
from explorer.server.log_filter import filter_logs
from streamlit.logger import get_logger
early = ["streamlit.web.server.starlette.starlette_websocket", "explorer.page.errors",
         "uvicorn.error", ""]
loggers = [logging.getLogger(name) for name in early]
filter_logs()
loggers += [get_logger("streamlit.later"), logging.getLogger("later.child"), logging.getLogger()]
for logger in loggers:
    logger.warning("one\\ntwo")
"""
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stderr
    assert output.count(r"one\ntwo") == 6  # the root logger repeats itself
    assert "one\ntwo" not in output


def test_clients_neither_forge_lines_nor_fill_the_log(tmp_path: Path) -> None:
    async def attack(address: str) -> None:
        client = await Client.open(address)
        await client.run()
        numbers = client.drawn("number_input")
        (seed,) = [one.id for one in numbers if one.label == "Seed of the weights"]
        await client.close()
        forged = FORGED.replace("\udc80", "")  # not UTF-8
        fragment, operation, widget = BackMsg(), BackMsg(), BackMsg()
        fragment.rerun_script.fragment_id = forged
        operation.backend_operation_request.request_id = forged
        widget.rerun_script.widget_states.widgets.append(WidgetState(id=seed, string_value=forged))
        for payload in (
            fragment.SerializeToString(),
            operation.SerializeToString(),
            widget.SerializeToString(),
            b"\xff\xff",
            "text",
        ):
            for _ in range(REPEATS):
                client = await Client.open(address)
                await client.run()
                await client.connection.send(payload)
                try:
                    async with asyncio.timeout(0.1):
                        while True:
                            await client.connection.recv()
                except (TimeoutError, ConnectionClosed):
                    pass
                await client.close()

    path = tmp_path / "log"
    with path.open("wb") as file, running_server(log=file) as server:
        awaited(attack(server.address))
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    assert not [line for line in lines if has_controls(line)]
    assert not [line for line in lines if line.startswith("2026-01-01")]
    for words, count in {
        "The fragment with id x\\n2026": 2,
        "Rejecting backend operation request x\\n2026": 2,
        "ValueError: invalid literal for int()": 2,  # of Streamlit and of this package
        "Error deserializing back message": 2,
        "Exception in ASGI application": 2,
    }.items():
        assert sum(words in line for line in lines) == count, words
    assert sum("(10 times within" in line for line in lines) >= 5
