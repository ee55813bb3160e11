"""`/accounts/{id}`: what one account holds now, how its key stands, and what can be done to it."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from libs.common.contracts.account_picture import EgressTold
from libs.common.contracts.checkup import AccountChecked
from libs.common.contracts.route import Account
from libs.common.contracts.subjects import shard_of
from libs.common.contracts.words import AccountId
from services.console.accounts import remove_account, traded_by
from services.console.callers import Caller
from services.console.documents import moment
from services.console.problems import AnyRequest, Problem
from services.console.web.access.guarding import UNATTENDED
from services.console.web.accounts import holdings, standing
from services.console.web.accounts.desk import AccountDesk
from services.console.web.rendering import Pages
from services.console.web.routes.desk import typed_from
from services.console.web.routes.forms import onward
from services.console.web.shell import Shell

_SAVED = {
    "new": "The account is there, and its secret is sealed. Within seconds the executor looks at"
    " it: the doctor tells what it has found.",
    "key": "Saved, and the new secret is sealed. Within seconds the executor uses it: the doctor"
    " tells what it has found.",
    "yes": "Saved.",
}


@get("/{account_id:str}")
async def show_account(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    account_id: FromPath[str],
    saved: FromQuery[str | None] = None,
) -> Response[str]:
    account = (await desk.registry.accounts.find(account_id)).value
    told = _SAVED.get(saved or "", "")
    return await _page(desk, account, shell=shell, pages=pages, told=told)


@get("/{account_id:str}/picture", opt={UNATTENDED: True})
async def show_picture(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    account_id: FromPath[str],
) -> Response[str]:
    """What it holds, into the page that stands; by itself where there is no JavaScript."""
    account = (await desk.registry.accounts.find(account_id)).value
    try:
        picture = await desk.pictures.ask(account.account_id)
    except Problem as problem:
        # No error of this page: it asks again, and says so in its place.
        return pages.page(
            "accounts/picture.html",
            shell=shell,
            account=account,
            problem=problem.detail,
            picture=None,
        )
    return pages.page(
        "accounts/picture.html",
        shell=shell,
        account=account,
        problem="",
        picture=picture,
        freshness=holdings.freshness(picture),
        positions=holdings.positions(picture),
        waiting=holdings.waiting(picture),
        drift=holdings.drift(picture),
        mode=holdings.mode(picture),
        missing=list(holdings.missing(picture)),
        money=holdings.money,
        seconds=holdings.seconds,
    )


@get("/{account_id:str}/checkup", opt={UNATTENDED: True})
async def show_checkup(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    account_id: FromPath[str],
    seen: FromQuery[str] = "",
) -> Response[str]:
    """The latest; 204 where the page shows it already."""
    checked = await desk.checked(account_id)
    if checked is None or moment(checked.at) == seen:
        return Response("", status_code=204, media_type="text/html")
    return _doctor(pages, shell=shell, account_id=account_id, checked=checked)


@post("/{account_id:str}/check", status_code=200)
async def check_now(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    account_id: FromPath[str],
) -> Response[str]:
    account = (await desk.registry.accounts.find(account_id)).value
    checked = await desk.checkups.ask(account.account_id)
    if not shell.is_fragment:
        return onward(shell, f"/accounts/{account_id}#doctor-card")
    return _doctor(pages, shell=shell, account_id=account_id, checked=checked, is_asked=True)


@get("/-/addresses")
async def show_addresses(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    account: FromQuery[str] = "",
) -> Response[str]:
    """What to paste into MEXC's Link IP Address; of one account, only of those that may trade it.
    Comes after the page, since nobody knows how many executors will answer.
    """
    try:
        told = await desk.pictures.egress()
    except Problem:
        told = []
    checked = await desk.checked(account) if account else None
    ours = [each for each in told if not account or _may_trade(each, account)]
    found = standing.addresses(ours)
    return pages.page(
        "accounts/addresses.html",
        shell=shell,
        found=found,
        key_words=list(standing.key_words(checked, own=found.seen)),
        answered=len(ours),
    )


@post("/{account_id:str}/delete", status_code=200)
async def delete(
    request: AnyRequest,
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    caller: NamedDependency[Caller],
    account_id: FromPath[str],
) -> Response[str]:
    account = (await desk.registry.accounts.find(account_id)).value
    if (await typed_from(request)).one("confirm") != account_id:
        wrong = f"Type {account_id} to delete it."
        return await _page(desk, account, shell=shell, pages=pages, wrong=wrong)
    try:
        await remove_account(desk.registry, desk.sealer, account_id, made_by=caller.made_by)
    except Problem as problem:
        if problem.status != 409:
            raise
        wrong = problem.detail.replace("`", "")
        return await _page(desk, account, shell=shell, pages=pages, wrong=wrong, status=409)
    return onward(shell, f"/accounts?gone={account_id}")


async def _page(  # noqa: PLR0913 - what the page shows, each by name
    desk: AccountDesk,
    account: Account,
    *,
    shell: Shell,
    pages: Pages,
    told: str = "",
    wrong: str = "",
    status: int = 422,
) -> Response[str]:
    halts, routes, checked, history = await asyncio.gather(
        desk.registry.controls.list(),
        desk.registry.routes.list(),
        desk.checked(account.id),
        desk.history(account.id),
    )
    trading = traded_by(account.id, routes)
    return pages.page(
        "accounts/account.html",
        shell=shell,
        status=status if wrong else 200,
        account=account,
        line=standing.line_of(account, halts=halts, routes=trading, checked=checked),
        **_shown(checked),
        history=history,
        told=told,
        wrong=wrong,
    )


def _doctor(
    pages: Pages,
    *,
    shell: Shell,
    account_id: str,
    checked: AccountChecked,
    is_asked: bool = False,
) -> Response[str]:
    return pages.page(
        "accounts/doctor.html",
        shell=shell,
        account_id=account_id,
        is_asked=is_asked,
        **_shown(checked),
    )


def _shown(checked: AccountChecked | None) -> dict[str, Any]:
    return {
        "report": standing.report(checked) if checked else None,
        "seen": moment(checked.at) if checked else "",
    }


def _may_trade(told: EgressTold, account: str) -> bool:
    return shard_of(AccountId(account), shards=told.shards) == told.shard
