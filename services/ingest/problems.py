"""Problem documents (RFC 9457): what every answer but a 200 carries."""

from http import HTTPStatus

import msgspec

from libs.common.contracts.reasons import EXPLANATIONS, Reason
from libs.common.contracts.words import AlertId
from services.ingest.refusals import Refusal, shortened

CONTENT_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str
    title: str
    status: int
    detail: str
    reason: Reason | None = None
    field: str | None = None
    value: str | None = None
    alert_id: AlertId | None = None


def problem_of(refusal: Refusal, *, alert_id: AlertId | None) -> Problem:
    return Problem(
        type=f"urn:alertwire:reason:{refusal.reason}",
        title=EXPLANATIONS[refusal.reason],
        status=refusal.status,
        detail=refusal.message,
        reason=refusal.reason,
        field=refusal.field,
        value=None if refusal.value is None else shortened(refusal.value),
        alert_id=alert_id,
    )


def plain_problem(*, status: int, detail: str) -> Problem:
    """For what has no reason of the closed list: the request met no route, or we failed."""
    return Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail
    )
