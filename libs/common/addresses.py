"""Whose address a request comes from: the connection's own, or what a proxy that is trusted says of
it. Pure.
"""

import ipaddress
from collections.abc import Iterable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

TRADINGVIEW_ADDRESSES = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")
"""All that TradingView sends webhooks from: its support article 43000529348."""
TRADINGVIEW = "tradingview"
"""The word that stands for them where networks are listed."""

_HOPS_MAX = 50
_ONE_SITE_BITS = 64


def read_networks(text: str) -> tuple[Network, ...]:
    """Of a list with commas between; raises `ValueError` naming what is no network."""
    return tuple(ipaddress.ip_network(part) for part in _parts(text))


def read_senders(text: str) -> tuple[Network, ...]:
    """Of a list that may say `tradingview`; raises `ValueError` naming what is no network."""
    told = [TRADINGVIEW_ADDRESSES if part == TRADINGVIEW else (part,) for part in _parts(text)]
    return tuple(ipaddress.ip_network(each) for parts in told for each in parts)


def read_proxies(text: str) -> tuple[Network, ...]:
    """Of those whose word is believed; raises `ValueError` also where anybody's would be."""
    found = read_networks(text)
    if any(network.prefixlen == 0 for network in found):
        raise ValueError("a network of all addresses would let anybody name themselves")
    return found


def read_address(text: str) -> Address | None:
    """Of a hop as proxies write it: an address, with or without a port."""
    told = text.strip()
    if told.startswith("["):
        told = told[1:].partition("]")[0]
    elif told.count(":") == 1:
        told = told.partition(":")[0]
    try:
        found = ipaddress.ip_address(told)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        # An IPv4 client of a socket that takes both.
        return found.ipv4_mapped or found
    return found


def is_within(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


def origin_of(peer: Address, *, forwarded: Iterable[str], trusted: Sequence[Network]) -> Address:
    """Where a request began, by the lines of its X-Forwarded-For.

    From the right: each proxy adds whom it was called by, so everything left of the first address
    that is no proxy of ours was written by that address. A stranger's lines are never looked at.
    """
    origin = peer
    if not is_within(peer, trusted):
        return origin
    hops = [hop for line in forwarded for hop in line.split(",")]
    for hop in reversed(hops[-_HOPS_MAX:]):
        address = read_address(hop)
        if address is None:
            break
        origin = address
        if not is_within(address, trusted):
            break
    return origin


def site_of(address: str) -> str:
    """What is counted as one sender: an IPv4 address, or an IPv6 network as one customer gets."""
    if ":" not in address:
        return address
    found = read_address(address)
    if not isinstance(found, ipaddress.IPv6Address):
        return address if found is None else str(found)
    return str(ipaddress.ip_network((int(found), _ONE_SITE_BITS), strict=False))


def _parts(text: str) -> list[str]:
    return [part for part in (each.strip() for each in text.split(",")) if part]
