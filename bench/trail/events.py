"""The journeys of made-up alerts, message by message as the log would hold them: pure.

Real messages, encoded once with a stand-in for what differs; then only the bytes that differ are
exchanged, since millions are wanted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from libs.common.contracts import codec, subjects
from libs.common.contracts.alert import Alert, Order
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.execution import Execution
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Intent, IntentDenied
from libs.common.contracts.order import ExchangeCall, Leg, Plan
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    AccountId,
    Action,
    AlertId,
    ClientOrderId,
    Effect,
    ExecutionKind,
    MarginMode,
    PositionMode,
    PositionSide,
    RouteId,
    TradeMode,
    VenueSymbol,
)
from libs.common.domain.identity import alert_id, intent_id

STREAM = "PIPELINE"
ROUTES = 40
SYMBOLS = ("BTC_USDT", "ETH_USDT", "SOL_USDT", "XRP_USDT", "DOGE_USDT")
RARE_SYMBOL = "MOG_USDT"
RARE_ONE_IN = 20_000
"""Alerts of the rare symbol: a search that meets few of them reads far."""
DENIED_ONE_IN = 25
_STEP = timedelta(milliseconds=4)
_ALERT = AlertId("00000000-0000-7000-8000-000000000000")
_ROUTE, _ACCOUNT, _SYMBOL = RouteId("some-route"), AccountId("some-account"), "SOME_SYMBOL"
_ORDER = ClientOrderId("0000000000000000000000ol")
_AT = datetime(2001, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
_AT_TEXT = b"2001-02-03T04:05:06.789012Z"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A message and its place in the log."""

    seq: int
    subject: str
    stored_at: datetime
    headers: dict[str, str]
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How the alerts are spread."""

    since: datetime
    alert_every: timedelta
    seed: int = 1


def events(shape: Shape) -> Iterator[Event]:
    """Without end, in the order of the log."""
    random = Random(shape.seed)
    done = [_template(message, by) for message, by in _executed()]
    denied = [done[0], _template(_denied(), "router")]
    seq = count(1)
    for number in count():
        at = shape.since + number * shape.alert_every
        alert = alert_id(unix_ms=int(at.timestamp() * 1000), random_bits=random.getrandbits(74))
        place = random.randrange(ROUTES)
        rare = number % RARE_ONE_IN == RARE_ONE_IN // 2
        symbol = RARE_SYMBOL if rare else SYMBOLS[place % len(SYMBOLS)]
        names = {
            _ALERT: alert,
            _ROUTE: f"route-{place:02}",
            _ACCOUNT: f"account-{place:02}",
            _SYMBOL: symbol,
            "SOMESYMBOL": symbol.replace("_", ""),
            _ORDER: f"{number:022}ol",
        }
        for step, part in enumerate(denied if number % DENIED_ONE_IN == 0 else done):
            yield part.event(seq=next(seq), at=at + step * _STEP, names=names)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Template:
    subject: str
    service: str
    data: bytes

    def event(self, *, seq: int, at: datetime, names: Mapping[str, str]) -> Event:
        subject, data = self.subject, self.data
        for stand_in, name in names.items():
            subject = subject.replace(stand_in, name)
            data = data.replace(stand_in.encode(), name.encode())
        trace = names[_ALERT].replace("-", "")
        return Event(
            seq=seq,
            subject=subject,
            stored_at=at + timedelta(milliseconds=1),
            headers={
                "Nats-Msg-Id": f"event:{seq}",
                "Alertwire-Service": self.service,
                "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
            },
            data=data.replace(_AT_TEXT, at.isoformat().replace("+00:00", "Z").encode()),
        )


def _template(message: AnyMessage, service: str) -> _Template:
    return _Template(subject=_subject(message), service=service, data=codec.encode(message))


def _subject(message: AnyMessage) -> str:
    symbol = VenueSymbol(_SYMBOL)
    match message:
        case Alert():
            return subjects.alert_received(_ROUTE)
        case Intent():
            return subjects.intent_accepted(shard=0, account=_ACCOUNT, symbol=symbol)
        case IntentDenied():
            return subjects.intent_denied(_ROUTE)
        case Plan():
            return subjects.order_planned(account=_ACCOUNT, symbol=symbol)
        case Execution():
            return subjects.execution(kind=message.kind, account=_ACCOUNT, symbol=symbol)
    raise TypeError(type(message).__name__)


def _executed() -> list[tuple[AnyMessage, str]]:
    """What an executed alert of one order leaves."""
    kinds = (ExecutionKind.SENT, ExecutionKind.ACCEPTED, ExecutionKind.FILLED)
    made: list[AnyMessage] = [_alert(), _intent(), _plan(), *(_execution(kind) for kind in kinds)]
    services = ("ingest", "router", *("executor",) * 4)
    return list(zip(made, services, strict=True))


def _alert() -> Alert:
    body = (
        '{"platform_name":"mexc","ticker":"SOMESYMBOL.P","order_contracts":"0.012",'
        '"order_action":"buy","price":"50123.4","comment":"long entry 3"}'
    )
    return Alert(
        alert_id=_ALERT,
        route=_ROUTE,
        at=_AT,
        order=Order(ticker="SOMESYMBOL.P", action=Action.BUY, quantity=Decimal("0.012")),
        body=body,
        body_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        content_type="application/json; charset=utf-8",
        source_address="203.0.113.7",
    )


def _intent() -> Intent:
    return Intent(
        **_lane(),
        received_at=_AT,
        action=Action.BUY,
        contracts=Decimal(120),
        trade_mode=TradeMode.NETTING,
        margin_mode=MarginMode.CROSS,
        leverage=10,
        max_age_s=30,
        instrument=Instrument(
            symbol=VenueSymbol(_SYMBOL),
            base="SOME",
            quote="USDT",
            contract_size=Decimal("0.0001"),
            step_contracts=Decimal(1),
            minimum_contracts=Decimal(1),
            maximum_contracts=Decimal(400_000),
            tick_price=Decimal("0.1"),
            leverage_maximum=200,
            tradable=True,
        ),
        steps=("SOMESYMBOL.P is SOME_SYMBOL", "0.012 of 0.0001 each is 120 contracts"),
    )


def _denied() -> IntentDenied:
    return IntentDenied(
        alert_id=_ALERT,
        route=_ROUTE,
        at=_AT,
        account=_ACCOUNT,
        symbol=VenueSymbol(_SYMBOL),
        denial=Denial(reason=Reason.BELOW_MINIMUM, message="0 contracts are under the minimum 1"),
    )


def _plan() -> Plan:
    leg = Leg(
        client_order_id=_ORDER,
        effect=Effect.OPEN,
        position_side=PositionSide.LONG,
        contracts=Decimal(120),
        margin_mode=MarginMode.CROSS,
        leverage=10,
        position_mode=PositionMode.HEDGE,
    )
    return Plan(**_lane(), holdings=(), legs=(leg,), summary="opens 120 long")


def _execution(kind: ExecutionKind) -> Execution:
    sent = (
        '{"symbol":"SOME_SYMBOL","price":0,"vol":120,"leverage":10,"side":1,"type":5,'
        '"openType":2,"positionMode":1,"externalOid":"0000000000000000000000ol"}'
    )
    call = ExchangeCall(
        method="POST",
        path="/api/v1/private/order/create",
        request_body=sent,
        sent_at=_AT,
        elapsed_ms=None if kind is ExecutionKind.SENT else 12.5,
        http_status=None if kind is ExecutionKind.SENT else 200,
        response_body=""
        if kind is ExecutionKind.SENT
        else '{"success":true,"code":0,"data":{"orderId":"739113577038255616","ts":1761888808839}}',
    )
    filled = kind is ExecutionKind.FILLED
    return Execution(
        **_lane(),
        client_order_id=_ORDER,
        kind=kind,
        exchange_order_id=None if kind is ExecutionKind.SENT else "739113577038255616",
        filled_contracts=Decimal(120) if filled else None,
        average_price=Decimal("50123.4") if filled else None,
        fee=Decimal("0.481") if filled else None,
        calls=(call,),
    )


def _lane() -> dict[str, object]:
    return {
        "alert_id": _ALERT,
        "intent_id": intent_id(alert=_ALERT, account=_ACCOUNT),
        "route": _ROUTE,
        "account": _ACCOUNT,
        "symbol": VenueSymbol(_SYMBOL),
        "at": _AT,
    }
