"""Keeps child processes running: starts them, restarts those that die, stops them all in time.

It knows nothing of what they do. `next_delay` is the whole policy of restarting.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tools.devstack.child_logs import open_log, size_of, tail
from tools.devstack.command import Command, spawn_options
from tools.devstack.leftovers import Record

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
HEALTHY_AFTER_S = 30.0
# Two tiers together stay below the ten seconds that Ctrl-C may take.
STOP_DEADLINE_S = 4.0

OnChange = Callable[[str, dict[str, int]], None]
"""Hears in words of a death or a restart, with the process ids as they are now."""


def next_delay(last: float | None, *, lived_s: float) -> float:
    """How long to wait before a restart, after the last wait and the life that followed it."""
    if last is None or lived_s >= HEALTHY_AFTER_S:
        return FIRST_DELAY_S
    return min(last * 2, LONGEST_DELAY_S)


class Child:
    """One supervised process through all its lives."""

    def __init__(self, command: Command, *, log_file: Path) -> None:
        self.command = command
        self.log_file = log_file
        self.deaths = 0
        self.last_exit: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def spawn(self) -> None:
        with open_log(self.log_file) as log:
            if self._process is None:
                self._log_start = size_of(log)
            options = spawn_options(self.command, log=log)
            self._process = await asyncio.create_subprocess_exec(*self.command.argv, **options)

    async def wait(self) -> None:
        """Return when it does not run any more."""
        if self._process is not None:
            self.last_exit = await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def log_tail(self) -> str:
        """The last lines it wrote since its first start here."""
        return tail(self.log_file, start=self._log_start)


class Supervisor:
    """Made by `supervising`, which stops everything when its block ends."""

    def __init__(
        self, *, logs: Path, record: Record, on_change: OnChange, group: asyncio.TaskGroup
    ) -> None:
        self._logs = logs
        self._record = record
        self._on_change = on_change
        self._group = group
        self._children: list[Child] = []
        self._stopping = asyncio.Event()

    def log_file(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def pids(self) -> dict[str, int]:
        return {child.command.name: child.pid for child in self._children if child.pid}

    async def start(self, command: Command) -> Child:
        """Start a process and watch over it; raises `OSError` if it cannot be run at all."""
        child = Child(command, log_file=self.log_file(command.name))
        self._children.append(child)
        await child.spawn()
        self._record.write(self.pids())
        self._group.create_task(self._watch(child))
        return child

    async def stop(self) -> None:
        """End all children, the highest tier first; none is left when this returns."""
        self._stopping.set()
        for tier in sorted({child.command.tier for child in self._children}, reverse=True):
            members = [child for child in self._children if child.command.tier == tier]
            for child in reversed(members):
                child.signal(child.command.stop_signal)
            try:
                async with asyncio.timeout(STOP_DEADLINE_S):
                    await _all_ended(members)
            except TimeoutError:
                for child in members:
                    child.signal(signal.SIGKILL)
                await _all_ended(members)
        self._record.clear()

    async def _watch(self, child: Child) -> None:
        delay: float | None = None
        while True:
            born = time.monotonic()
            await child.wait()
            if self._stopping.is_set():
                return
            child.deaths += 1
            delay = next_delay(delay, lived_s=time.monotonic() - born)
            how = describe_exit(child.last_exit)
            self._tell(f"{child.command.name} died ({how}); restart in {delay:.1f} s")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()
            if self._stopping.is_set():
                return
            await self._revive(child)

    def _tell(self, text: str) -> None:
        self._on_change(text, self.pids())

    async def _revive(self, child: Child) -> None:
        try:
            await child.spawn()
            self._record.write(self.pids())
        except OSError as error:  # the watcher finds it dead, and waits longer
            self._tell(f"{child.command.name} cannot be started: {error}")
            return
        if self._stopping.is_set():  # it was not there yet when the others were told
            child.signal(signal.SIGKILL)
            return
        self._tell(f"{child.command.name} restarted as process {child.pid}")


@contextlib.asynccontextmanager
async def supervising(
    *, logs: Path, record: Record, on_change: OnChange
) -> AsyncIterator[Supervisor]:
    """A supervisor whose children are all stopped when the block ends, however it ends."""
    async with asyncio.TaskGroup() as group:
        supervisor = Supervisor(logs=logs, record=record, on_change=on_change, group=group)
        try:
            yield supervisor
        finally:
            await supervisor.stop()


def describe_exit(code: int | None) -> str:
    if code is None:
        return "never started"
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


async def _all_ended(children: list[Child]) -> None:
    for child in children:
        await child.wait()
