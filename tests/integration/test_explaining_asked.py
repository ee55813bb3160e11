"""An alert explained before it is sent: the console asks ingest, router and executor over real
NATS, and the executor looks at the paper exchange.
"""

import asyncio
import contextlib
import json

import pytest

from libs.common.contracts import subjects
from libs.common.topology import ensure_topology
from tests import service_stand
from tests.console_server import running
from tests.paper_client import PaperClient, order_body
from tests.paper_server import address_fixture  # noqa: F401 - a fixture
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

TEST = "/api/routes/demo/test"
BUY = {"symbol": "BTCUSDT.P", "side": "buy", "quantity": 0.001}
SELL_TWICE = {"symbol": "BTCUSDT.P", "side": "sell", "quantity": "0.002"}


@pytest.fixture
async def console(js, nats_url):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere) as found:
        yield found


@pytest.fixture
async def paper(console, address):
    """The account `main`, and its owner's own client at the exchange."""
    async with PaperClient(address) as anyone:
        keys = await anyone.control("POST", "accounts", {"balance": "10000", "position_mode": 1})
    account = {"id": "main", "base_url": address, "ws_url": f"{address}/edge".replace("http", "ws")}
    assert (await console.call("POST", "/api/accounts", {**account, **keys}))[0] == 201
    route = {"id": "demo", "accounts": [{"account": "main"}], "body_secret": "hush-hush"}
    assert (await console.call("POST", "/api/routes", route))[0] == 201
    async with PaperClient(address, keys["access_key"], keys["secret_key"]) as client:
        await client.control("PUT", "prices/BTC_USDT", {"last": "50000"})
        yield client


@contextlib.asynccontextmanager
async def all_services(url):
    async with service_stand.executor(url) as parts, service_stand.router(url):
        async with service_stand.ingest(url):
            yield parts


@pytest.fixture
async def services(paper, nats_url):
    async with all_services(nats_url) as parts:
        yield parts


async def explained(console, fields, **more):
    status, found = await console.call("POST", TEST, {**fields, **more})
    assert status == 200, found
    return found


async def sole(console, fields, **more):
    found = await explained(console, fields, **more)
    [account] = found["accounts"]
    return account


async def test_it_is_explained_with_what_is_held(console, paper, services):
    await paper.post("/api/v1/private/order/create", order_body(vol=10))
    found = await explained(console, SELL_TWICE, comment="hi")
    assert (found["route"], found["outcome"], found["sent"]) == ("demo", "planned", False)
    assert (found["order"]["action"], found["order"]["quantity"]) == ("sell", "0.002")
    assert found["refusal"] is None
    assert "the body secret is right" in found["assumptions"]
    [account] = found["accounts"]
    assert (account["account"], account["outcome"]) == ("main", "planned")
    assert account["intent"]["contracts"] == "20"
    assert "ticker BTCUSDT.P is BTC_USDT by its name" in account["intent"]["steps"]
    assert account["steps"][-1] == "holding long 10: close long 10, then open short 10"
    legs = [(leg["effect"], leg["position_side"], leg["contracts"]) for leg in account["legs"]]
    assert legs == [("close", "long", "10"), ("open", "short", "10")]
    picture = account["picture"]
    assert [(one["side"], one["contracts"]) for one in picture["holdings"]] == [("long", "10")]
    assert (picture["position_mode"], picture["busy"]) == ("hedge", False)
    assert "client_order_id" not in account["legs"][0], "nobody would find it"


async def test_prices_and_equity_are_the_exchanges(console, paper, services):
    change = {"sizing": {"mode": "percent_equity", "value": "5"}}
    assert (await console.call("PATCH", "/api/routes/demo", change))[0] == 200
    account = await sole(console, {"symbol": "BTCUSDT.P", "side": "buy", "stop_loss": 500})
    assert account["picture"]["equity"] == "10000"
    assert account["picture"]["prices"]["last"] == "50000"
    [leg] = account["legs"]
    assert (leg["contracts"], leg["stop_price"]) == ("100", "49500")


async def test_nothing_is_sent_set_or_stored(console, paper, services, js):
    before = (await js.stream_info(subjects.STREAM)).state.last_seq
    calls = len(await paper.control("GET", "requests"))
    moved = repr(services.shard._resting._orders)
    budget = [one.budget.left for one in services.accounts.current()]
    await explained(console, {**BUY, "leverage": 7, "stop_loss": 100})
    after = (await paper.control("GET", "requests"))[calls:]
    assert [one["path"] for one in after if "body" in one] == [], "it only reads"
    assert [one.budget.left for one in services.accounts.current()] == budget
    assert repr(services.shard._resting._orders) == moved
    assert (await js.stream_info(subjects.STREAM)).state.last_seq == before


async def test_a_refused_body_says_which_field(console, paper, services):
    found = await explained(console, {"symbol": "BTCUSDT.P", "side": "buy"})
    assert (found["outcome"], found["accounts"], found["order"]) == ("refused", [], None)
    refusal = found["refusal"]
    assert (refusal["status"], refusal["reason"]) == (422, "field_missing")
    assert refusal["field"] == "order_contracts"


@pytest.mark.parametrize(
    "body",
    [
        {"ticker": "BTCUSDT.P", "order_action": "buy", "order_contracts": 1, "secret": "hush-hush"},
        '{"ticker": "BTCUSDT.P", "secret": "hush-hush", "order_action"',
        '{"ticker": "BTCUSDT.P", secret=hush-hush, "order_action": "buy"}',
        '"secret" is hush-hush',
    ],
    ids=["object", "cut", "loose", "prose"],
)
async def test_a_secret_is_never_shown(console, paper, services, body):
    found = await explained(console, {"body": body})
    assert "hush" not in json.dumps(found)


