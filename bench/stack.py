"""The stack under test in a folder of its own, and the accounts and routes for the load."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from bench.errors import BenchError
from bench.processes import running, until
from tools.devstack.stack import read_stack, stack_file

T = TypeVar("T")
START_TIMEOUT_S = 120.0
_MADE_AT_ONCE = 8
_BALANCE = "1000000000"
# The largest that an account may have: the exchange's own limit is off.
_ORDER_CALLS_PER_2S = 10_000
# Nothing is to be denied as too old, however long the queue of the sustained phase.
_MAX_AGE_S = 3_600


@dataclass(frozen=True, kw_only=True)
class Keys:
    """An account at the paper exchange."""

    access_key: str
    secret_key: str = field(repr=False)


@contextlib.asynccontextmanager
async def running_stack(
    directory: Path, *, port_base: int, environ: dict[str, str] | None = None
) -> AsyncIterator[dict[str, Any]]:
    """`stack.json` of a stack that answers, and is stopped when the block ends."""
    place = ("--dir", str(directory), "--port-base", str(port_base))
    log_file = directory.with_name("the stack.log")
    module = ("tools.devstack", *place)
    async with running("stack", module, log_file=log_file, environ=environ) as process:
        await until(
            stack_file(directory).exists,
            process=process,
            log_file=log_file,
            timeout_s=START_TIMEOUT_S,
        )
        described = read_stack(directory)
        if described is None:
            raise BenchError("the stack stopped as soon as it had started")
        yield described


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Makes what the load needs at the paper exchange and at the console."""

    session: aiohttp.ClientSession
    described: dict[str, Any] = field(repr=False)

    async def open_accounts(self, count: int) -> list[Keys]:
        """Accounts with more money than the run can spend."""
        url = f"{self.described['paper_exchange']}/_paper/accounts"

        async def open_one(_number: int) -> Keys:
            answer = await self._call("POST", url, {"balance": _BALANCE, "position_mode": 1})
            return Keys(access_key=answer["access_key"], secret_key=answer["secret_key"])

        return await a_few_at_a_time(open_one, count)

    async def move_exchange(self, *, one_way_ms: int) -> None:
        """So far away from here."""
        url = f"{self.described['paper_exchange']}/_paper/latency"
        await self._call("PUT", url, {"one_way_ms": one_way_ms})

    async def lift_limits(self) -> None:
        url = f"{self.described['paper_exchange']}/_paper/limits"
        await self._call("PUT", url, {"order_create_per_2s": None})

    async def make_routes(self, accounts: list[Keys]) -> list[str]:
        """One account and one route each; the webhooks in the accounts' order."""

        async def make_one(number: int) -> str:
            keys = accounts[number]
            name = f"bench-{number:03}"
            account = {
                "id": name,
                "base_url": self.described["paper_exchange"],
                "ws_url": self.described["paper_exchange_ws"],
                "access_key": keys.access_key,
                "secret_key": keys.secret_key,
                "order_calls_per_2s": _ORDER_CALLS_PER_2S,
            }
            route = {"id": name, "accounts": [{"account": name}], "max_age_s": _MAX_AGE_S}
            await self._console("POST", "accounts", account)
            answer = await self._console("POST", "routes", route)
            return str(answer["webhook"])

        return await a_few_at_a_time(make_one, len(accounts))

    async def told_of(self, alert: str) -> str:
        """What the trail says became of an alert, in a few words."""
        try:
            found = await self._console("GET", f"alerts/{alert}", None)
        except BenchError as error:
            return str(error)
        return f"{found.get('status')}, reason {found.get('reason')}"

    async def _console(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        token = self.described["console_token"]
        url = f"{self.described['console']}/api/{path}"
        return await self._call(method, url, body, {"Authorization": f"Bearer {token}"})

    async def _call(
        self,
        method: str,
        url: str,
        body: dict[str, Any] | None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            async with self.session.request(method, url, json=body, headers=headers) as answer:
                if answer.status not in {200, 201}:
                    told = (await answer.text())[:500]
                    raise BenchError(f"{method} {url} answered {answer.status}: {told}")
                content: dict[str, Any] = await answer.json()
                return content
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BenchError(f"{method} {url}: {error or 'no answer in time'}") from error


async def a_few_at_a_time(make: Callable[[int], Awaitable[T]], count: int) -> list[T]:
    """What `make(0)` to `make(count - 1)` return, in this order; the first error ends them all."""
    room = asyncio.Semaphore(_MADE_AT_ONCE)

    async def make_one(number: int) -> T:
        async with room:
            return await make(number)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(make_one(number)) for number in range(count)]
    except* BenchError as errors:
        first = errors.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise first
