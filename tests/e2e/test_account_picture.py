"""What an account holds now, on the whole stack: opened by an alert, told by API and CLI."""

import asyncio
import json
import time

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


async def pictured(trader, condition):
    deadline = time.monotonic() + 20
    while True:
        status, picture = await trader.api("GET", "/api/accounts/paper/picture")
        assert status == 200, picture
        if condition(picture):
            return picture
        assert time.monotonic() < deadline, picture
        await asyncio.sleep(0.2)


async def test_what_an_alert_has_opened_is_told_with_its_profit_and_its_orders(stack, trader):
    opened = await trader.execute()
    assert opened["status"] == "executed"
    resting = await trader.send(order_type="limit", price=49_000, order_id="lower")
    await trader.paper.control("PUT", "prices/BTC_USDT", {"last": "50500"})
    picture = await pictured(
        trader,
        lambda one: (
            one["state"] == "live"
            and one["orders"]
            and one["positions"]
            and any(each["mark_price"] == "50500" for each in one["positions"])
        ),
    )
    # Tests before this one may have left something in another contract.
    [held] = [one for one in picture["positions"] if one["symbol"] == "BTC_USDT"]
    assert (held["side"], held["contracts"], held["average_price"]) == ("long", "10", "50000")
    assert float(held["unrealised_profit"]) == 0.5
    [order] = picture["orders"]
    assert (order["alert_id"], order["route"], order["order_id"]) == (resting, "demo", "lower")
    assert (order["price"], order["order_type"]) == ("49000", "limit")
    assert picture["position_mode"] == picture["expected_position_mode"] == "hedge"
    assert picture["order_calls_left"] <= picture["order_calls_per_2s"] == 1000
    answer = stack.cli("accounts", "show", "paper", "--picture", "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["positions"][0]["contracts"] == "10"
    secret = stack.description["demo"]["secret_key"]
    assert secret not in answer.stdout + json.dumps(picture)
    await trader.execute(order_action="cancel", order_contracts="")


async def test_executors_tell_their_addresses(trader):
    status, answer = await trader.api("GET", "/api/egress")
    assert status == 200
    assert [(one["shard"], one["owner"]) for one in answer["executors"]] == [(0, True)]
    status, answer = await trader.api("GET", "/api/accounts/paper/addresses")
    assert (status, answer["account"], answer["expected"]) == (200, "paper", [])
