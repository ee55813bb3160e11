"""What the issue of the first release promises, through all processes."""

import asyncio
import json

import pytest

from tests.e2e.running_stack import GUIDE
from tests.paper_client import CREATE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

STAGES = [
    ("alert.received", "ingest"),
    ("intent.accepted", "router"),
    ("order.planned", "executor"),
    ("execution.sent", "executor"),
    ("execution.accepted", "executor"),
    ("execution.filled", "executor"),
]


async def test_the_guides_alert_becomes_ten_contracts_once_and_flat_closes_them(trader):
    body = json.dumps({**GUIDE, "comment": "first"})
    status, answer = await trader.post(body)
    assert (status, answer["status"]) == (200, "accepted")
    first = answer["alert_id"]

    journey = await trader.ended(first)
    assert journey["status"] == "executed"
    assert journey["trace_id"] == first.replace("-", "")
    assert [(event["stage"], event["service"]) for event in journey["events"]] == STAGES
    (order,) = journey["orders"]
    assert (order["symbol"], order["effect"], order["position_side"], order["contracts"]) == (
        "BTC_USDT",
        "open",
        "long",
        "10",
    )
    assert order["state"] == "filled"
    assert order["request"]["vol"] == 10
    assert order["response"]["data"]["orderId"] == order["exchange_order_id"]
    assert await trader.holdings() == {"long": 10}

    before = len(await trader.orders_received())
    assert await trader.post(body) == (200, {"status": "duplicate", "alert_id": first})
    await trader.flat()
    assert await trader.holdings() == {}
    assert len(await trader.orders_received()) == before + 1, "the duplicate sent nothing"
    again = await trader.journey(
        first, lambda found: found["events"][-1]["stage"] == "alert.duplicate"
    )
    assert again["status"] == "executed"


async def test_an_explicit_id_makes_other_bodies_duplicates(trader):
    first = await trader.send(alert_id="explicit-1")
    status, answer = await trader.post({**GUIDE, "alert_id": "explicit-1", "price": 1})
    assert (status, answer) == (200, {"status": "duplicate", "alert_id": first})
    await trader.ended(first)


async def test_a_flip_closes_then_opens_the_remainder(trader):
    await trader.execute()
    journey = await trader.execute(order_action="sell", order_contracts="0.0025")
    assert journey["status"] == "executed"
    assert [(order["effect"], order["position_side"]) for order in journey["orders"]] == [
        ("close", "long"),
        ("open", "short"),
    ]
    assert await trader.holdings() == {"short": 15}


REFUSED = [
    ("Buy BTC now!", "text/plain", 415, "not_a_json_object", None),
    ('{"ticker":"BTCUSDT.P","order_action":', "text/plain", 415, "not_a_json_object", None),
    ('[{"ticker":"BTCUSDT.P"}]', "application/json", 415, "not_a_json_object", None),
    (
        json.dumps({**GUIDE, "order_contracts": "lots"}),
        "application/json",
        422,
        "field_invalid",
        "order_contracts",
    ),
    (
        json.dumps({**GUIDE, "order_contracts": "NaN"}),
        "application/json",
        422,
        "field_invalid",
        "order_contracts",
    ),
    (
        json.dumps({**GUIDE, "order_contracts": "{{strategy.order.contracts}}"}),
        "application/json",
        422,
        "placeholder_unreplaced",
        "order_contracts",
    ),
    (
        json.dumps({**GUIDE, "comment": "x" * 70_000}),
        "application/json",
        413,
        "body_too_large",
        None,
    ),
]


@pytest.mark.parametrize(("body", "content_type", "status", "reason", "field"), REFUSED)
async def test_a_refusal_tells_what_would_be_right(
    trader, body, content_type, status, reason, field
):
    found, problem = await trader.post(body, content_type=content_type)
    assert found == status
    assert (problem["status"], problem["reason"]) == (status, reason)
    assert problem.get("field") == field
    assert len(problem["detail"]) > 20
    journey = await trader.ended(problem["alert_id"])
    assert (journey["status"], journey["reason"]) == ("refused", reason)


async def test_an_unknown_token_is_not_found(trader):
    status, problem = await trader.post(GUIDE, webhook=trader.demo["webhook"] + "x")
    assert status == 404
    assert problem["status"] == 404


