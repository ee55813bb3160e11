"""The exchange's answers that stand in a plan, read again by today's code: what was known then, and
nobody is asked. A picture is only made where all that the intent needs stands there.
"""

from collections import defaultdict, deque
from decimal import Decimal

import msgspec

from libs.common.contracts.intent import Intent
from libs.common.contracts.order import ExchangeCall, Pending, Plan
from libs.common.contracts.words import PositionMode
from libs.common.domain.picture import Need, Picture, Prices, needs
from services.executor.exchange import QueryFailed
from services.executor.mexc import client, mapping, wire
from services.executor.mexc.asking import Asker, readable
from services.executor.mexc.listing import Lister
from services.executor.mexc.transport import Request, Transfer, Transport


class NotRecorded(Exception):  # noqa: N818 - what it is
    """An answer that the plan needs stands nowhere; the text says which."""


async def picture_of(intent: Intent, plan: Plan, *, position_mode: PositionMode) -> Picture:
    """What `plan` was made from, as far as `intent` needs it. Raises `NotRecorded`."""
    transport = _Recorded(plan.calls)
    asker = Asker(transport)
    lister = Lister(asker, transport)
    wanted, symbol = needs(intent), intent.symbol
    try:
        return Picture(
            holdings=plan.holdings,
            position_mode=position_mode,
            prices=await _prices(asker, intent) if Need.PRICES in wanted else None,
            equity=await _equity(asker, intent) if Need.EQUITY in wanted else None,
            pending=tuple(_labelled(one, plan) for one in (await lister.pending(symbol)).value)
            if Need.PENDING in wanted
            else (),
            protectives=(await lister.protectives(symbol)).value
            if Need.PROTECTIVES in wanted
            else (),
            trails=(await lister.trails(symbol)).value if Need.TRAILS in wanted else (),
        )
    except QueryFailed as failure:
        raise NotRecorded(
            f"what the exchange answered to {failure.call.path} stands in the trail only in part"
        ) from None


async def _prices(asker: Asker, intent: Intent) -> Prices:
    transfer = await asker.ask(client.TICKER, query={"symbol": intent.symbol}, private=False)
    return readable(transfer, lambda data: mapping.to_prices(wire.row(data, wire.Ticker)))


async def _equity(asker: Asker, intent: Intent) -> Decimal:
    transfer = await asker.ask(client.ASSETS)

    def read(data: msgspec.Raw) -> Decimal:
        assets = (wire.row(row, wire.Asset) for row in wire.rows(data))
        ours = (asset.equity for asset in assets if asset.currency == intent.instrument.quote)
        return next(ours, Decimal(0))

    return readable(transfer, read)


def _labelled(one: Pending, plan: Plan) -> Pending:
    """With the alert's labels, where the plan then found the order by them."""
    found = {number for change in plan.changes for number in change.exchange_ids}
    if one.exchange_order_id not in found:
        return one
    return msgspec.structs.replace(one, order_id=plan.order_id, comment=plan.comment)


class _Recorded(Transport):
    """Answers each path with what was answered then, in that order."""

    def __init__(self, calls: tuple[ExchangeCall, ...]) -> None:
        # Not the transport's own: there is nobody to connect to.
        self.clock_offset_ms = 0
        self._clock = lambda: 0
        self._left: defaultdict[str, deque[ExchangeCall]] = defaultdict(deque)
        for call in calls:
            self._left[call.path].append(call)

    async def send(self, request: Request) -> Transfer:
        if not self._left[request.path]:
            raise NotRecorded(f"what the exchange would tell of {request.path} was not asked then")
        call = self._left[request.path].popleft()
        return Transfer(call=call, left=True, body=call.response_body.encode())
