"""Answers to the webhook, ready to send: two kinds of 200, problems for the rest."""

from dataclasses import dataclass
from typing import Any

import msgspec

from libs.common.contracts.words import AlertId
from services.ingest.problems import CONTENT_TYPE, Problem, plain_problem, problem_of
from services.ingest.refusals import Refusal

LOG_RETRY_AFTER_S = 5

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: bytes
    content_type: str = CONTENT_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def retry_after_s(self) -> int | None:
        found = dict(self.headers).get(b"retry-after")
        return None if found is None else int(found)


def accepted(alert_id: AlertId) -> Answer:
    return _stored("accepted", alert_id)


def duplicate(alert_id: AlertId) -> Answer:
    return _stored("duplicate", alert_id)


def refused(refusal: Refusal, *, alert_id: AlertId | None) -> Answer:
    headers = () if refusal.retry_after_s is None else _retry_after(refusal.retry_after_s)
    return of_problem(problem_of(refusal, alert_id=alert_id), headers=headers)


def unavailable() -> Answer:
    detail = (
        "The log cannot take alerts now, so this one is not accepted."
        f" Send it again after {LOG_RETRY_AFTER_S} seconds."
    )
    return of_problem(
        plain_problem(status=503, detail=detail), headers=_retry_after(LOG_RETRY_AFTER_S)
    )


def no_route() -> Answer:
    detail = "No route has this token: POST to /hook/<token> as the console showed it."
    return of_problem(plain_problem(status=404, detail=detail))


def no_such_route(route: str) -> Answer:
    detail = f"Ingest knows no route {route}; one that was just made is known within a second."
    return of_problem(plain_problem(status=404, detail=detail))


def late(seconds: float) -> Answer:
    detail = (
        f"The question has waited for more than {seconds:g} seconds, so it was not acted on:"
        " nothing was sent."
    )
    return of_problem(plain_problem(status=503, detail=detail), headers=_retry_after(1))


def failed(why: str) -> Answer:
    return of_problem(plain_problem(status=503, detail=f"Ingest: {why}."), headers=_retry_after(1))


def not_a_post() -> Answer:
    detail = "An alert is sent by POST."
    return of_problem(plain_problem(status=405, detail=detail), headers=((b"allow", b"POST"),))


def too_slow(seconds: float) -> Answer:
    detail = f"The whole body must arrive within {seconds:g} seconds."
    return of_problem(
        plain_problem(status=408, detail=detail), headers=((b"connection", b"close"),)
    )


def of_problem(problem: Problem, *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    return Answer(status=problem.status, body=_encoder.encode(problem), headers=headers)


async def send_answer(send: Any, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _stored(status: str, alert_id: AlertId) -> Answer:
    body = _encoder.encode({"status": status, "alert_id": alert_id})
    return Answer(status=200, body=body, content_type="application/json")


def _retry_after(seconds: int) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"retry-after", str(seconds).encode()),)
