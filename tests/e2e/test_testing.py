"""Test alerts through all processes: explained with what is really held, and sent without a webhook
to the same end as one that came to it.
"""

import json
import time

import pytest

from tests.e2e.running_stack import GUIDE
from tests.e2e.test_journey import STAGES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TEST = "/api/routes/demo/test"
BUY = {"symbol": "BTCUSDT.P", "side": "buy", "quantity": 0.001}


async def test_it_ends_as_the_webhooks_alert_does(trader):
    before = len(await trader.orders_received())
    status, answer = await trader.api("POST", TEST, {**BUY, "send": True})
    assert (status, answer["status"], answer["sent"]) == (200, "accepted", True)
    tested = await trader.ended(answer["alert_id"])
    posted = await trader.execute()
    for journey in (tested, posted):
        assert journey["status"] == "executed"
        assert [(one["stage"], one["service"]) for one in journey["events"]] == STAGES
    assert alike(tested) == alike(posted)
    assert tested["events"][0]["data"]["test_by"] == "console from 127.0.0.1"
    assert "test_by" not in posted["events"][0]["data"]
    assert await trader.holdings() == {"long": 20}
    assert len(await trader.orders_received()) == before + 2

    again = {**BUY, "alert_id": answer["explicit_id"], "send": True}
    status, resent = await trader.api("POST", TEST, again)
    assert (resent["status"], resent["alert_id"]) == ("duplicate", answer["alert_id"])
    assert len(await trader.orders_received()) == before + 2

    _, listed = await trader.api("GET", "/api/alerts?limit=2")
    assert [one["test_by"] for one in listed["alerts"]] == [None, "console from 127.0.0.1"]


def alike(journey):
    """What an order says apart from its ids."""
    [order] = journey["orders"]
    names = ("symbol", "effect", "position_side", "contracts", "state")
    request = {name: order["request"][name] for name in order["request"] if name != "externalOid"}
    return {name: order[name] for name in names}, request


async def test_what_is_explained_is_what_is_done(trader):
    await trader.execute()
    fields = {**BUY, "side": "sell", "quantity": "0.0025", "stop_loss": 500}
    status, explained = await trader.api("POST", TEST, fields)
    assert (status, explained["outcome"]) == (200, "planned")
    [account] = explained["accounts"]
    assert await trader.holdings() == {"long": 10}, "nothing was sent"
    named = {**fields, "alert_id": explained["explicit_id"], "send": True}
    _, answer = await trader.api("POST", TEST, named)
    journey = await trader.ended(answer["alert_id"])
    [plan] = [one["data"] for one in journey["events"] if one["stage"] == "order.planned"]
    assert plan["steps"] == account["steps"]
    moves = ("effect", "position_side", "contracts", "stop_price")
    for leg, told in zip(plan["legs"], account["legs"], strict=True):
        assert [leg.get(name) for name in moves] == [told[name] for name in moves]
    assert await trader.holdings() == {"short": 15}


async def test_the_command(trader, stack):
    message = json.dumps({**GUIDE, "alert_id": f"cli{time.time_ns()}"})
    dry = stack.cli("routes", "test", "demo", "--body", message)
    assert (dry.returncode, dry.stderr) == (0, "")
    assert "open long 10 market" in dry.stdout
    sent = stack.cli("routes", "test", "demo", "--body", message, "--send", "--json")
    assert sent.returncode == 0, sent.stderr
    answer = json.loads(sent.stdout)
    journey = await trader.ended(answer["alert_id"])
    assert journey["status"] == "executed"
    traced = stack.cli("trace", answer["alert_id"])
    assert "a test by" in traced.stdout
    refused = stack.cli("routes", "test", "demo", "--ticker", "BTCUSDT.P", "--action", "buy")
    assert refused.returncode == 1
    assert "order_contracts must say how much to buy" in refused.stdout


async def test_an_old_alert_under_todays_rules(trader, routes):
    own = await routes.make()
    alert = await own.send(order_action="buy", order_contracts="0.001")
    await trader.ended(alert)
    before = len(await trader.orders_received())
    status, same = await trader.api("POST", f"/api/alerts/{alert}/replay")
    assert (status, same["differences"]) == (200, []), same
    assert same["then"]["accounts"][0]["steps"][-1].startswith("holding ")
    assert same["now"]["accounts"][0]["picture"]["holdings"][0]["contracts"] == "10"
    changed = {"accounts": [{"account": "paper", "multiplier": "3"}]}
    assert (await trader.api("PATCH", f"/api/routes/{own.name}", changed))[0] == 200
    _, other = await trader.api("POST", f"/api/alerts/{alert}/replay")
    found = {one["what"]: (one["then"], one["now"]) for one in other["differences"]}
    assert found == {"intent.contracts": ("10", "30")}
    assert len(await trader.orders_received()) == before
    assert (await trader.api("POST", "/api/alerts/none/replay"))[0] == 404
