"""One alert as a list shows it, and which of them somebody wants to see: pure. The API's list, the
live page and what follows it say the same, since all of it comes from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from libs.common.contracts.alert import Alert, AlertDuplicate, AlertRefused
from libs.common.contracts.execution import Execution
from libs.common.contracts.flattening import Flattening
from libs.common.contracts.intent import Intent, IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.words import AlertId, AlertStatus, ExecutionKind
from libs.common.domain.journey import Journey, JourneyOrder
from services.console.documents import Document, moment, plain
from services.console.flattened import (
    Closed,
    flattenings,
    halt_outcome,
    journey_of,
    listed_alerts,
)
from services.console.trail import Row

NOTHING: Closed = {}
BEGINNINGS = frozenset({"alert.received", "alert.refused", "intent.flattened"})
"""The stages of what stands in a list."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What somebody wants to see; None is everything."""

    route: str | None = None
    account: str | None = None
    symbol: str | None = None
    """The exchange's name, or the ticker as the alert wrote it."""
    status: AlertStatus | None = None
    text: str | None = None
    """Anywhere in the id, the body, the comment or the reason, in whatever case."""

    def matches(self, line: Document, rows: Sequence[Row]) -> bool:
        return (self.status is None or line["status"] == self.status) and self.concerns(line, rows)

    def concerns(self, line: Document, rows: Sequence[Row]) -> bool:
        """Whether it matches, or might once its status changes."""
        return (
            (self.route is None or line["route"] == self.route)
            and (self.account is None or self.account in line["accounts"])
            and (self.symbol is None or self.symbol in (line["ticker"], *line["symbols"]))
            and (self.text is None or _holds(self.text, line, rows))
        )

    @property
    def unread(self) -> "Filters":
        """What the trail's indexes do not answer, so that each alert has to be looked at."""
        return replace(self, route=None, symbol=None)


def alert_line(
    seq: int,
    alert: AlertId,
    rows: Sequence[Row],
    *,
    closed: Closed = NOTHING,
) -> Document:
    """One alert in a list, or one halt that has closed something."""
    found = journey_of(rows)
    status, reason = halt_outcome(rows, closed, found=found)
    order = next((row.message.order for row in rows if isinstance(row.message, Alert)), None)
    flattened = flattenings(rows)
    # What a halt has closed has journeys of its own.
    told = [rows, *(closed.get(each, ()) for each in listed_alerts(rows))]
    journeys = [found, *map(journey_of, told[1:])]
    orders = [each for one in journeys for each in one.orders]
    accounts = (part.account for part in found.parts if part.account is not None)
    traded = (each.account for each in (*found.orders, *found.changes))
    symbols = _symbols(rows)
    # How long it took; what is looked at because of it comes later.
    own = (row.at for row in rows if not row.stage.startswith("account."))
    last = max(own, default=None)
    return {
        "alert_id": alert,
        "seq": seq,
        "last_seq": max((row.seq for each in told for row in each), default=seq),
        "route": route_of(rows),
        "status": status.value,
        "reason": reason,
        "words": _words(rows, journeys, reason=reason),
        "at": moment(rows[0].at) if rows else None,
        # A halt may have closed several.
        "symbol": None if flattened else next(iter(symbols), order.ticker if order else None),
        "symbols": symbols,
        "ticker": order.ticker if order else None,
        "action": order.action.value if order else "flatten" if flattened else None,
        "wanted": order.wanted.value if order and order.wanted else None,
        "quantity": plain(order.quantity) if order else None,
        "quantity_percent": plain(order.quantity_percent) if order else None,
        "contracts": plain(_contracts(orders, found)),
        "filled_contracts": plain(_sum(each.filled_contracts for each in orders)),
        "price": plain(order.price) if order else None,
        "average_price": plain(_average(orders)),
        "accounts": sorted({*accounts, *traded, *(each.account for each in flattened)}),
        "resends": sum(isinstance(row.message, AlertDuplicate) for row in rows),
        "elapsed_ms": elapsed_ms(last, since=rows[0].at) if last else None,
        "order_ms": _order_ms(told),
        "test_by": _test_by(rows),
    }


