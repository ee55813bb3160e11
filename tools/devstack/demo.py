"""The demo account and route, made once and remembered in `demo.json`.

Each step is remembered as soon as it is done, and each may have been done by an `up` that was
killed before it could remember: what exists is then taken over.
"""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

from tools.devstack.calling import Answer, call
from tools.devstack.errors import DevstackError
from tools.devstack.private_files import read_json, write_json

ROUTE = "demo"
ACCOUNT = "paper"
_PAPER_ACCOUNT = {
    "balance": "10000",
    "position_mode": 1,
    # No more than docs/mexc-setup.md asks for at MEXC: the doctor warns of others.
    "permissions": [
        *("CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ", "CONTRACT_DEAL_WRITE"),
        "SPOT_ACCOUNT_READ",
    ],
}
_WATCHERS_LEARN_S = 0.3
_MADE_BY = "devstack"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demo:
    """The pieces of one webhook that works."""

    access_key: str
    secret_key: str = dataclasses.field(repr=False)
    token: str = dataclasses.field(repr=False)
    route: str = ROUTE
    account: str = ACCOUNT


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoSetup:
    """Where to make them: the paper exchange and the console, as they answer now."""

    directory: Path
    paper_exchange: str
    paper_exchange_ws: str
    console: str
    console_token: str = dataclasses.field(repr=False)

    async def ensure(self) -> Demo:
        """Make what is missing, and bring the account to the present addresses."""
        kept = read_json(self.directory / "demo.json") or {}
        before = dict(kept)
        if not kept.get("secret_key"):
            kept |= await self._open_paper_account()
            kept.pop("account_at", None)
            self._remember(kept)
        if kept.get("account_at") != self.paper_exchange or not await self._exists("accounts"):
            await self._put_account(kept)
            kept["account_at"] = self.paper_exchange
            self._remember(kept)
        if not kept.get("token") or not await self._exists("routes"):
            kept["token"] = await self._put_route()
            self._remember(kept)
        if kept != before:
            await asyncio.sleep(_WATCHERS_LEARN_S)
        return Demo(
            access_key=kept["access_key"], secret_key=kept["secret_key"], token=kept["token"]
        )

    def _remember(self, kept: dict[str, Any]) -> None:
        write_json(self.directory / "demo.json", kept)

    async def _open_paper_account(self) -> dict[str, Any]:
        url = f"{self.paper_exchange}/_paper/accounts"
        keys = _require(await call("POST", url, json_body=_PAPER_ACCOUNT), 200, 201).json()
        return {"access_key": keys["access_key"], "secret_key": keys["secret_key"]}

    async def _exists(self, kind: str) -> bool:
        name = {"accounts": ACCOUNT, "routes": ROUTE}[kind]
        return _require(await self._console("GET", f"{kind}/{name}"), 200, 404).status == 200

    async def _put_account(self, keys: dict[str, Any]) -> None:
        account = {
            "base_url": self.paper_exchange,
            "ws_url": self.paper_exchange_ws,
            "access_key": keys["access_key"],
            "secret_key": keys["secret_key"],
            "position_mode": "hedge",
        }
        answer = await self._console("POST", "accounts", {"id": ACCOUNT} | account)
        if _require(answer, 201, 200, 409).status == 409:
            _require(await self._console("PATCH", f"accounts/{ACCOUNT}", account), 200)

    async def _put_route(self) -> str:
        route = {"id": ROUTE, "accounts": [{"account": ACCOUNT, "multiplier": "1"}]}
        answer = _require(await self._console("POST", "routes", route), 201, 200, 409)
        if answer.status == 409:  # its token was shown once, to somebody who is gone
            answer = _require(await self._console("POST", f"routes/{ROUTE}/rotate", {}), 200, 201)
        return str(answer.json()["token"])

    async def _console(
        self, method: str, path: str, json_body: dict[str, Any] | None = None
    ) -> Answer:
        url = f"{self.console}/api/{path}"
        return await call(
            method, url, json_body=json_body, token=self.console_token, made_by=_MADE_BY
        )


def _require(answer: Answer, *statuses: int) -> Answer:
    if answer.status not in statuses:
        told = answer.body[:500].decode(errors="replace")
        raise DevstackError(f"setting up the demo failed with status {answer.status}: {told}")
    return answer
