"""The control side under `/_paper/`, which the real exchange lacks: accounts, prices, limits,
behaviour, latency, faults, the calls received. Wrong bodies are answered 400 with the reason.
"""

import ipaddress
import re
import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tools.paper_exchange.control.faults import Fault
from tools.paper_exchange.engine.commands import AddAccount, DuplicateRule, Reset, SetPrice
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.numbers import sane
from tools.paper_exchange.rest.calls import Permission
from tools.paper_exchange.rest.limits import LimitsChange
from tools.paper_exchange.rest.replies import Answer, encode
from tools.paper_exchange.venue import AbsentMode, Behaviour, Venue

PREFIX = "/_paper/"
DAY_MS = 86_400_000
DAYS_WITHOUT_ADDRESS = 90
ALL_PERMISSIONS = [*Permission, "SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"]

T = TypeVar("T")


class WrongBodyError(ValueError):
    """What the control side was asked makes no sense; the message says why."""


class AccountBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    permissions: list[str] | None = None
    ip_whitelist: list[str] | None = None
    days_left: int | None = None
    balance: Decimal = Decimal(10_000)
    position_mode: int = 1

    def __post_init__(self) -> None:
        if not _is_sane(self.balance) or self.balance < 0:
            raise ValueError("balance is a number, not below 0")
        if self.position_mode not in {1, 2}:
            raise ValueError("position_mode is 1 (hedge) or 2 (one-way)")
        for name in self.permissions or []:
            if not re.fullmatch(r"[A-Z_]+", name):
                raise ValueError(f"permissions are like CONTRACT_DEAL_WRITE, not {name!r}")
        for address in self.ip_whitelist or []:
            ipaddress.ip_address(address)


class PriceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`fair` and `index` follow `last` where they are not given."""

    last: Decimal
    fair: Decimal | None = None
    index: Decimal | None = None

    def __post_init__(self) -> None:
        for price in (self.last, self.fair, self.index):
            if price is not None and (not _is_sane(price) or price <= 0):
                raise ValueError("a price is a number above 0")


class BehaviourBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays."""

    duplicate_oid: DuplicateRule | None = None
    absent_position_mode: AbsentMode | None = None


class LatencyBody(msgspec.Struct, forbid_unknown_fields=True):
    one_way_ms: int | float

    def __post_init__(self) -> None:
        if not 0 <= self.one_way_ms <= 60_000:
            raise ValueError("one_way_ms lies between 0 and 60000")


def control(
    venue: Venue, *, method: str, path: str, params: Mapping[str, str], body: bytes
) -> Answer:
    """Answer one control call."""
    name, _, rest = path.removeprefix(PREFIX).partition("/")
    handler = _HANDLERS.get((method, name))
    if handler is None or bool(rest) != (name == "prices"):
        known = [f"{verb} {PREFIX}{word}" for verb, word in _HANDLERS]
        return _answer(404, {"error": f"no control call {method} {path}", "known": known})
    try:
        return handler(venue, rest or params.get("path", ""), body)
    except WrongBodyError as error:
        return _answer(400, {"error": str(error)})


def _requests(venue: Venue, path: str, _body: bytes) -> Answer:
    return _answer(200, venue.requests.of(path or None))


def _add_account(venue: Venue, _rest: str, body: bytes) -> Answer:
    wanted = _decoded(body or b"{}", AccountBody)
    now_ms = venue.now_ms()
    days = wanted.days_left
    if days is None and not wanted.ip_whitelist:
        days = DAYS_WITHOUT_ADDRESS
    command = AddAccount(
        at_ms=now_ms,
        access_key=f"paper_{secrets.token_hex(8)}",
        secret_key=secrets.token_hex(32),
        permissions=_permissions(wanted.permissions),
        ip_whitelist=wanted.ip_whitelist or [],
        expires_ms=None if days is None else now_ms + days * DAY_MS,
        balance=wanted.balance,
        position_mode=wanted.position_mode,
    )
    venue.apply(command)
    return _answer(200, {"access_key": command.access_key, "secret_key": command.secret_key})


def _set_price(venue: Venue, symbol: str, body: bytes) -> Answer:
    price = _decoded(body, PriceBody)
    command = SetPrice(
        at_ms=venue.now_ms(),
        symbol=symbol,
        last=price.last,
        fair=price.fair,
        index=price.index,
    )
    try:
        venue.apply(command)
    except Refused:
        known = ", ".join(venue.contracts)
        return _answer(404, {"error": f"no contract {symbol!r}; known are {known}"})
    return _done()


def _set_limits(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.limits.change(_decoded(body, LimitsChange))
    return _answer(200, venue.limits.allowed)


def _set_behaviour(venue: Venue, _rest: str, body: bytes) -> Answer:
    wanted = _decoded(body, BehaviourBody)
    was = venue.behaviour
    venue.behaviour = Behaviour(
        duplicate_oid=wanted.duplicate_oid or was.duplicate_oid,
        absent_position_mode=wanted.absent_position_mode or was.absent_position_mode,
    )
    return _answer(200, venue.behaviour)


def _set_latency(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.one_way_s = _decoded(body, LatencyBody).one_way_ms / 1000
    return _done()


def _set_faults(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.faults.replace(_decoded(body, list[Fault]))
    return _done()


def _reset(venue: Venue, _rest: str, _body: bytes) -> Answer:
    venue.apply(Reset(at_ms=venue.now_ms()))
    venue.requests.clear()
    return _done()


_HANDLERS: dict[tuple[str, str], Callable[[Venue, str, bytes], Answer]] = {
    ("GET", "requests"): _requests,
    ("POST", "accounts"): _add_account,
    ("PUT", "prices"): _set_price,
    ("PUT", "limits"): _set_limits,
    ("PUT", "behaviour"): _set_behaviour,
    ("PUT", "latency"): _set_latency,
    ("PUT", "faults"): _set_faults,
    ("POST", "reset"): _reset,
}


def described() -> Answer:
    """What `GET /` says of this server."""
    return _answer(
        200,
        {
            "server": "alertwire paper exchange",
            "speaks": "MEXC Futures REST: /api/v1/contract/..., /api/v1/private/...",
            "control": [f"{method} {PREFIX}{name}" for method, name in _HANDLERS],
        },
    )


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongBodyError(str(error)) from None


def _permissions(names: list[str] | None) -> list[str]:
    return [str(name) for name in (ALL_PERMISSIONS if names is None else names)]


def _is_sane(value: Decimal) -> bool:
    try:
        sane(value)
    except Refused:
        return False
    return True


def _done() -> Answer:
    return _answer(200, {"done": True})


def _answer(status: int, data: Any) -> Answer:
    return Answer(0, encode(data), status)
