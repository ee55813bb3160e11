"""Routes that a test makes for itself, on accounts of its own or the demo account."""

import asyncio
import time
from typing import Any

from tests.e2e.running_stack import Trader
from tests.paper_client import PaperClient

ASSET = "/api/v1/private/account/asset/USDT"
STOPS = "/api/v1/private/stoporder/list/orders"
OPEN = "/api/v1/private/order/list/open_orders/BTC_USDT"


class OwnRoute:
    """Posts to one route; every body is told apart from all others."""

    def __init__(self, trader: Trader, *, name: str, webhook: str) -> None:
        self.trader = trader
        self.name = name
        self.webhook = webhook

    async def send(self, **fields: Any) -> str:
        """An accepted alert's id."""
        status, answer = await self.post(**fields)
        assert (status, answer["status"]) == (200, "accepted"), answer
        alert_id: str = answer["alert_id"]
        return alert_id

    async def post(self, **fields: Any) -> tuple[int, dict[str, Any]]:
        body = {"ticker": "BTCUSDT.P", "alert_id": f"own{time.time_ns()}", **fields}
        return await self.trader.post(body, webhook=self.webhook)

    async def execute(self, **fields: Any) -> dict[str, Any]:
        return await self.trader.ended(await self.send(**fields))

    async def rests(self, **fields: Any) -> dict[str, Any]:
        """The journey of an order that waits at the exchange."""
        return await self.trader.journey(
            await self.send(**fields),
            lambda found: found["events"][-1]["stage"].endswith("resting"),
        )


class OwnRoutes:
    """Makes routes and accounts, and takes them back."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._routes: list[str] = []
        self._accounts: list[str] = []

    async def make(self, **settings: Any) -> OwnRoute:
        """A route that answers; of the account `paper` unless `accounts` says otherwise."""
        name = f"own-{time.time_ns()}"
        route = {"id": name, "accounts": [{"account": "paper"}], **settings}
        status, made = await self._trader.api("POST", "/api/routes", route)
        assert status == 201, made
        self._routes.append(name)
        own = OwnRoute(self._trader, name=name, webhook=made["webhook"])
        # A body without a ticker trades nothing wherever it arrives.
        async with asyncio.timeout(10):
            while (await self._trader.post({"no": "ticker"}, webhook=own.webhook))[0] == 404:
                await asyncio.sleep(0.02)
        return own

    async def account(self, name: str, **at_the_exchange: Any) -> PaperClient:
        """A second account at the paper exchange, known to the console under that name."""
        paper = self._trader.paper
        made = {"balance": "10000", "position_mode": 1, **at_the_exchange}
        keys = await paper.control("POST", "accounts", made)
        url = str(paper.base_url)
        account = {
            "id": name,
            "base_url": url,
            "ws_url": url.replace("http://", "ws://") + "/edge",
            "access_key": keys["access_key"],
            "secret_key": keys["secret_key"],
            "order_calls_per_2s": 1000,
        }
        status, answer = await self._trader.api("POST", "/api/accounts", account)
        assert status == 201, answer
        self._accounts.append(name)
        return PaperClient(url, keys["access_key"], keys["secret_key"])

    async def take_back(self) -> None:
        for path in ("order/cancel_all", "planorder/cancel_all", "trackorder/cancel"):
            await self._trader.paper.post(f"/api/v1/private/{path}", {"symbol": "BTC_USDT"})
        for kind, names in (("routes", self._routes), ("accounts", self._accounts)):
            for name in names:
                status, answer = await self._trader.api("DELETE", f"/api/{kind}/{name}")
                assert status == 204, answer
