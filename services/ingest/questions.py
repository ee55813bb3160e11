"""What the console asks of ingest: how a body would be understood, and to take one as a test alert.
It holds no token of a route, only their hashes, so it cannot post to the webhook itself.

Any one ingest answers. A test goes the way of every alert; only what it would take to come in from
outside is not asked for.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec

from libs.common.answering import BUSY, Answers
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.questions import (
    ParseAnswered,
    ParseAsked,
    Refused,
    SendAnswered,
    SendAsked,
)
from libs.common.contracts.route import Route
from libs.common.contracts.words import RouteId
from services.ingest import answers
from services.ingest.admission import check_size
from services.ingest.answers import Answer
from services.ingest.parsing import Unparsed, parse_alert
from services.ingest.refusals import Refusal
from services.ingest.webhook import Webhook

QUEUE = "ingest"
PARSED_AT_ONCE = 8
TESTED_AT_ONCE = 4
WITHIN_S = 4.0
LATE_S = 3.0
"""A test that was read later than this behind the question is not sent: whoever asked may have been
told that it was not.
"""

_ANY_HASH = "0" * 64
_decode_parse = msgspec.json.Decoder(ParseAsked).decode
_decode_send = msgspec.json.Decoder(SendAsked).decode


class Questions:
    def __init__(self, *, bus: Bus, webhook: Webhook, now: Callable[[], datetime]) -> None:
        self._webhook = webhook
        self._now = now
        self._parses = Answers(
            bus,
            subject=subjects.PARSE_ASKED,
            queue=QUEUE,
            on_asked=_parsed,
            problem=lambda words: ParseAnswered(problem=words),
            at_once=PARSED_AT_ONCE,
            within_s=WITHIN_S,
        )
        self._tests = Answers(
            bus,
            subject=subjects.TESTS_ASKED,
            queue=QUEUE,
            on_asked=self._tested,
            problem=lambda words: _told(answers.failed(words), nothing_sent=words == BUSY),
            at_once=TESTED_AT_ONCE,
            within_s=WITHIN_S,
        )

    async def follow(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._parses.follow())
            group.create_task(self._tests.follow())

    async def _tested(self, subject: str, payload: bytes) -> SendAnswered:
        asked = _decode_send(payload)
        if (self._now() - asked.asked_at).total_seconds() > LATE_S:
            return _told(answers.late(LATE_S), nothing_sent=True)
        route = RouteId(subjects.parse(subject).keys[0])
        return _told(await self._webhook.test(asked.body, route=route, by=asked.by))


async def _parsed(_subject: str, payload: bytes) -> ParseAnswered:
    asked = _decode_parse(payload)
    if refusal := check_size(len(asked.body)):
        return ParseAnswered(refused=_refused(refusal))
    # Any hash will do: whether there is a secret decides what of a broken body may be shown.
    route = Route(settings=asked.settings, tokens=(), body_secret_sha256=_ANY_HASH)
    found = parse_alert(asked.body, route=route, is_trusted=True)
    if isinstance(found, Unparsed):
        return ParseAnswered(body=found.body, refused=_refused(found.refusal))
    return ParseAnswered(body=found.body, order=found.order, explicit_id=found.explicit_id)


def _refused(refusal: Refusal) -> Refused:
    return Refused(
        status=refusal.status,
        reason=refusal.reason,
        message=refusal.message,
        field=refusal.field,
        value=refusal.value,
    )


def _told(answer: Answer, *, nothing_sent: bool = False) -> SendAnswered:
    return SendAnswered(
        status=answer.status,
        document=msgspec.Raw(answer.body),
        retry_after_s=answer.retry_after_s,
        nothing_sent=nothing_sent,
    )
