"""The paper exchange from outside: what is set there, and what its own records say. It signs with
its own few lines.
"""

import asyncio
import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from chaos.errors import ChaosError
from chaos.evidence import Call, ExchangeOrder, ExchangeStop, LaneKey
from chaos.faults import CREATE, on_socket
from chaos.waiting.planning import SWEEP
from chaos.world import QUOTED, Act, ActKind, Fault, Side

_BALANCE = "1000000000000"
_PAGE = 100
_ANSWERS_WITHIN_S = 20.0
_SIDES = {1: Side.LONG, 2: Side.SHORT}


@dataclass(frozen=True, kw_only=True)
class Keys:
    """An account at the paper exchange."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(kw_only=True)
class Exchange:
    session: aiohttp.ClientSession
    url: str
    keys: dict[str, Keys] = field(default_factory=dict, repr=False)
    """By the account's name."""
    faults: Sequence[Fault] = ()
    """What befalls calls at present."""
    befallen: Counter[str] = field(default_factory=Counter)
    """By kind, of the exchange's earlier lives."""
    _calls: dict[tuple[str, int], Call] = field(default_factory=dict)
    _latency_ms: float = 0.0
    _duplicates: str = "reject"
    _offset_ms: int = 0

    async def open_account(self, name: str, *, one_way: bool) -> Keys:
        body = {"balance": _BALANCE, "position_mode": 2 if one_way else 1}
        answer = await self._control("POST", "accounts", body)
        self.keys[name] = Keys(access_key=answer["access_key"], secret_key=answer["secret_key"])
        return self.keys[name]

    async def set_up(self, *, seed: int) -> None:
        """What a restart forgets: limits, behaviour, latency, faults."""
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            while True:
                try:
                    await self._control("PUT", "limits", {"order_create_per_2s": None})
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        await self._control("PUT", "seed", {"seed": seed})
        await self._control("PUT", "behaviour", {"duplicate_oid": self._duplicates})
        await self._control("PUT", "latency", {"one_way_ms": self._latency_ms})
        await self.set_clock(self._offset_ms)
        await self._control("PUT", "faults", list(self.faults))

    async def set_clock(self, offset_ms: int) -> None:
        """So far ahead of the real time, or behind it."""
        self._offset_ms = offset_ms
        await self._control("PUT", "clock", {"offset_ms": offset_ms})

    async def befall(self, faults: Sequence[Fault]) -> None:
        """From now on, and until it is changed."""
        self.faults = faults
        await self._control("PUT", "faults", list(faults))

    async def switch(self, act: Act) -> None:
        if act.kind is ActKind.LATENCY:
            self._latency_ms = float(act.value)
            await self._control("PUT", "latency", {"one_way_ms": self._latency_ms})
        elif act.kind is ActKind.DUPLICATES:
            self._duplicates = act.value
            await self._control("PUT", "behaviour", {"duplicate_oid": self._duplicates})
        elif act.kind is ActKind.SWEEP:
            await self.sweep()
        else:
            socket = on_socket(act.value, seconds=act.seconds)
            await self._control("PUT", "faults", [*self.faults, socket])

    async def stand(self) -> None:
        """Put the prices that are moved to where they stand."""
        for symbol, (_, standing) in QUOTED.items():
            await self._control("PUT", f"prices/{symbol}", {"last": f"{standing:f}"})

    async def sweep(self) -> None:
        for symbol, (_, standing) in QUOTED.items():
            for price in (*(standing * part for part in SWEEP), standing):
                await self._control("PUT", f"prices/{symbol}", {"last": f"{price:f}"})

    async def calm(self) -> None:
        """No fault, no latency, the right time: what is under way may come to its end."""
        await self.set_clock(0)
        self._latency_ms = 0.0
        await self._control("PUT", "latency", {"one_way_ms": 0})
        await self.befall(())

    async def note_records(self) -> None:
        """Remember what the exchange would forget by being killed."""
        names = {keys.access_key: name for name, keys in self.keys.items()}
        for told in await self._control("GET", f"requests?path={CREATE}"):
            body = told.get("body")
            account = names.get(told["access_key"])
            if account is None or not isinstance(body, dict):
                continue
            call = Call(
                account=account,
                oid=str(body.get("externalOid", "")),
                received_ns=told["received_ns"],
                code=told["code"],
            )
            self._calls[call.oid, call.received_ns] = call

    async def note_befallen(self) -> None:
        """Once in each life of the exchange, at its end."""
        self.befallen.update(await self.befallen_so_far())

    async def befallen_so_far(self) -> Counter[str]:
        """By kind, in the exchange's present life."""
        return Counter((await self._control("GET", "faults"))["befallen"])

    def calls(self) -> list[Call]:
        """All that were noted."""
        return list(self._calls.values())

    async def orders(self) -> list[ExchangeOrder]:
        found: list[ExchangeOrder] = []
        for name in self.keys:
            rows = await self._pages(name, "order/list/open_orders")
            rows += await self._pages(name, "order/list/history_orders")
            found += [_order(name, row) for row in rows]
        return found

    async def stops(self, names: Sequence[str]) -> list[ExchangeStop]:
        """Of these accounts, whatever became of them."""
        return [
            _stop(name, row)
            for name in names
            for row in await self._pages(name, "stoporder/list/orders")
        ]

    async def positions(self, symbols: Sequence[str]) -> dict[LaneKey, dict[Side, int]]:
        """Of every account in each of the symbols, also where nothing is held."""
        found = {
            (name, symbol): {Side.LONG: 0, Side.SHORT: 0}
            for name in self.keys
            for symbol in symbols
        }
        for name in self.keys:
            for row in await self._signed(name, "position/open_positions"):
                held = found.setdefault((name, row["symbol"]), {Side.LONG: 0, Side.SHORT: 0})
                held[_SIDES[row["positionType"]]] += int(row["holdVol"])
        return found

    async def _pages(self, name: str, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page = 0
        while True:
            page += 1
            more = await self._signed(name, path, page_num=page, page_size=_PAGE)
            rows += more
            if len(more) < _PAGE:
                return rows

    async def _signed(self, name: str, path: str, **params: int) -> list[dict[str, Any]]:
        keys = self.keys[name]
        query = "&".join(f"{key}={value}" for key, value in sorted(params.items()))
        now = str(time.time_ns() // 1_000_000)
        text = f"{keys.access_key}{now}{query}".encode()
        signature = hmac.new(keys.secret_key.encode(), text, hashlib.sha256).hexdigest()
        headers = {"ApiKey": keys.access_key, "Request-Time": now, "Signature": signature}
        url = f"{self.url}/api/v1/private/{path}" + (f"?{query}" if query else "")
        async with self.session.get(url, headers=headers) as answer:
            told = msgspec.json.decode(await answer.read())
        if told.get("code") != 0:
            raise ChaosError(f"the paper exchange does not tell {path}: {told}")
        data: list[dict[str, Any]] = told["data"]
        return data

    async def _control(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, f"{self.url}/_paper/{path}", json=body) as answer:
            content = await answer.read()
        if answer.status != 200:
            raise ChaosError(f"{method} /_paper/{path} answered {answer.status}: {content[:300]!r}")
        return msgspec.json.decode(content)


def _order(account: str, row: dict[str, Any]) -> ExchangeOrder:
    return ExchangeOrder(
        account=account,
        symbol=row["symbol"],
        oid=row["externalOid"],
        order_id=int(row["orderId"]),
        contracts=int(row["vol"]),
        filled=int(row["dealVol"]),
        state=row["state"],
        error=row["errorCode"],
        price=_decimal(row["priceStr"]),
        stop=_decimal(row.get("stopLossPrice")),
        target=_decimal(row.get("takeProfitPrice")),
    )


def _stop(account: str, row: dict[str, Any]) -> ExchangeStop:
    return ExchangeStop(
        account=account,
        symbol=row["symbol"],
        stop_id=int(row["id"]),
        contracts=int(row["vol"]),
        stop=_decimal(row["stopLossPrice"]),
        target=_decimal(row["takeProfitPrice"]),
        state=row["state"],
        placed_id=int(row["placeOrderId"]),
    )


def _decimal(told: object) -> Decimal:
    return Decimal(str(told or 0))
