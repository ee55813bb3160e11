"""The control side under `/_paper/`, which the real exchange lacks: accounts, prices, limits,
behaviour, latency, faults, the calls received. Wrong bodies are answered 400 with the reason.
"""

import ipaddress
import re
import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from tools.paper_exchange.control import addresses, markets, venue_switches
from tools.paper_exchange.control.faults import SOCKET_PATH, Fault
from tools.paper_exchange.control.pushes import PushDelay
from tools.paper_exchange.control.replying import (
    WrongBodyError,
    answer,
    decoded,
    done,
    is_sane,
)
from tools.paper_exchange.engine.commands import AddAccount, Reset
from tools.paper_exchange.rest.calls import Permission
from tools.paper_exchange.rest.replies import Answer
from tools.paper_exchange.venue import Venue

PREFIX = "/_paper/"
DAY_MS = 86_400_000
DAYS_WITHOUT_ADDRESS = 90
ALL_PERMISSIONS = [*Permission, "SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"]


class AccountBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    permissions: list[str] | None = None
    ip_whitelist: list[str] | None = None
    days_left: int | None = None
    balance: Decimal = Decimal(10_000)
    position_mode: int = 1

    def __post_init__(self) -> None:
        if not is_sane(self.balance) or self.balance < 0:
            raise ValueError("balance is a number, not below 0")
        if self.position_mode not in {1, 2}:
            raise ValueError("position_mode is 1 (hedge) or 2 (one-way)")
        for name in self.permissions or []:
            if not re.fullmatch(r"[A-Z_]+", name):
                raise ValueError(f"permissions are like CONTRACT_DEAL_WRITE, not {name!r}")
        for address in self.ip_whitelist or []:
            ipaddress.ip_address(address)


class LatencyBody(msgspec.Struct, forbid_unknown_fields=True):
    one_way_ms: int | float

    def __post_init__(self) -> None:
        if not 0 <= self.one_way_ms <= 60_000:
            raise ValueError("one_way_ms lies between 0 and 60000")


def control(
    venue: Venue,
    *,
    method: str,
    path: str,
    params: Mapping[str, str],
    body: bytes,
    peer: str,
) -> Answer:
    """Answer one control call."""
    name, _, rest = path.removeprefix(PREFIX).partition("/")
    try:
        if (method, name) == addresses.TELLING and not rest:
            return addresses.told(peer, params)
        handler = _HANDLERS.get((method, name))
        if handler is None or bool(rest) != ((method, name) in _NAMED):
            return answer(404, {"error": f"no control call {method} {path}", "known": _known()})
        return handler(venue, rest or params.get("path", ""), body)
    except WrongBodyError as error:
        return answer(error.status, {"error": str(error)})


def _requests(venue: Venue, path: str, _body: bytes) -> Answer:
    return answer(200, venue.requests.of(path or None))


def _add_account(venue: Venue, _rest: str, body: bytes) -> Answer:
    wanted = decoded(body or b"{}", AccountBody)
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
    return answer(200, {"access_key": command.access_key, "secret_key": command.secret_key})


def _set_latency(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.one_way_s = decoded(body, LatencyBody).one_way_ms / 1000
    return done()


def _set_faults(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.faults.replace(decoded(body, list[Fault]))
    return done()


def _befallen(venue: Venue, _rest: str, _body: bytes) -> Answer:
    return answer(200, {"befallen": dict(venue.faults.befallen)})


def _set_pushes(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.push_delay = decoded(body, PushDelay)
    return answer(200, venue.push_delay)


def _reset(venue: Venue, _rest: str, _body: bytes) -> Answer:
    venue.apply(Reset(at_ms=venue.now_ms()))
    venue.requests.clear()
    return done()


_HANDLERS: dict[tuple[str, str], Callable[[Venue, str, bytes], Answer]] = {
    ("GET", "requests"): _requests,
    ("POST", "accounts"): _add_account,
    ("PUT", "latency"): _set_latency,
    ("GET", "faults"): _befallen,
    ("PUT", "faults"): _set_faults,
    ("PUT", "pushes"): _set_pushes,
    ("POST", "reset"): _reset,
    ("PUT", addresses.NAME): addresses.feign,
    **markets.PLAIN,
    **markets.WITH_SYMBOL,
    **venue_switches.PLAIN,
    **venue_switches.NAMED,
}
_NAMED = markets.WITH_SYMBOL | venue_switches.NAMED


def described() -> Answer:
    """What `GET /` says of this server."""
    return answer(
        200,
        {
            "server": "alertwire paper exchange",
            "speaks": "MEXC Futures REST: /api/v1/contract/..., /api/v1/private/...",
            "websocket": SOCKET_PATH,
            "control": _known(),
        },
    )


def _known() -> list[str]:
    named = {
        call: f"{method} {PREFIX}{name}"
        for call in (addresses.TELLING, *_HANDLERS)
        for method, name in [call]
    }
    return [text + _behind(call) for call, text in named.items()]


def _behind(call: tuple[str, str]) -> str:
    if call not in _NAMED:
        return ""
    return "/{access_key}" if call[1] == "accounts" else "/{symbol}"


def _permissions(names: list[str] | None) -> list[str]:
    return [str(name) for name in (ALL_PERMISSIONS if names is None else names)]
