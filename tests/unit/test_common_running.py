"""The life of a process: its exit code, what it logs at the end, and how a signal ends it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from libs.common import running

ROOT = Path(__file__).parent.parent.parent
ENDINGS = """
import os
from libs.common.running import run
from libs.common.settings import SettingsError

async def misconfigured(stop): raise SettingsError("ALERTWIRE_X is missing")
async def broken(stop): raise ValueError("a bug")
async def done(stop): pass

def end(main, level):
    os.environ["ALERTWIRE_LOG_LEVEL"] = level
    print(run(main.__name__, main))

end(misconfigured, "info")
end(broken, "")
end(done, "info")
end(done, "error")
end(done, "loud")
"""
WAITING = """
import sys
from libs.common.running import run

async def main(stop):
    print("ready", flush=True)
    await stop.wait()

sys.exit(run("waiting", main))
"""


def started(script):
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def endings():
    """The exit codes of several ways to end, and what was logged."""
    out, err = started(ENDINGS).communicate(timeout=20)
    return out.split(), [json.loads(line) for line in err.splitlines()]


def test_exit_codes(endings):
    """2: the settings are wrong (a wrong log level too); 1: it failed; 0: it ended in order."""
    assert endings[0] == ["2", "1", "0", "0", "2"]


def test_the_last_line_says_how_it_ended(endings):
    """A user's slip is told without a stack, a bug with one; a level of `error` says nothing."""
    refused, failed, stopped, unknown_level = endings[1]
    assert (refused["event"], refused["reason"]) == ("settings.refused", "ALERTWIRE_X is missing")
    assert "exception" not in refused
    assert (failed["event"], failed["service"]) == ("process.failed", "broken")
    assert failed["exception"][0]["exc_value"] == "a bug"
    assert stopped["event"] == "process.stopped"
    assert unknown_level["event"] == "settings.refused"
    assert "ALERTWIRE_LOG_LEVEL must be" in unknown_level["reason"]


def test_sigterm_ends_it_at_once_with_0():
    process = started(WAITING)
    assert process.stdout.readline() == "ready\n"
    sent = time.monotonic()
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert time.monotonic() - sent < 2
    assert process.returncode == 0
    assert json.loads(err)["event"] == "process.stopped"


class Stubborn:
    """A main that waits for something else, and never looks at `stop`."""

    def __init__(self, last_words=None):
        self.cleaned_up = False
        self._last_words = last_words

    async def __call__(self, stop):
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            self.cleaned_up = True
            if self._last_words is not None:
                raise self._last_words


async def test_a_main_that_still_waits_is_cancelled_after_the_grace(monkeypatch):
    monkeypatch.setattr(running, "STOP_GRACE_S", 0.02)
    main = Stubborn()
    async with asyncio.timeout(2):
        await running._until_signalled(main)
    assert main.cleaned_up


async def test_a_failure_while_being_cancelled_is_a_failure(monkeypatch):
    monkeypatch.setattr(running, "STOP_GRACE_S", 0.02)
    with pytest.raises(ValueError, match="in the end"):
        await running._until_signalled(Stubborn(ValueError("in the end")))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_needs_a_moment_to_end_gets_it(number):
    done = []

    async def main(stop):
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        await stop.wait()
        await asyncio.sleep(0.05)
        done.append("in order")

    await running._until_signalled(main)
    assert done == ["in order"]


async def test_a_failure_without_any_signal_ends_it_at_once():
    async def main(_stop):
        raise ValueError("at start")

    async with asyncio.timeout(1):
        with pytest.raises(ValueError, match="at start"):
            await running._until_signalled(main)
