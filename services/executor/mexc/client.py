"""MEXC Futures as an `Exchange`: each method is a request, and a pure judgement of its reply."""

import time
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import msgspec
import structlog

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import (
    Change,
    Holding,
    Leg,
    Pending,
    Protective,
    Trail,
)
from libs.common.contracts.words import ClientOrderId, OrderType, PositionMode, VenueSymbol
from libs.common.domain.leverages import SideLeverage
from libs.common.domain.picture import Prices
from libs.common.secret import Secret
from services.executor.exchange import (
    BeforeSend,
    Changed,
    Done,
    Heard,
    Holdings,
    OrderQuery,
    QueryFailed,
    Submitted,
    Told,
)
from services.executor.mexc import bodies, changing, mapping, replies, signing, wire
from services.executor.mexc.asking import Asker, readable
from services.executor.mexc.checking import Checks
from services.executor.mexc.listing import Lister
from services.executor.mexc.transport import Clock, Request, Transfer, Transport
from services.executor.mexc.viewing import Views

ORDER_TIMEOUT_S = 10.0

PING = "/api/v1/contract/ping"
DETAIL = "/api/v1/contract/detail"
TICKER = "/api/v1/contract/ticker"
ASSETS = "/api/v1/private/account/assets"
OPEN_POSITIONS = "/api/v1/private/position/open_positions"
POSITION_MODE = "/api/v1/private/position/position_mode"
LEVERAGE = "/api/v1/private/position/leverage"
CHANGE_LEVERAGE = "/api/v1/private/position/change_leverage"
ORDER_CREATE = "/api/v1/private/order/create"
ORDER_EXTERNAL = "/api/v1/private/order/external"
PLAN_PLACE = "/api/v1/private/planorder/place/v2"
"""The documents' name since 2026; ccxt still uses the older one without v2 (facts §1)."""

log = structlog.get_logger()


