"""`/`: the newest alerts."""

from litestar import Response, Router, get
from litestar.di import NamedDependency

from services.console.alerts import list_of_alerts
from services.console.trail import Trail
from services.console.web.rendering import Pages
from services.console.web.shell import Shell

_LINES = 50


@get("/")
async def show_live(
    trail: NamedDependency[Trail], shell: NamedDependency[Shell], pages: NamedDependency[Pages]
) -> Response[str]:
    found = await list_of_alerts(trail, limit=_LINES)
    return pages.page("live/page.html", shell=shell, alerts=found["alerts"], next=found["next"])


live_router = Router("/", route_handlers=[show_live])
