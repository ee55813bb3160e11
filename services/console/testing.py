"""`POST /api/routes/{id}/test`: what an alert would do, or a real one as a test. The console holds
no token, so one of the ingests is asked to take it, and answers what the webhook would answer.

It may trade. So each has an id of its own in the message: where no answer comes, the same one may
be sent again, and is known again.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from libs.common.asking import NobodyAnswers, ask
from libs.common.bus import Bus
from libs.common.contracts import codec, subjects
from libs.common.contracts.questions import SendAnswered, SendAsked
from libs.common.contracts.route import Route
from services.console.callers import Caller
from services.console.documents import Document, checked, parse_object
from services.console.explaining import Explaining
from services.console.messages import (
    FIELDS,
    ID_FIELD,
    SAFE_FOR_S,
    as_text,
    check_age,
    encoded,
    identified,
    new_id,
    test_body,
)
from services.console.problems import MEDIA_TYPE, AnyRequest, Problem
from services.console.registry import Registry

ANSWERED_WITHIN_S = 8.0
"""Longer than ingest takes for its own answer, and for one that it reads late."""
_NOT_SENT = "Nothing was sent."
_MAYBE = (
    "Whether it was taken is not known. Sending the same again with this `alert_id` is safe for"
    f" {SAFE_FOR_S // 60} minutes: it would be known again, and nothing be ordered twice."
)


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """The message whole, or field by field; words and numbers are ingest's to judge."""

    __test__ = False

    send: bool = False
    body: dict[str, Any] | str | None = None
    alert_id: str | None = None
    symbol: Any = None
    side: Any = None
    quantity: Any = None
    order_type: Any = None
    price: Any = None
    market_position: Any = None
    market_position_size: Any = None
    stop_loss: Any = None
    take_profit: Any = None
    sl_price: Any = None
    tp_price: Any = None
    sltp_type: Any = None
    trailing: Any = None
    trigger: Any = None
    trade_type: Any = None
    close_side: Any = None
    leverage: Any = None
    margin_mode: Any = None
    order_id: Any = None
    comment: Any = None


class Testing:
    """Has one of the ingests take a body."""

    __test__ = False

    def __init__(
        self,
        bus: Bus,
        *,
        timeout_s: float = ANSWERED_WITHIN_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._bus = bus
        self._timeout_s = timeout_s
        self._now = now

    def new_id(self) -> str:
        return new_id(unix_ms=self.unix_ms(), random_bits=secrets.randbits(32))

    def unix_ms(self) -> int:
        return int(self._now().timestamp() * 1000)

    async def send(self, text: str, *, route: Route, alert_id: str, by: str) -> SendAnswered:
        """What HTTP would have answered; a `Problem` where nothing is known."""
        asked = SendAsked(body=text.encode(), by=by, asked_at=self._now())
        subject = subjects.test_asked(route.id)
        try:
            payload = await ask(
                self._bus, subject, payload=codec.encode(asked), timeout_s=self._timeout_s
            )
            return msgspec.json.decode(payload, type=SendAnswered)
        except NobodyAnswers as silence:
            if silence.is_certain:
                raise Problem(503, f"No ingest runs ({silence}). {_NOT_SENT}") from None
            why = f"Ingest has not answered ({silence})."
        except msgspec.MsgspecError as strange:
            why = f"Ingest has answered something else ({strange})."
        raise Problem(504, f"{why} {_MAYBE}", field=ID_FIELD, value=alert_id)


@post("/{route_id:str}/test", status_code=200)
async def try_route(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    explaining: NamedDependency[Explaining],
    testing: NamedDependency[Testing],
    route_id: FromPath[str],
) -> Response[Any]:
    test = checked(parse_object(await request.body()), Test)
    text, alert_id = identified(_message(test), alert_id=test.alert_id or testing.new_id())
    if test.alert_id is not None and alert_id != test.alert_id:
        raise Problem(422, "The body has another `alert_id`; give one of the two.", field=ID_FIELD)
    route = (await registry.routes.find(route_id)).value
    if not test.send:
        explanation = await explaining.explain(text.encode(), route)
        return Response({"explicit_id": alert_id, **explanation})
    check_age(alert_id, unix_ms=testing.unix_ms())
    answered = await testing.send(text, route=route, alert_id=alert_id, by=caller.made_by)
    return _response(answered, alert_id=alert_id)


def _message(test: Test) -> str:
    fields = {name: getattr(test, name) for name in FIELDS}
    if test.body is None:
        return encoded(test_body(fields))
    strange = next((name for name, value in fields.items() if value is not None), None)
    if strange is not None:
        raise Problem(
            422, f"`body` is the whole message; leave `{strange}` out, or `body`.", field=strange
        )
    return as_text(test.body)


def _response(answered: SendAnswered, *, alert_id: str) -> Response[Any]:
    headers = {}
    if answered.retry_after_s is not None:
        headers["Retry-After"] = str(answered.retry_after_s)
    document: Document = msgspec.json.decode(answered.document)
    if answered.status == 200:
        return Response({"sent": True, "explicit_id": alert_id, **document}, headers=headers)
    if answered.status >= 500 and not answered.nothing_sent:
        # The log may have it all the same: it was slow to say so.
        told = f"{document.get('detail', '')} {_MAYBE}".lstrip()
        document |= {"detail": told, "field": ID_FIELD, "value": alert_id}
    return Response(
        msgspec.json.encode(document),
        status_code=answered.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


test_router = Router("/routes", route_handlers=[try_route])
