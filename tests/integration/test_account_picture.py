"""What an account holds now: from the console's API over real NATS to the executor that owns it,
which follows the account at the paper exchange.
"""

import asyncio
import contextlib
from dataclasses import replace

import pytest
from nacl.encoding import Base64Encoder

from libs.common.bus import Bus
from libs.common.cancelling import cancelled
from libs.common.clock import SystemClock
from libs.common.express import ExpressClient
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.executor.accounts import Accounts
from services.executor.catalogue import Catalogue
from services.executor.checkup.addresses import SeenAddress
from services.executor.mexc.connecting import connect_account
from services.executor.pictures import Pictures
from services.executor.resting import RestingOrders
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Timing
from services.executor.stops import Stops
from services.executor.viewing import asking
from services.executor.viewing.answering import AccountPictures
from services.executor.viewing.egress import tell_egress
from tests.console_server import PRIVATE_KEY, running
from tests.factories import NOW
from tests.paper_client import PaperClient
from tests.paper_server import address_fixture  # noqa: F401 - a fixture
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

PICTURE = "/api/accounts/main/picture"
OWN = SeenAddress(addresses=("203.0.113.9",), seen_at=NOW)
TIMING = replace(Timing(), reopen_s=0.02, correct_again_s=0.05)


@pytest.fixture(autouse=True)
def _refreshed_often(monkeypatch):
    monkeypatch.setattr(asking, "AGAIN_S", 0.0)


@pytest.fixture
async def console(js, nats_url):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere) as found:
        yield found


@pytest.fixture
async def trader(console, address):
    """A client of the account `main`, whose key the console has sealed."""
    async with PaperClient(address) as anyone:
        keys = await anyone.control("POST", "accounts", {})
    account = {
        "id": "main",
        "base_url": address,
        "ws_url": f"{address}/edge".replace("http", "ws"),
        "expected_addresses": ["203.0.113.9"],
    }
    assert (await console.call("POST", "/api/accounts", {**account, **keys}))[0] == 201
    async with PaperClient(address, keys["access_key"], keys["secret_key"]) as client:
        await client.control("PUT", "prices/BTC_USDT", {"last": "50000"})
        await client.control("PUT", "limits", {"order_create_per_2s": None})
        await client.control("PUT", "pushes", {"delay_ms": 0})
        yield client


@contextlib.asynccontextmanager
async def connected_bus(nats_url):
    client = ExpressClient()
    await client.connect(nats_url)
    bus = Bus(client=client, service="executor")
    await bus.open()
    try:
        yield bus
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def executor(nats_url, *, owns=True, follows=True, patience_s=1.5):
    """What of an executor tells pictures; with `follows` it also keeps the live ones."""
    async with connected_bus(nats_url) as bus:
        stops, changed = Stops(), asyncio.Event()
        accounts = Accounts(
            keys=SealingKeys.of(Secret(PRIVATE_KEY.encode(Base64Encoder).decode())),
            make_exchange=lambda account, secret: connect_account(
                account, secret, heard=stops.listening(account.account_id)
            ),
            on_change=changed.set,
            timing=TIMING,
        )
        catalogue = Catalogue(bus=bus, accounts=accounts, changed=changed, refresh_s=60)
        pictures = AccountPictures(
            bus=bus,
            accounts=accounts,
            contracts=catalogue.stored,
            resting=RestingOrders(owned=lambda _account: True),
            shard_of=lambda _account: 0 if owns else None,
            own=OWN,
            refused_from_here=stops.denial,
            clock=SystemClock(),
            patience_s=patience_s,
        )
        live = Pictures(accounts, timing=TIMING)
        followed = (accounts.settings, accounts.secrets, catalogue.stored)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.follow(bus)) for one in followed]
            for one in followed:
                await one.complete.wait()
            tasks.append(group.create_task(catalogue.feed()))
            await catalogue.tried.wait()
            if follows:
                tasks.append(group.create_task(live.follow()))
            tasks.append(group.create_task(pictures.follow()))
            await bus.client.flush()
            yield accounts
            await cancelled(tasks)
        await accounts.close()


async def seen(console, condition):
    """The picture, once it is as it should be."""
    async with asyncio.timeout(10):
        while True:
            status, picture = await console.call("GET", PICTURE)
            assert status == 200, picture
            if condition(picture):
                return picture
            await asyncio.sleep(0.02)


def is_live(picture):
    """And the prices and balances are there: only the checkup is nobody's here."""
    return picture["state"] == "live" and {one["what"] for one in picture["missing"]} <= {
        "key_days"
    }


