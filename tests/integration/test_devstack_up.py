"""`up` as a person meets it where it does not come up: the whole of it is tested end to end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.backends import free_port_base, scratch_folder
from tools.devstack.leftovers import Record
from tools.devstack.lock import locked
from tools.devstack.ports import HOST
from tools.devstack.processes import REPOSITORY
from tools.devstack.up import up

pytestmark = pytest.mark.integration


@pytest.fixture
def directory():
    with scratch_folder() as scratch:
        yield scratch / "D"


@pytest.fixture
def printed():
    return []


@pytest.fixture
def base():
    return free_port_base()


async def test_a_second_up_on_the_same_folder_is_refused(directory, printed, base):
    with locked(directory):
        assert await up(directory=directory, port_base=base, out=printed.append) == 1
    assert "another `alertwire up` runs" in printed[-1]


async def test_a_taken_port_is_refused_before_anything_starts(directory, printed):
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert await up(directory=directory, port_base=port, out=printed.append) == 1
    assert f"port {port} (ingest)" in printed[-1]
    assert not (directory / "nats").exists()


async def test_an_impossible_port_base_is_refused(directory, printed):
    assert await up(directory=directory, port_base=65_530, out=printed.append) == 1
    assert "port base" in printed[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_starting_leaves_no_process(directory, base, number):
    argv = [sys.executable, "-m", "tools.devstack", "--dir", directory, "--port-base", str(base)]
    record = Record(path=directory / "pids.json")
    with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 20
        while "nats" not in record.still_running():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        running = record.still_running()
        began = time.monotonic()
        os.kill(process.pid, number)
        output = process.communicate(timeout=20)[0]
    assert time.monotonic() - began < 10
    assert process.returncode == 0
    assert output.endswith("stopped\n")
    assert not record.path.exists()
    assert not any(_runs(pid) for pid in running.values())
    assert not (directory / "stack.json").exists()


async def test_a_service_that_cannot_run_ends_up_with_its_words(
    directory, printed, base, monkeypatch
):
    monkeypatch.setattr(
        "tools.devstack.processes._MODULES",
        dict.fromkeys(["ingest", "router", "executor", "auditor", "console"], "http.server")
        | {"paper_exchange": "no_such_module"},
    )
    monkeypatch.setattr("tools.devstack.starting._HOPELESS_DEATHS", 1)
    async with asyncio.timeout(30):
        assert await up(directory=directory, port_base=base, out=printed.append) == 1
    error = next(text for text in printed if text.startswith("error:"))
    assert "paper_exchange is not ready: it died" in error
    assert "No module named no_such_module" in error
    assert printed[-1] == "stopped"


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
