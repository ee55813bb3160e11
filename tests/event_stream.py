"""Server-sent events as a test reads them: each with its id, name and data, comments apart."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

TIMEOUT_S = 10


@dataclass(kw_only=True)
class Followed:
    """One stream."""

    answer: aiohttp.ClientResponse
    comments: list[str] = field(default_factory=list)
    place: int | None = None
    """To come back to, as a comment last told."""

    async def next(self) -> tuple[str, str, dict[str, Any]] | None:
        """The next event as id, name and data; None at the end of the stream."""
        return await self._next(until_beat=False)

    async def until_silence(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Every event before the next heartbeat, which tells that nothing is left."""
        found = []
        while (event := await self._next(until_beat=True)) is not None:
            found.append(event)
        return found

    async def _next(self, *, until_beat: bool) -> tuple[str, str, dict[str, Any]] | None:
        async with asyncio.timeout(TIMEOUT_S):
            fields: dict[str, str] = {}
            async for raw in self.answer.content:
                line = raw.decode().rstrip("\r\n")
                name, _, value = line.partition(":")
                if line.startswith(":"):
                    self.comments.append(value.strip())
                    if until_beat and self.comments[-1] == "still here":
                        return None
                elif line:
                    fields[name] = value.removeprefix(" ")
                elif "data" not in fields:
                    # The id of a comment, which is the place to come back to.
                    fields.clear()
                else:
                    return fields.get("id", ""), fields["event"], json.loads(fields["data"])
        return None

    async def take(self, count: int) -> list[tuple[str, str, dict[str, Any]]]:
        found = [await self.next() for _ in range(count)]
        assert None not in found, "the stream has ended"
        return [event for event in found if event is not None]

    async def seqs(self, count: int) -> list[int]:
        return [int(number) for number, _, _ in await self.take(count)]

    async def comment(self, count: int) -> None:
        """Read on until there were so many comments; no event may come."""
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.comments) < count:
                line = await self.answer.content.readline()
                assert line, "the stream has ended"
                assert not line.startswith(b"data"), line
                if line.startswith(b"id:"):
                    self.place = int(line[3:])
                if line.startswith(b":"):
                    self.comments.append(line[1:].decode().strip())


@contextlib.asynccontextmanager
async def following(
    http: aiohttp.ClientSession, url: str, *, token: str, **headers: str
) -> AsyncIterator[Followed]:
    async with http.get(url, headers={"Authorization": f"Bearer {token}", **headers}) as answer:
        assert answer.status == 200, await answer.text()
        yield Followed(answer=answer)
