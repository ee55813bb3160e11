"""`/you`: as whom somebody is signed in, and where else."""

from litestar import Response, Router, get
from litestar.di import NamedDependency

from services.console.web.access.guarding import Access
from services.console.web.rendering import Pages
from services.console.web.shell import Shell


@get("/")
async def show_own(
    access: NamedDependency[Access],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
) -> Response[str]:
    sessions = await access.sessions.of(shell.viewer.name)
    # By the token that this page's forms bring anyway; what is shown of it is that it is this one.
    told = [{"session": each, "is_this": each.csrf == shell.viewer.csrf} for each in sessions]
    return pages.page("you.html", shell=shell, sessions=told)


own_router = Router("/you", route_handlers=[show_own])
