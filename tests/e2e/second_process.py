"""Another process of a service beside the supervised one, with its settings and its own port."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import aiohttp

from libs.common.settings import variable_name
from tests.backends import free_port_base
from tests.e2e.running_stack import ROOT, RunningStack

PATIENCE_S = 60
HANDING_ON = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
"""As systemd starts a service with its socket."""


class SecondProcess:
    def __init__(
        self,
        stack: RunningStack,
        service: str,
        *,
        listener: socket.socket | None = None,
        **settings: str,
    ) -> None:
        """`settings` differ from the supervised process's; `listener` is handed to it."""
        # Made as `alertwire up` makes it: a service's own environment can be read by root alone.
        self._environ = dict(stack.processes.command(service).env)
        self._port = free_port_base()
        own = {"health_port": str(self._port), **settings}
        self._environ |= {variable_name(name): value for name, value in own.items()}
        self._service = service
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        command = ["-m", f"services.{self._service}"]
        handed = () if self._listener is None else (self._listener.fileno(),)
        if handed:
            command = ["-c", HANDING_ON, str(handed[0]), *command]
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self._environ,
            pass_fds=handed,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def end(self, number: signal.Signals) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        self._process.wait(15)

    async def until_ended(self, number: signal.Signals = signal.SIGTERM) -> int:
        """As `end`, while others go on; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return await asyncio.to_thread(self._process.wait, 15)

    async def until_ready(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.missing() != {}:
                await asyncio.sleep(0.05)

    async def missing(self) -> dict[str, str] | None:
        """What it misses to be ready; None where it does not answer."""
        status, text = await page(f"http://127.0.0.1:{self._port}/health/ready")
        if not status:
            return None
        found: dict[str, str] = json.loads(text)["missing"]
        return found

    async def owns(self) -> bool:
        return await owns(f"http://127.0.0.1:{self._port}", self._service)


@contextlib.asynccontextmanager
async def running_beside(stack: RunningStack, service: str) -> AsyncIterator[SecondProcess]:
    second = SecondProcess(stack, service)
    second.start()
    try:
        await second.until_ready()
        yield second
    finally:
        second.end(signal.SIGTERM)


async def owns(address: str, service: str) -> bool:
    """Whether a process says that it has the lease of its work."""
    _, text = await page(f"{address}/metrics")
    return f'alertwire_owner{{service="{service}"}} 1.0' in text


async def page(url: str) -> tuple[int, str]:
    """Status 0 where nobody answers, as a process that is stopped does not."""
    timeout = aiohttp.ClientTimeout(total=2)
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession(timeout=timeout) as web, web.get(url) as reply:
            return reply.status, await reply.text()
    return 0, ""
