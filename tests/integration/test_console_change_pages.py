"""`/changes`: who changed what by hand, through a real log and trail; and no secret in it."""

import asyncio

import pytest

from libs.common.topology import ensure_topology
from services.console.web.access.users import Users
from tests.api_bodies import ACCOUNT, SECRET
from tests.console_people import somebody, write_users
from tests.console_server import running
from tests.integration.test_changes import auditing
from tests.postgres_gate import Gate
from tests.secrecy import assert_no_secrets

pytestmark = pytest.mark.integration

BODY_SECRET = "body-secret-of-btc"
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
async def console(js, nats_url, reader_dsn, tmp_path):
    await ensure_topology(js)
    write_users(tmp_path / "users.json")
    async with running(nats_url, reader_dsn, users=Users(tmp_path / "users.json")) as found:
        yield found


@pytest.fixture
async def gate(writer_dsn):
    gate = Gate(writer_dsn)
    await gate.open()
    yield gate
    await gate.close()


async def page_with(person, *texts, path="/changes"):
    """Each bucket has a reader of its own, so what is told first may come last."""
    async with asyncio.timeout(20):
        while True:
            page = await person.get(path)
            if page.status == 200 and all(text in page.text for text in texts):
                return page.text
            await asyncio.sleep(0.1)


async def test_changes_are_told_with_who_and_from_what_to_what(console, nats_url, gate):
    async with auditing(nats_url, gate), somebody(console, "operator") as operator:
        by = {"Alertwire-By": HOSTILE}
        await console.call("POST", "/api/accounts", ACCOUNT, **by)
        route = {"id": "btc", "accounts": [{"account": "main"}], "body_secret": BODY_SECRET}
        _, made = await console.call("POST", "/api/routes", route)
        await console.call(
            "PATCH", "/api/routes/btc", {"leverage": 3, "body_secret": "another-one"}
        )
        await console.call("DELETE", "/api/routes/none")
        await operator.post("/halts", what="route:btc", reason="too fast")
        page = await page_with(operator, "operator from 127.0.0.1", "leverage", "never shown")
        token = made["webhook"].rsplit("/", 1)[1]
        assert_no_secrets(page, SECRET, BODY_SECRET, token, "another-one", ACCOUNT["access_key"])
        assert HOSTILE not in page
        assert "&lt;img src=x" in page
        assert "too fast" in page
        assert page.index("halted") < page.index("leverage")
        assert '<del class="foreign">10</del>' in page
        assert '<ins class="foreign">3</ins>' in page
        assert "changed, never shown" in page
        # The trail tells what was halted, and by whom, on the page of halts, too.
        await page_with(operator, "operator from 127.0.0.1", path="/halts")
        only = await page_with(
            operator, "from 127.0.0.1", path="/changes?kind=control&id=btc&by=OPERATOR"
        )
        assert "too fast" in only
        assert "leverage" not in only
        assert "No change is like that" in (await operator.get("/changes?by=nobody")).text
        assert (await operator.get("/changes?kind=none")).status == 422
        assert (await operator.get("/changes?before=none")).status == 422
        _, found = await console.call("GET", "/api/changes?by=operator")
        assert [change["kind"] for change in found["changes"]] == ["control"]


async def test_older_changes_are_a_page_away(console, nats_url, gate):
    async with auditing(nats_url, gate), somebody(console, "viewer") as viewer:
        await console.call("POST", "/api/accounts", ACCOUNT)
        for number in range(51):
            change = {"order_calls_per_2s": number + 100}
            await console.call("PATCH", "/api/accounts/main", change)
        newest = await page_with(viewer, ">150<")
        assert "secret key of main" not in newest
        older = newest.split('href="/changes?before=')[1].split('"')[0]
        assert "secret key of main" in (await viewer.get(f"/changes?before={older}")).text