async def test_a_position_is_told_live_and_its_profit_follows_the_mark_price(
    console, trader, nats_url
):
    async with executor(nats_url):
        flat = await seen(console, is_live)
        assert (flat["positions"], flat["orders"], flat["stops"]) == ([], [], [])
        assert flat["balances"] == [{"currency": "USDT", "equity": "10000", "available": "10000"}]
        await trader.order(vol=10)
        picture = await seen(console, lambda one: is_live(one) and one["positions"])
        [held] = picture["positions"]
        assert (held["symbol"], held["side"], held["contracts"]) == ("BTC_USDT", "long", "10")
        assert (held["base_quantity"], held["average_price"]) == ("0.0010", "50000")
        assert float(held["unrealised_profit"]) == 0
        await trader.control("PUT", "prices/BTC_USDT", {"last": "50000", "fair": "52000"})
        picture = await seen(console, lambda one: one["positions"][0]["mark_price"] == "52000")
        [held] = picture["positions"]
        assert (float(held["unrealised_profit"]), held["profit_currency"]) == (2.0, "USDT")
        told = (await trader.get("/api/v1/private/account/asset/USDT"))["data"]
        assert float(held["unrealised_profit"]) == told["unrealized"], "what the exchange counts"
        assert picture["age_ms"] < 10_000


async def test_an_isolated_short_has_its_liquidation_price_and_what_was_realised(
    console, trader, nats_url
):
    async with executor(nats_url):
        await trader.order(vol=20, side=3, openType=1)
        await trader.order(vol=5, side=2, openType=1)
        picture = await seen(
            console,
            lambda one: (
                is_live(one)
                and one["positions"]
                and one["positions"][0]["contracts"] == "15"
                and one["positions"][0]["liquidation_price"] is not None
            ),
        )
        [told] = (await trader.get("/api/v1/private/position/open_positions"))["data"]
        [held] = picture["positions"]
        assert (held["side"], held["margin_mode"], held["leverage"]) == ("short", "isolated", 10)
        assert float(held["liquidation_price"]) == told["liquidatePrice"] > 50_000
        assert float(held["realised_profit"]) == told["realised"] < 0


async def test_what_waits_is_told_with_its_prices(console, trader, nats_url):
    await trader.order(vol=10)
    await trader.order(type=1, vol=3, price="49000", stopLossPrice="48000", externalOid="mine")
    plan = {"symbol": "BTC_USDT", "vol": 4, "side": 1, "openType": 2, "leverage": 10}
    plan |= {"triggerPrice": 51_000, "triggerType": 1, "executeCycle": 2, "orderType": 5}
    assert (await trader.post("/api/v1/private/planorder/place/v2", {**plan, "trend": 1}))[
        "success"
    ]
    async with executor(nats_url):
        picture = await seen(console, lambda one: is_live(one) and len(one["orders"]) == 2)
        order, trigger = picture["orders"]
        assert (order["kind"], order["order_type"], order["price"]) == ("order", "limit", "49000")
        assert (order["client_order_id"], order["stop_price"]) == ("mine", "48000")
        assert (order["effect"], order["position_side"], order["contracts"]) == (
            *("open", "long"),
            "3",
        )
        assert (trigger["kind"], trigger["trigger_price"]) == ("trigger", "51000")
        assert order["since"] <= trigger["since"] <= picture["at"]


async def test_without_the_private_connection_it_is_asked_and_says_so(console, trader, nats_url):
    await trader.order(vol=10)
    async with executor(nats_url, follows=False):
        picture = await seen(console, lambda one: one["state"] == "asked")
        assert (picture["doubt"], "down" in picture["why"]) == ("socket_down", True)
        assert [one["contracts"] for one in picture["positions"]] == ["10"]
        assert picture["position_mode"] == picture["expected_position_mode"] == "hedge"


async def test_where_nothing_answers_it_is_untrusted_and_not_flat(console, trader, nats_url):
    await trader.order(vol=10)
    fault = {"path": "/api/v1/private", "kind": "http_502", "count": 100_000}
    await trader.control("PUT", "faults", [fault])
    async with executor(nats_url, follows=False):
        picture = await seen(console, lambda one: True)
        assert (picture["state"], picture["positions"]) == ("untrusted", None)
        named = {one["what"]: one["why"] for one in picture["missing"]}
        assert "HTTP 502" in named["positions"]
        assert {"balances", "orders", "position_mode"} <= named.keys()


async def test_a_slow_exchange_holds_no_answer_back(console, trader, nats_url):
    await trader.order(vol=10)
    async with executor(nats_url, patience_s=0.3):
        await seen(console, lambda one: is_live(one) and one["positions"])
        lists = "/api/v1/private/order/list/open_orders"
        await trader.control("PUT", "faults", [{"path": lists, "kind": "hang", "ms": 5000}])
        begun = asyncio.get_running_loop().time()
        status, picture = await console.call("GET", PICTURE)
        assert status == 200
        assert asyncio.get_running_loop().time() - begun < 3
        assert [one["contracts"] for one in picture["positions"]] == ["10"]
        await trader.control("PUT", "faults", [])