def _test_by(rows: Sequence[Row]) -> str | None:
    """Who sent it as a test; None of one that came to the webhook."""
    kinds = Alert | AlertRefused
    return next((row.message.test_by for row in rows if isinstance(row.message, kinds)), None)


def route_of(rows: Sequence[Row]) -> str | None:
    """Whose alert it is."""
    # A halt's intents come from no alert.
    kinds = Alert | AlertRefused | Flattening | Intent
    told = (row.message.route for row in rows if isinstance(row.message, kinds))
    return next(told, None)


def elapsed_ms(at: datetime, *, since: datetime) -> float:
    return round((at - since).total_seconds() * 1000, 3)


def _symbols(rows: Sequence[Row]) -> list[str]:
    """The exchange's, in the order in which they were told."""
    found: dict[str, None] = {}
    for row in rows:
        match row.message:
            case Intent() | IntentDenied() | Plan() if row.message.symbol:
                found[row.message.symbol] = None
            case Flattening():
                found.update((lane.symbol, None) for lane in row.message.lanes)
    return list(found)


def _words(rows: Sequence[Row], journeys: Iterable[Journey], *, reason: str | None) -> str | None:
    """The reason as a sentence, where somebody wrote one."""
    if reason is None:
        return None
    for row in rows:
        if isinstance(row.message, AlertRefused):
            return row.message.message
    for part in (part for found in journeys for part in found.parts):
        denials = (part.denied.denial if part.denied else None, part.withheld)
        for denial in denials:
            if denial is not None and denial.reason.value == reason:
                return denial.message
        for step in part.steps:
            told = step.told
            if told is not None and told.reason is not None and told.reason.value == reason:
                return told.message
    return reason


def _contracts(orders: Sequence[JourneyOrder], found: Journey) -> Decimal | None:
    """What is traded on all accounts together; before there is a plan, what is wanted."""
    if orders:
        return _sum(each.contracts for each in orders)
    return _sum(part.intent.contracts for part in found.parts if part.intent is not None)


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def _average(orders: Sequence[JourneyOrder]) -> Decimal | None:
    """Of all that was filled, weighed by contracts, and as fine as the exchange tells it. Prices of
    several contracts have no average.
    """
    fills = [
        (each.average_price, each.filled_contracts)
        for each in orders
        if each.average_price is not None and each.filled_contracts
    ]
    if not fills or len({each.symbol for each in orders}) > 1:
        return None
    if len({price for price, _ in fills}) == 1:
        return fills[0][0]
    whole = sum((filled for _, filled in fills), Decimal(0))
    average = sum((price * filled for price, filled in fills), Decimal(0)) / whole
    finest = min((price for price, _ in fills), key=lambda price: price.as_tuple().exponent)
    return average.quantize(finest)


def _order_ms(told: Iterable[Sequence[Row]]) -> float | None:
    """From its arrival to when the first request left for the exchange."""
    since: datetime | None = None
    first: datetime | None = None
    for row in (row for rows in told for row in rows):
        match row.message:
            case Alert() | Flattening() if since is None:
                since = row.message.at
            case Execution(kind=ExecutionKind.SENT):
                sent = row.message.calls[0].sent_at if row.message.calls else row.message.at
                first = sent if first is None else min(first, sent)
    if since is None or first is None:
        return None
    return elapsed_ms(first, since=since)


def _holds(text: str, line: Document, rows: Sequence[Row]) -> bool:
    wanted = text.casefold()
    return any(wanted in told.casefold() for told in _texts(line, rows))


def _texts(line: Document, rows: Sequence[Row]) -> Iterable[str]:
    yield line["alert_id"]
    yield from (told for told in (line["reason"], line["words"]) if told)
    for row in rows:
        match row.message:
            case Alert(body=body, order=order):
                yield body
                yield order.comment or ""
            case AlertRefused(body=body):
                yield body
