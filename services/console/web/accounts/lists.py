"""`/accounts`: all accounts. What an account holds comes after the page, each card by itself, so
that an executor that is slow or away holds nothing else back.
"""

import asyncio

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from libs.common.contracts.words import AccountId
from services.console.accounts import traded_by
from services.console.problems import Problem
from services.console.web.access.guarding import UNATTENDED
from services.console.web.accounts import holdings, standing
from services.console.web.accounts.desk import AccountDesk
from services.console.web.rendering import Pages
from services.console.web.shell import Shell


@get("/")
async def show_accounts(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    gone: FromQuery[str | None] = None,
) -> Response[str]:
    accounts, routes, halts = await asyncio.gather(
        desk.registry.accounts.list(), desk.registry.routes.list(), desk.registry.controls.list()
    )
    checked = await desk.all_checked(accounts)
    lines = [
        standing.line_of(each, halts=halts, routes=traded_by(each.id, routes), checked=found)
        for each, found in zip(accounts, checked, strict=True)
    ]
    return pages.page("accounts/list.html", shell=shell, lines=lines, gone=gone)


@get("/{account_id:str}/glance", opt={UNATTENDED: True})
async def show_glance(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    account_id: FromPath[str],
) -> Response[str]:
    """What it holds in one line, for its card."""
    try:
        picture = await desk.pictures.ask(AccountId(account_id))
    except Problem as problem:
        return pages.page("accounts/glance.html", shell=shell, problem=problem.detail, picture=None)
    return pages.page(
        "accounts/glance.html",
        shell=shell,
        problem="",
        picture=picture,
        freshness=holdings.freshness(picture),
        money=holdings.money,
    )
