"""Log lines as a process writes them: JSON to a pipe, pretty on a terminal, secrets in neither."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from libs.common.logs import configure_logs
from libs.common.settings import SettingsError

ROOT = Path(__file__).parent.parent.parent
TOKEN = "t0ken-of-a-local-variable"
SPEAKER = f"""
import asyncio, logging, sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
import structlog
from libs.common.logs import configure_logs
from libs.common.secret import Secret

configure_logs(service="speaker", level="info")
log = structlog.get_logger()

def fail(token):
    key = {{"Authorization": "Bearer " + token}}
    raise ValueError("it went wrong")

log.debug("nobody.hears")
log.info("alert.received", text='quotes " and\\nlines', key=Secret("{TOKEN}"))
log.warning("odd.values", amount=Decimal("0.10"), at=datetime(2026, 1, 2, tzinfo=UTC),
            path=Path("/x"), error=ValueError("v"), nested={{"key": Secret("{TOKEN}")}},
            raw=b"\\xff", ids={{3}}, kind=ValueError)
with structlog.contextvars.bound_contextvars(alert_id="a-1"):
    log.info("intent.accepted")
try:
    fail("".join(reversed("{TOKEN[::-1]}")))
except ValueError:
    log.exception("message.failed")
    logging.getLogger("library").exception("a sentence with %s and\\na second line", "values")
logging.getLogger("library").info("nobody hears this")
logging.getLogger("library").warning("100%% of %s", "it")
logging.getLogger("library").log(35, "between two levels")
"""


def said_to(stderr):
    return subprocess.Popen([sys.executable, "-c", SPEAKER], cwd=ROOT, stderr=stderr)


@pytest.fixture(scope="module")
def raw_lines():
    process = said_to(subprocess.PIPE)
    _, text = process.communicate(timeout=20)
    assert process.returncode == 0, text.decode()
    return text.decode().splitlines()


@pytest.fixture(scope="module")
def lines(raw_lines):
    return [json.loads(line) for line in raw_lines]


@pytest.fixture(scope="module")
def terminal():
    ours, theirs = pty.openpty()
    process = said_to(theirs)
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # Linux: the other side of the terminal was closed.
        while chunk := os.read(ours, 65_536):
            text += chunk
    os.close(ours)
    assert process.wait(20) == 0, text.decode()
    return text.decode()


def line_of(lines, event):
    (found,) = [line for line in lines if line["event"] == event]
    return found


def test_every_line_is_one_json_object(lines):
    assert [line["event"] for line in lines] == [
        "alert.received",
        "odd.values",
        "intent.accepted",
        "message.failed",
        *["library.logged"] * 3,
    ]
    for line in lines:
        assert line["service"] == "speaker"
        assert line["timestamp"].endswith("Z")
    assert line_of(lines, "alert.received")["text"] == 'quotes " and\nlines'
    assert line_of(lines, "alert.received")["level"] == "info"


def test_values_that_json_does_not_know_become_text(lines):
    line = line_of(lines, "odd.values")
    assert line["amount"] == "0.10"
    assert line["at"] == "2026-01-02T00:00:00Z"
    assert line["error"] == "ValueError('v')"
    assert line["ids"] == [3]


def test_context_is_on_the_lines_of_its_block_alone(lines):
    assert line_of(lines, "intent.accepted")["alert_id"] == "a-1"
    assert "alert_id" not in line_of(lines, "message.failed")


def test_a_secret_in_a_field_is_stars(lines):
    assert line_of(lines, "alert.received")["key"] == "Secret(***)"
    assert line_of(lines, "odd.values")["nested"] == {"key": "Secret(***)"}


def test_an_exception_is_logged_with_its_stack_and_without_local_variables(lines, raw_lines):
    (failure,) = line_of(lines, "message.failed")["exception"]
    assert failure["exc_type"] == "ValueError"
    assert failure["exc_value"] == "it went wrong"
    assert [frame["name"] for frame in failure["frames"]] == ["<module>", "fail"]
    assert not any(frame.get("locals") for frame in failure["frames"])
    assert TOKEN not in "".join(raw_lines)


def test_what_a_library_logs_is_one_line_like_ours(lines):
    first, second, third = [line for line in lines if line["event"] == "library.logged"]
    assert first["logger"] == "library"
    assert first["level"] == "error"
    assert first["message"] == "a sentence with values and\na second line"
    assert first["exception"][0]["exc_value"] == "it went wrong"
    assert second["message"] == "100% of it"
    assert second["level"] == "warning"
    assert "exception" not in second
    assert third["message"] == "between two levels"


def test_a_terminal_gets_text_without_local_variables_and_secrets(terminal):
    assert "message.failed" in terminal
    assert "Traceback (most recent call last)" in terminal
    assert "ValueError: it went wrong" in terminal
    assert "key" in terminal
    assert "Secret(***)" in terminal
    assert "nobody" not in terminal
    assert '{"' not in terminal, "no JSON for people"
    assert TOKEN not in terminal


@pytest.mark.parametrize("level", ["loud", "", "notset"])
def test_an_unknown_level_is_an_error_of_the_settings(level):
    with pytest.raises(SettingsError, match="ALERTWIRE_LOG_LEVEL must be one of debug, info"):
        configure_logs(service="x", level=level)