async def test_what_the_router_denies(console, paper, services):
    account = await sole(console, {**BUY, "symbol": "NONEUSDT.P"})
    assert (account["outcome"], account["denied_by"]) == ("denied", "router")
    assert account["denial"]["reason"] == "symbol_unknown"
    assert (account["intent"], account["legs"], account["picture"]) == (None, [], None)


async def test_a_paused_route_with_nothing_held(console, paper, services):
    """The router lets pass what might close something; there is nothing to close."""
    assert (await console.call("POST", "/api/routes/demo/pause"))[0] == 200
    account = await sole(console, BUY)
    assert (account["outcome"], account["denied_by"]) == ("denied", "executor")
    assert account["denial"]["reason"] == "route_paused"
    assert account["picture"]["holdings"] == []


async def test_what_is_halted_is_withheld(console, paper, services):
    await paper.post("/api/v1/private/order/create", order_body(vol=10))
    halt = {"scope": "account", "id": "main", "reason": "enough"}
    assert (await console.call("POST", "/api/halt", halt))[0] == 200
    async with asyncio.timeout(5):
        while (account := await sole(console, SELL_TWICE))["outcome"] == "planned":
            await asyncio.sleep(0.02)
    assert account["outcome"] == "partial"
    assert account["withheld"]["reason"] == "halted"
    assert [leg["effect"] for leg in account["legs"]] == ["close"]


async def test_what_the_executor_denies(console, paper, services):
    """The exchange has the account in another mode than it is set up for."""
    changed = {"position_mode": "one_way"}
    assert (await console.call("PATCH", "/api/accounts/main", changed))[0] == 200
    async with asyncio.timeout(10):
        while (account := await sole(console, BUY))["outcome"] != "denied":
            await asyncio.sleep(0.02)
    assert (account["denied_by"], account["denial"]["reason"]) == (
        "executor",
        "position_mode_differs",
    )
    assert account["denial"]["context"] == {"expected": "one_way", "told": "hedge"}


async def test_an_exchange_that_does_not_answer_is_said(console, paper, services):
    fault = {"path": "/api/v1/contract/ticker", "kind": "http_502", "count": 1000}
    await paper.control("PUT", "faults", [fault])
    account = await sole(console, {**BUY, "stop_loss": 500})
    assert account["outcome"] == "unplanned"
    assert "the exchange does not tell what the plan needs" in account["problem"]
    assert account["intent"]["contracts"] == "10", "the rest stands"


async def test_a_service_that_does_not_answer_is_said_and_the_rest_stands(console, paper, nats_url):
    found = await explained(console, BUY)
    assert "no ingest has answered (nobody listens)" in found["problem"]
    assert found["body"] is None, "what of it is secret, nobody has told"
    async with service_stand.ingest(nats_url):
        found = await explained(console, BUY)
        assert found["order"]["action"] == "buy"
        assert "no router has answered" in found["accounts"][0]["problem"]
        async with service_stand.executor(nats_url):
            pass  # Now the router knows the contracts.
        async with service_stand.router(nats_url):
            found = await explained(console, BUY)
            [account] = found["accounts"]
            assert account["intent"]["contracts"] == "10"
            assert "no executor that owns account main has answered" in account["problem"]
            assert found["outcome"] == "unplanned"


async def test_an_unknown_route_and_a_wrong_token(console):
    assert (await console.call("POST", "/api/routes/none/test", BUY))[0] == 404
    status, _ = await console.call("POST", TEST, BUY, Authorization="Bearer wrong")
    assert status == 401


async def test_an_order_does_not_wait_for_a_question(console, paper, services, nats_url):
    """The exchange hangs over what the question needs, while an alert is traded."""
    fault = {"path": "/api/v1/contract/ticker", "kind": "hang", "ms": 60_000, "count": 1000}
    await paper.control("PUT", "faults", [fault])
    question = asyncio.create_task(sole(console, {**BUY, "stop_loss": 500}))
    status, answer = await console.call("POST", TEST, {**BUY, "send": True})
    assert (status, answer["status"]) == (200, "accepted")
    async with asyncio.timeout(3):
        while not await paper.control("GET", "requests?path=/api/v1/private/order/create"):
            await asyncio.sleep(0.02)
    assert not question.done(), "it is still waited for"
    account = await question
    assert account["outcome"] == "unplanned"


async def test_more_questions_than_a_few_are_told_so(console, paper, services):
    fault = {"path": "/api/v1/contract/ticker", "kind": "hang", "ms": 60_000, "count": 1000}
    await paper.control("PUT", "faults", [fault])
    asked = [sole(console, {**BUY, "stop_loss": 500}) for _ in range(3)]
    found = await asyncio.gather(*asked)
    assert sum("busy with other questions" in account["problem"] for account in found) == 1


async def test_another_shards_executor_keeps_silent(console, paper, js, nats_url, monkeypatch):
    monkeypatch.setattr("services.console.explaining.PLANNED_WITHIN_S", 0.3)
    other = 1 - subjects.shard_of("main", shards=2)
    await ensure_topology(js, shards=2)
    async with (
        service_stand.executor(nats_url, shard=other, shards=2),
        service_stand.router(nats_url),
        service_stand.ingest(nats_url),
    ):
        account = await sole(console, BUY)
    assert "no executor that owns account main has answered" in account["problem"]
