"""`/api/halt` and `/api/resume`: nothing is opened any more, everywhere, on one account or by one
route, until it is resumed. What closes passes, and `flatten` closes what is held.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency

from libs.common.contracts.control import Control, Scope
from libs.common.contracts.subjects import control_key
from libs.common.contracts.words import AccountId
from libs.common.domain.identity import alert_id
from services.console.callers import Caller
from services.console.documents import Document, checked, parse_object, plain
from services.console.problems import AnyRequest, Problem
from services.console.registry import Registry

NOT_STOPPED = "NOTHING is stopped, and orders still open."
"""Where a halt could not be stored."""
_Text = Annotated[str, msgspec.Meta(max_length=500)]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What is meant."""

    scope: Scope
    id: str | None = None

    @property
    def key(self) -> str:
        return control_key(scope=self.scope.value, name=self.id)

    @property
    def what(self) -> str:
        return "everything" if self.id is None else f"{self.scope.value} `{self.id}`"


class Halt(Place, frozen=True, kw_only=True):
    flatten: bool = False
    reason: _Text = ""
    by: _Text = ""
    """Empty: as the caller calls themselves."""


@dataclass(frozen=True, kw_only=True)
class Halted:
    control: Control
    is_new: bool
    """False where it was halted already, and stays as it was."""


@dataclass(frozen=True, kw_only=True)
class Resumed:
    control: Control
    others: list[Control]
    """What is halted still."""


@get("/halt")
async def list_halts(registry: NamedDependency[Registry]) -> Document:
    """What is halted now."""
    return {"halts": [plain(control) for control in await registry.controls.list()]}


@post("/halt", status_code=200)
async def halt(
    request: AnyRequest, caller: NamedDependency[Caller], registry: NamedDependency[Registry]
) -> Document:
    """What is halted already stays as it was halted, but for a flatten: that is done anew."""
    asked = checked(parse_object(await request.body()), Halt)
    done = await begin_halt(registry, asked, caller=caller)
    return {"halt": plain(done.control), "new": done.is_new}


@post("/resume", status_code=200)
async def resume(
    request: AnyRequest, caller: NamedDependency[Caller], registry: NamedDependency[Registry]
) -> Document:
    """Tells what is halted still: a route stays halted while everything is."""
    asked = checked(parse_object(await request.body()), Place)
    done = await end_halt(registry, asked, caller=caller)
    return {"resumed": plain(done.control), "halts": [plain(one) for one in done.others]}


async def begin_halt(registry: Registry, asked: Halt, *, caller: Caller) -> Halted:
    """Raises a `Problem`; where the log is away, one that leaves no hope that it was done."""
    _check(asked)
    try:
        return await _begin(registry, asked, caller=caller)
    except Problem as problem:
        if problem.status != 503:
            raise
        raise Problem(503, f"{NOT_STOPPED} {problem.detail}") from None


async def end_halt(registry: Registry, asked: Place, *, caller: Caller) -> Resumed:
    _check(asked)
    standing = await registry.controls.list()
    others = [one for one in standing if (one.scope, one.id) != (asked.scope, asked.id)]
    if len(others) == len(standing):
        raise not_halted(asked, others)
    kept = await registry.controls.find(asked.key)
    await registry.controls.delete(asked.key, revision=kept.revision, made_by=caller.made_by)
    return Resumed(control=kept.value, others=others)


async def _begin(registry: Registry, asked: Halt, *, caller: Caller) -> Halted:
    control = _control(
        asked, by=asked.by or caller.name, accounts=await _accounts_of(registry, asked)
    )
    if control.flatten:
        await registry.controls.put(asked.key, control, made_by=caller.made_by)
        return Halted(control=control, is_new=True)
    try:
        await registry.controls.create(asked.key, control, made_by=caller.made_by)
    except Problem as problem:
        if problem.status != 409:
            raise
        standing = (await registry.controls.find(asked.key)).value
        return Halted(control=standing, is_new=False)
    return Halted(control=control, is_new=True)


def not_halted(asked: Place, standing: Sequence[Control]) -> Problem:
    halted = ", ".join(one.what for one in standing) or "nothing"
    return Problem(404, f"{asked.what} is not halted; what is halted: {halted}.")


def _check(asked: Place) -> None:
    if asked.scope is Scope.ALL and asked.id is not None:
        raise Problem(422, "`id` is for an account or a route.", field="id", value=asked.id)
    if asked.scope is not Scope.ALL and not asked.id:
        raise Problem(422, f"`id` must name the {asked.scope.value}.", field="id")


async def _accounts_of(registry: Registry, asked: Place) -> tuple[AccountId, ...]:
    """The accounts in the scope, or a 404."""
    match asked.scope:
        case Scope.ALL:
            return tuple(each.account_id for each in await registry.accounts.list())
        case Scope.ACCOUNT:
            return ((await registry.accounts.find(asked.id or "")).value.account_id,)
        case Scope.ROUTE:
            route = (await registry.routes.find(asked.id or "")).value
            # A route may name one account twice, with two multipliers.
            named = dict.fromkeys(part.account for part in route.settings.accounts)
            return tuple(AccountId(account) for account in named)


def _control(asked: Halt, *, by: str, accounts: tuple[AccountId, ...]) -> Control:
    now = datetime.now(UTC)
    return Control(
        scope=asked.scope,
        id=asked.id,
        halt_id=alert_id(unix_ms=int(now.timestamp() * 1000), random_bits=secrets.randbits(74)),
        at=now,
        reason=asked.reason,
        by=by,
        flatten=asked.flatten,
        accounts=accounts,
    )


halt_router = Router("/", route_handlers=[list_halts, halt, resume])
