"""A test alert sent from the console over real NATS: it goes through ingest's own admission, is
told apart in the trail, and no lost answer makes a second order of it.
"""

import asyncio
import time

import nats
import pytest

from libs.common.contracts import subjects
from libs.common.contracts.alert import Alert, AlertDuplicate, AlertRefused
from libs.common.topology import ensure_topology
from tests import service_stand
from tests.console_server import running
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

TEST = "/api/routes/demo/test"
SEND = {"symbol": "BTCUSDT.P", "side": "buy", "quantity": 0.001, "send": True}
ACCOUNT = {
    "id": "main",
    "base_url": "http://127.0.0.1:2",
    "ws_url": "ws://127.0.0.1:2",
    "access_key": "a",
    "secret_key": "b",
}


@pytest.fixture
async def alone(js, nats_url):
    """A console without an ingest; the trail's database is away all the time."""
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere, test_s=0.5) as found:
        assert (await found.call("POST", "/api/accounts", ACCOUNT))[0] == 201
        route = {"id": "demo", "accounts": [{"account": "main"}], "duplicate_window_s": 0}
        locked = {"allow_addresses": ["203.0.113.9"], "body_secret": "hush-hush"}
        assert (await found.call("POST", "/api/routes", {**route, **locked}))[0] == 201
        yield found


@pytest.fixture
async def console(alone, nats_url):
    async with service_stand.ingest(nats_url):
        await knows(alone, "demo")
        yield alone


async def knows(console, route):
    """Until ingest does: a body without a ticker trades nothing."""
    async with asyncio.timeout(5):
        path = f"/api/routes/{route}/test"
        while (await console.call("POST", path, {"send": True, "body": "{}"}))[0] == 404:
            await asyncio.sleep(0.01)


async def alerts(console, kind=Alert):
    found = console.bus.entries_after(subject="alert.>", seq=0)
    return [entry.message async for entry in found if isinstance(entry.message, kind)]


async def test_it_is_stored_as_a_test_of_somebody(console):
    status, answer = await console.call("POST", TEST, SEND, **{"Alertwire-By": "anna"})
    assert (status, answer["status"], answer["sent"]) == (200, "accepted", True)
    [alert] = await alerts(console)
    assert alert.alert_id == answer["alert_id"]
    assert alert.explicit_id == answer["explicit_id"]
    assert alert.test_by == "anna from 127.0.0.1"
    assert alert.order.ticker == "BTCUSDT.P"
    assert alert.source_address == "", "it came to no webhook"


async def test_the_same_id_orders_once_though_the_route_knows_no_duplicates(console):
    sent = {**SEND, "alert_id": "mine-1"}
    _, first = await console.call("POST", TEST, sent)
    status, again = await console.call("POST", TEST, {**sent, "quantity": 5})
    assert (status, again["status"]) == (200, "duplicate")
    assert again["alert_id"] == first["alert_id"]
    assert len(await alerts(console)) == 1
    [resend] = await alerts(console, AlertDuplicate)
    assert resend.test_by.endswith("from 127.0.0.1")


async def test_two_at_once_order_once(console, nats_url):
    sent = {**SEND, "alert_id": "mine-2"}
    async with service_stand.ingest(nats_url):
        answers = await asyncio.gather(*(console.call("POST", TEST, sent) for _ in range(4)))
    assert sorted(answer["status"] for _, answer in answers) == [
        "accepted",
        *(["duplicate"] * 3),
    ]
    assert len(await alerts(console)) == 1


async def test_each_without_an_id_is_another_one(console):
    for _ in range(2):
        assert (await console.call("POST", TEST, SEND))[1]["status"] == "accepted"
    assert len({alert.explicit_id for alert in await alerts(console)}) == 2


async def test_one_of_several_ingests_takes_it(console, nats_url):
    async with service_stand.ingest(nats_url), service_stand.ingest(nats_url):
        for _ in range(5):
            assert (await console.call("POST", TEST, SEND))[0] == 200
    assert len(await alerts(console)) == 5
    assert await alerts(console, AlertDuplicate) == []


async def test_a_refused_body_is_ingests_problem(console):
    before = len(await alerts(console, AlertRefused))
    status, problem = await console.call("POST", TEST, {**SEND, "quantity": "lots"})
    assert (status, problem["reason"], problem["field"]) == (
        422,
        "field_invalid",
        "order_contracts",
    )
    assert problem["value"] == "lots"
    refused = (await alerts(console, AlertRefused))[before:]
    assert [one.test_by for one in refused] == ["console from 127.0.0.1"]
    assert refused[0].alert_id == problem["alert_id"]
    assert await alerts(console) == []


