"""MEXC Futures as an `Exchange`: each method is a request, and a pure judgement of its reply."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
import structlog

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import Holding, Leg
from libs.common.contracts.route import Account
from libs.common.contracts.words import ClientOrderId, PositionMode, VenueSymbol
from libs.common.secret import Secret
from services.executor.exchange import BeforeSend, Holdings, OrderQuery, Submitted
from services.executor.mexc import mapping, replies, signing, wire
from services.executor.mexc.transport import Clock, Request, Transfer, Transport

ORDER_TIMEOUT_S = 10.0
QUERY_TIMEOUT_S = 5.0

PING = "/api/v1/contract/ping"
DETAIL = "/api/v1/contract/detail"
OPEN_POSITIONS = "/api/v1/private/position/open_positions"
POSITION_MODE = "/api/v1/private/position/position_mode"
ORDER_CREATE = "/api/v1/private/order/create"
ORDER_EXTERNAL = "/api/v1/private/order/external"

T = TypeVar("T")

log = structlog.get_logger()


def make_exchange(account: Account, secret: Secret) -> "MexcExchange":
    return MexcExchange(base_url=account.base_url, access_key=account.access_key, secret=secret)


class MexcExchange:
    """One account; make it inside the event loop, and `close` it."""

    def __init__(
        self, *, base_url: str, access_key: str, secret: Secret, clock: Clock = time.time_ns
    ) -> None:
        self._transport = Transport(
            base_url=base_url, access_key=access_key, secret=secret, clock=clock
        )

    @property
    def clock_offset_ms(self) -> int:
        return self._transport.clock_offset_ms

    async def server_time_ms(self) -> int:
        transfer = await self._ask(PING, private=False)
        return _readable(transfer, wire.time_ms)

    async def sync_clock(self) -> int:
        """Half of the round trip is taken to have passed when the exchange read its clock."""
        before_ms = self._transport.clock_ms
        server_ms = await self.server_time_ms()
        after_ms = self._transport.clock_ms
        self._transport.clock_offset_ms = server_ms - (before_ms + after_ms) // 2
        return self._transport.clock_offset_ms

    async def instruments(self) -> list[Instrument]:
        transfer = await self._ask(DETAIL, private=False)
        rows = _readable(transfer, wire.rows)
        return [instrument for row in rows if (instrument := _instrument(row)) is not None]

    async def holdings(self, symbol: VenueSymbol) -> Holdings:
        transfer = await self._ask(OPEN_POSITIONS, query={"symbol": symbol})

        def read(data: msgspec.Raw) -> tuple[Holding, ...]:
            positions = (wire.row(row, wire.Position) for row in wire.rows(data))
            ours = (position for position in positions if position.symbol == symbol)
            holdings = (mapping.to_holding(position) for position in ours)
            return tuple(holding for holding in holdings if holding is not None)

        return Holdings(holdings=_readable(transfer, read), calls=(transfer.call,))

    async def submit(
        self, leg: Leg, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Submitted:
        request = Request(
            method="POST",
            path=ORDER_CREATE,
            template=ORDER_CREATE,
            body=mapping.order_body(leg, symbol=symbol),
            timeout_s=ORDER_TIMEOUT_S,
            before_send=before_send,
        )
        return replies.judge_submission(await self._transport.send(request))

    async def order(self, symbol: VenueSymbol, client_order_id: ClientOrderId) -> OrderQuery:
        request = Request(
            method="GET",
            path=f"{ORDER_EXTERNAL}/{signing.encoded(symbol)}/{signing.encoded(client_order_id)}",
            template=f"{ORDER_EXTERNAL}/{{symbol}}/{{externalOid}}",
            timeout_s=QUERY_TIMEOUT_S,
        )
        transfer = await self._transport.send(request)
        return replies.judge_order(transfer, client_order_id=client_order_id)

    async def position_mode(self) -> PositionMode:
        transfer = await self._ask(POSITION_MODE)
        return _readable(transfer, lambda data: mapping.to_position_mode(wire.position_mode(data)))

    async def close(self) -> None:
        await self._transport.close()

    async def _ask(
        self, path: str, *, query: Mapping[str, str | int | None] = {}, private: bool = True
    ) -> Transfer:
        request = Request(
            method="GET",
            path=path,
            template=path,
            query=signing.canonical_query(query),
            timeout_s=QUERY_TIMEOUT_S,
            private=private,
        )
        return await self._transport.send(request)


def _readable(transfer: Transfer, read: Callable[[msgspec.Raw], T]) -> T:
    data = replies.data_of(transfer)
    try:
        return read(data)
    except ValueError as error:
        raise replies.unreadable(transfer, error) from error


def _instrument(row: msgspec.Raw) -> Instrument | None:
    # One bad row of a thousand must not take the catalogue away.
    try:
        return mapping.to_instrument(wire.row(row, wire.ContractDetail))
    except ValueError as error:
        log.warning(
            "instrument.skipped", why=str(error), row=bytes(row)[:200].decode(errors="replace")
        )
        return None
