"""The whole stack as its own processes, started by the command that a user types."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp

from tests.backends import free_port_base
from tests.paper_client import CREATE, PaperClient
from tools.devstack.ports import Ports
from tools.devstack.processes import Processes
from tools.devstack.starting import Backends

ROOT = Path(__file__).parent.parent.parent
GUIDE = {
    "platform_name": "mexc",
    "ticker": "BTCUSDT.P",
    "order_contracts": 0.001,
    "order_action": "buy",
}
POSITIONS = "/api/v1/private/position/open_positions"
START_TIMEOUT_S = 60


class RunningStack:
    """`alertwire up` on a folder; `start` returns once it says that everything answers. `program`
    is what runs instead of the command itself.
    """

    def __init__(
        self, directory: Path, *, environ: dict[str, str] | None = None, program: str = "tools.cli"
    ) -> None:
        self._program = program
        self.directory = directory
        self.port_base = free_port_base()
        self.output = directory.with_suffix(".out")
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        command = [sys.executable, "-m", self._program, "up", *options]
        place = ["--dir", str(self.directory), "--port-base", str(self.port_base)]
        with self.output.open("ab") as out:
            self._process = subprocess.Popen(
                [*command, *place], cwd=ROOT, stdout=out, stderr=out, env=self._environ
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self.directory / "stack.json").exists():
            text = self.output.read_text()
            assert self._process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(15)
        # Each service has the rights of its own user, and whatever happened they were enough.
        refused = self.refused()
        assert not refused, refused
        return code

    def refused(self) -> list[str]:
        """What NATS did not let somebody say or hear."""
        log = self.directory / "logs" / "nats.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if "Violation" in line]

    def stop_if_running(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    @property
    def description(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "stack.json").read_text())
        return found

    @property
    def processes(self) -> Processes:
        """What gives each process its environment."""
        ports = Ports(self.port_base)
        return Backends.of(self.directory, ports=ports).processes(self.directory, ports=ports)

    def cli(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tools.cli", *arguments],
            cwd=ROOT,
            env={**os.environ, "ALERTWIRE_DIR": str(self.directory), "NO_COLOR": "1"},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def kill(self, name: str) -> int:
        pid: int = self.description["processes"][name]
        os.kill(pid, signal.SIGKILL)
        return pid


class Trader:
    """Posts as TradingView does, asks the console, and looks at the paper exchange."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        description = stack.description
        self.demo = description["demo"]
        self._console = description["console"]
        self._token = description["console_token"]
        self.session = aiohttp.ClientSession()
        self.paper = PaperClient(
            description["paper_exchange"], self.demo["access_key"], self.demo["secret_key"]
        )

    async def close(self) -> None:
        await self.session.close()
        await self.paper.close()

    async def post(
        self, body: Any, *, webhook: str | None = None, content_type: str = "application/json"
    ) -> tuple[int, dict[str, Any]]:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        async with self.session.post(
            webhook or self.demo["webhook"], data=data, headers={"Content-Type": content_type}
        ) as reply:
            return reply.status, await reply.json(content_type=None)

    async def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.session.request(
            method,
            self._console + path,
            json=body,
            headers={"Authorization": f"Bearer {self._token}"},
        ) as reply:
            text = await reply.text()
            return reply.status, json.loads(text) if text else None

    async def send(self, **fields: Any) -> str:
        """An accepted alert's id; each one is told apart from all others."""
        body = {**GUIDE, "alert_id": f"t{time.time_ns()}", **fields}
        status, answer = await self.post(body)
        assert (status, answer["status"]) == (200, "accepted"), answer
        alert_id: str = answer["alert_id"]
        return alert_id

    async def ended(self, alert_id: str, *, timeout_s: float = 30) -> dict[str, Any]:
        """The alert's journey once it is no longer pending."""
        return await self.journey(
            alert_id, lambda found: found["status"] != "pending", timeout_s=timeout_s
        )

    async def journey(
        self,
        alert_id: str,
        condition: Callable[[dict[str, Any]], bool],
        *,
        timeout_s: float = 30,
    ) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while True:
            status, found = await self.api("GET", f"/api/alerts/{alert_id}")
            if status == 200 and condition(found):
                journey: dict[str, Any] = found
                return journey
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.05)

    async def execute(self, **fields: Any) -> dict[str, Any]:
        return await self.ended(await self.send(**fields))

    async def flat(self, ticker: str = "BTCUSDT.P") -> None:
        found = await self.execute(ticker=ticker, order_action="flat", order_contracts="")
        assert found["status"] == "executed", found

    async def flat_everywhere(self) -> None:
        """A position that one test leaves would be a leg more of the next one's order."""
        reply = await self.paper.get(POSITIONS)
        for symbol in sorted({held["symbol"] for held in reply["data"]}):
            await self.flat(symbol.replace("_", "") + ".P")

    async def holdings(self, symbol: str = "BTC_USDT") -> dict[str, Any]:
        reply = await self.paper.get(POSITIONS, {"symbol": symbol})
        sides = {1: "long", 2: "short"}
        return {sides[held["positionType"]]: held["holdVol"] for held in reply["data"]}

    async def orders_received(self) -> list[dict[str, Any]]:
        """Every order/create call that reached the exchange, oldest first."""
        received: list[dict[str, Any]] = await self.paper.control("GET", f"requests?path={CREATE}")
        return received


@contextlib.asynccontextmanager
async def trading(stack: RunningStack) -> AsyncIterator[Trader]:
    """Starts each test flat, at a known price, without faults and limits."""
    found = Trader(stack)
    await found.paper.control("PUT", "faults", [])
    await found.paper.control("PUT", "limits", {"order_create_per_2s": None})
    await found.paper.control("PUT", "prices/BTC_USDT", {"last": "50000"})
    yield found
    await found.paper.control("PUT", "faults", [])
    await found.flat_everywhere()
    await found.close()
