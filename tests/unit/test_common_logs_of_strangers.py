"""What strangers send cannot forge a log line, fill the log, or reach a terminal that obeys it."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from libs.common.unseen import escaped, replaced

ROOT = Path(__file__).parent.parent.parent
FORGED = '\n{"event":"alert.received","level":"info"}\r\n'
ODD = {
    "lines": f"x{FORGED}\x0b\x0c\x85\u2028\u2029y",
    "ansi": "\x1b[2J\x1b]0;owned\x07\x9b31m\x7f\x00\x08",
    "bidi": "a\u202e\u2066\u200f\u061cb",
    "unseen": "a\u200b\u2060\ufeff\xadb\U000e0041",
    "surrogate": "a\ud800b\udcff",
    "huge": "z" * 2_000_000,
    "deep": [[[[[[[[[[[[["z" * 1_000_000]]]]]]]]]]]]],
    "many": ["z"] * 100_000,
    "keys\x1b[31m": {"\u202e": "\x9b", **{f"k{n}": n for n in range(20_000)}},
}
SPEAKER = """
import logging, structlog
from libs.common.logs import configure_logs
from tests.unit.test_common_logs_of_strangers import ODD
configure_logs(service="speaker")
log = structlog.get_logger()
for name, value in ODD.items():
    log.info("odd.value", **{name: value})
    log.info(value if isinstance(value, str) else name, name=name)
    try:
        raise ValueError(value)
    except ValueError:
        log.exception("odd.failure", name=name)
        logging.getLogger("library").exception("of %s", value)
"""
# Each value in a field, as the event, in an error of ours and in one of a library.
LINES = 4 * len(ODD)


def said_to(stderr):
    return subprocess.Popen([sys.executable, "-c", SPEAKER], cwd=ROOT, stderr=stderr)


@pytest.fixture(scope="module")
def written():
    process = said_to(subprocess.PIPE)
    _, text = process.communicate(timeout=60)
    assert process.returncode == 0, text[-2_000:]
    return text


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
    assert process.wait(60) == 0, text[-2_000:]
    return text.decode()


def test_each_value_makes_one_line(written):
    lines = [json.loads(line) for line in written.decode().split("\n")[:-1]]
    assert len(lines) == LINES
    assert all(line["service"] == "speaker" for line in lines), "nobody has forged one"


def test_a_line_is_plain_and_no_longer_than_a_line(written):
    for line in written.split(b"\n"):
        assert len(line) < 64_000
        text = line.decode()
        assert escaped(text) == text
        assert not any(ord(char) < 32 for char in text)


def test_what_a_line_says_is_what_was_meant(written):
    first = json.loads(written.split(b"\n")[0])
    assert first["lines"] == ODD["lines"]
    ansi = json.loads(written.split(b"\n")[4])
    assert ansi["ansi"] == ODD["ansi"]


def test_a_terminal_is_given_nothing_to_obey(terminal):
    # Its own colours are the renderer's.
    plain = terminal.replace("\r\n", "\n")
    for code in ("0", "1", "2", "31", "32", "33", "34", "35", "36", "91"):
        plain = plain.replace(f"\x1b[{code}m", "")
    plain = plain.replace("\x1b[31;1m", "").replace("\x1b[1;31m", "")
    assert {char for char in plain if not char.isprintable()} == {"\n"}
    assert "alert.received" in plain
    assert '\n{"event"' not in plain, "nobody has forged a line"
    assert max(map(len, plain.split("\n"))) < 64_000


@pytest.mark.parametrize(
    ("text", "shown", "document"),
    [
        ("plain", "plain", "plain"),
        ("größer €", "größer €", "größer €"),
        ("\u202e", "\ufffd", "\\u202e"),
        ("\U000e0041", "\ufffd", "\\udb40\\udc41"),
        ("\x7f\x9b", "\ufffd\ufffd", "\\u007f\\u009b"),
        ("\ud800", "\ufffd", "\\ud800"),
        ("\x1b", "\ufffd", "\x1b"),
    ],
    ids=["plain", "letters", "bidi", "tag", "c1", "surrogate", "escape"],
)
def test_characters_that_nobody_sees(text, shown, document):
    assert replaced(text) == shown
    assert escaped(text) == document, "JSON has escaped what is below a blank"
