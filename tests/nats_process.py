"""A NATS server of a test's own, which the test may kill and start again on the same data."""

import asyncio
import signal
import subprocess
from pathlib import Path

from tools.devstack.child_logs import open_log
from tools.devstack.command import spawn_options
from tools.devstack.nats import NatsServer
from tools.devstack.ports import free_port


class NatsProcess:
    def __init__(self, directory: Path, *, syncs_always: bool = True) -> None:
        self._server = NatsServer(
            directory=directory,
            port=free_port(),
            user="test",
            password="test",
            syncs_always=syncs_always,
        )
        self._log = directory / "nats.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._server.url

    async def start(self) -> None:
        command = self._server.prepare()
        with open_log(self._log) as descriptor:
            self._process = subprocess.Popen(command.argv, **spawn_options(command, log=descriptor))
        await self._server.wait_ready()

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        await asyncio.to_thread(self._process.wait, 10)
