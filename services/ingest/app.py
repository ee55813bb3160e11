"""The HTTP side as one Litestar application: the webhook mounted at the root, health beside it.

Whatever goes wrong outside the webhook is a problem document too.
"""

from typing import Any

import structlog
from litestar import Litestar, MediaType, Request, Response, asgi, get
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send

from libs.common.health import Health
from services.ingest import answers
from services.ingest.problems import plain_problem
from services.ingest.webhook import Webhook

_log = structlog.get_logger()


def create_app(*, webhook: Webhook, health: Health) -> Litestar:
    @asgi("/", is_mount=True, copy_scope=False)
    async def hook(scope: Scope, receive: Receive, send: Send) -> None:
        await webhook(scope, receive, send)

    return Litestar(
        route_handlers=[
            hook,
            _health_page("/health/live", health),
            _health_page("/health/ready", health),
        ],
        exception_handlers={HTTPException: _on_http, Exception: _on_failure},
        openapi_config=None,
        logging_config=None,
    )


def _health_page(path: str, health: Health) -> Any:
    @get(path, media_type=MediaType.JSON, sync_to_thread=False)
    def page() -> Response[bytes]:
        status, content_type, body = health.answer(path)
        return Response(body, status_code=status, media_type=content_type)

    return page


def _on_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    detail = "This page is only read." if error.status_code == 405 else error.detail
    return _response(error.status_code, detail=detail, headers=error.headers)


def _on_failure(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    # The request is left out on purpose: its path holds the token.
    _log.error("request.failed", exc_info=error)
    return _response(500, detail="This is our failure; it is in the log.", headers=None)


def _response(status: int, *, detail: str, headers: Any) -> Response[bytes]:
    answer = answers.of_problem(plain_problem(status=status, detail=detail))
    return Response(
        answer.body, status_code=answer.status, media_type=answer.content_type, headers=headers
    )
