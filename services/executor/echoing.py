"""Asks echo services for our own address: each by a new connection of the kind that the exchange's
client uses.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
from yarl import URL

from services.executor.addresses import read_echo
from services.executor.outgoing import connector

_BODY_MAX_BYTES = 4_096


@dataclass(frozen=True, kw_only=True, slots=True)
class Echo:
    """What one service answered."""

    service: str
    """Its host: an address of it may hold what nobody should read."""
    address: str | None
    why: str = ""
    """Why there is no address."""


async def ask_echoes(urls: Iterable[str], *, timeout_s: float) -> list[Echo]:
    """All side by side. Raises nothing that is expected to go wrong."""
    async with aiohttp.ClientSession(
        connector=connector(force_close=True),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "text/plain, application/json"},
    ) as session:
        return await asyncio.gather(*(_ask(session, URL(url)) for url in urls))


async def _ask(session: aiohttp.ClientSession, url: URL) -> Echo:
    service = url.host or ""
    try:
        async with session.get(url, allow_redirects=False) as reply:
            body = bytearray()
            async for part in reply.content.iter_chunked(_BODY_MAX_BYTES):
                body += part
                if len(body) >= _BODY_MAX_BYTES:
                    break
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Echo(service=service, address=None, why=type(error).__name__)
    address = read_echo(bytes(body)) if reply.status == 200 else None
    why = "" if address is not None else f"HTTP {reply.status}, not an address"
    return Echo(service=service, address=address, why=why)
