"""The live page as a test follows it: somebody who has signed in, and the list's stream."""

import asyncio
import contextlib
import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec

from services.console.web.access.guarding import COOKIE
from services.console.web.access.sessions import Sessions
from services.console.web.access.user_file import User, UsersFile
from services.console.web.access.users import Users
from services.console.web.access.viewers import Role
from tests.console_server import Console

TIMEOUT_S = 10
_STREAM = re.compile(r'data-stream="([^"]*)"')
_ROW = re.compile(r'<div role="row" class="row" id="a([^"]*)".*?</div>', re.DOTALL)


def users_of(folder: Path) -> Users:
    """Nobody signs in by these: a session is begun for them."""
    path = folder / "users.json"
    users = tuple(_user(role) for role in Role)
    path.write_bytes(msgspec.json.encode(UsersFile(users=users)))
    return Users(path)


def _user(role: Role) -> User:
    return User(name=role.value, role=role, password_hash="none")


@dataclass(frozen=True, kw_only=True)
class Event:
    id: str
    name: str
    data: str

    @property
    def rows(self) -> dict[str, str]:
        """The rows in it, by alert."""
        return rows_of(self.data)


def rows_of(page: str) -> dict[str, str]:
    return {found[1]: found[0] for found in _ROW.finditer(page)}


def state_of(row: str) -> str:
    found = re.search(r"status-(\w+)", row)
    assert found is not None
    return found[1]


class Stream:
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.last_id = ""

    async def next(self) -> Event | None:
        """None at the end."""
        fields: dict[str, list[str]] = {}
        async with asyncio.timeout(TIMEOUT_S):
            async for raw in self.answer.content:
                name, _, value = raw.decode().rstrip("\r\n").partition(":")
                if name:
                    fields.setdefault(name, []).append(value.removeprefix(" "))
                elif "data" in fields:
                    self.last_id = fields.get("id", [self.last_id])[0]
                    data = "\n".join(fields["data"])
                    return Event(id=self.last_id, name=fields["event"][0], data=data)
        return None

    async def until(self, name: str) -> Event:
        """Leaves out what comes before."""
        while True:
            event = await self.next()
            assert event is not None, f"the stream has ended before {name}"
            if event.name == name:
                return event

    async def states(self, wanted: dict[str, str]) -> dict[str, str]:
        """Follows until each of these alerts has come to its state; returns what was last told of
        all that were told.
        """
        found: dict[str, str] = {}
        while not wanted.items() <= found.items():
            event = await self.until("rows")
            found.update({alert: state_of(row) for alert, row in event.rows.items()})
        return found


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who has signed in."""

    console: Console
    cookies: dict[str, str]
    session_id: str

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        url = self.console.url + path
        async with self.console.http.get(
            url, headers=headers, cookies=self.cookies, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text()

    async def stream_address(self, path: str = "/") -> str:
        """Where the page at this path is followed."""
        _, page = await self.get(path)
        found = _STREAM.search(page)
        assert found is not None
        return html.unescape(found[1])

    @contextlib.asynccontextmanager
    async def following(self, path: str, **headers: str) -> AsyncIterator[Stream]:
        url = self.console.url + path
        told = {"Accept": "text/event-stream", **headers}
        async with self.console.http.get(url, headers=told, cookies=self.cookies) as answer:
            assert answer.status == 200, await answer.text()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Stream(answer)


async def visitor(console: Console, *, role: Role = Role.OPERATOR) -> Visitor:
    begun = await Sessions(console.bus).begin(role.value, mark=_user(role).mark)
    return Visitor(console=console, cookies={COOKIE: begun.id}, session_id=begun.id)
