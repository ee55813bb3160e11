"""The console's stream of events, read for as long as somebody wants it: where it breaks it is
opened again behind the last event, so that nothing is missed and nothing comes twice.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any

import aiohttp
import click

from tools.cli.calling import NotFound, told
from tools.cli.place import Console

Event = dict[str, Any]
Query = Sequence[tuple[str, str]]
_CONNECT_S = 10
_SILENCE_S = 50
"""Three heartbeats."""
_RETRY_S = (0.2, 0.5, 1, 2, 5)


class _BrokenError(Exception):
    """The stream has ended, and may be opened again."""


async def follow(
    console: Console, query: Query, *, notice: Callable[[str], None]
) -> AsyncGenerator[Event, None]:
    """Each event's document. Raises `click.ClickException` where the console refuses, or does not
    answer the first time; later it is tried until it does.
    """
    stream = _Stream(console, query, notice=notice)
    failed = 0
    while True:
        try:
            async for event in stream.read():
                yield event
        except _BrokenError as why:
            if not stream.was_open:
                raise click.ClickException(str(why)) from None
            if stream.is_open:
                failed = 0
                notice(f"{why}; connecting again")
            await asyncio.sleep(_RETRY_S[min(failed, len(_RETRY_S) - 1)])
            failed += 1


class _Stream:
    """One stream over several connections."""

    def __init__(self, console: Console, query: Query, *, notice: Callable[[str], None]) -> None:
        self.was_open = False
        self.is_open = False
        self._console = console
        self._query = query
        self._notice = notice
        self._last = ""

    async def read(self) -> AsyncIterator[Event]:
        """The events of one connection; raises `_BrokenError` at its end."""
        self.is_open = False
        headers = {"Authorization": f"Bearer {self._console.token}"}
        if self._last:
            headers["Last-Event-ID"] = self._last
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
        url = f"{self._console.url}/api/events"
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(url, params=list(self._query)) as answer,
            ):
                await self._check(answer)
                if self.was_open:
                    self._notice("following again; nothing was missed")
                self.was_open = self.is_open = True
                async for name, data in self._events(answer):
                    if name == "lagging":
                        raise _BrokenError("the console cut the stream off: it was read too slowly")
                    found = json.loads(data)
                    if name == "forgotten":
                        self._notice(f"the log has forgotten what came before {found['first']}")
                        continue
                    yield found
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise _BrokenError(
                f"the console at {self._console.url} does not answer: {why}"
            ) from None
        except ValueError:
            raise click.ClickException(
                f"{self._console.url} is no console: it tells no events"
            ) from None
        raise _BrokenError("the console has ended the stream")

    async def _check(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status >= 400:
            why = told(answer.status, await answer.text())
            if answer.status >= 500:
                raise _BrokenError(why)
            raise (NotFound if answer.status == 404 else click.ClickException)(why)
        if answer.content_type != "text/event-stream":
            raise ValueError

    async def _events(self, answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str]]:
        name, number, data = "", self._last, list[str]()
        async for line in _lines(answer):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match field:
                case "id":
                    number = value
                case "event":
                    name = value
                case "data":
                    data.append(value)
                case "" if not line:
                    # Not before: what breaks off in the middle comes again whole.
                    self._last = number
                    if data:
                        yield name, "\n".join(data)
                    name, data = "", []


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    # The library's own reading by lines gives up where one is long.
    rest = b""
    async for chunk in answer.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").removesuffix("\r")
