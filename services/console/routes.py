"""`/api/routes`: the address that alerts are posted to, made, changed and rotated. The token is
shown once, in the answer that makes it.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from libs.common.contracts.route import Route, RouteSettings
from libs.common.contracts.words import RouteState
from services.console.callers import Caller
from services.console.documents import Document, checked, parse_object
from services.console.drafting import changed_route, new_route, rotated, shown_route, with_state
from services.console.problems import AnyRequest, Problem
from services.console.registry import Kept, Registry

_TOKEN_BYTES = 24  # 192 bits: cannot be guessed, and short enough for TradingView's field.


@dataclass(frozen=True, kw_only=True)
class WithToken:
    """A route whose token was just made: nobody can show it again."""

    route: Route
    token: str


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Makes the addresses that senders post to."""

    base_url: str

    def address(self, token: str) -> str:
        return f"{self.base_url.rstrip('/')}/hook/{token}"


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    overlap_s: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)] = 3600
    """How long the old token stays valid; 0 retires it at once."""


@get("/")
async def list_routes(registry: NamedDependency[Registry]) -> Document:
    return {"routes": [shown_route(route) for route in await registry.routes.list()]}


@post("/")
async def create_route(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    webhooks: NamedDependency[Webhooks],
) -> Document:
    document = parse_object(await request.body())
    made = await make_route(registry, document, made_by=caller.made_by)
    return _with_token(made, webhooks=webhooks)


@get("/{route_id:str}")
async def show_route(
    registry: NamedDependency[Registry], route_id: FromPath[str]
) -> Response[Document]:
    kept = await registry.routes.find(route_id)
    return answer_kept(shown_route(kept.value), revision=kept.revision)


@patch("/{route_id:str}")
async def change_route(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    route_id: FromPath[str],
) -> Response[Document]:
    kept = await registry.routes.find(route_id)
    check_precondition(request, kept)
    document = parse_object(await request.body())
    changed = await edit_route(registry, kept, document, made_by=caller.made_by)
    return answer_kept(shown_route(changed.value), revision=changed.revision)


@delete("/{route_id:str}")
async def delete_route(
    caller: NamedDependency[Caller], registry: NamedDependency[Registry], route_id: FromPath[str]
) -> None:
    await remove_route(registry, route_id, made_by=caller.made_by)


@post("/{route_id:str}/rotate", status_code=200)
async def rotate_route(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    webhooks: NamedDependency[Webhooks],
    route_id: FromPath[str],
) -> Document:
    body = await request.body()
    rotation = checked(parse_object(body) if body else {}, Rotation)
    made = await rotate(registry, route_id, rotation, made_by=caller.made_by)
    return _with_token(made, webhooks=webhooks)


@post("/{route_id:str}/pause", status_code=200)
async def pause_route(
    caller: NamedDependency[Caller], registry: NamedDependency[Registry], route_id: FromPath[str]
) -> Response[Document]:
    kept = await set_state(registry, route_id, RouteState.PAUSED, made_by=caller.made_by)
    return answer_kept(shown_route(kept.value), revision=kept.revision)


@post("/{route_id:str}/resume", status_code=200)
async def resume_route(
    caller: NamedDependency[Caller], registry: NamedDependency[Registry], route_id: FromPath[str]
) -> Response[Document]:
    kept = await set_state(registry, route_id, RouteState.LIVE, made_by=caller.made_by)
    return answer_kept(shown_route(kept.value), revision=kept.revision)


def answer_kept(document: Document, *, revision: int) -> Response[Document]:
    """The document with its revision, which `If-Match` may name in a change."""
    return Response(document, headers={"ETag": f'"{revision}"'})


def check_precondition(request: AnyRequest, kept: Kept[Any]) -> None:
    wanted = request.headers.get("if-match")
    if wanted not in {None, "*", f'"{kept.revision}"'}:
        raise Problem(409, "It was changed since you read it: read it again, then change it.")


async def make_route(registry: Registry, document: Document, *, made_by: str) -> WithToken:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    route = new_route(document, token=token)
    await check_accounts(registry, route.settings)
    await registry.routes.create(route.id, route, made_by=made_by)
    return WithToken(route=route, token=token)


async def edit_route(
    registry: Registry, kept: Kept[Route], patch: Document, *, made_by: str
) -> Kept[Route]:
    """As it stands then; `kept` is what it was read as."""
    route = changed_route(kept.value, patch)
    await check_accounts(registry, route.settings)
    return await _update(registry, kept, route, made_by=made_by)


async def rotate(
    registry: Registry, route_id: str, rotation: Rotation, *, made_by: str
) -> WithToken:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    kept = await registry.routes.find(route_id)
    route = rotated(kept.value, token=token, now=datetime.now(UTC), overlap_s=rotation.overlap_s)
    await _update(registry, kept, route, made_by=made_by)
    return WithToken(route=route, token=token)


async def set_state(
    registry: Registry, route_id: str, state: RouteState, *, made_by: str
) -> Kept[Route]:
    kept = await registry.routes.find(route_id)
    return await _update(registry, kept, with_state(kept.value, state), made_by=made_by)


async def remove_route(registry: Registry, route_id: str, *, made_by: str) -> None:
    kept = await registry.routes.find(route_id)
    await registry.routes.delete(route_id, revision=kept.revision, made_by=made_by)


async def check_accounts(registry: Registry, settings: RouteSettings) -> None:
    """Raises a `Problem` naming the first that is not there."""
    for part in settings.accounts:
        if not await registry.accounts.exists(part.account):
            raise Problem(
                422,
                f"There is no account `{part.account}`: create it first.",
                field="accounts",
                value=part.account,
            )


async def _update(
    registry: Registry, kept: Kept[Route], route: Route, *, made_by: str
) -> Kept[Route]:
    revision = await registry.routes.update(
        route.id, route, revision=kept.revision, made_by=made_by
    )
    return Kept(value=route, revision=revision)


def _with_token(made: WithToken, *, webhooks: Webhooks) -> Document:
    return {
        "route": shown_route(made.route),
        "token": made.token,
        "webhook": webhooks.address(made.token),
    }


route_router = Router(
    "/routes",
    route_handlers=[
        *(list_routes, create_route, show_route, change_route, delete_route),
        *(rotate_route, pause_route, resume_route),
    ],
)
