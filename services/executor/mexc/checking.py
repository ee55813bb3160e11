"""What a checkup asks of MEXC: also the spot side, which alone tells about a key. That side signs
in the query and answers without the envelope; what is kept of it shows neither key nor signature.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

import msgspec
from msgspec.structs import replace as replaced

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.words import ClientOrderId, PositionMode, VenueSymbol
from services.executor.checkable import Funds, KeyInfo, Listing, Ping
from services.executor.exchange import QueryFailed, Submitted, Told
from services.executor.mexc import bodies, mapping, replies, signing, wire
from services.executor.mexc.asking import QUERY_TIMEOUT_S, Asker, readable
from services.executor.mexc.transport import Request, Transfer, Transport

PING = "/api/v1/contract/ping"
DETAIL = "/api/v1/contract/detail"
ASSETS = "/api/v1/private/account/assets"
POSITION_MODE = "/api/v1/private/position/position_mode"
ORDER_CREATE = "/api/v1/private/order/create"
KEY_INFO = "/api/v3/apiKeyInfo"

SPOT_CAUSES: Mapping[int, Cause] = MappingProxyType(
    {
        400: Cause.KEY,
        401: Cause.PERMISSION,
        403: Cause.PERMISSION,
        429: Cause.RATE_LIMIT,
        10072: Cause.KEY,
        700001: Cause.KEY,
        700002: Cause.SIGNATURE,
        700003: Cause.TIMESTAMP,
        700006: Cause.IP,
        700007: Cause.PERMISSION,
    }
)
"""The spot side's numbers are its own."""

_STATES = {0: "enabled", 1: "in delivery", 2: "delivered", 3: "offline", 4: "paused"}
_ENABLED = 0
_SHOWN_OF_KEY = 4
_STARS = "***"


class Checks:
    """One account's `Checkable`."""

    def __init__(self, transport: Transport, asker: Asker) -> None:
        self._transport = transport
        self._asker = asker

    async def ping(self) -> Told[Ping]:
        transfer = await self._asker.ask(PING, private=False)
        told_ms = readable(transfer, wire.time_ms)
        call = transfer.call
        left_ms = call.sent_at.timestamp() * 1000
        elapsed_ms = call.elapsed_ms or 0.0
        ping = Ping(offset_ms=round(told_ms - left_ms - elapsed_ms / 2), elapsed_ms=elapsed_ms)
        return Told(value=ping, calls=(call,))

    async def key_info(self) -> Told[KeyInfo]:
        access_key = self._transport.access_key
        request = Request(
            method="GET",
            path=KEY_INFO,
            template=KEY_INFO,
            query=signing.canonical_query({"accessKey": access_key}),
            timeout_s=QUERY_TIMEOUT_S,
            private=False,
            spot=True,
        )
        transfer = await self._transport.send(request)
        call = without_key(transfer.call, access_key)
        return Told(value=judge_key_info(transfer, call=call), calls=(call,))

    async def position_mode(self) -> Told[PositionMode]:
        transfer = await self._asker.ask(POSITION_MODE)
        mode = readable(transfer, lambda data: mapping.to_position_mode(wire.position_mode(data)))
        return Told(value=mode, calls=(transfer.call,))

    async def funds(self) -> Told[Mapping[str, Funds]]:
        transfer = await self._asker.ask(ASSETS)
        rows = readable(
            transfer, lambda data: [wire.row(row, wire.Asset) for row in wire.rows(data)]
        )
        funds = {
            row.currency: Funds(equity=row.equity, available=row.available_balance) for row in rows
        }
        return Told(value=funds, calls=(transfer.call,))

    async def listing(self, symbol: VenueSymbol) -> Told[Listing | None]:
        transfer = await self._asker.ask(DETAIL, query={"symbol": symbol}, private=False)
        try:
            contract = readable(transfer, lambda data: wire.row(data, wire.ContractDetail))
            listing = _listing(contract, symbol=symbol)
        except QueryFailed as failure:
            if failure.kind is not Cause.SYMBOL:
                raise
            listing = None
        except ValueError as error:
            raise QueryFailed(
                kind=Cause.SYSTEM, code=None, message=str(error), call=transfer.call
            ) from error
        return Told(value=listing, calls=(transfer.call,))

    async def probe_order(
        self,
        client_order_id: ClientOrderId,
        *,
        symbol: VenueSymbol,
        price: Decimal,
        position_mode: PositionMode,
    ) -> Submitted:
        body = bodies.probe_body(
            client_order_id, symbol=symbol, price=price, position_mode=position_mode
        )
        request = Request(
            method="POST",
            path=ORDER_CREATE,
            template=ORDER_CREATE,
            body=body,
            timeout_s=QUERY_TIMEOUT_S,
        )
        return replies.judge_submission(await self._transport.send(request))


def without_key(call: ExchangeCall, access_key: str) -> ExchangeCall:
    """The call with the key's last characters alone, as the console shows it."""
    shown = access_key[-_SHOWN_OF_KEY:] if len(access_key) >= 2 * _SHOWN_OF_KEY else ""
    hidden = _STARS + shown
    return replaced(
        call,
        query=call.query.replace(signing.encoded(access_key), hidden),
        response_body=call.response_body.replace(access_key, hidden),
    )


def judge_key_info(transfer: Transfer, *, call: ExchangeCall) -> KeyInfo:
    """Raises `QueryFailed`."""
    if transfer.body is None:
        raise QueryFailed(kind=Cause.SYSTEM, code=None, message=transfer.call.error, call=call)
    try:
        if call.http_status == 200:
            return _key_info(wire.key_info(transfer.body))
        refusal = wire.spot_refusal(transfer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = f"HTTP {call.http_status}, not an answer about the key"
        raise QueryFailed(kind=Cause.SYSTEM, code=None, message=message, call=call) from None
    raise QueryFailed(
        kind=SPOT_CAUSES.get(refusal.code, Cause.OTHER),
        code=refusal.code,
        message=refusal.msg,
        call=call,
    )


def _key_info(told: wire.KeyInfo) -> KeyInfo:
    return KeyInfo(
        permissions=_listed(told.permissions),
        linked=_listed(told.ip_white_list or ""),
        days_left=told.remaining_validity,
        status=told.status or "",
    )


def _listed(told: str | list[str]) -> tuple[str, ...]:
    # Documented as text with commas; of more than one address nobody has shown the shape.
    names = told.split(",") if isinstance(told, str) else told
    return tuple(name.strip() for name in names if name.strip())


def _listing(contract: wire.ContractDetail, *, symbol: VenueSymbol) -> Listing:
    if contract.symbol != symbol:
        raise ValueError(f"an answer about {contract.symbol}")
    return Listing(
        instrument=mapping.to_instrument(contract),
        is_open=contract.state == _ENABLED,
        api_allowed=contract.api_allowed,
        state=_STATES.get(contract.state, f"in state {contract.state}"),
    )
