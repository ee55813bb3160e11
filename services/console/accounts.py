"""`/api/accounts`: whose orders are sent where. The secret key comes sealed, or is sealed before it
is stored, so that the executor alone can open it, and never comes back.
"""

from collections.abc import Callable

from litestar import Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from libs.common.contracts.route import Account, Route
from libs.common.contracts.words import SecretSource, VenueSymbol
from services.console.callers import Caller
from services.console.documents import Document, parse_object, plain
from services.console.drafting import AccountDraft, changed_account, new_account, shown_account
from services.console.problems import AnyRequest, Problem
from services.console.registry import Kept, Registry
from services.console.routes import answer_kept, check_precondition
from services.console.sealing import Sealer


@get("/")
async def list_accounts(registry: NamedDependency[Registry]) -> Document:
    return {"accounts": [shown_account(each) for each in await registry.accounts.list()]}


@post("/")
async def create_account(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    sealer: NamedDependency[Sealer],
) -> Document:
    draft = new_account(parse_object(await request.body()))
    await add_account(registry, sealer, draft, made_by=caller.made_by)
    return {"account": shown_account(draft.account)}


@get("/{account_id:str}")
async def show_account(
    registry: NamedDependency[Registry], account_id: FromPath[str]
) -> Response[Document]:
    kept = await registry.accounts.find(account_id)
    return answer_kept(shown_account(kept.value), revision=kept.revision)


@patch("/{account_id:str}")
async def change_account(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    sealer: NamedDependency[Sealer],
    account_id: FromPath[str],
) -> Response[Document]:
    body = parse_object(await request.body())
    kept = await edit_account(
        registry,
        sealer,
        account_id,
        body,
        made_by=caller.made_by,
        check=lambda kept: check_precondition(request, kept),
    )
    return answer_kept(shown_account(kept.value), revision=kept.revision)


@get("/{account_id:str}/instruments")
async def list_instruments(
    registry: NamedDependency[Registry],
    account_id: FromPath[str],
    symbol: FromQuery[str | None] = None,
) -> Document:
    """The contracts of the account's exchange, or the one that `symbol` names: as sizes and prices
    of a new alert would be computed.
    """
    base_url = (await registry.accounts.find(account_id)).value.base_url
    if symbol is None:
        found = await registry.instruments(base_url)
    else:
        one = await registry.instrument(base_url, VenueSymbol(symbol))
        found = [] if one is None else [one]
    return {"account": account_id, "instruments": [plain(each) for each in found]}


@delete("/{account_id:str}")
async def delete_account(
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    sealer: NamedDependency[Sealer],
    account_id: FromPath[str],
) -> None:
    await remove_account(registry, sealer, account_id, made_by=caller.made_by)


async def add_account(
    registry: Registry, sealer: Sealer, draft: AccountDraft, *, made_by: str
) -> None:
    account = draft.account
    async with sealer.lock:
        # Asked first: the key of an account that is there already must stay.
        if await registry.accounts.exists(account.id):
            raise registry.accounts.taken(account.id)
        sealed = sealer.closed(draft)
        if sealed is not None:
            await registry.put_sealed(account.id, sealed, made_by=made_by)
        await registry.accounts.create(account.id, account, made_by=made_by)


async def edit_account(
    registry: Registry,
    sealer: Sealer,
    account_id: str,
    patch: Document,
    *,
    made_by: str,
    check: Callable[[Kept[Account]], None],
) -> Kept[Account]:
    """`check` raises a `Problem` where the account is another by now than the one that was read."""
    async with sealer.lock:
        kept = await registry.accounts.find(account_id)
        check(kept)
        draft = changed_account(kept.value, patch)
        sealed = sealer.closed(draft)
        if sealed is not None:
            await registry.put_sealed(account_id, sealed, made_by=made_by)
        revision = await registry.accounts.update(
            account_id, draft.account, revision=kept.revision, made_by=made_by
        )
        sources = (kept.value.secret_source, draft.account.secret_source)
        if sources == (SecretSource.SEALED, SecretSource.MOUNTED):
            # What was sealed lies about no longer.
            await registry.drop_sealed(account_id, made_by=made_by)
    return Kept(value=draft.account, revision=revision)


async def remove_account(
    registry: Registry, sealer: Sealer, account_id: str, *, made_by: str
) -> None:
    """With its key; a 409 while a route trades it."""
    async with sealer.lock:
        kept = await registry.accounts.find(account_id)
        trading = traded_by(account_id, await registry.routes.list())
        if trading:
            names = ", ".join(f"`{route.id}`" for route in trading)
            told = f"Route {names} trades" if len(trading) == 1 else f"Routes {names} trade"
            them = "it" if len(trading) == 1 else "them"
            raise Problem(409, f"{told} this account: change or delete {them} first.")
        await registry.accounts.delete(account_id, revision=kept.revision, made_by=made_by)
        await registry.drop_sealed(account_id, made_by=made_by)


def traded_by(account_id: str, routes: list[Route]) -> list[Route]:
    return [
        route
        for route in routes
        if any(part.account == account_id for part in route.settings.accounts)
    ]


account_router = Router(
    "/accounts",
    route_handlers=[
        *(list_accounts, create_account, show_account, change_account, delete_account),
        list_instruments,
    ],
)
