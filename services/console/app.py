"""The console's HTTP application: pages, the JSON API, and health on the same port."""

from collections.abc import Callable
from typing import Any

from litestar import Litestar, Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException

from libs.common.health import Health
from libs.common.secret import Secret
from services.console.access import bearer_guard
from services.console.accounts import account_router
from services.console.alerts import alert_router
from services.console.callers import caller_of
from services.console.changes import change_router
from services.console.checkups import checkup_router
from services.console.dead_letters import dead_router
from services.console.events import event_router
from services.console.halts import halt_router
from services.console.pictures import egress_router, picture_router
from services.console.problems import (
    Problem,
    answer_bug,
    answer_http_exception,
    answer_problem,
)
from services.console.replaying import replay_router
from services.console.routes import route_router
from services.console.sealing import sealing_router
from services.console.statistics import statistics_router
from services.console.supplies import Supplies
from services.console.testing import test_router
from services.console.vitals import health_router
from services.console.web.access.guarding import Access
from services.console.web.pages import make_pages

API_HANDLERS = (
    *(alert_router, event_router, change_router, route_router, account_router),
    *(checkup_router, picture_router, egress_router, halt_router),
    *(dead_router, health_router, statistics_router, test_router, replay_router),
    sealing_router,
)
"""All below `/api`; docs/openapi/console.json is made from them."""
_BODY_MAX_BYTES = 256 * 1024


def make_app(*, token: Secret, health: Health, access: Access, supplies: Supplies) -> Litestar:
    """Everything that the console answers."""
    given = {name: _given(value) for name, value in supplies.by_name().items()}
    api = Router(
        "/api",
        route_handlers=API_HANDLERS,
        guards=[bearer_guard(token)],
        dependencies={"caller": Provide(caller_of, sync_to_thread=False), **given},
    )
    return Litestar(
        route_handlers=[show_live, show_ready, api, *make_pages(access, given=given)],
        dependencies={"health": _given(health)},
        exception_handlers={
            Problem: answer_problem,
            HTTPException: answer_http_exception,
            500: answer_bug,
        },
        request_max_body_size=_BODY_MAX_BYTES,
        # docs/openapi/ has the description; who only reaches the port learns nothing from it.
        openapi_config=None,
        logging_config=None,
    )


@get("/health/live", sync_to_thread=False)
def show_live(health: NamedDependency[Health]) -> Response[bytes]:
    return _health(health, "/health/live")


@get("/health/ready", sync_to_thread=False)
def show_ready(health: NamedDependency[Health]) -> Response[bytes]:
    return _health(health, "/health/ready")


def _health(health: Health, path: str) -> Response[bytes]:
    status, content_type, body = health.answer(path)
    return Response(body, status_code=status, media_type=content_type)


def _given(value: object) -> Provide:
    supply: Callable[[], Any] = lambda: value  # noqa: E731 - a name for the type checker
    return Provide(supply, sync_to_thread=False, use_cache=True)
