"""A route's new address, shown once in the answer to the form that made it and nowhere else, with
what to paste into TradingView.
"""

from dataclasses import dataclass
from datetime import datetime

from litestar import Response

from libs.common.contracts.route import Route
from services.console.web.rendering import Pages
from services.console.web.routes.messages import SECRET_PLACE, messages
from services.console.web.routes.states import reach_words
from services.console.web.shell import Shell


@dataclass(frozen=True, kw_only=True)
class Handover:
    route: Route
    webhook: str
    body_secret: str | None = None
    """As it was just typed."""
    account: str | None = None
    """Where one was created with it."""
    is_rotated: bool = False
    old_until: datetime | None = None
    """Of a rotation: until when the URL before works, too; None: no longer."""


def hand_over(pages: Pages, *, shell: Shell, handover: Handover) -> Response[str]:
    route = handover.route
    return pages.page(
        "routes/created.html",
        shell=shell,
        handover=handover,
        route=route,
        unreachable=reach_words(handover.webhook),
        messages=messages(route.settings, secret=secret_of(route, typed=handover.body_secret)),
    )


def secret_of(route: Route, *, typed: str | None = None) -> str | None:
    """What stands in a message where the route asks for its secret: only its hash is kept."""
    if route.body_secret_sha256 is None:
        return None
    return typed or SECRET_PLACE
