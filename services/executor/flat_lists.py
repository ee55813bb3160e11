"""Lists what a halt with `flatten` closes of one account: what is held, what waits at the exchange,
and what may be opened by an entry that is still under way.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.causes import Cause
from libs.common.contracts.control import Control, Scope
from libs.common.contracts.flattening import Flattening
from libs.common.contracts.intent import Intent
from libs.common.contracts.order import ExchangeCall, Plan
from libs.common.contracts.words import AccountId, Effect, RouteId, VenueSymbol
from libs.common.domain.flattening import FindInstrument, to_flattening
from services.executor.accounts import Connected
from services.executor.asking import mend_clock
from services.executor.exchange import Exchange, QueryFailed
from services.executor.withholding import ENTRIES

_LOOKED_BACK = 2_000
"""So many messages before what is being handled are looked through for the latest entries."""
_UNSEEN_FOR = timedelta(seconds=3)
"""What an entry of this age has opened need not be shown by the exchange yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """How the account's intents come to it."""

    subject: str
    durable: str


async def list_flattening(
    control: Control,
    *,
    bus: Bus,
    connected: Connected,
    lane: Lane,
    find_instrument: FindInstrument,
    now: datetime,
) -> Flattening:
    """Raises `QueryFailed` or `LogUnavailable`."""
    account = connected.account.account_id
    held, unsettled, calls = await _ask(connected.exchange)
    if control.scope is Scope.ROUTE:
        route = RouteId(control.id or "")
        opened = await _opened(bus, route=route, account=account, among=held | unsettled)
        held, unsettled = held & opened, unsettled & opened
    entered = await _just_entered(bus, control, lane=lane, since=now - _UNSEEN_FOR)
    return to_flattening(
        control,
        account=account,
        at=now,
        held=held,
        unsettled=unsettled | entered,
        find_instrument=find_instrument,
        calls=calls,
    )


async def _ask(
    exchange: Exchange,
) -> tuple[set[VenueSymbol], set[VenueSymbol], tuple[ExchangeCall, ...]]:
    asked: tuple[ExchangeCall, ...] = ()
    try:
        positions = await exchange.positions()
        asked = positions.calls
        pending = await exchange.pending_symbols()
    except QueryFailed as failure:
        failure.earlier = (*asked, *failure.earlier)
        if failure.kind is Cause.TIMESTAMP:
            await mend_clock(exchange)
        raise
    held = {symbol for symbol, _ in positions.value}
    return held, set(pending.value), (*asked, *pending.calls)


async def _opened(
    bus: Bus, *, route: RouteId, account: AccountId, among: set[VenueSymbol]
) -> set[VenueSymbol]:
    """Where the route has opened something, as far back as the log goes."""
    found = set()
    for symbol in among:
        subject = subjects.order_planned(account=account, symbol=symbol)
        async for entry in bus.entries_after(subject=subject, seq=0):
            plan = entry.message
            if isinstance(plan, Plan) and plan.route == route and _opens(plan):
                found.add(symbol)
                break
    return found


def _opens(plan: Plan) -> bool:
    return any(leg.effect is Effect.OPEN for leg in plan.legs)


async def _just_entered(
    bus: Bus, control: Control, *, lane: Lane, since: datetime
) -> set[VenueSymbol]:
    """Where an entry is being handled, or was since then. What it opens may come after the list is
    made; its lane closes it all the same, since the close comes behind it.
    """
    floor = await bus.handled_up_to(lane.durable)
    found = set()
    async for entry in bus.entries_after(subject=lane.subject, seq=max(0, floor - _LOOKED_BACK)):
        intent = entry.message
        if not isinstance(intent, Intent) or intent.action not in ENTRIES:
            continue
        is_new = entry.seq > floor or entry.stored_at is None or entry.stored_at >= since
        if is_new and (control.scope is not Scope.ROUTE or intent.route == control.id):
            found.add(intent.symbol)
    return found
