"""What the paper exchange received, and what services say of themselves, over HTTP."""

from collections.abc import Container
from dataclasses import dataclass

import aiohttp
import msgspec

from bench.errors import BenchError
from bench.exposition import total
from bench.matching import OrderCall

_CREATE = "/api/v1/private/order/create"


class _Body(msgspec.Struct, rename="camel"):
    external_oid: str = ""


class _Call(msgspec.Struct):
    received_ns: int
    body: _Body
    access_key: str
    code: int | None = None


_decode = msgspec.json.Decoder(list[_Call]).decode


@dataclass(frozen=True, kw_only=True)
class Received:
    """The order calls at the exchange."""

    session: aiohttp.ClientSession
    exchange: str

    async def since(self, began_ns: int, *, keys: Container[str]) -> list[OrderCall]:
        """Those that came after a time with one of these access keys, oldest first."""
        url = f"{self.exchange}/_paper/requests"
        try:
            async with self.session.get(url, params={"path": _CREATE}) as answer:
                calls = _decode(await answer.read())
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            raise BenchError(
                f"the paper exchange does not tell what it received: {error}"
            ) from None
        return [
            OrderCall(
                external_oid=call.body.external_oid, received_ns=call.received_ns, code=call.code
            )
            for call in calls
            if call.received_ns >= began_ns and call.access_key in keys
        ]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """One service's `/metrics`."""

    session: aiohttp.ClientSession
    url: str

    async def total(self, name: str) -> float | None:
        """None where the service does not answer, or has no such metric yet."""
        try:
            async with self.session.get(f"{self.url}/metrics") as answer:
                return total(await answer.text(), name)
        except (aiohttp.ClientError, TimeoutError):
            return None
