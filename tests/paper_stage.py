"""Short plays against a paper exchange: what is switched, what is done before, and the last step,
whose code counts. Words with a dollar stand for what earlier steps brought.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from tests.paper_client import CREATE, PaperClient, order_body
from tests.paper_server import PRIVATE, signed_up

Step = tuple[Any, ...]
Reply = dict[str, Any]


def order(**fields: Any) -> Step:
    return ("post", "order/create", order_body(**fields))


def post(path: str, body: Any = None, **headers: str) -> Step:
    return ("post", path, body, headers)


def get(path: str, **params: Any) -> Step:
    return ("get", path, params)


def switch(path: str, body: Any) -> Step:
    return ("control", path, body)


def limit(price: Any, **fields: Any) -> Step:
    return order(**({"type": 1, "price": price} | fields))


def fault(code: int, **fields: Any) -> Step:
    return switch("faults", [{"path": CREATE, "kind": "code", "code": code} | fields])


@dataclass
class Play:
    """`cast` is how the account is made; `actor` who plays: itself, or one whose key is wrong."""

    code: int
    steps: tuple[Step, ...]
    cast: dict[str, Any] = field(default_factory=dict)
    actor: str = "self"

    def __repr__(self) -> str:
        return str(self.code)


def play(code: int, *steps: Step, actor: str = "self", **cast: Any) -> Play:
    return Play(code=code, steps=steps, actor=actor, cast=cast)


class Stage:
    """One account at a server; BTC_USDT is at 50000 and orders are not limited."""

    def __init__(self, client: PaperClient) -> None:
        self._client = client
        self._known: dict[str, Any] = {"$key": client._access_key}

    async def perform(self, step: Step) -> Reply:
        verb, path, *rest = self._filled(step)
        if verb == "control":
            await self._client.control("PUT", path, rest[0])
            return {"success": True, "code": 0}
        if verb == "get":
            reply: Reply = await self._client.get(PRIVATE + path, rest[0])
        else:
            headers = rest[1] if len(rest) > 1 else {}
            reply = await self._client.post(PRIVATE + path, rest[0], **headers)
        self._remember(reply.get("data"))
        return reply

    def _remember(self, data: Any) -> None:
        if isinstance(data, dict) and "orderId" in data:
            self._known["$order"] = data["orderId"]
        if isinstance(data, str | int):
            self._known["$made"] = data
        if isinstance(data, list) and data and "positionId" in data[0]:
            self._known["$position"] = data[0]["positionId"]

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            for word, known in self._known.items():
                if value == word:
                    return known
                value = value.replace(word, str(known))
            return value
        if isinstance(value, dict):
            return {name: self._filled(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._filled(inner) for inner in value]
        return value


@contextlib.asynccontextmanager
async def stage(address: str, *, actor: str = "self", **cast: Any) -> AsyncIterator[Stage]:
    async with await signed_up(address, **cast) as client:
        await client.control("PUT", "prices/BTC_USDT", {"last": "50000"})
        await client.control("PUT", "limits", {"order_create_per_2s": None})
        if actor == "nobody":
            client._access_key = "nobody"
        elif actor == "forger":
            client._secret_key = "wrong"
        yield Stage(client)


async def code_of(address: str, one: Play) -> int:
    """The code of the last step; those before it must be well."""
    async with stage(address, actor=one.actor, **one.cast) as scene:
        for step in one.steps[:-1]:
            reply = await scene.perform(step)
            assert reply["success"], (one.code, step, reply)
        reply = await scene.perform(one.steps[-1])
        assert reply["success"] is False, (one.code, reply)
        assert reply["message"]
        code: int = reply["code"]
        return code
