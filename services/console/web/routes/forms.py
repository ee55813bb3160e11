"""`/routes/new` and `/routes/{id}/edit`: the guide's form and ours beyond it, checked while it is
typed. What was typed stays, whatever is refused.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from libs.common.addresses import TRADINGVIEW_ADDRESSES
from libs.common.contracts.route import Route
from libs.common.contracts.words import TradeMode
from services.console.accounts import add_account
from services.console.callers import Caller
from services.console.changes import change_document
from services.console.differences import ChangeKind
from services.console.documents import Document
from services.console.problems import AnyRequest, Problem
from services.console.routes import edit_route, make_route
from services.console.web.access.guarding import VIEWERS_MAY
from services.console.web.access.viewers import Viewer
from services.console.web.rendering import Pages
from services.console.web.routes.desk import (
    Desk,
    Judged,
    fault_for,
    judge,
    typed_from,
    while_typing,
)
from services.console.web.routes.handing_over import Handover, hand_over
from services.console.web.routes.states import MODES, place_words
from services.console.web.routes.typed import (
    FIELDS,
    MEXC,
    NEW_ACCOUNT,
    OF_NEW,
    OTHER_PLACE,
    Fault,
    Typed,
    fresh,
    typed_of,
)
from services.console.web.routes.warning import Doubt
from services.console.web.shell import Shell

_SEE_OTHER = 303

MODE_PICTURES = {
    TradeMode.NETTING: (0, 2),
    TradeMode.OPPOSITE: (0, 5),
    TradeMode.REVERSE: (0, 0),
    TradeMode.HEDGE: (3, 5),
    TradeMode.TARGET: (1, 0),
}
"""Long and short after the form's example: long 3 is held, and then `sell 5` comes; of `target`,
`long 1`.
"""
_MODE_NOTES = {TradeMode.NETTING: "default"}
_MODE_HELP = {
    TradeMode.NETTING: "The guide's Reverse / Netting: the newest signal leads. The opposite signal"
    " closes up to its own size and opens what is left. Right for a strategy that sends every order"
    " that it fills.",
    TradeMode.OPPOSITE: "The opposite signal closes all that is held and opens its own size. Right"
    " for an indicator that says: be long now, be short now.",
    TradeMode.REVERSE: "The opposite signal closes all that is held, and opens nothing. Right for"
    " an indicator whose opposite signal only ends the trade.",
    TradeMode.HEDGE: "The opposite signal opens beside what is held. The account must be in hedge"
    " mode. Right for two strategies on one contract.",
    TradeMode.TARGET: "Each alert says the position to move to, whatever is held now. Missed or"
    " doubled alerts mend themselves with the next one.",
}


@get("/new")
async def show_new(
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    viewer: NamedDependency[Viewer],
) -> Response[str]:
    _check_may(viewer)
    accounts = await desk.registry.accounts.list()
    typed = fresh(account=accounts[0].id if len(accounts) == 1 else "" if accounts else NEW_ACCOUNT)
    return await _page(desk, shell=shell, pages=pages, typed=typed)


@post("/-/check", status_code=200, opt={VIEWERS_MAY: True})
async def check(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
) -> Response[str]:
    """What stands in the form now; nothing is changed."""
    typed = await typed_from(request)
    route = None
    if name := typed.one("editing"):
        route = (await desk.registry.routes.find(name)).value
    judged = await judge(desk, typed, route=route)
    faults = while_typing(judged, typed)
    said = _said(faults, judged.doubts, is_new=route is None)
    return pages.page("routes/said.html", shell=shell, is_check=True, **said)


@post("/", status_code=200)
async def create(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    caller: NamedDependency[Caller],
) -> Response[str]:
    typed = await typed_from(request)
    judged = await judge(desk, typed, route=None)
    form = _Form(desk=desk, shell=shell, pages=pages, typed=typed, judged=judged)
    if judged.faults:
        return await form.refused(judged.faults)
    of_account = judged.draft is not None
    try:
        if judged.draft is not None:
            draft = judged.draft
            await add_account(desk.registry, desk.sealer, draft, made_by=caller.made_by)
            of_account = False
        made = await make_route(desk.registry, judged.document, made_by=caller.made_by)
    except Problem as problem:
        fault = fault_for(problem, of_account=of_account)
        if judged.draft is not None and not of_account:
            return await form.half_done(judged.draft.account.id, fault, status=problem.status)
        return await form.refused([fault], status=problem.status)
    handover = Handover(
        route=made.route,
        webhook=desk.webhooks.address(made.token),
        body_secret=typed.one("body_secret") or None,
        account=judged.draft.account.id if judged.draft else None,
    )
    return hand_over(pages, shell=shell, handover=handover)


@get("/{route_id:str}/edit")
async def show_edit(
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    viewer: NamedDependency[Viewer],
    route_id: FromPath[str],
) -> Response[str]:
    _check_may(viewer)
    kept = await desk.registry.routes.find(route_id)
    typed = typed_of(kept.value.settings)
    judged = await judge(desk, typed, route=kept.value)
    return await _page(
        desk,
        shell=shell,
        pages=pages,
        typed=typed,
        route=kept.value,
        revision=kept.revision,
        faults=judged.faults,
        doubts=judged.doubts,
    )


@post("/{route_id:str}", status_code=200)
async def save(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    caller: NamedDependency[Caller],
    route_id: FromPath[str],
) -> Response[str]:
    typed = await typed_from(request)
    kept = await desk.registry.routes.find(route_id)
    judged = await judge(desk, typed, route=kept.value)
    form = _Form(
        desk=desk,
        shell=shell,
        pages=pages,
        typed=typed,
        judged=judged,
        route=kept.value,
        revision=kept.revision,
    )
    if typed.one("revision") != str(kept.revision):
        return await form.refused([await _changed(desk, route_id)], status=409)
    if judged.faults:
        return await form.refused(judged.faults)
    try:
        await edit_route(desk.registry, kept, judged.document, made_by=caller.made_by)
    except Problem as problem:
        return await form.refused([fault_for(problem, of_account=False)], status=problem.status)
    return onward(shell, f"/routes/{route_id}?saved=yes")


def onward(shell: Shell, path: str) -> Response[str]:
    """To a page of ours, after a form."""
    if shell.is_fragment:
        return Response("", headers={"HX-Redirect": path}, media_type="text/html")
    headers = {"Location": path}
    return Response("", status_code=_SEE_OTHER, headers=headers, media_type="text/html")


class _Form:
    """A form that was sent, for answering with what was typed."""

    def __init__(  # noqa: PLR0913 - what an answer is made of
        self,
        *,
        desk: Desk,
        shell: Shell,
        pages: Pages,
        typed: Typed,
        judged: Judged,
        route: Route | None = None,
        revision: int | None = None,
    ) -> None:
        self._desk = desk
        self._shell = shell
        self._pages = pages
        self._typed = typed
        self._judged = judged
        self._route = route
        self._revision = revision

    async def refused(self, faults: Sequence[Fault], *, status: int = 422) -> Response[str]:
        doubts = self._judged.doubts
        if self._shell.is_fragment:
            said = _said(faults, doubts, is_new=self._route is None, revision=self._revision)
            answer = self._pages.page("routes/said.html", shell=self._shell, status=status, **said)
            # The form stays as it is, secrets included; only what is said beside the fields comes.
            answer.set_header("HX-Reswap", "none")
            answer.set_header("HX-Trigger-After-Swap", "route-refused")
            return answer
        return await self._whole(self._typed, faults, status=status)

    async def half_done(self, account: str, fault: Fault, *, status: int) -> Response[str]:
        """The account was created, the route was not: the form anew, with that account chosen."""
        text = f"Account {account} was created, the route was not: {fault.text}"
        told = Fault(field=fault.field, text=text)
        answer = await self._whole(self._typed.choosing(account), [told], status=status)
        answer.set_header("HX-Retarget", "#main")
        answer.set_header("HX-Reswap", "innerHTML")
        return answer

    async def _whole(self, typed: Typed, faults: Sequence[Fault], *, status: int) -> Response[str]:
        return await _page(
            self._desk,
            shell=self._shell,
            pages=self._pages,
            typed=typed,
            route=self._route,
            revision=self._revision,
            faults=faults,
            doubts=self._judged.doubts,
            status=status,
        )


async def _page(  # noqa: PLR0913 - what the page shows, each by name
    desk: Desk,
    *,
    shell: Shell,
    pages: Pages,
    typed: Typed,
    route: Route | None = None,
    revision: int | None = None,
    faults: Sequence[Fault] = (),
    doubts: Sequence[Doubt] = (),
    status: int = 200,
) -> Response[str]:
    accounts = await desk.registry.accounts.list()
    # In the route's order, which a form that is only looked at must not change.
    order = {name: place for place, name in enumerate(typed.many("also"))}
    return pages.page(
        "routes/form.html",
        shell=shell,
        status=status,
        typed=typed,
        route=route,
        accounts=accounts,
        others=sorted(accounts, key=lambda each: (order.get(each.id, len(order)), each.id)),
        places=_places(accounts),
        modes=[
            {
                "mode": mode,
                "name": MODES[mode],
                "more": _MODE_NOTES.get(mode),
                "help": _MODE_HELP[mode],
                "after": after,
            }
            for mode, after in MODE_PICTURES.items()
        ],
        tradingview=TRADINGVIEW_ADDRESSES,
        new_account=NEW_ACCOUNT,
        other_place=OTHER_PLACE,
        sealing_key=desk.sealer.public_key,
        **_said(faults, doubts, is_new=route is None, revision=revision),
    )


def _places(accounts: Sequence[Any]) -> list[tuple[str, str]]:
    """Exchanges to choose from: MEXC, and where other accounts are."""
    found = {MEXC: "MEXC Futures"}
    for account in accounts:
        name = f"{place_words(account)} ({account.base_url})"
        found.setdefault(f"{account.base_url} {account.ws_url}", name)
    return list(found.items())


def _said(
    faults: Sequence[Fault],
    doubts: Sequence[Doubt],
    *,
    is_new: bool,
    revision: int | None = None,
) -> Document:
    """By field, in the form's order; what belongs to none stands above."""
    return {
        "shown": [name for name in FIELDS if is_new or name not in OF_NEW],
        "faults": {name: [each for each in faults if each.field == name] for name in FIELDS},
        "doubts": {name: [each for each in doubts if each.field == name] for name in FIELDS},
        "general": [each for each in faults if each.field not in FIELDS],
        "wrong": len(faults),
        "doubtful": sum(not each.is_hint for each in doubts),
        "revision": revision,
    }


async def _changed(desk: Desk, route_id: str) -> Fault:
    """Who was faster, and with what."""
    text = "Somebody changed this route since you opened it."
    try:
        found = await desk.trail.changes(
            kinds=[ChangeKind.ROUTE], name=route_id, route=None, account=None, before=None, limit=1
        )
    except Problem:
        found = []
    if found:
        change = change_document(found[0])
        names = ", ".join(each["field"] for each in change["fields"]) or "nothing that is shown"
        text = f"{change['made_by'] or 'Somebody'} changed this route since you opened it: {names}."
    return Fault(
        field="",
        text=f"{text} Nothing was saved, and what you typed is still here. Save again, and yours"
        " replaces theirs; or open the route anew to see theirs.",
    )


def _check_may(viewer: Viewer) -> None:
    if not viewer.may_change:
        raise Problem(403, "You may look, and not change anything: that takes an operator.")
