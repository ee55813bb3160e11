"""Two processes of a service that contend for its lease, with the supervised one held back, so that
whoever goes on after an end is a standby and never the supervisor's restart.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.beside import Beside, start_beside
from bench.errors import BenchError
from bench.failover.timing import End
from tools.devstack.ports import Ports

KILLED, HELD = "killed", "held, then killed"
_TAKEN_WITHIN_S = 30.0
_LOOK_S = 0.02


@dataclass(kw_only=True)
class Contenders:
    service: str
    directory: Path
    ports: Ports
    web: aiohttp.ClientSession = field(repr=False)
    _processes: list[Beside] = field(default_factory=list)

    async def begin(self) -> None:
        """Start two, and wait until one of them has the lease and the other is ready."""
        for _ in range(2):
            await self._add()
        await self._taken()

    async def end_owner(self, how: str) -> End:
        """End the one that works, wait for the other, and put a new standby at its side."""
        owner = await self._taken()
        at_ns = owner.kill() if how == KILLED else owner.hold()
        self._processes.remove(owner)
        try:
            await self._taken()
            taken_s = time.time()
        finally:
            await owner.end()
        await self._add()
        return End(service=self.service, how=how, at_s=at_ns / 1e9, taken_s=taken_s)

    async def stop(self) -> None:
        for process in self._processes:
            await process.end()

    async def _add(self) -> None:
        added = await start_beside(self.service, directory=self.directory, ports=self.ports)
        self._processes.append(added)
        await added.until_ready(self.web)

    async def _taken(self) -> Beside:
        try:
            async with asyncio.timeout(_TAKEN_WITHIN_S):
                while True:
                    for process in self._processes:
                        if await process.owns(self.web):
                            return process
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            told = f"no {self.service} works after {_TAKEN_WITHIN_S:g} s"
            raise BenchError(told) from None


@contextlib.asynccontextmanager
async def contending(contenders: Contenders, *, supervised: int) -> AsyncIterator[None]:
    """`supervised`: the process that is held back until the block ends."""
    os.kill(supervised, signal.SIGSTOP)
    try:
        await contenders.begin()
        yield
    finally:
        await contenders.stop()
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervised, signal.SIGCONT)