async def test_no_json_and_too_large_a_body(console):
    assert (await console.call("POST", TEST, {"send": True, "body": "Buy!"}))[0] == 415
    large = {"ticker": "B" * 70_000, "order_action": "buy"}
    assert (await console.call("POST", TEST, {"send": True, "body": large}))[0] == 413
    assert await alerts(console) == []


async def test_the_rate_is_the_routes(alone, nats_url):
    async with service_stand.ingest(nats_url, rate_per_s=0.01, rate_burst=1):
        await knows(alone, "demo")
        status, problem = await alone.call("POST", TEST, SEND)
    assert (status, problem["reason"]) == (429, "rate_exceeded")


async def test_a_secret_in_the_body_is_stored_as_stars(console):
    body = {"ticker": "BTCUSDT.P", "order_action": "buy", "order_contracts": 1, "secret": "hush"}
    assert (await console.call("POST", TEST, {"send": True, "body": body}))[0] == 200
    [alert] = await alerts(console)
    assert "hush" not in alert.body
    assert '"secret":"***"' in alert.body


async def test_without_an_ingest_nothing_is_sent(alone):
    status, problem = await alone.call("POST", TEST, SEND)
    assert status == 503
    assert problem["detail"].endswith("Nothing was sent.")
    assert await alerts(alone) == []


async def test_a_lost_answer_leaves_an_id_that_is_known_again(alone, nats_url):
    """Whoever has got the question does not answer; what it did with it, nobody can say."""
    client = await nats.connect(nats_url)
    subscription = await client.subscribe(subjects.test_asked("demo"), queue="ingest")
    await client.flush()
    status, problem = await alone.call("POST", TEST, SEND)
    assert (status, problem["field"]) == (504, "alert_id")
    assert "Sending the same again with this `alert_id` is safe" in problem["detail"]
    lost = await subscription.next_msg()
    await subscription.unsubscribe()
    async with service_stand.ingest(nats_url):
        await knows(alone, "demo")
        # It was taken after all, a moment late.
        reply = await client.request(subjects.test_asked("demo"), lost.data, timeout=2)
        assert b'"accepted"' in reply.data.replace(b"\\", b"")
        again = {**SEND, "alert_id": problem["value"]}
        status, answer = await alone.call("POST", TEST, again)
    await client.close()
    assert (status, answer["status"]) == (200, "duplicate")
    assert len(await alerts(alone)) == 1


async def test_a_question_that_is_read_late_orders_nothing(console, monkeypatch):
    monkeypatch.setattr("services.ingest.questions.LATE_S", 0.0)
    status, problem = await console.call("POST", TEST, SEND)
    assert (status, "was not acted on: nothing was sent" in problem["detail"]) == (503, True)
    assert "not known" not in problem["detail"]
    assert await alerts(console) == []


async def test_a_log_that_cannot_take_it_is_a_503_with_the_id(console, js):
    await js.delete_stream(subjects.STREAM)
    status, problem = await console.call("POST", TEST, {**SEND, "alert_id": "mine-3"})
    assert (status, problem["value"]) in {(503, "mine-3"), (504, "mine-3")}
    assert "is safe for 5 minutes" in problem["detail"]


async def test_an_old_id_of_ours_is_not_sent_again(console):
    old = f"test-{int(time.time() * 1000) - 300_000}-0123abcd"
    status, problem = await console.call("POST", TEST, {**SEND, "alert_id": old})
    assert (status, problem["field"], problem["value"]) == (409, "alert_id", old)
    assert await alerts(console) == []
    explained = {name: value for name, value in SEND.items() if name != "send"}
    assert (await console.call("POST", TEST, {**explained, "alert_id": old}))[0] == 200


async def test_a_paused_route_takes_it_as_the_webhook_would(console):
    """The router denies what opens, and the trail says so."""
    assert (await console.call("POST", "/api/routes/demo/pause"))[0] == 200
    assert (await console.call("POST", TEST, SEND))[1]["status"] == "accepted"


async def test_wrong_use(console):
    cases = [
        ({**SEND, "body": {}}, 422, "symbol"),
        ({"sned": True}, 422, "sned"),
        ({"send": True, "body": {"alert_id": ""}}, 422, "alert_id"),
        ({"send": True, "body": {"Alert_ID": "a"}, "alert_id": "b"}, 422, "alert_id"),
    ]
    for body, status, field in cases:
        answered = await console.call("POST", TEST, body)
        assert (answered[0], answered[1]["field"]) == (status, field), body
    assert (await console.call("POST", "/api/routes/none/test", SEND))[0] == 404
    assert (await console.call("POST", TEST, SEND, Authorization="Bearer x"))[0] == 401
    assert await alerts(console) == []
