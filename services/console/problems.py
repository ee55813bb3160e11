"""Every error as a problem document (RFC 9457) that tells what would be right."""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger()


class Problem(Exception):  # noqa: N818 - the document's name
    """Raised anywhere below a handler to answer with a status and one sentence for people."""

    def __init__(
        self, status: int, detail: str, *, field: str | None = None, value: str | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.value = value


AnyRequest = Request[Any, Any, Any]


def answer_problem(_request: AnyRequest, problem: Problem) -> Response[bytes]:
    more = {"field": problem.field, "value": problem.value}
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    return _response(problem.status, problem.detail, more=more, headers=headers)


def answer_http_exception(_request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """The framework's own refusals: no such page, wrong method, a body that is too large."""
    return _response(error.status_code, error.detail, headers=dict(error.headers or {}))


def answer_bug(request: AnyRequest, error: Exception) -> Response[bytes]:
    _log.error("request.failed", method=request.method, path=request.url.path, exc_info=error)
    return _response(500, "The console failed; its log has the stack.")


def _response(
    status: int,
    detail: str,
    *,
    more: dict[str, str | None] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **{name: value for name, value in (more or {}).items() if value is not None},
    }
    return Response(
        msgspec.json.encode(document), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )
