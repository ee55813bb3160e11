"""Our own address as echo services tell it, and whether it is one that is expected. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class EgressState(StrEnum):
    UNCHECKED = "unchecked"
    """Nothing is expected: any address will do."""
    EXPECTED = "expected"
    UNEXPECTED = "unexpected"
    AWAITED = "awaited"
    """No service has told it yet, and that is still waited for."""
    UNVERIFIED = "unverified"
    """None has told it in time: the work goes on without knowing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    state: EgressState
    problem: str | None
    """Why nothing must be sent from here; None where something may."""


def judge_egress(
    seen: Iterable[str], expected: Iterable[str], *, waited_s: float, hold_s: float
) -> Judgement:
    """`seen`: what the services that answered last have told, each of which counts by itself;
    `waited_s`: how long none ever has. Addresses in any notation, `expected` also networks.
    """
    seen, expected = tuple(seen), tuple(expected)
    if not expected:
        return Judgement(state=EgressState.UNCHECKED, problem=None)
    wanted = f"expected: {', '.join(expected)}"
    if not seen:
        if waited_s >= hold_s:
            return Judgement(state=EgressState.UNVERIFIED, problem=None)
        return Judgement(
            state=EgressState.AWAITED,
            problem=f"no echo service has told our own address yet; {wanted}",
        )
    wrong = unexpected(seen, expected)
    if wrong:
        return Judgement(
            state=EgressState.UNEXPECTED, problem=f"our own address is {', '.join(wrong)}; {wanted}"
        )
    return Judgement(state=EgressState.EXPECTED, problem=None)


def unexpected(seen: Iterable[str], expected: Iterable[str]) -> tuple[str, ...]:
    """Those of `seen` that none of `expected` holds."""
    networks = [network for one in expected if (network := _network(one)) is not None]
    return tuple(one for one in seen if not _is_within(one, networks))


def listed(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(one for part in text.split(",") if (one := part.strip()))


def checked_networks(text: str) -> tuple[str, ...]:
    """Addresses and networks between commas. Raises `ValueError` naming one that is neither."""
    found = listed(text)
    for one in found:
        if _network(one) is None:
            raise ValueError(f"{one!r} is neither an address nor a network")
    return found


def read_echo(body: bytes) -> str | None:
    """The address in an echo service's answer: bare, in quotes, or in `ip` of a JSON object; None
    where there is none.
    """
    text = body.decode(errors="replace").strip()
    try:
        told = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        told = text
    if isinstance(told, dict):
        told = told.get("ip")
    address = _address(told.strip()) if isinstance(told, str) else None
    return None if address is None else str(address)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # Some servers listen on one socket for both families, and tell a caller's address like that.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _network(text: str) -> Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _is_within(text: str, networks: Iterable[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in networks)
