"""Asks the console what people ask, over HTTP, and times the answers."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.errors import BenchError
from bench.figures import Spread, spread


@dataclass(frozen=True, kw_only=True)
class Question:
    """`path` below `/api`; each of `many` is asked once, in turn."""

    name: str
    many: Sequence[tuple[str, Mapping[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Timed:
    name: str
    took_ms: Spread | None
    found: int
    """Events of journeys, or lines of pages, in all answers."""


@dataclass(frozen=True, kw_only=True)
class Console:
    session: aiohttp.ClientSession
    url: str
    token: str

    async def ask(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.url}/api{path}"
        async with self.session.get(url, params=query, headers=headers) as answer:
            content: dict[str, Any] = await answer.json()
            if answer.status != 200:
                raise BenchError(f"{path} answered {answer.status}: {content}")
            return content

    async def time(self, question: Question) -> Timed:
        took: list[float] = []
        found = 0
        for path, query in question.many:
            began = time.perf_counter()
            content = await self.ask(path, query)
            took.append((time.perf_counter() - began) * 1000)
            found += len(content.get("alerts") or content.get("events") or ())
        return Timed(name=question.name, took_ms=spread(took), found=found)
