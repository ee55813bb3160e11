"""The test form over a real NATS with a real ingest: what is explained is not sent, and what is
sent is sent once.
"""

import asyncio
import json
import re

import pytest

from libs.common.contracts.alert import Alert
from libs.common.topology import ensure_topology
from tests import service_stand
from tests.console_server import running
from tests.console_visitor import users_in, visiting
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

ACCOUNT = {
    "id": "main",
    "base_url": "https://api.mexc.com",
    "ws_url": "wss://contract.mexc.com/edge",
    "access_key": "a",
    "secret_key": "b",
}
FIELDS = {"route": "demo", "symbol": "BTCUSDT.P", "action": "buy", "quantity": "0.001"}
MARKET = {"order_type": "market", "unit": "level", "mode": "netting"}


@pytest.fixture
async def console(js, nats_url, tmp_path):
    """With an ingest; nobody else runs, and the trail is away."""
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with (
        running(nats_url, nowhere, users=users_in(tmp_path), test_s=2.0) as found,
        service_stand.ingest(nats_url),
    ):
        await found.call("POST", "/api/accounts", ACCOUNT)
        # Not even within its own window does this route know a resend.
        route = {"id": "demo", "accounts": [{"account": "main"}], "duplicate_window_s": 0}
        status, _ = await found.call("POST", "/api/routes", route)
        assert status == 201
        async with asyncio.timeout(5):
            path = "/api/routes/demo/test"
            while (await found.call("POST", path, {"send": True, "body": "{}"}))[0] == 404:
                await asyncio.sleep(0.01)
        yield found


@pytest.fixture
async def operator(console):
    async with visiting(console.url) as found:
        yield found


async def alerts(console):
    found = console.bus.entries_after(subject="alert.>", seq=0)
    return [entry.message async for entry in found if isinstance(entry.message, Alert)]


def seed_in(page):
    return re.search(r'name="seed" value="([^"]+)"', page.html)[1]


async def opened(operator, **fields):
    page = await operator.get("/routes/demo/test")
    return {**FIELDS, **MARKET, "seed": seed_in(page), **fields}


def alert_in(page):
    return re.search(r'href="/alerts/([0-9a-f-]{36})"', page.html)[1]


async def test_however_often_it_is_pressed_one_alert_is_sent(console, operator):
    form = await opened(operator)
    pages = await asyncio.gather(
        *(operator.post("/routes/-/test/send", form, htmx=True) for _ in range(4))
    )
    pages.append(await operator.post("/routes/-/test/send", form))
    assert {page.status for page in pages} == {200}
    [alert] = await alerts(console)
    assert {alert_in(page) for page in pages} == {alert.alert_id}
    assert sum("Sent, and taken." in page.text for page in pages) == 1
    assert alert.test_by == "operator from 127.0.0.1"
    assert f'hx-get="/alerts/{alert.alert_id}/journey' in pages[0].html


async def test_changed_fields_and_another_form_are_another_alert(console, operator):
    form = await opened(operator)
    await operator.post("/routes/-/test/send", form, htmx=True)
    await operator.post("/routes/-/test/send", {**form, "quantity": "0.002"}, htmx=True)
    # Back to the first one in the same form: it was sent already.
    page = await operator.post("/routes/-/test/send", form, htmx=True)
    assert "Sent already, and once" in page.text
    assert len(await alerts(console)) == 2
    await operator.post("/routes/-/test/send", await opened(operator), htmx=True)
    assert len(await alerts(console)) == 3


@pytest.mark.parametrize("seed", ["1700000000000-0123456789abcdef", "made-up", ""])
async def test_a_form_that_may_have_been_forgotten_is_not_sent(console, operator, seed):
    form = {**await opened(operator), "seed": seed}
    page = await operator.post("/routes/-/test/send", form, htmx=True)
    assert "notice bad" in page.html
    assert await alerts(console) == []


async def test_what_ingest_refuses_is_told_with_its_field(console, operator):
    page = await operator.post("/routes/-/test/send", await opened(operator, quantity=""))
    assert page.status == 200
    assert "422: order_contracts must say how much to buy" in page.text
    # The form stands there as it was.
    assert 'value="BTCUSDT.P"' in page.html
    assert await alerts(console) == []


async def test_a_dry_run_sends_nothing_and_says_who_does_not_answer(console, operator):
    page = await operator.post("/routes/-/test/explain", await opened(operator), htmx=True)
    assert page.status == 200
    assert "Not all of it could be found out" in page.text
    assert "no router has answered" in page.text
    assert await alerts(console) == []


async def test_real_money_is_named(operator):
    page = await operator.get("/routes/demo/test")
    assert "a real order goes out on account main at MEXC" in page.text
    assert '<button type="submit" class="do-send danger"' in page.html


async def test_the_preview_is_what_would_be_sent(console, operator):
    form = await opened(operator, stop="49000", target="1", unit="percent", order_type="ioc")
    page = await operator.post("/routes/-/test/preview", form, htmx=True)
    shown = json.loads(re.search(r"{.*}", page.text)[0])
    await operator.post("/routes/-/test/send", form, htmx=True)
    [alert] = await alerts(console) or [None]
    assert alert is None, "an ioc order has no price"
    form = {**form, "price": "50000"}
    await operator.post("/routes/-/test/send", form, htmx=True)
    [alert] = await alerts(console)
    sent = json.loads(alert.body)
    assert sent.pop("alert_id").startswith("test-")
    assert sent == {**shown, "price": "50000"}
