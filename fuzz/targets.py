"""What bytes of strangers come to, and what holds for all of them: each target takes any bytes, and
raises where a promise is broken. No fuzzer is needed to call them.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

import msgspec

from libs.common.addresses import origin_of, read_address, read_networks
from libs.common.contracts import codec
from libs.common.contracts.alert import Alert, AlertRefused, Order
from libs.common.contracts.messages import EXPONENT_MAX
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.route import Account, Route, RouteSettings, Sizing, TokenHash
from libs.common.contracts.words import (
    AlertId,
    ClientOrderId,
    SizingMode,
    TradeMode,
)
from services.console.changes import place_of_change
from services.console.documents import checked, parse_object
from services.console.drafting import new_account, new_route
from services.console.halts import Halt
from services.console.problems import Problem
from services.console.testing import Test
from services.executor.exchange import Unknown
from services.executor.mexc import replies, stream
from services.executor.mexc.transport import Transfer
from services.executor.pushes import FeedLost
from services.ingest import answers
from services.ingest.certificates import check_certificate, holder_by_envoy, holder_by_name
from services.ingest.parsing import Parsed, parse_alert
from services.ingest.refusals import VALUE_MAX

Target = Callable[[bytes], None]

SECRET = b"open-sesame-7Qx"
MESSAGE_MAX = 1_000
"""What the sender of anything is told at most, in characters."""
_GZIP = b"\x1f\x8b\x08"
_NOW = datetime(2026, 11, 24, tzinfo=UTC)
_ID = AlertId("01938a5c-0000-7000-8000-000000000000")
_PROXIES = read_networks("10.0.0.0/8,fd00::/8")


def _route(secret: bytes | None = None, **settings: object) -> Route:
    known = {"id": "demo", "accounts": [{"account": "paper"}], **settings}
    return Route(
        settings=msgspec.convert(known, RouteSettings),
        tokens=(TokenHash(sha256=sha256(b"token").hexdigest()),),
        body_secret_sha256=None if secret is None else sha256(secret).hexdigest(),
    )


_ROUTES = (
    _route(),
    _route(secret=SECRET),
    _route(trade_mode=TradeMode.HEDGE, sizing=Sizing(mode=SizingMode.FIXED, value=Decimal(1))),
    _route(
        trade_mode=TradeMode.TARGET,
        sizing=Sizing(mode=SizingMode.PERCENT_EQUITY, value=Decimal(5)),
    ),
)


def alert(data: bytes) -> None:
    """A body at the webhook is understood, and survives the log, or is refused in a few words."""
    for route in _ROUTES:
        found = parse_alert(data, route=route)
        if isinstance(found, Parsed):
            _understood(found, route)
            _secret_is_gone(data, found.body)
            continue
        refusal = found.refusal
        assert refusal.status in {401, 415, 422}, refusal
        assert 0 < len(refusal.message) <= MESSAGE_MAX, refusal
        assert refusal.value is None or len(refusal.value) <= VALUE_MAX, refusal
        refused = AlertRefused(
            alert_id=_ID,
            route=route.id,
            at=_NOW,
            status=refusal.status,
            reason=refusal.reason,
            message=refusal.message,
            field=refusal.field,
            value=refusal.value,
            body=found.body,
        )
        assert codec.decode(codec.encode(refused)) == refused
        answer = answers.refused(refusal, alert_id=_ID)
        assert msgspec.json.decode(answer.body)["status"] == refusal.status
        _secret_is_gone(data, found.body, answer.body.decode())


def message(data: bytes) -> None:
    """Bytes of the log are a message, which means the same when it is written again, or none."""
    try:
        found = codec.decode(data)
    except codec.UndecodableError:
        return
    assert codec.decode(codec.encode(found)) == found


def reply(data: bytes) -> None:
    """Whatever an exchange answers, an order's fate is one of the words for it."""
    for status in (200, 429, 404, 502):
        call = ExchangeCall(method="POST", path="/order", sent_at=_NOW, http_status=status)
        transfer = Transfer(call=call, left=True, body=data, begun_at=0)
        submitted = replies.judge_submission(transfer)
        # A gateway's answer is nobody's word: the order may be there.
        assert status != 502 or isinstance(submitted, Unknown)
        replies.verdict_on(transfer)
        replies.judge_order(transfer, client_order_id=ClientOrderId("ours"))


def push(data: bytes) -> None:
    """A frame of an exchange's stream says something, or ends the connection in good order."""
    for frame in (data, _GZIP + data):
        try:
            stream._pushed(stream._unpacked(frame))
        except FeedLost:
            continue


def certificate(data: bytes) -> None:
    """A proxy's line names whom it names; TradingView only where it is spelled out."""
    text = data.decode("utf-8", "replace")
    for holder in (holder_by_name(text), holder_by_envoy(text)):
        if check_certificate(holder) is None:
            assert "TradingView" in text or "\\" in text, text


def address(data: bytes) -> None:
    """Of a stranger nothing is believed; of a proxy's line an address comes, or the proxy's own."""
    text = data.decode("latin-1")
    read_address(text)
    stranger, proxy = read_address("192.0.2.9"), read_address("10.1.1.1")
    assert stranger is not None
    assert proxy is not None
    lines = text.split("\n")
    assert origin_of(stranger, forwarded=lines, trusted=_PROXIES) == stranger
    origin = origin_of(proxy, forwarded=lines, trusted=_PROXIES)
    assert read_address(str(origin)) == origin


def draft(data: bytes) -> None:
    """What is sent to the console becomes what it should be, or a problem below 500."""
    try:
        document = parse_object(data)
    except Problem as problem:
        assert problem.status == 415, problem
        return
    for make in (
        lambda: new_route(document, token="token"),
        lambda: new_account(document).account,
        lambda: checked(document, Halt),
        lambda: checked(document, Test),
        lambda: checked(document, Account),
    ):
        try:
            msgspec.json.encode(make())
        except Problem as problem:
            assert problem.status < 500, problem
            msgspec.json.encode([problem.detail, problem.field, problem.value])


def place(data: bytes) -> None:
    """A place in a list of changes is one, or no place."""
    try:
        place_of_change(data.decode("utf-8", "replace"))
    except Problem as problem:
        assert problem.status == 422, problem


TARGETS: dict[str, Target] = {
    "alert": alert,
    "message": message,
    "reply": reply,
    "push": push,
    "certificate": certificate,
    "address": address,
    "draft": draft,
    "place": place,
}


def _understood(found: Parsed, route: Route) -> None:
    order = found.order
    for name in Order.__struct_fields__:
        value = getattr(order, name)
        if isinstance(value, Decimal):
            assert value.is_finite(), (name, value)
            assert value.adjusted() <= EXPONENT_MAX, (name, value)
    stored = Alert(
        alert_id=_ID,
        route=route.id,
        at=_NOW,
        order=order,
        body=found.body,
        body_sha256="",
        explicit_id=found.explicit_id,
    )
    assert codec.decode(codec.encode(stored)) == stored
    # What is kept of a body is what was traded: read again, it says the same.
    again = parse_alert(found.body.encode(), route=route, is_trusted=True)
    assert isinstance(again, Parsed), again
    assert (again.order, again.explicit_id) == (order, found.explicit_id)


def _secret_is_gone(data: bytes, *texts: str) -> None:
    # Where the bytes name the field once, and say the secret there and nowhere else.
    if data.count(SECRET) != 1 or b'"secret":"' + SECRET + b'"' not in data:
        return
    for text in texts:
        assert SECRET.decode() not in text, text
