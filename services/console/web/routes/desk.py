"""What the routes' pages work with, and how a form is judged: by the API's own functions, and
against what is known of the accounts and their contracts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from litestar.di import NamedDependency

from libs.common.contracts.route import Route
from services.console.checkups import Checkups
from services.console.documents import Document
from services.console.drafting import AccountDraft, changed_route, new_account, new_route
from services.console.problems import AnyRequest, Problem
from services.console.registry import Registry
from services.console.routes import Webhooks
from services.console.sealing import Sealer
from services.console.trail import Trail
from services.console.web.routes.knowledge import Catalogues, known_of
from services.console.web.routes.typed import (
    Fault,
    Typed,
    account_document,
    document_of,
    tried,
)
from services.console.web.routes.warning import Doubt, warnings

RESERVED = "new"
"""A page has this name."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    registry: Registry
    checkups: Checkups
    trail: Trail
    sealer: Sealer
    webhooks: Webhooks
    catalogues: Catalogues


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A form as it was read."""

    document: Document
    """As the API takes it; only without faults."""
    draft: AccountDraft | None = None
    """The account that is created with it."""
    faults: list[Fault] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def desk_of(
    *,
    registry: NamedDependency[Registry],
    checkups: NamedDependency[Checkups],
    trail: NamedDependency[Trail],
    sealer: NamedDependency[Sealer],
    webhooks: NamedDependency[Webhooks],
) -> Desk:
    return Desk(
        registry=registry,
        checkups=checkups,
        trail=trail,
        sealer=sealer,
        webhooks=webhooks,
        catalogues=Catalogues(registry),
    )


async def typed_from(request: AnyRequest) -> Typed:
    form = await request.form()
    return Typed((name, text) for name, text in form.multi_items() if isinstance(text, str))


async def judge(desk: Desk, typed: Typed, *, route: Route | None) -> Judged:
    """`route`: the one that is changed; None for a new one."""
    document, unread = document_of(typed, route=route)
    found, refused = tried(document, _attempt(route))
    draft, of_account = None, list[Fault]()
    if typed.makes_account:
        draft, of_account = tried(account_document(typed), new_account)
        of_account = [_of_new_account(each) for each in of_account]
    taken = await _taken(desk, typed, is_new=route is None)
    # Several things may be wrong with one field; the first one is the one to mend.
    faults = {each.field: each for each in reversed([*unread, *of_account, *refused, *taken])}
    doubts = []
    if found is not None:
        known = await known_of(
            found.settings,
            registry=desk.registry,
            catalogues=desk.catalogues,
            checkups=desk.checkups,
            new=draft.account if draft else None,
            has_body_secret=found.body_secret_sha256 is not None,
        )
        doubts = [each for each in warnings(found.settings, known) if each.field not in faults]
    return Judged(document=document, draft=draft, faults=list(faults.values()), doubts=doubts)


def while_typing(judged: Judged, typed: Typed) -> list[Fault]:
    """Without what is only not there yet."""
    return [
        each
        for each in judged.faults
        if each.field not in _FILLED_LATER or typed.one(_FILLED_LATER[each.field])
    ]


_FILLED_LATER = {
    "accounts": "account",
    **{
        name: name
        for name in ("id", "new_account.id", "access_key", "secret_key", "base_url", "ws_url")
    },
}
"""What is wrong while it is empty, and the field that fills it."""


def _attempt(route: Route | None) -> Callable[[Document], Route]:
    if route is None:
        # The token is made only when the route is.
        return lambda document: new_route(document, token="")
    return lambda document: changed_route(route, document)


def _of_new_account(fault: Fault) -> Fault:
    return Fault(field="new_account.id" if fault.field == "id" else fault.field, text=fault.text)


async def _taken(desk: Desk, typed: Typed, *, is_new: bool) -> list[Fault]:
    """What another one has already, or what is not there."""
    found = []
    accounts = {each.id for each in await desk.registry.accounts.list()}
    name, account = typed.one("id"), typed.one("new_account.id")
    if is_new and name == RESERVED:
        found.append(Fault(field="id", text="A page has this name: choose another."))
    elif is_new and name and await desk.registry.routes.exists(name):
        found.append(Fault(field="id", text=f"There is a route {name} already."))
    if typed.makes_account and account in accounts:
        text = f"There is an account {account} already: choose it above."
        found.append(Fault(field="new_account.id", text=text))
    chosen = [] if typed.makes_account else [typed.one("account")]
    missing = [each for each in [*chosen, *typed.many("also")] if each and each not in accounts]
    if missing:
        text = f"There is no account {missing[0]} any more: choose another."
        found.append(Fault(field="accounts", text=text))
    return found


def fault_for(problem: Problem, *, of_account: bool) -> Fault:
    """What came of it only when it was stored."""
    if of_account and problem.field == "id":
        return Fault(field="new_account.id", text=problem.detail)
    return Fault(field=problem.field or "", text=problem.detail)
