"""Does to the stack what the plan says: signals to its processes, faults at the exchange, a second
executor. Only processes of the stack under test are touched, by their ids in its `stack.json`.
"""

import asyncio
import contextlib
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from bench.beside import running_beside
from chaos.errors import ChaosError
from chaos.exchange import Exchange
from chaos.world import Act, ActKind
from tools.devstack.ports import Ports
from tools.devstack.stack import read_stack

_COMES_BACK_WITHIN_S = 30.0
_LOOK_S = 0.05


@dataclass(kw_only=True)
class Actor:
    directory: Path
    ports: Ports
    exchange: Exchange
    seed: int
    elapsed_s: Callable[[], float]
    tell: Callable[[str], None]
    done: Counter[str] = field(default_factory=Counter)
    _killed: dict[str, int] = field(default_factory=dict)
    """By name, the process that was killed last."""
    _in_turn: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _at_exchange: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def do_all(self, acts: Sequence[Act]) -> None:
        """Each at its time; returns when the last one is over and all processes run again."""
        async with asyncio.TaskGroup() as group:
            for act in acts:
                await asyncio.sleep(max(0.0, act.at_s - self.elapsed_s()))
                group.create_task(self._do(act))
        for name in (read_stack(self.directory) and self._pids()) or ():
            await self._alive(name)

    async def restart(self, name: str) -> None:
        """End a process as an operator does, and return when another runs in its place."""
        async with self._in_turn[name]:
            self._killed[name] = await self._alive(name)
            os.kill(self._killed[name], signal.SIGTERM)
            await self._alive(name)

    async def _do(self, act: Act) -> None:
        self.tell(str(act))
        match act.kind:
            case ActKind.KILL if act.target == "paper_exchange":
                async with self._at_exchange:
                    await self._kill_exchange()
            case ActKind.KILL:
                await self._kill(act.target)
            case ActKind.STOP:
                await self._stop(act.target, seconds=act.seconds)
            case ActKind.SECOND:
                async with running_beside("executor", directory=self.directory, ports=self.ports):
                    await asyncio.sleep(act.seconds)
            case ActKind.CLOCK:
                await self._set_clock(int(act.value))
                try:
                    await asyncio.sleep(act.seconds)
                finally:
                    await self._set_clock(0)
            case ActKind.CUT | ActKind.LATENCY | ActKind.DUPLICATES | ActKind.SWEEP:
                async with self._at_exchange:
                    await self.exchange.switch(act)
            case _:
                assert_never(act.kind)
        self.done[" ".join(part for part in (act.kind.value, act.target or act.value) if part)] += 1

    async def _set_clock(self, offset_ms: int) -> None:
        async with self._at_exchange:
            await self.exchange.set_clock(offset_ms)

    async def _kill(self, name: str) -> None:
        async with self._in_turn[name]:
            pid = await self._alive(name)
            self._killed[name] = pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    async def _kill_exchange(self) -> None:
        await self._alive("paper_exchange")
        await self.exchange.note_befallen()
        await self.exchange.note_records()
        await self._kill("paper_exchange")
        await self._alive("paper_exchange")
        await self.exchange.set_up(seed=self.seed)

    async def _stop(self, name: str, *, seconds: float) -> None:
        pid = await self._alive(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def _alive(self, name: str) -> int:
        """The process id, once the supervisor has started one that was not killed here."""
        try:
            async with asyncio.timeout(_COMES_BACK_WITHIN_S):
                while True:
                    pid = self._pids().get(name)
                    if pid is not None and pid != self._killed.get(name) and _runs(pid):
                        return pid
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            told = f"{name} is not running again after {_COMES_BACK_WITHIN_S:g} s"
            raise ChaosError(told) from None

    def _pids(self) -> dict[str, int]:
        described = read_stack(self.directory) or {}
        return dict(described.get("processes", {}))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
