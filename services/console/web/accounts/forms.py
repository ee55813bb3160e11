"""`/accounts/new` and `/accounts/{id}/edit`: a key is entered once, and sealed where it is typed.
What else was typed stays, whatever is refused.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from libs.common.contracts.route import Account
from services.console.accounts import add_account, edit_account
from services.console.callers import Caller
from services.console.changes import change_document
from services.console.differences import ChangeKind
from services.console.documents import Document
from services.console.drafting import masked, new_account
from services.console.problems import AnyRequest, Problem
from services.console.registry import Kept
from services.console.web.access.viewers import Viewer
from services.console.web.accounts.desk import AccountDesk
from services.console.web.accounts.typed import FIELDS, fault_of, fresh, judged, typed_of
from services.console.web.rendering import Pages
from services.console.web.routes.desk import typed_from
from services.console.web.routes.forms import onward
from services.console.web.routes.typed import Fault, Typed
from services.console.web.shell import Shell


@get("/new")
async def show_new(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    viewer: NamedDependency[Viewer],
) -> Response[str]:
    _check_may(viewer)
    return _page(desk, shell=shell, pages=pages, typed=fresh())


@get("/{account_id:str}/edit")
async def show_edit(
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    viewer: NamedDependency[Viewer],
    account_id: FromPath[str],
) -> Response[str]:
    _check_may(viewer)
    kept = await desk.registry.accounts.find(account_id)
    return _page(desk, shell=shell, pages=pages, typed=typed_of(kept.value), kept=kept)


@post("/", status_code=200)
async def create(
    request: AnyRequest,
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    caller: NamedDependency[Caller],
) -> Response[str]:
    typed = await typed_from(request)
    document, faults = judged(typed)
    status = 422
    if not faults:
        try:
            draft = new_account(document)
            await add_account(desk.registry, desk.sealer, draft, made_by=caller.made_by)
        except Problem as problem:
            faults, status = [fault_of(problem)], problem.status
    if faults:
        return _refused(desk, shell=shell, pages=pages, typed=typed, faults=faults, status=status)
    return onward(shell, f"/accounts/{document['id']}?saved=new")


@post("/{account_id:str}", status_code=200)
async def save(
    request: AnyRequest,
    desk: NamedDependency[AccountDesk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    caller: NamedDependency[Caller],
    account_id: FromPath[str],
) -> Response[str]:
    typed = await typed_from(request)
    kept = await desk.registry.accounts.find(account_id)
    document, faults = judged(typed, account=kept.value)
    status = 422

    def check(found: Kept[Account]) -> None:
        if typed.one("revision") != str(found.revision):
            raise Problem(409, "It was changed since you read it.")

    if not faults:
        try:
            await edit_account(
                *(desk.registry, desk.sealer, account_id, document),
                made_by=caller.made_by,
                check=check,
            )
        except Problem as problem:
            status = problem.status
            faults = [await _changed(desk, account_id) if status == 409 else fault_of(problem)]
    if faults:
        kept = await desk.registry.accounts.find(account_id) if status == 409 else kept
        return _refused(
            desk, shell=shell, pages=pages, typed=typed, faults=faults, status=status, kept=kept
        )
    has_secret = bool(document["secret_key"] or document["sealed_secret_key"])
    return onward(shell, f"/accounts/{account_id}?saved={'key' if has_secret else 'yes'}")


def _refused(  # noqa: PLR0913 - what an answer is made of
    desk: AccountDesk,
    *,
    shell: Shell,
    pages: Pages,
    typed: Typed,
    faults: Sequence[Fault],
    status: int,
    kept: Kept[Account] | None = None,
) -> Response[str]:
    if not shell.is_fragment:
        return _page(
            desk, shell=shell, pages=pages, typed=typed, faults=faults, status=status, kept=kept
        )
    said = _said(faults, revision=kept.revision if kept else None)
    answer = pages.page("routes/said.html", shell=shell, status=status, **said)
    # The form stays as it is; only what is said beside the fields comes.
    answer.set_header("HX-Reswap", "none")
    answer.set_header("HX-Trigger-After-Swap", "account-refused")
    return answer


def _page(  # noqa: PLR0913 - what the page shows, each by name
    desk: AccountDesk,
    *,
    shell: Shell,
    pages: Pages,
    typed: Typed,
    faults: Sequence[Fault] = (),
    status: int = 200,
    kept: Kept[Account] | None = None,
) -> Response[str]:
    account = kept.value if kept else None
    return pages.page(
        "accounts/form.html",
        shell=shell,
        status=status,
        typed=typed,
        account=account,
        key=masked(account.access_key) if account else "",
        sealing_key=desk.sealer.public_key,
        **_said(faults, revision=kept.revision if kept else None),
    )


def _said(faults: Sequence[Fault], *, revision: int | None) -> dict[str, Any]:
    """By field, in the form's order; what belongs to none stands above."""
    return {
        # The form of an account that is there has no name to change.
        "shown": [name for name in FIELDS if revision is None or name != "id"],
        "faults": {name: [each for each in faults if each.field == name] for name in FIELDS},
        "doubts": {name: [] for name in FIELDS},
        "general": [each for each in faults if each.field not in FIELDS],
        "wrong": len(faults),
        "doubtful": 0,
        "revision": revision,
    }


async def _changed(desk: AccountDesk, account_id: str) -> Fault:
    """Who was faster, and with what."""
    text = "Somebody changed this account since you opened it."
    try:
        found = await desk.trail.changes(
            kinds=[ChangeKind.ACCOUNT],
            name=account_id,
            route=None,
            account=None,
            before=None,
            limit=1,
        )
    except Problem:
        found = []
    if found:
        change: Document = change_document(found[0])
        names = ", ".join(each["field"] for each in change["fields"]) or "nothing that is shown"
        who = change["made_by"] or "Somebody"
        text = f"{who} changed this account since you opened it: {names}."
    return Fault(
        field="",
        text=f"{text} Nothing was saved, and what you typed is still here. Save again, and yours"
        " replaces theirs; or open the form anew to see theirs.",
    )


def _check_may(viewer: Viewer) -> None:
    if not viewer.may_change:
        raise Problem(403, "You may look, and not change anything: that takes an operator.")