DENIED = [
    ({"ticker": "NOSUCHUSDT.P"}, "symbol_unknown"),
    ({"order_contracts": "0.00009"}, "below_minimum"),
    ({"ticker": "EMBERUSDT.P", "order_contracts": "100"}, "symbol_not_tradable"),
    ({"sl_price": "500000"}, "protection_wrong_side"),
]


@pytest.mark.parametrize(("fields", "reason"), DENIED)
async def test_a_denial_reaches_the_trail_and_nothing_reaches_the_exchange(trader, fields, reason):
    before = len(await trader.orders_received())
    journey = await trader.execute(**fields)
    assert (journey["status"], journey["reason"]) == ("denied", reason)
    denial = journey["events"][-1]["data"]["denial"]
    assert denial["message"]
    # One more alert that must arrive: had the denied one sent an order, it would stand before it.
    await trader.execute()
    assert len(await trader.orders_received()) == before + 1


async def test_a_rejection_keeps_the_exchanges_words(trader):
    fault = {"path": CREATE, "kind": "code", "code": 2005}
    await trader.paper.control("PUT", "faults", [fault])
    journey = await trader.execute()
    assert journey["status"] == "rejected"
    assert journey["events"][-1]["data"]["code"] == 2005
    assert journey["orders"][0]["response"]["code"] == 2005


async def test_a_lost_reply_ends_as_one_order(trader):
    await trader.paper.control("PUT", "faults", [{"path": CREATE, "kind": "lose_reply"}])
    before = len(await trader.orders_received())
    alert_id = await trader.send()
    journey = await trader.journey(
        alert_id, lambda found: found["status"] not in {"pending", "unknown"}
    )
    assert journey["status"] == "executed"
    assert "execution.unknown" in [event["stage"] for event in journey["events"]]
    assert len(await trader.orders_received()) == before + 1
    assert await trader.holdings() == {"long": 10}


async def test_alerts_of_a_lane_reach_the_exchange_in_order(trader):
    sizes = [f"0.00{size:02}" for size in range(11, 31)]
    ids = [await trader.send(order_contracts=size) for size in sizes]
    for alert_id in ids:
        assert (await trader.ended(alert_id))["status"] == "executed"
    received = await trader.orders_received()
    assert [call["body"]["vol"] for call in received[-20:]] == list(range(11, 31))


async def test_health_and_metrics_of_every_service(trader, stack):
    for service, url in stack.description["health"].items():
        async with trader.session.get(f"{url}/health/ready") as reply:
            assert reply.status == 200, (service, await reply.text())
        async with trader.session.get(f"{url}/health/live") as reply:
            assert reply.status == 200
        async with trader.session.get(f"{url}/metrics") as reply:
            assert "alertwire_" in await reply.text(), service


async def test_the_command_line_shows_the_journey(trader, stack):
    journey = await trader.execute()
    shown = stack.cli("trace", journey["alert_id"])
    assert shown.returncode == 0, shown.stderr
    for word in ("executed", "BTC_USDT", "alert.received", "execution.filled"):
        assert word in shown.stdout
    as_json = stack.cli("trace", journey["alert_id"], "--json")
    assert json.loads(as_json.stdout)["status"] == "executed"


async def test_a_route_made_on_the_command_line_trades_and_its_old_token_ends(trader, stack):
    made = stack.cli("routes", "create", "--id", "second", "--account", "paper", "--json")
    assert made.returncode == 0, made.stderr
    webhook = json.loads(made.stdout)["webhook"]
    body = {**GUIDE, "alert_id": "second-1"}
    async with asyncio.timeout(5):
        while (answer := await trader.post(body, webhook=webhook))[0] == 404:
            await asyncio.sleep(0.05)
    assert answer[0] == 200, answer
    assert (await trader.ended(answer[1]["alert_id"]))["status"] == "executed"
    status, rotated = await trader.api("POST", "/api/routes/second/rotate", {"overlap_s": 0})
    assert status in {200, 201}, rotated
    async with asyncio.timeout(5):
        while (await trader.post(body, webhook=webhook))[0] != 404:
            await asyncio.sleep(0.05)
    assert (await trader.post(body, webhook=rotated["webhook"]))[0] == 200
    assert stack.cli("routes", "delete", "second").returncode == 0
