"""Following live and replaying, through all processes."""

import asyncio
import json
import subprocess
import sys

import pytest

from tests.e2e.running_stack import ROOT
from tests.event_stream import following

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

STAGES = [
    "alert.received",
    "intent.accepted",
    "order.planned",
    "execution.sent",
    "execution.accepted",
    "execution.filled",
]


async def test_tail_sees_an_alerts_events_in_order_while_it_is_sent(stack, trader, routes):
    route = await routes.make()
    tail = subprocess.Popen(
        [
            *(sys.executable, "-m", "tools.cli", "tail", "--json", "--dir", str(stack.directory)),
            *("--route", route.name, "--stage", "alert.received,intent,order,execution"),
            # It may come to it a moment late.
            *("--since", "1m", "--count", str(len(STAGES)), "--timeout", "30"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    alert = await route.send(order_action="buy", order_contracts="0.001")
    printed, told = await asyncio.to_thread(tail.communicate, timeout=40)
    assert (tail.returncode, told) == (0, "")
    events = [json.loads(line) for line in printed.splitlines()]
    assert [event["stage"] for event in events] == STAGES
    assert {event["alert_id"] for event in events} == {alert}
    journey = await trader.ended(alert)
    shown = {event["seq"]: event for event in journey["events"]}
    for event in events:
        same = shown[event["seq"]]
        assert all(event[name] == same[name] for name in ("stage", "service", "at", "data"))


async def test_a_stream_that_breaks_at_every_event_misses_none(stack, trader):
    url = f"{stack.description['console']}/api/events"
    token = stack.description["console_token"]
    async with following(trader.session, url, token=token) as followed:
        await followed.comment(1)
        begin = await begin_of(followed)
    alerts = [await trader.send(), await trader.send(order_action="sell"), await trader.send()]
    for alert in alerts:
        await trader.ended(alert)
    seen, place = [], begin
    while len([event for event in seen if event["stage"] == "execution.filled"]) < len(alerts):
        async with following(
            trader.session, url, token=token, **{"Last-Event-ID": str(place)}
        ) as followed:
            (_, _, event) = (await followed.take(1))[0]
            place = event["seq"]
            seen.append(event)
    assert [event["seq"] for event in seen] == list(range(begin + 1, place + 1))


async def begin_of(followed):
    line = await followed.answer.content.readline()
    assert line.startswith(b"id: "), line
    return int(line[4:])


async def test_a_replay_right_after_the_alert_says_same_and_sends_nothing(stack, trader, routes):
    route = await routes.make(sltp_unit="percent", guards={"orders_per_minute": 50})
    alerts = [
        # The price that the distances count from was asked of the exchange.
        {"order_action": "buy", "order_contracts": "0.002", "stop_loss": 1, "take_profit": 2},
        {"order_action": "sell", "order_contracts": "0.003"},
        {"order_action": "breakeven"},
        {"order_action": "flat", "order_contracts": "50%"},
        {"order_action": "flat"},
        {"order_action": "flat", "ticker": "NOSUCH"},
    ]
    ended = [await route.execute(**alert) for alert in alerts]
    first = {"order_id": "first"}
    ended += [
        await route.rests(
            **{**first, "order_action": "buy", "order_contracts": "0.001", "price": 40000},
            order_type="limit",
        ),
        # Which order is meant nobody tells but the alert that made it.
        await route.execute(**first, order_action="modify", sl_price=39000),
        await route.execute(**first, order_action="cancel"),
    ]
    assert [journey["status"] for journey in ended[-2:]] == ["executed"] * 2
    before = len(await trader.orders_received())
    for journey in ended:
        answer = await asyncio.to_thread(
            stack.cli, "replay", journey["alert_id"], "--json", "--exit-code"
        )
        document = json.loads(answer.stdout)
        assert (answer.returncode, document["outcome"]) == (0, "same"), document
    assert len(await trader.orders_received()) == before
    status, _ = await trader.api("PATCH", f"/api/routes/{route.name}", {"leverage": 3})
    assert status == 200
    answer = await asyncio.to_thread(
        stack.cli, "replay", ended[0]["alert_id"], "--json", "--exit-code"
    )
    differences = json.loads(answer.stdout)["accounts"][0]["differences"]
    assert answer.returncode == 3
    assert {each["what"] for each in differences} == {"intent.leverage", "order 1.leverage"}
