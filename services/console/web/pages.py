"""All pages together: what stands before them, what they are given, what they answer instead."""

from collections.abc import Mapping

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from services.console.problems import Problem
from services.console.web.access.guarding import Access, SignInNeeded, page_guard, viewer_of
from services.console.web.access.own import own_router
from services.console.web.access.signing_in import sign_in_router, sign_out
from services.console.web.access.throttling import Throttle
from services.console.web.accounts.places import account_page_router
from services.console.web.alert.pages import alert_page_router
from services.console.web.answers import PageAnswers
from services.console.web.assets import Assets, asset_router
from services.console.web.changes.lists import change_pages
from services.console.web.halting.stopping import halt_pages
from services.console.web.health.pages import health_pages
from services.console.web.live.following import following_router
from services.console.web.live.lists import live_router
from services.console.web.rendering import Pages
from services.console.web.routes.places import make_route_pages
from services.console.web.shell import caller_of_page, shell_of


def make_pages(access: Access, *, given: Mapping[str, Provide]) -> list[Router]:
    """`given`: what the JSON API works with, too."""
    assets = Assets()
    pages = Pages(assets)
    answers = PageAnswers(pages)
    throttle = Throttle()
    known = {
        **given,
        "access": Provide(lambda: access, sync_to_thread=False, use_cache=True),
        "assets": Provide(lambda: assets, sync_to_thread=False, use_cache=True),
        "pages": Provide(lambda: pages, sync_to_thread=False, use_cache=True),
        "throttle": Provide(lambda: throttle, sync_to_thread=False, use_cache=True),
    }
    behind = {
        **known,
        "viewer": Provide(viewer_of, sync_to_thread=False),
        "caller": Provide(caller_of_page, sync_to_thread=False),
        "shell": Provide(shell_of),
    }
    handlers = {
        SignInNeeded: answers.sign_in,
        Problem: answers.problem,
        HTTPException: answers.http,
        500: answers.bug,
    }
    guarded = Router(
        "/",
        route_handlers=[
            *(live_router, following_router, alert_page_router, make_route_pages()),
            *(account_page_router, halt_pages, change_pages, health_pages),
            *(own_router, sign_out),
        ],
        guards=[page_guard(access)],
        dependencies=behind,
        exception_handlers=handlers,  # type: ignore[arg-type]
        include_in_schema=False,
    )
    open_to_all = Router(
        "/",
        route_handlers=[sign_in_router, asset_router],
        dependencies=known,
        exception_handlers=handlers,  # type: ignore[arg-type]
        include_in_schema=False,
    )
    return [guarded, open_to_all]
