"""Signing in to the pages: passwords, sessions, forms of other sites, roles."""

import aiohttp
import msgspec
import pytest

from libs.common.topology import ensure_topology
from services.console.web.access.guarding import COOKIE
from services.console.web.access.signing_in import local
from services.console.web.access.users import User, Users, UsersFile, hash_password
from services.console.web.access.viewers import Role
from tests.console_server import running
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def users_file(tmp_path):
    path = tmp_path / "users.json"
    users = tuple(
        User(name=role.value, role=role, password_hash=hash_password(f"{role.value}-word"))
        for role in Role
    )
    path.write_bytes(msgspec.json.encode(UsersFile(users=users)))
    return path


@pytest.fixture
async def console(js, nats_url, users_file):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere, users=Users(users_file)) as found:
        yield found


@pytest.fixture
async def browser(console):
    # Loopback addresses have no cookies unless the jar is told so.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def sign_in(browser, console, *, name="operator", password=None, **headers):
    form = {"name": name, "password": password or f"{name}-word", "next": "/sign-in?next=/here"}
    async with browser.post(
        console.url + "/sign-in", data=form, headers=headers, allow_redirects=False
    ) as answer:
        await answer.read()
        return answer


async def test_the_right_password_begins_a_session_and_signing_out_ends_it(console, browser):
    answer = await sign_in(browser, console)
    assert answer.status == 303
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    bucket = await console.bus.js.key_value("sessions")
    [key] = await bucket.keys()
    stored = (await bucket.get(key)).value
    assert cookie.value.encode() not in stored
    assert cookie.value not in key
    csrf = msgspec.json.decode(stored)["csrf"]
    url = console.url + "/sign-out"
    async with browser.post(url, data={"csrf": "other"}, allow_redirects=False) as refused:
        assert refused.status == 403
    async with browser.post(url, data={"csrf": csrf}, allow_redirects=False) as done:
        assert done.status == 303
    async with browser.get(console.url + "/", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/sign-in"
    # A thief's copy of the cookie is worth nothing from now on.
    async with console.http.get(
        console.url + "/", cookies={COOKIE: cookie.value}, allow_redirects=False
    ) as answer:
        assert answer.status == 303


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(console, browser):
    texts = []
    for name in ("operator", "nobody"):
        answer = await sign_in(browser, console, name=name, password="guess")
        assert answer.status == 401
        assert COOKIE not in answer.cookies
        texts.append((await answer.text()).replace(name, ""))
    assert texts[0] == texts[1]


async def test_guessing_is_slowed_down(console, browser):
    for _ in range(10):
        assert (await sign_in(browser, console, password="guess")).status == 401
    answer = await sign_in(browser, console)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_form_of_another_site_does_not_sign_in(console, browser):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await sign_in(browser, console, **headers)).status == 403
    headers = {"Origin": "https://evil.example"}
    assert (await sign_in(browser, console, **headers)).status == 403


async def test_somebody_taken_out_of_the_file_is_out_at_once(console, browser, users_file):
    await sign_in(browser, console)
    users_file.write_bytes(msgspec.json.encode(UsersFile()))
    async with browser.get(console.url + "/", allow_redirects=False) as answer:
        assert answer.status == 303


async def test_pages_bring_no_token_of_the_api(console, browser):
    """The session opens pages alone."""
    await sign_in(browser, console)
    async with browser.get(console.url + "/api/routes") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    "place",
    ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\r\nb"],
    ids=["slashes", "address", "backslash", "relative", "empty", "header"],
)
def test_signing_in_leads_to_places_of_ours_only(place):
    assert local(place) == "/"
    assert local("/alerts/1?x=2") == "/alerts/1?x=2"
