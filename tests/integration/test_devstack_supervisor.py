"""The supervisor with real child processes: small Python scripts."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from tools.devstack import supervisor as supervising_module
from tools.devstack.command import Command
from tools.devstack.leftovers import Record, start_of
from tools.devstack.processes import REPOSITORY
from tools.devstack.supervisor import supervising

pytestmark = pytest.mark.integration

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def make_command(tmp_path, *, name="child", script=SLEEP, tier=1):
    argv = (sys.executable, "-S", "-c", script)
    return Command(name=name, argv=argv, cwd=tmp_path, env={}, tier=tier)


@pytest.fixture
def told():
    return []


@pytest.fixture
def supervised(tmp_path, told):
    return supervising(
        logs=tmp_path,
        record=Record(path=tmp_path / "pids.json"),
        on_change=lambda text, pids: told.append((text, dict(pids))),
    )


async def until(check, *, timeout_s=10.0):
    async with asyncio.timeout(timeout_s):
        while not check():
            await asyncio.sleep(0.01)


def up_count(tmp_path, name="child"):
    return (tmp_path / f"{name}.log").read_text().count("up")


async def test_a_killed_child_is_restarted_and_the_new_id_is_told(supervised, told, tmp_path):
    async with supervised as supervisor:
        child = await supervisor.start(make_command(tmp_path))
        first = child.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: len(told) == 2)
        assert told[0][0] == "child died (SIGKILL); restart in 0.2 s"
        assert told[1] == (f"child restarted as process {child.pid}", {"child": child.pid})
        assert child.pid != first
        assert child.deaths == 1
    assert start_of(child.pid) is None


async def test_a_child_that_cannot_live_is_tried_ever_more_rarely(supervised, told, tmp_path):
    async with supervised as supervisor:
        await supervisor.start(make_command(tmp_path, script="raise SystemExit(3)"))
        await until(lambda: len(told) >= 5)
    deaths = [text for text, _ in told if "died" in text]
    assert deaths[:3] == [
        "child died (exit code 3); restart in 0.2 s",
        "child died (exit code 3); restart in 0.4 s",
        "child died (exit code 3); restart in 0.8 s",
    ]


async def test_stopping_does_not_wait_for_a_restart_that_is_due(supervised, tmp_path, monkeypatch):
    monkeypatch.setattr(supervising_module, "FIRST_DELAY_S", 30)
    async with supervised as supervisor:
        child = await supervisor.start(make_command(tmp_path, script="pass"))
        await until(lambda: child.deaths == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 2


async def test_a_child_that_ignores_the_signal_is_killed(supervised, tmp_path, monkeypatch):
    monkeypatch.setattr(supervising_module, "STOP_DEADLINE_S", 0.3)
    async with supervised as supervisor:
        child = await supervisor.start(make_command(tmp_path, script=STUBBORN))
        await until(lambda: up_count(tmp_path))
    assert start_of(child.pid) is None
    assert child.last_exit == -signal.SIGKILL


async def test_services_are_gone_before_what_they_stand_on_is_told_to_stop(supervised, tmp_path):
    stamp = "import signal, sys, time; print('up', flush=True); signal.sigwait({signal.SIGTERM});"
    stamp += " print(time.monotonic()); time.sleep(0.2); print(time.monotonic(), flush=True)"
    stamp = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {{15}}); {stamp}"
    async with supervised as supervisor:
        await supervisor.start(make_command(tmp_path, name="nats", script=stamp, tier=0))
        await supervisor.start(make_command(tmp_path, name="router", script=stamp))
        await until(lambda: up_count(tmp_path, "nats") and up_count(tmp_path, "router"))
    _, _, router_ended = (tmp_path / "router.log").read_text().split()
    _, nats_told, _ = (tmp_path / "nats.log").read_text().split()
    assert float(router_ended) <= float(nats_told)


async def test_children_are_stopped_when_the_block_fails(supervised, tmp_path):
    children = []

    async def fail():
        async with supervised as supervisor:
            children.append(await supervisor.start(make_command(tmp_path)))
            raise RuntimeError

    with pytest.raises(ExceptionGroup):
        await fail()
    assert start_of(children[0].pid) is None


async def test_a_program_that_does_not_exist_is_an_error_at_once(supervised, tmp_path):
    async with supervised as supervisor:
        command = Command(name="none", argv=("/nowhere/none",), cwd=tmp_path, env={})
        with pytest.raises(FileNotFoundError):
            await supervisor.start(command)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_children_die_with_a_supervisor_that_is_killed(tmp_path):
    script = f"""
import asyncio, sys
from pathlib import Path
from tools.devstack.command import Command
from tools.devstack.leftovers import Record
from tools.devstack.supervisor import supervising

async def main():
    home = Path({str(tmp_path)!r})
    record = Record(path=home / "pids.json")
    async with supervising(logs=home, record=record, on_change=print) as supervisor:
        argv = (sys.executable, "-S", "-c", {STUBBORN!r})
        await supervisor.start(Command(name="child", argv=argv, cwd=home, env={{}}))
        await asyncio.sleep(60)

asyncio.run(main())
"""
    record = Record(path=tmp_path / "pids.json")
    with subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY) as supervisor:
        with contextlib.suppress(FileNotFoundError):
            _wait(lambda: record.path.exists() and up_count(tmp_path))
        assert list(record.still_running()) == ["child"]
        supervisor.kill()
    _wait(lambda: not record.still_running())


def _wait(check, *, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
