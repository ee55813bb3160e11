"""What a halt with `flatten` closes of one account, and the intents that do it. Pure."""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime

from libs.common.contracts.calls import ExchangeCall
from libs.common.contracts.control import Control, Scope
from libs.common.contracts.flattening import FlatLane, Flattening
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Intent
from libs.common.contracts.words import (
    AccountId,
    Action,
    AlertId,
    MarginMode,
    RouteId,
    TradeMode,
    VenueSymbol,
)
from libs.common.domain.identity import flatten_alert_id, intent_id

HALT = RouteId("halt")
"""What stands for a route where everything or an account is flattened."""

FindInstrument = Callable[[VenueSymbol], Instrument | None]


def to_flattening(  # noqa: PLR0913 - what the list is made of, each by name
    control: Control,
    *,
    account: AccountId,
    at: datetime,
    held: Collection[VenueSymbol],
    unsettled: Collection[VenueSymbol],
    find_instrument: FindInstrument,
    calls: tuple[ExchangeCall, ...] = (),
) -> Flattening:
    """`unsettled` are symbols where an order waits or is under way, so that something may be opened
    yet: it is canceled before anything is closed, and what it opened meanwhile is closed too.
    """

    def identified(symbol: VenueSymbol, action: Action) -> AlertId:
        return flatten_alert_id(halt=control.halt_id, account=account, symbol=symbol, action=action)

    wanted = sorted({*held, *unsettled})
    return Flattening(
        alert_id=control.halt_id,
        account=account,
        route=RouteId(control.id) if control.scope is Scope.ROUTE and control.id else HALT,
        at=at,
        halted_at=control.at,
        scope=control.scope,
        reason=control.reason,
        lanes=tuple(
            FlatLane(
                symbol=symbol,
                close=identified(symbol, Action.CLOSE_ALL),
                cancel=identified(symbol, Action.CANCEL) if symbol in unsettled else None,
            )
            for symbol in wanted
            if find_instrument(symbol) is not None
        ),
        unlisted=tuple(symbol for symbol in wanted if find_instrument(symbol) is None),
        calls=calls,
    )


def flatten_intents(
    flattening: Flattening, *, find_instrument: FindInstrument, now: datetime
) -> Iterator[Intent]:
    """In the order in which a lane has to get them."""
    for lane in flattening.lanes:
        instrument = find_instrument(lane.symbol)
        if instrument is None:
            # It is gone from the catalogue since the list was made.
            continue
        if lane.cancel is not None:
            yield _intent(flattening, lane.cancel, Action.CANCEL, instrument=instrument, now=now)
        yield _intent(flattening, lane.close, Action.CLOSE_ALL, instrument=instrument, now=now)


def _intent(
    flattening: Flattening, alert: AlertId, action: Action, *, instrument: Instrument, now: datetime
) -> Intent:
    why = f": {flattening.reason}" if flattening.reason else ""
    halted_at = f"{flattening.halted_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return Intent(
        intent_id=intent_id(alert=alert, account=flattening.account),
        alert_id=alert,
        route=flattening.route,
        account=flattening.account,
        symbol=instrument.symbol,
        at=now,
        received_at=flattening.halted_at,
        action=action,
        contracts=None,
        # Of what only closes none of these is asked: a closing order goes by its position.
        trade_mode=TradeMode.NETTING,
        margin_mode=MarginMode.CROSS,
        leverage=1,
        max_age_s=0,
        instrument=instrument,
        steps=(f"flattened by the halt {flattening.alert_id} of {halted_at}{why}",),
    )
