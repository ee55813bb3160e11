"""Another process of a service beside the supervised one: same settings, its own health port."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.errors import BenchError
from tools.devstack.child_logs import open_log, tail
from tools.devstack.command import Command, spawn_options
from tools.devstack.credentials import load_sealing_key
from tools.devstack.ports import HOST, Ports, free_port
from tools.devstack.processes import Processes
from tools.devstack.starting import Backends
from tools.logins import READER, WRITER

_READY_WITHIN_S = 30.0
_LOOK_S = 0.05
_ANSWERS_WITHIN_S = 2.0


@dataclass(kw_only=True)
class Beside:
    """One such process, from its start on. Nobody starts it again."""

    service: str
    port: int
    log_file: Path
    process: asyncio.subprocess.Process = field(repr=False)

    def kill(self) -> int:
        """SIGKILL; the time at which it was sent."""
        self.process.kill()
        return time.time_ns()

    def hold(self) -> int:
        """SIGSTOP; the time at which it was sent."""
        os.kill(self.process.pid, signal.SIGSTOP)
        return time.time_ns()

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def until_ready(self, web: aiohttp.ClientSession) -> None:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                while (await _page(web, f"{self._url}/health/ready"))[0] != 200:
                    if self.process.returncode is not None:
                        raise BenchError(f"{self._named} ended:\n{tail(self.log_file, start=0)}")
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise BenchError(f"{self._named} is not ready after {_READY_WITHIN_S:g} s") from None

    async def owns(self, web: aiohttp.ClientSession) -> bool:
        """Whether it says that it has the lease of its work."""
        _, text = await _page(web, f"{self._url}/metrics")
        return f'alertwire_owner{{service="{self.service}"}} 1.0' in text

    @property
    def _url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def _named(self) -> str:
        return f"the {self.service} beside the supervised one"


async def start_beside(service: str, *, directory: Path, ports: Ports) -> Beside:
    """Does not wait until it is ready; the caller has to `end` it."""
    command = _command(service, directory=directory, ports=ports)
    port = free_port()
    environ = dict(command.env) | {"ALERTWIRE_HEALTH_PORT": str(port)}
    log_file = directory / "logs" / f"{service} beside.log"
    with open_log(log_file) as log:
        options = spawn_options(command, log=log) | {"env": environ}
        process = await asyncio.create_subprocess_exec(*command.argv, **options)
    return Beside(service=service, port=port, log_file=log_file, process=process)


@contextlib.asynccontextmanager
async def running_beside(service: str, *, directory: Path, ports: Ports) -> AsyncIterator[Beside]:
    """Killed when the block ends."""
    beside = await start_beside(service, directory=directory, ports=ports)
    try:
        yield beside
    finally:
        await beside.end()


def _command(service: str, *, directory: Path, ports: Ports) -> Command:
    backends = Backends.of(directory, ports=ports)
    return Processes(
        directory=directory,
        ports=ports,
        credentials=backends.credentials,
        sealing=load_sealing_key(directory),
        nats_url=backends.nats.url,
        writer_url=backends.database_url(WRITER),
        reader_url=backends.database_url(READER),
    ).command(service)


async def _page(web: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    # Status 0 where nobody answers, as a process that is stopped does not.
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(_ANSWERS_WITHIN_S), web.get(url) as reply:
            return reply.status, await reply.text()
    return 0, ""