async def test_a_stopped_account_says_why(console, trader, nats_url):
    fault = {"path": "/api/v1/private", "kind": "code", "code": 406, "count": 100_000}
    await trader.control("PUT", "faults", [fault])
    async with executor(nats_url, follows=False):
        picture = await seen(console, lambda one: one["stops"])
        [stop] = picture["stops"]
        assert (stop["reason"], stop["code"]) == ("address_not_linked", 406)
        assert stop["since"] is not None
        assert picture["egress"] == {
            "seen": ["203.0.113.9"],
            "expected": ["203.0.113.9"],
            "state": "matching",
            "at": "2026-11-23T12:00:00Z",
        }


async def test_an_account_without_a_key_is_told_all_the_same(console, trader, nats_url):
    async with executor(nats_url) as accounts:
        await seen(console, is_live)
        accounts.secrets._copy.values.clear()
        picture = await seen(console, lambda one: one["doubt"] == "not_connected")
        assert (picture["state"], picture["positions"]) == ("untrusted", None)
        assert picture["stops"][0]["reason"] == "key_unreadable"


async def test_no_key_is_in_an_answer(console, trader, nats_url):
    async with executor(nats_url):
        _, picture = await console.call("GET", PICTURE)
    for secret in trader.keys:
        assert secret not in str(picture)


async def test_all_who_ask_at_once_are_answered_by_one_round_of_questions(
    console, trader, nats_url, monkeypatch
):
    monkeypatch.setattr(asking, "AGAIN_S", 60.0)
    async with executor(nats_url, follows=False):
        answers = await asyncio.gather(*(console.call("GET", PICTURE) for _ in range(20)))
        assert [status for status, _ in answers] == [200] * 20
        for path in ("order/list/open_orders", "account/assets", "position/open_positions"):
            calls = await trader.control("GET", f"requests?path=/api/v1/private/{path}")
            ours = [call for call in calls if call["access_key"] == trader.keys[0]]
            assert len(ours) == 1, path
        sent = await trader.control("GET", "requests?path=/api/v1/private/order/create")
        assert sent == []


async def test_without_an_executor_it_is_said(console, trader):
    status, problem = await console.call("GET", PICTURE)
    assert (status, "nobody listens" in problem["detail"]) == (503, True)


async def test_another_shards_executor_does_not_answer(js, nats_url, trader, console):
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with executor(nats_url, owns=False), running(nats_url, nowhere, picture_s=0.2) as other:
        status, problem = await other.call("GET", PICTURE)
    assert (status, "No executor has answered" in problem["detail"]) == (503, True)


async def test_an_unknown_account_is_a_404_and_nobody_is_let_in_without_the_token(console):
    for path in ("picture", "addresses"):
        assert (await console.call("GET", f"/api/accounts/nobody/{path}"))[0] == 404
    for path in (PICTURE, "/api/egress"):
        status, _ = await console.call("GET", path, Authorization="Bearer wrong")
        assert status == 401


@contextlib.asynccontextmanager
async def egress_told(nats_url, **how):
    """An executor that tells under which address it is seen."""
    values = {"own": OWN, "shard": 0, "shards": 1, "owner": True, **how}
    async with connected_bus(nats_url) as bus, asyncio.TaskGroup() as group:
        telling = group.create_task(
            tell_egress(
                bus,
                values["own"],
                shard=values["shard"],
                shards=values["shards"],
                is_owner=lambda: values["owner"],
            )
        )
        await asyncio.sleep(0)
        await bus.client.flush()
        yield
        await cancelled([telling])


async def test_every_executor_tells_its_address_also_one_that_stands_by(console, nats_url):
    other = replace(OWN, addresses=("203.0.113.10",))
    async with (
        egress_told(nats_url),
        egress_told(nats_url, own=other, owner=False),
        egress_told(nats_url, own=SeenAddress(), shard=1, shards=2),
    ):
        status, answer = await console.call("GET", "/api/egress")
    assert status == 200
    assert answer["seen"] == ["203.0.113.10", "203.0.113.9"]
    assert [(one["shard"], one["owner"], one["seen"]) for one in answer["executors"]] == [
        (0, True, ["203.0.113.9"]),
        (0, False, ["203.0.113.10"]),
        (1, True, []),
    ]
    assert answer["executors"][0]["at"] == "2026-11-23T12:00:00Z"


async def test_an_accounts_addresses_are_those_of_its_own_shard(console, trader, nats_url):
    ours = {shard: ("203.0.113.9" if shard == 0 else "203.0.113.10") for shard in range(2)}
    async with contextlib.AsyncExitStack() as stack:
        for shard, address in ours.items():
            own = replace(OWN, addresses=(address,))
            await stack.enter_async_context(egress_told(nats_url, own=own, shard=shard, shards=2))
        status, answer = await console.call("GET", "/api/accounts/main/addresses")
    assert status == 200
    [executor_told] = answer["executors"]
    assert answer["seen"] == [ours[executor_told["shard"]]]
    assert (answer["account"], answer["expected"]) == ("main", ["203.0.113.9"])


async def test_without_executors_no_address_is_told(console):
    assert await console.call("GET", "/api/egress") == (200, {"seen": [], "executors": []})
