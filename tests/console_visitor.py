"""Somebody who has signed in to the console, without a browser: reads pages, sends forms."""

import contextlib
import html
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from services.console.web.access.user_file import User, UsersFile, hash_password
from services.console.web.access.users import Users
from services.console.web.access.viewers import Role

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TAGS = re.compile(r"<[^>]+>")

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Page:
    status: int
    html: str
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """What people read, in one line."""
        return " ".join(html.unescape(_TAGS.sub(" ", self.html)).split())


@dataclass(kw_only=True)
class Visitor:
    session: aiohttp.ClientSession
    url: str
    csrf: str = ""

    async def get(self, path: str, *, htmx: bool = False) -> Page:
        headers = {"HX-Request": "true"} if htmx else {}
        async with self.session.get(self.url + path, headers=headers, allow_redirects=False) as got:
            return Page(status=got.status, html=await got.text(), headers=got.headers)

    async def post(
        self, path: str, fields: Fields = (), *, htmx: bool = False, csrf: str | None = None
    ) -> Page:
        """As a plain form, or as htmx sends it."""
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        pairs.append(("csrf", self.csrf if csrf is None else csrf))
        headers = {"HX-Request": "true"} if htmx else {}
        async with self.session.post(
            self.url + path, data=pairs, headers=headers, allow_redirects=False
        ) as got:
            return Page(status=got.status, html=await got.text(), headers=got.headers)


def users_in(folder: Path) -> Users:
    """One of each role, in a file of the folder; the password is the role's name and `-word`."""
    path = folder / "users.json"
    users = tuple(
        User(name=role.value, role=role, password_hash=hash_password(f"{role.value}-word"))
        for role in Role
    )
    path.write_bytes(msgspec.json.encode(UsersFile(users=users)))
    return Users(path)


@contextlib.asynccontextmanager
async def visiting(url: str, *, role: str = "operator") -> AsyncIterator[Visitor]:
    # Loopback addresses have no cookies unless the jar is told so.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        visitor = Visitor(session=session, url=url)
        known: dict[str, Any] = {"name": role, "password": f"{role}-word", "next": "/routes"}
        async with session.post(url + "/sign-in", data=known, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
        found = _CSRF.search((await visitor.get("/routes")).html)
        assert found is not None
        visitor.csrf = found[1]
        yield visitor
