"""`/health`: whether all is well, what is there, and what the day came to. The page is there at
once; what takes longer, or may be away by itself, is loaded into it part by part.
"""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from services.console.pictures import Pictures
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.statistics import Statistics
from services.console.vitals import Vitals
from services.console.web.access.guarding import UNATTENDED
from services.console.web.health.accounts import picture_words
from services.console.web.health.figures import SPANS, USUAL, figures_of, span_of
from services.console.web.health.letters import letter_pages
from services.console.web.health.telling import health_of
from services.console.web.rendering import Pages
from services.console.web.shell import Shell


@get("/")
async def show_health(
    vitals: NamedDependency[Vitals], shell: NamedDependency[Shell], pages: NamedDependency[Pages]
) -> Response[str]:
    health = health_of(await vitals.document())
    return pages.page("health/page.html", shell=shell, health=health, span=USUAL)


@get("/now", opt={UNATTENDED: True})
async def show_now(
    vitals: NamedDependency[Vitals], shell: NamedDependency[Shell], pages: NamedDependency[Pages]
) -> Response[str]:
    return pages.page("health/now.html", shell=shell, health=health_of(await vitals.document()))


@get("/figures", opt={UNATTENDED: True})
async def show_figures(
    statistics: NamedDependency[Statistics],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    span: FromQuery[str] = USUAL.key,
) -> Response[str]:
    chosen = span_of(span)
    template = "health/figures.html" if shell.is_fragment else "health/figures-page.html"
    told: dict[str, Any] = {"shell": shell, "spans": SPANS, "span": chosen}
    try:
        found = await statistics.of(
            since=chosen.since(datetime.now(UTC)), stretch_s=int(chosen.stretch.total_seconds())
        )
    except Problem as problem:
        return pages.page(template, **told, figures=None, problem=problem.detail)
    return pages.page(template, **told, figures=figures_of(found, chosen), problem=None)


@get("/accounts/{account_id:str}/picture", opt={UNATTENDED: True})
async def show_freshness(
    registry: NamedDependency[Registry],
    pictures: NamedDependency[Pictures],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    account_id: FromPath[str],
) -> Response[str]:
    """How fresh what is known of an account is, asked of its executor."""
    try:
        account = (await registry.accounts.find(account_id)).value
        picture = await pictures.ask(account.account_id)
    except Problem as problem:
        return pages.page("health/picture.html", shell=shell, picture=None, problem=problem.detail)
    tone, words, why = picture_words(picture)
    return pages.page(
        "health/picture.html", shell=shell, picture=picture, tone=tone, words=words, why=why
    )


health_pages = Router(
    "/health", route_handlers=[show_health, show_now, show_figures, show_freshness, *letter_pages]
)
