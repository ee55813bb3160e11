"""People at the console's pages, as far as HTTP goes: signed in, with the proof for their forms."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import msgspec

from services.console.web.access.user_file import User, UsersFile, hash_password
from services.console.web.access.viewers import Role
from tests.console_server import Console

HTMX = {"HX-Request": "true"}
_HASHES = {role: hash_password(f"{role.value}-word") for role in Role}
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def write_users(path, *, roles=tuple(Role), **passwords):
    """One of each role, named as it, with the password `ROLE-word` where no other is given."""
    users = tuple(
        User(
            name=role.value,
            role=role,
            password_hash=hash_password(passwords[role.value])
            if role.value in passwords
            else _HASHES[role],
        )
        for role in roles
    )
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(msgspec.json.encode(UsersFile(users=users)))
    fresh.replace(path)


@dataclass(kw_only=True)
class Page:
    status: int
    text: str
    headers: object
    cookies: object


@dataclass(kw_only=True)
class Person:
    http: aiohttp.ClientSession
    url: str
    csrf: str = ""

    async def get(self, path, **headers) -> Page:
        return await self.ask("GET", path, headers=headers)

    async def ask(self, method, path, *, headers=None, data=None) -> Page:
        async with self.http.request(
            method, self.url + path, data=data, headers=headers or {}, allow_redirects=False
        ) as answer:
            return Page(
                status=answer.status,
                text=await answer.text(),
                headers=answer.headers,
                cookies=answer.cookies,
            )

    async def post(self, path, *, headers=None, **fields) -> Page:
        """As a form of ours."""
        return await self.ask("POST", path, headers=headers, data={"csrf": self.csrf, **fields})

    async def sign_in(self, name, password=None, **headers) -> Page:
        form = {"name": name, "password": password or f"{name}-word"}
        answer = await self.ask("POST", "/sign-in", data=form, headers=headers)
        if answer.status == 303:
            found = _CSRF.search((await self.get("/halts")).text)
            self.csrf = found[1] if found else ""
        return answer


@contextlib.asynccontextmanager
async def somebody(console: Console, name: str | None = None) -> AsyncIterator[Person]:
    """With an own jar of cookies; signed in where a name is given."""
    # Loopback addresses have no cookies unless the jar is told so.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        person = Person(http=http, url=console.url)
        if name is not None:
            assert (await person.sign_in(name)).status == 303
        yield person
