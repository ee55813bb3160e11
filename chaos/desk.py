"""The console from outside: makes a run's accounts and routes, and tells alerts' journeys."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp

from chaos.errors import ChaosError
from chaos.evidence import Told, ToldOrder
from chaos.exchange import Exchange
from chaos.world import Account, World

_AT_ONCE = 6
_ORDER_CALLS_PER_2S = 1_000
_TRIES = 30
_BETWEEN_TRIES_S = 0.5
# The last resend of an alert may come half a minute after the first.
_DUPLICATE_WINDOW_S = 90


@dataclass(frozen=True, kw_only=True)
class Desk:
    session: aiohttp.ClientSession
    url: str
    token: str = field(repr=False)

    async def set_up(self, world: World, *, exchange: Exchange, ws_url: str) -> dict[str, str]:
        """The webhooks by the routes' names."""
        waiting = [Account(name=route.name, one_way=False) for route in world.waiting]
        for account in (*world.accounts, *waiting):
            keys = await exchange.open_account(account.name, one_way=account.one_way)
            made = {
                "id": account.name,
                "base_url": exchange.url,
                "ws_url": ws_url,
                "access_key": keys.access_key,
                "secret_key": keys.secret_key,
                "position_mode": "one_way" if account.one_way else "hedge",
                "order_calls_per_2s": _ORDER_CALLS_PER_2S,
            }
            await self._call("POST", "accounts", made)
        webhooks: dict[str, str] = {}
        for route in (*world.routes, *world.waiting):
            settings = {
                "id": route.name,
                "accounts": [
                    {"account": name, "multiplier": str(multiplier)}
                    for name, multiplier in route.accounts
                ],
                "sizing": {"mode": "contracts"},
                "trade_mode": route.mode.value,
                "inverse": route.inverse,
                "max_age_s": route.max_age_s,
                "duplicate_window_s": _DUPLICATE_WINDOW_S,
            }
            webhooks[route.name] = (await self._call("POST", "routes", settings))["webhook"]
        return webhooks

    async def journeys(self, alert_ids: Iterable[str]) -> dict[str, Told]:
        """What the console does not know is left out."""
        found: dict[str, Told] = {}
        turns = asyncio.Semaphore(_AT_ONCE)

        async def ask(alert_id: str) -> None:
            async with turns:
                told = await self._call("GET", f"alerts/{alert_id}")
            if told:
                found[alert_id] = _told(told)

        async with asyncio.TaskGroup() as group:
            for alert_id in alert_ids:
                group.create_task(ask(alert_id))
        return found

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        last = ""
        for _ in range(_TRIES):
            try:
                async with self.session.request(
                    method, f"{self.url}/api/{path}", json=body, headers=headers
                ) as answer:
                    if answer.status in {200, 201}:
                        content: dict[str, Any] = await answer.json()
                        return content
                    if answer.status == 404 and method == "GET":
                        return {}
                    last = f"{answer.status}: {(await answer.text())[:300]}"
                    if answer.status != 503:
                        break
            except (aiohttp.ClientError, TimeoutError) as error:
                last = f"{type(error).__name__} {error}".rstrip()
            await asyncio.sleep(_BETWEEN_TRIES_S)
        raise ChaosError(f"the console answers {method} {path} with {last}")


def _told(journey: dict[str, Any]) -> Told:
    return Told(
        status=journey["status"],
        reason=journey["reason"],
        seqs=tuple(event["seq"] for event in journey["events"]),
        orders=tuple(
            ToldOrder(
                oid=order["client_order_id"],
                state=order["state"],
                filled=int(Decimal(order.get("filled_contracts") or 0)),
                exchange_order_id=order["exchange_order_id"],
                has_request=bool(order["request"]),
            )
            for order in journey["orders"]
        ),
    )