class MexcExchange:
    """One account; make it inside the event loop, and `close` it."""

    def __init__(
        self,
        *,
        base_url: str,
        access_key: str,
        secret: Secret,
        clock: Clock = time.time_ns,
        heard: Heard = lambda _verdict: None,
    ) -> None:
        def tell(transfer: Transfer) -> None:
            verdict = replies.verdict_on(transfer)
            if verdict is not None:
                heard(verdict)

        self._transport = Transport(
            base_url=base_url,
            access_key=access_key,
            secret=secret,
            clock=clock,
            on_private=tell,
        )
        self._asker = Asker(self._transport)
        self._lister = Lister(self._asker, self._transport)
        self.checks = Checks(self._transport, self._asker)
        self.views = Views(self._asker, self._lister)

    @property
    def clock_offset_ms(self) -> int:
        return self._transport.clock_offset_ms

    async def server_time_ms(self) -> int:
        transfer = await self._asker.ask(PING, private=False)
        return readable(transfer, wire.time_ms)

    async def sync_clock(self) -> int:
        """Half of the round trip is taken to have passed when the exchange read its clock."""
        before_ms = self._transport.clock_ms
        server_ms = await self.server_time_ms()
        after_ms = self._transport.clock_ms
        self._transport.clock_offset_ms = server_ms - (before_ms + after_ms) // 2
        return self._transport.clock_offset_ms

    async def instruments(self) -> list[Instrument]:
        transfer = await self._asker.ask(DETAIL, private=False)
        rows = readable(transfer, wire.rows)
        return [instrument for row in rows if (instrument := _instrument(row)) is not None]

    async def holdings(self, symbol: VenueSymbol) -> Holdings:
        transfer = await self._asker.ask(OPEN_POSITIONS, query={"symbol": symbol})
        held = readable(transfer, lambda data: _positions(data, of=symbol))
        return Holdings(holdings=tuple(holding for _, holding in held), calls=(transfer.call,))

    async def positions(self) -> Told[tuple[tuple[VenueSymbol, Holding], ...]]:
        transfer = await self._asker.ask(OPEN_POSITIONS)
        return Told(value=readable(transfer, _positions), calls=(transfer.call,))

    async def prices(self, symbol: VenueSymbol) -> Told[Prices]:
        transfer = await self._asker.ask(TICKER, query={"symbol": symbol}, private=False)

        def read(data: msgspec.Raw) -> Prices:
            ticker = wire.row(data, wire.Ticker)
            if ticker.symbol != symbol:
                raise ValueError(f"prices of {ticker.symbol}")
            return mapping.to_prices(ticker)

        return Told(value=readable(transfer, read), calls=(transfer.call,))

    async def equity(self, currency: str) -> Told[Decimal]:
        transfer = await self._asker.ask(ASSETS)

        def read(data: msgspec.Raw) -> Decimal:
            assets = (wire.row(row, wire.Asset) for row in wire.rows(data))
            ours = (asset.equity for asset in assets if asset.currency == currency)
            return next(ours, Decimal(0))

        return Told(value=readable(transfer, read), calls=(transfer.call,))

    async def pending(self, symbol: VenueSymbol) -> Told[tuple[Pending, ...]]:
        return await self._lister.pending(symbol)

    async def pending_symbols(self) -> Told[frozenset[VenueSymbol]]:
        return await self._lister.pending_symbols()

    async def protectives(self, symbol: VenueSymbol) -> Told[tuple[Protective, ...]]:
        return await self._lister.protectives(symbol)

    async def trails(self, symbol: VenueSymbol) -> Told[tuple[Trail, ...]]:
        return await self._lister.trails(symbol)

    async def submit(
        self, leg: Leg, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Submitted:
        if leg.order_type is OrderType.STOP:
            path, body = PLAN_PLACE, bodies.plan_body(leg, symbol=symbol)
        else:
            path, body = ORDER_CREATE, bodies.order_body(leg, symbol=symbol)
        return replies.judge_submission(await self._post(path, body, before_send))

    async def order(self, symbol: VenueSymbol, client_order_id: ClientOrderId) -> OrderQuery:
        transfer = await self._asker.ask(
            f"{ORDER_EXTERNAL}/{signing.encoded(symbol)}/{signing.encoded(client_order_id)}",
            template=f"{ORDER_EXTERNAL}/{{symbol}}/{{externalOid}}",
        )
        return replies.judge_order(transfer, client_order_id=client_order_id)

    async def stop_order(
        self,
        leg: Leg,
        *,
        symbol: VenueSymbol,
        sent_after: datetime,
        exchange_order_id: str | None,
        apart_from: frozenset[str] = frozenset(),
    ) -> OrderQuery:
        try:
            return await self._lister.stop_order(
                leg,
                symbol=symbol,
                sent_after=sent_after,
                exchange_id=exchange_order_id,
                apart_from=apart_from,
            )
        except QueryFailed as error:
            return replies.failed(error)

    async def change(
        self, change: Change, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Changed:
        """Stops at the first request that is not done; canceling all of it again is harmless."""
        first, *others = changing.steps(change, symbol=symbol)
        changed = first.judge(await self._post(first.path, first.body, before_send))
        for step in others:
            if not isinstance(changed, Done):
                break
            said, earlier = changed.message, changed.calls
            changed = step.judge(await self._post(step.path, step.body, before_send))
            changed = replace(changed, earlier=earlier)
            if isinstance(changed, Done):
                changed = replace(changed, message="; ".join(filter(None, [said, changed.message])))
        return changed

    async def position_mode(self) -> PositionMode:
        transfer = await self._asker.ask(POSITION_MODE)
        return readable(transfer, lambda data: mapping.to_position_mode(wire.position_mode(data)))

    async def leverages(self, symbol: VenueSymbol) -> Told[tuple[SideLeverage, ...]]:
        transfer = await self._asker.ask(LEVERAGE, query={"symbol": symbol})

        def read(data: msgspec.Raw) -> tuple[SideLeverage, ...]:
            rows = (wire.row(row, wire.Leverage) for row in wire.rows(data))
            return tuple(mapping.to_side_leverage(row) for row in rows)

        return Told(value=readable(transfer, read), calls=(transfer.call,))

    async def set_leverage(
        self, wanted: SideLeverage, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Changed:
        body = bodies.leverage_body(wanted, symbol=symbol)
        return changing.judge_changing(await self._post(CHANGE_LEVERAGE, body, before_send))

    async def close(self) -> None:
        await self._transport.close()

    async def _post(self, path: str, body: str, before_send: BeforeSend | None) -> Transfer:
        request = Request(
            method="POST",
            path=path,
            template=path,
            body=body,
            timeout_s=ORDER_TIMEOUT_S,
            before_send=before_send,
        )
        return await self._transport.send(request)


def _positions(
    data: msgspec.Raw, *, of: VenueSymbol | None = None
) -> tuple[tuple[VenueSymbol, Holding], ...]:
    positions = (wire.row(row, wire.Position) for row in wire.rows(data))
    ours = (one for one in positions if of in {None, one.symbol})
    held = ((VenueSymbol(one.symbol), mapping.to_holding(one)) for one in ours)
    return tuple((symbol, holding) for symbol, holding in held if holding is not None)


def _instrument(row: msgspec.Raw) -> Instrument | None:
    # One bad row of a thousand must not take the catalogue away.
    try:
        return mapping.to_instrument(wire.row(row, wire.ContractDetail))
    except ValueError as error:
        log.warning(
            "instrument.skipped", why=str(error), row=bytes(row)[:200].decode(errors="replace")
        )
        return None
