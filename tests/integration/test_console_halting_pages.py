"""Halting and resuming by the pages: by whom, what others see at once, and what a lost log says."""

import asyncio
import re

import msgspec
import pytest

from libs.common.contracts.control import Control
from libs.common.express import ExpressClient
from libs.common.topology import ensure_topology
from services.console.web.access.users import Users
from tests.api_bodies import ACCOUNT
from tests.console_people import HTMX, somebody, write_users
from tests.console_server import running
from tests.nats_process import NatsProcess
from tests.secrecy import assert_no_secrets
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

NOWHERE = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
HOSTILE = "</p><script>alert(1)</script>\u202eevil"


@pytest.fixture
async def console(js, nats_url, tmp_path):
    """It halts while Postgres is away, too."""
    await ensure_topology(js)
    write_users(tmp_path / "users.json")
    async with running(nats_url, NOWHERE, users=Users(tmp_path / "users.json")) as found:
        await found.call("POST", "/api/accounts", ACCOUNT)
        await found.call("POST", "/api/routes", {"id": "btc", "accounts": [{"account": "main"}]})
        yield found


@pytest.fixture
async def operator(console):
    async with somebody(console, "operator") as found:
        yield found


@pytest.fixture
async def viewer(console):
    async with somebody(console, "viewer") as found:
        yield found


async def kept(console, key):
    return msgspec.json.decode(await console.stored("controls", key), type=Control)


def seen(page):
    """What the page's banner shows already."""
    return re.search(r"/halts/banner\?seen=(\w+)", page.text)[1]


@pytest.mark.parametrize(
    ("what", "key"),
    [("all", "all"), ("account:main", "account.main"), ("route:btc", "route.btc")],
    ids=["all", "account", "route"],
)
async def test_a_form_halts_what_it_names_and_another_resumes_it(console, operator, what, key):
    done = await operator.post("/halts", what=what, flatten="yes", reason=" enough ")
    assert (done.status, done.headers["Location"]) == (303, "/halts")
    control = await kept(console, key)
    assert (control.flatten, control.reason, control.by) == (True, "enough", "operator")
    assert control.accounts == ("main",)
    message = await console.bus.js.get_last_msg("KV_controls", f"$KV.controls.{key}")
    assert message.headers["Alertwire-By"] == "operator from 127.0.0.1"
    # Whoever did it sees it on the very next page.
    assert "Yes, resume" in (await operator.get("/halts")).text
    assert (await operator.post("/halts/resume", what=what)).status == 303
    assert "Yes, resume" not in (await operator.get("/halts")).text
    assert await console.call("GET", "/api/halt") == (200, {"halts": []})


async def test_without_the_box_nothing_is_closed(console, operator):
    await operator.post("/halts", what="all")
    assert not (await kept(console, "all")).flatten


async def test_the_banner_of_an_open_page_learns_of_it_within_two_seconds(operator, viewer):
    page = await viewer.get("/halts")
    address = f"/halts/banner?seen={seen(page)}"
    assert (await viewer.get(address, **HTMX)).status == 204
    await operator.post("/halts", what="all", reason=HOSTILE, headers=HTMX)
    async with asyncio.timeout(2):
        while (banner := await viewer.get(address, **HTMX)).status == 204:
            await asyncio.sleep(0.05)
    assert banner.headers["HX-Trigger"] == "halts-changed"
    assert "Everything is halted" in banner.text
    assert "operator" in banner.text
    assert "&lt;script&gt;" in banner.text
    assert "<script>" not in banner.text
    # Looked at, and not to be touched.
    assert "resume" not in banner.text.lower()
    assert "Yes, resume everything" in (await operator.get("/halts")).text
    assert (await viewer.get(f"/halts/banner?seen={seen(banner)}", **HTMX)).status == 204


async def test_a_viewer_has_no_button(viewer, operator):
    ours = (await operator.get("/halts")).text
    assert 'id="stop-open"' in ours
    assert "account:main" in ours
    assert "stop" not in (await viewer.get("/halts")).text.lower()


async def test_the_dialog_offers_what_there_is(operator):
    places = (await operator.get("/halts/places", **HTMX)).text
    assert 'value="account:main"' in places
    assert 'value="route:btc"' in places
    assert_no_secrets(places, ACCOUNT["secret_key"], ACCOUNT["access_key"])


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"what": ""}, 422),
        ({"what": "all:main"}, 422),
        ({"what": "account"}, 422),
        ({"what": "account:nobody"}, 404),
        ({"what": "account:a b>*"}, 404),
        ({"what": "all", "reason": "x" * 501}, 422),
    ],
    ids=["nothing", "all-of-one", "no-name", "unknown", "no-key", "long"],
)
async def test_what_cannot_be_halted_is_said_in_words(console, operator, form, status):
    refused = await operator.post("/halts", headers=HTMX, **form)
    assert refused.status == status
    assert 'class="notice bad"' in refused.text
    assert await console.call("GET", "/api/halt") == (200, {"halts": []})


async def test_resuming_what_is_not_halted_says_what_is(operator):
    await operator.post("/halts", what="route:btc")
    refused = await operator.post("/halts/resume", what="all")
    assert refused.status == 404
    assert "route btc" in refused.text


async def test_without_the_trail_the_page_halts_and_says_so(operator):
    page = await operator.get("/halts")
    assert page.status == 200
    assert "The trail cannot be read now" in page.text
    assert "Stop trading" in page.text


async def test_without_the_log_nothing_is_said_to_be_stopped(tmp_path):
    """Nor can anybody be known then: the sessions are in the log, too."""
    server = NatsProcess(tmp_path)
    write_users(tmp_path / "users.json")
    await server.start()
    try:
        client = ExpressClient()
        await client.connect(server.url)
        await ensure_topology(client.jetstream())
        await client.close()
        async with running(server.url, NOWHERE, users=Users(tmp_path / "users.json")) as console:
            async with somebody(console, "operator") as operator:
                await server.stop()
                refused = await operator.post("/halts", what="all", headers=HTMX)
                assert refused.status == 503
                assert "NOTHING is stopped" in refused.text
                status, told = await console.call("POST", "/api/halt", {"scope": "all"})
                assert status == 503
                assert told["detail"].startswith("NOTHING is stopped")
                # What was told as not done is not done later.
                await server.start()
                async with asyncio.timeout(20):
                    while await console.call("GET", "/api/halt") != (200, {"halts": []}):
                        await asyncio.sleep(0.05)
    finally:
        await server.stop()
