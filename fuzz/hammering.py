"""Thousands of requests as fast as they are answered: broken alerts for ingest, odd questions for
the console. What matters is what they leave behind in memory; and none may be a failure of ours.
"""

import asyncio
import random
from collections.abc import Iterator
from itertools import islice
from urllib.parse import quote

import aiohttp

from fuzz.apis import Api, Driven
from tests.mutated_bodies import WORDS, mutated_bodies

_AT_ONCE = 16
_LISTS = ("alerts", "changes", "dead", "statistics", "routes", "accounts", "halt", "events")
_NAMES = ("route", "account", "symbol", "text", "before", "limit", "status", "since", "bucket_s")

Request = tuple[str, str, bytes | None]
"""Method, address, body."""


def hammer(ingest: Api, console: Api, *, requests: int, seed: int) -> Driven:
    """So many to each of them."""
    driven = Driven()
    for asked in (_alerts(ingest, requests, seed=seed), _questions(console, requests, seed=seed)):
        asyncio.run(_hammer(asked, token=console.token, driven=driven))
    return driven


def _alerts(ingest: Api, count: int, *, seed: int) -> Iterator[Request]:
    address = f"{ingest.url}/hook/{ingest.named['token']}"
    for body in mutated_bodies(count, seed=seed):
        yield "POST", address, body


def _questions(console: Api, count: int, *, seed: int) -> Iterator[Request]:
    chance = random.Random(seed)
    for _ in range(count):
        names = chance.sample(_NAMES, chance.randrange(3))
        query = "&".join(f"{name}={_odd(chance)}" for name in names)
        yield "GET", f"{console.url}/api/{chance.choice(_LISTS)}?{query}", None


def _odd(chance: random.Random) -> str:
    text = chance.choice((*WORDS, str(chance.getrandbits(70)), str(chance.randrange(1, 500))))
    return quote(text, safe="", errors="replace")


async def _hammer(asked: Iterator[Request], *, token: str, driven: Driven) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    limits = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(headers=headers, timeout=limits) as session:
        while batch := list(islice(asked, _AT_ONCE)):
            await asyncio.gather(*(_ask(session, request, driven) for request in batch))


async def _ask(session: aiohttp.ClientSession, request: Request, driven: Driven) -> None:
    method, address, body = request
    async with session.request(method, address, data=body) as answer:
        # A stream has no end, and its beginning says all that matters here.
        is_stream = answer.content_type == "text/event-stream"
        text = b"" if is_stream else await answer.read()
    driven.calls += 1
    driven.statuses[answer.status] = driven.statuses.get(answer.status, 0) + 1
    if answer.status >= 500:
        shown = text[:300].decode(errors="replace")
        driven.findings.append(f"{method} {address} {body!r:.300}\n  {answer.status}: {shown}")
