"""Fixtures of the browser tests: one Chromium for the package, a page or more for each test.

All of them and the tests run on the session's loop, since a browser outlives a test; so the
fixtures from elsewhere that hold a connection are made anew here, on that loop.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from nats.js import JetStreamContext
from playwright.async_api import Browser, Page, StorageState, async_playwright, expect

from libs.common.topology import ensure_topology
from services.console.web.access.user_file import User, UsersFile, hash_password
from services.console.web.access.users import Users
from services.console.web.access.viewers import Role
from tests import backends, console_server
from tests.browser import chromium, pages
from tests.browser.faults import Faults
from tests.browser.pictures import Pictures
from tests.browser.visits import TIMEOUT_MS, Visits, visiting
from tests.console_server import Console
from tests.e2e.own_routes import OwnRoutes
from tests.e2e.running_stack import RunningStack, Trader, trading

HERE = Path(__file__).parent
_FAILED = pytest.StashKey[bool]()

OpenPage = Callable[..., Awaitable[Page]]
"""`await open_page(role, device="phone")`: a page that is signed in; None: not signed in."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    is_skipped = chromium.found() is None and not chromium.is_needed()
    for item in items:
        if HERE not in item.path.parents:
            continue
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            if is_skipped:
                # Here, before anything else that it needs is started.
                item.add_marker(pytest.mark.skip(chromium.MISSING))
        if pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium.required()
    expect.set_options(timeout=TIMEOUT_MS)
    async with async_playwright() as driver:
        found = await driver.chromium.launch(
            executable_path=path,
            # Its sandbox refuses root, which is who runs tests in a container.
            chromium_sandbox=os.geteuid() != 0,
        )
        yield found
        await found.close()


@pytest.fixture
def faults() -> Faults:
    """What the pages must not do; `faults.allow("console", "422")` for what a test provokes."""
    return Faults()


@pytest_asyncio.fixture(loop_scope="session")
async def visits(
    browser: Browser, faults: Faults, request: pytest.FixtureRequest
) -> AsyncIterator[Visits]:
    """`await visits.page(base_url, device="phone", scheme="dark", javascript=False, ...)`."""
    stash = request.node.stash
    async with visiting(browser, faults, is_failed=lambda: stash.get(_FAILED, False)) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def page(visits: Visits) -> Page:
    """On a desktop, in light colours, not signed in anywhere."""
    return await visits.page()


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(otherwise=tmp_path / "pictures")


@pytest_asyncio.fixture(loop_scope="session")
async def js(nats_url: str) -> AsyncIterator[JetStreamContext]:
    async with backends.empty_log(nats_url) as context:
        yield context


@pytest.fixture(scope="package")
def console_users(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, pages.User]]:
    """The file of those who may sign in to `console`, and their passwords by role."""
    known = {role.value: {"name": role.value, "password": f"{role.value}-word"} for role in Role}
    users = tuple(
        User(name=each["name"], role=Role(role), password_hash=hash_password(each["password"]))
        for role, each in known.items()
    )
    path = tmp_path_factory.mktemp("console") / "users.json"
    path.write_bytes(msgspec.json.encode(UsersFile(users=users)))
    return path, known


@pytest_asyncio.fixture(loop_scope="session")
async def console(
    visits: Visits,
    js: JetStreamContext,
    nats_url: str,
    reader_dsn: str,
    console_users: tuple[Path, dict[str, pages.User]],
) -> AsyncIterator[Console]:
    """The console alone, over an empty log (`js`) and an empty trail (`database`)."""
    await ensure_topology(js)
    users = Users(console_users[0])
    async with console_server.running(nats_url, reader_dsn, users=users) as found:
        yield found
        await visits.leave()


@pytest.fixture
def console_page(
    visits: Visits, console: Console, console_users: tuple[Path, dict[str, pages.User]]
) -> OpenPage:
    async def open_page(role: str | None = "operator", **look: Any) -> Page:
        page = await visits.page(console.url, **look)
        return page if role is None else await pages.signed_in(page, console_users[1][role])

    return open_page


@pytest.fixture(scope="package")
def stack_sessions() -> dict[tuple[str, str], StorageState]:
    """Cookies of those who are signed in to a running stack, so that it is done once."""
    return {}


@pytest.fixture
def stack_page(
    visits: Visits, stack: RunningStack, stack_sessions: dict[tuple[str, str], StorageState]
) -> OpenPage:
    """On the running stack. A test that signs out says `fresh=True`, for a session of its own."""

    async def open_page(role: str | None = "operator", *, fresh: bool = False, **look: Any) -> Page:
        url = stack.description["console"]
        if role is None:
            return await visits.page(url, **look)
        known = None if fresh else stack_sessions.get((url, role))
        page = await visits.page(url, cookies=known, **look)
        await page.goto("/")
        if "/sign-in" in page.url:
            await pages.signed_in(page, stack.description["console_users"][role])
        if not fresh:
            stack_sessions[url, role] = await page.context.storage_state()
        return page

    return open_page


@pytest_asyncio.fixture(loop_scope="session")
async def trader(stack: RunningStack) -> AsyncIterator[Trader]:
    async with trading(stack) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def routes(trader: Trader) -> AsyncIterator[OwnRoutes]:
    own = OwnRoutes(trader)
    yield own
    await own.take_back()
