"""`alertwire up`: everything on one machine, from nothing to a webhook that trades on paper, and
down again without a trace.
"""

import asyncio
import dataclasses
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.devstack.announcing import announcement
from tools.devstack.demo import DemoSetup
from tools.devstack.errors import DevstackError
from tools.devstack.leftovers import Record, end_leftovers
from tools.devstack.lock import locked
from tools.devstack.ports import Ports, require_free
from tools.devstack.stack import (
    describe_servers,
    describe_stack,
    paper_exchange_ws,
    stack_file,
    write_stack,
)
from tools.devstack.starting import Backends, Starting
from tools.devstack.supervisor import Supervisor, supervising


async def up(
    *, directory: Path, port_base: int, out: Callable[[str], None], servers_only: bool = False
) -> int:
    """Run the stack until SIGINT or SIGTERM; returns the exit code. Needs the main thread."""
    began = time.monotonic()

    def tell(text: str) -> None:
        out(f"{time.monotonic() - began:6.1f} s  {text}")

    stop = _stop_on_signals()
    try:
        ports = Ports(port_base)
        with locked(directory) as held:
            run = _Run(
                directory=held,
                ports=ports,
                stop=stop,
                tell=tell,
                out=out,
                servers_only=servers_only,
            )
            return await run.whole()
    except (DevstackError, OSError, ValueError) as error:
        out(f"error: {error}")
        return 1


@dataclasses.dataclass(kw_only=True)
class _Run:
    directory: Path
    ports: Ports
    stop: asyncio.Event
    tell: Callable[[str], None]
    out: Callable[[str], None]
    servers_only: bool
    described: dict[str, Any] | None = None

    async def whole(self) -> int:
        record = Record(path=self.directory / "pids.json")
        self._forget_stack()
        for name in end_leftovers(record):
            self.tell(f"ended {name}, left running by an earlier start that was killed")
        require_free(self.ports)
        logs = self.directory / "logs"
        try:
            async with supervising(logs=logs, record=record, on_change=self._changed) as supervisor:
                started = await self._until_stopped(supervisor)
                self.tell("stopping")
                self._forget_stack()
        finally:
            self._forget_stack()
        self.out("stopped")
        return 0 if started else 1

    # False when it could not be started; asked to stop while starting is no failure.
    async def _until_stopped(self, supervisor: Supervisor) -> bool:
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(self._start(supervisor))
            stopping = group.create_task(self.stop.wait())
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
            elif not starting.result():
                stopping.cancel()
        return starting.cancelled() or starting.result()

    async def _start(self, supervisor: Supervisor) -> bool:
        try:
            await self._start_all(supervisor)
        except DevstackError as error:
            self.out(f"error: {error}")
            return False
        except ExceptionGroup as group:
            expected, others = group.split(DevstackError)
            if others is not None or expected is None:
                raise
            self.out(f"error: {_first(expected)}")
            return False
        return True

    async def _start_all(self, supervisor: Supervisor) -> None:
        backends = Backends.of(self.directory, ports=self.ports, syncs_always=not self.servers_only)
        starting = Starting(
            directory=self.directory,
            ports=self.ports,
            backends=backends,
            supervisor=supervisor,
            tell=self.tell,
        )
        if self.servers_only:
            await starting.servers()
            self.described = describe_servers(
                nats_url=backends.nats.url, postgres_url=backends.database_url()
            )
            self._write_stack(supervisor.pids())
            self.tell("the two servers answer, and nothing else runs")
            return
        await starting.run()
        demo = await DemoSetup(
            directory=self.directory,
            paper_exchange=self.ports.url("paper_exchange"),
            paper_exchange_ws=paper_exchange_ws(self.ports),
            console=self.ports.url("console"),
            console_token=backends.credentials.console_token,
        ).ensure()
        self.described = describe_stack(
            ports=self.ports,
            nats_url=backends.nats.url,
            postgres_url=backends.database_url(),
            credentials=backends.credentials,
            demo=demo,
        )
        self._write_stack(supervisor.pids())
        self.tell("everything answers")
        self.out(announcement(self.directory, self.described))

    def _changed(self, text: str, pids: dict[str, int]) -> None:
        self.tell(text)
        self._write_stack(pids)

    def _write_stack(self, pids: dict[str, int]) -> None:
        if self.described is not None:
            write_stack(self.directory, self.described, processes=pids)

    def _forget_stack(self) -> None:
        self.described = None
        stack_file(self.directory).unlink(missing_ok=True)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as it is under nohup
        loop.add_signal_handler(signal.SIGHUP, stop.set)
    return stop


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
