"""The console's reading of the trail, over real NATS and Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from libs.common.contracts import codec
from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change, ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ChangeKind, OrderType, PositionSide
from libs.common.domain.identity import alert_id
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.auditor.rows import to_row
from services.auditor.store import Store, make_pool
from tests.console_server import running
from tests.factories import D, make_alert, make_intent, make_leg, make_order
from tests.trail_messages import make_denied, make_execution, make_plan

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
async def console(js, nats_url, reader_dsn):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn) as found:
        yield found


@pytest.fixture
async def put_trail(writer_dsn):
    """Stores messages as the auditor does, one millisecond apart."""
    async with make_pool(Secret(writer_dsn)) as pool:
        store = Store(pool)
        await store.ensure_partitions(START.date(), START.date())
        seq = 0

        async def put(*messages: tuple[str, str, Any]) -> None:
            nonlocal seq
            rows = []
            for subject, service, message in messages:
                seq += 1
                at = START + timedelta(milliseconds=seq)
                rows.append(
                    to_row(
                        stream="PIPELINE",
                        seq=seq,
                        subject=subject,
                        stored_at=at,
                        headers={"Alertwire-Service": service},
                        data=codec.encode(msgspec.structs.replace(message, at=at)),
                    )
                )
            assert await store.insert(rows) == len(rows)

        yield put


def make_id(number):
    return alert_id(unix_ms=1_763_900_000_000 + number, random_bits=number)


def received(number, route="demo", **order):
    alert = make_alert(alert_id=make_id(number), route=route, order=make_order(**order))
    return f"alert.received.{route}", "ingest", alert


def executed(number):
    """The whole life of an alert: alert, intent, plan, sent, filled."""
    alert = make_id(number)
    order = f"order{number}"
    call = ExchangeCall(
        method="POST",
        path="/create",
        request_body=f'{{"externalOid":"{order}","vol":10}}',
        sent_at=START,
        response_body='{"success":true,"data":{"orderId":"77"}}',
    )
    lane = "paper.BTC_USDT"
    return [
        received(number),
        (f"intent.accepted.0.{lane}", "router", make_intent(alert_id=alert)),
        (
            f"order.planned.{lane}",
            "executor",
            make_plan(make_leg(client_order_id=order), alert=alert),
        ),
        (f"execution.sent.{lane}", "executor", make_execution("sent", order, alert=alert)),
        (
            f"execution.filled.{lane}",
            "executor",
            make_execution(
                "filled",
                order,
                alert=alert,
                exchange_order_id="77",
                filled_contracts=D(10),
                average_price=D("50000.5"),
                fee=D("0.04"),
                calls=(call,),
            ),
        ),
    ]


def denied(number, route="demo"):
    return [
        received(number, route=route),
        (
            f"intent.denied.{route}",
            "router",
            make_denied(Reason.SYMBOL_UNKNOWN, alert=make_id(number), route=route),
        ),
    ]


async def test_one_alert_is_shown_whole(console, put_trail):
    await put_trail(*executed(1))
    status, found = await console.call("GET", f"/api/alerts/{make_id(1)}")
    assert status == 200
    assert set(found) == {
        *("alert_id", "trace_id", "route", "status", "reason", "events", "orders"),
        *("changes", "alerts", "diagnosis"),
    }
    assert found["alert_id"] == make_id(1)
    assert found["trace_id"] == make_id(1).replace("-", "")
    assert (found["route"], found["status"], found["reason"]) == ("demo", "executed", None)
    assert found["diagnosis"] == []
    assert [(each["stage"], each["service"]) for each in found["events"]] == [
        ("alert.received", "ingest"),
        ("intent.accepted", "router"),
        ("order.planned", "executor"),
        ("execution.sent", "executor"),
        ("execution.filled", "executor"),
    ]
    assert [each["seq"] for each in found["events"]] == [1, 2, 3, 4, 5]
    assert [each["elapsed_ms"] for each in found["events"]] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert found["events"][0]["at"] == "2026-11-23T12:00:00.001000Z"
    assert found["events"][0]["data"]["order"]["ticker"] == "BTCUSDT.P"
    assert found["orders"] == [
        {
            "client_order_id": "order1",
            "account": "paper",
            "symbol": "BTC_USDT",
            "effect": "open",
            "position_side": "long",
            "contracts": "10",
            "state": "filled",
            "exchange_order_id": "77",
            "request": {"externalOid": "order1", "vol": 10},
            "response": {"success": True, "data": {"orderId": "77"}},
            "filled_contracts": "10",
            "average_price": "50000.5",
            "fee": "0.04",
            "words": "",
        }
    ]
    assert found["changes"] == []


async def test_a_waiting_order_and_a_change_are_shown(console, put_trail):
    alert, lane = make_id(1), "paper.BTC_USDT"
    trail = Change(
        change_id="change1",
        kind=ChangeKind.TRAIL,
        position_side=PositionSide.LONG,
        contracts=D(10),
        trail_distance=D("0.50"),
    )
    leg = make_leg(client_order_id="order1", order_type=OrderType.STOP, price=D(51_000))
    sent = ExchangeCall(
        method="POST", path="/trail", request_body='{"backValue":"0.5"}', sent_at=START
    )
    done = msgspec.structs.replace(sent, response_body='{"success":true,"data":"88"}')
    change = ("change1", "paper", alert)
    await put_trail(
        received(1),
        (
            f"order.planned.{lane}",
            "executor",
            make_plan(leg, alert=alert, changes=(trail,), order_id="mine"),
        ),
        (
            f"execution.resting.{lane}",
            "executor",
            make_execution("resting", "order1", alert=alert, leg=leg, order_id="mine"),
        ),
        (f"execution.sent.{lane}", "executor", make_execution("sent", *change, calls=(sent,))),
        (
            f"execution.changed.{lane}",
            "executor",
            make_execution("changed", *change, calls=(done,), exchange_order_id="88"),
        ),
    )
    _, found = await console.call("GET", f"/api/alerts/{alert}")
    assert found["status"] == "pending"
    assert [order["state"] for order in found["orders"]] == ["resting"]
    assert found["changes"] == [
        {
            "change_id": "change1",
            "account": "paper",
            "symbol": "BTC_USDT",
            "kind": "trail",
            "exchange_ids": [],
            "position_side": "long",
            "contracts": "10",
            "stop_price": None,
            "target_price": None,
            "trail_distance": "0.50",
            "state": "changed",
            "exchange_id": "88",
            "request": {"backValue": "0.5"},
            "response": {"success": True, "data": "88"},
            "words": "",
        }
    ]


async def test_what_was_withheld_makes_an_alert_partial(console, put_trail):
    alert, lane = make_id(1), "paper.BTC_USDT"
    withheld = Denial(reason=Reason.STALE, message="too old")
    leg = make_leg("close", client_order_id="order1")
    await put_trail(
        received(1),
        (f"order.planned.{lane}", "executor", make_plan(leg, alert=alert, withheld=withheld)),
        (f"execution.filled.{lane}", "executor", make_execution("filled", "order1", alert=alert)),
    )
    _, found = await console.call("GET", f"/api/alerts/{alert}")
    assert (found["status"], found["reason"]) == ("partial", "stale")


async def test_an_alert_that_only_changed_something_names_its_account(console, put_trail):
    alert, lane = make_id(1), "paper.BTC_USDT"
    cancel = Change(change_id="change1", kind=ChangeKind.CANCEL_ORDERS, exchange_ids=("7",))
    await put_trail(
        received(1),
        (f"order.planned.{lane}", "executor", make_plan(alert=alert, changes=(cancel,))),
    )
    _, page = await console.call("GET", "/api/alerts")
    assert [line["accounts"] for line in page["alerts"]] == [["paper"]]


@pytest.mark.parametrize("wanted", [make_id(99), "not-an-id"])
async def test_an_unknown_alert_is_404(console, wanted):
    status, problem = await console.call("GET", f"/api/alerts/{wanted}")
    assert (status, problem["status"], problem["title"]) == (404, 404, "Not Found")


async def test_alerts_are_listed_newest_first_in_pages(console, put_trail):
    for number in range(5):
        await put_trail(received(number))
    seen, query = [], "?limit=2"
    for _ in range(3):
        _, page = await console.call("GET", f"/api/alerts{query}")
        seen.append([line["alert_id"] for line in page["alerts"]])
        query = f"?limit=2&before={page['next']}"
    assert seen == [[make_id(4), make_id(3)], [make_id(2), make_id(1)], [make_id(0)]]
    assert page["next"] is None
    _, whole = await console.call("GET", "/api/alerts?limit=5")
    assert (len(whole["alerts"]), whole["next"]) == (5, None)


async def test_alerts_are_filtered(console, put_trail):
    await put_trail(*executed(1), *denied(2), *denied(3, route="other"), received(4, ticker="X"))

    async def ids(query):
        status, page = await console.call("GET", f"/api/alerts?{query}")
        assert status == 200
        return [line["alert_id"] for line in page["alerts"]]

    assert await ids("") == [make_id(4), make_id(3), make_id(2), make_id(1)]
    assert await ids("route=other") == [make_id(3)]
    assert await ids("status=denied") == [make_id(3), make_id(2)]
    assert await ids("status=denied&limit=1") == [make_id(3)]
    assert await ids("status=pending") == [make_id(4)]
    assert await ids("symbol=BTC_USDT") == [make_id(1)]
    assert await ids("symbol=X") == [make_id(4)]
    assert await ids("route=demo&status=executed&symbol=BTC_USDT") == [make_id(1)]


async def test_a_line_says_what_was_asked_and_what_became_of_it(console, put_trail):
    await put_trail(*executed(1))
    _, page = await console.call("GET", "/api/alerts")
    assert page["alerts"] == [
        {
            "alert_id": make_id(1),
            "seq": 1,
            "route": "demo",
            "status": "executed",
            "reason": None,
            "at": "2026-11-23T12:00:00.001000Z",
            "symbol": "BTC_USDT",
            "action": "buy",
            "quantity": "0.001",
            "accounts": ["paper"],
            "elapsed_ms": 4.0,
        }
    ]


@pytest.mark.parametrize("query", ["status=done", "limit=0", "limit=1000000", "before=x"])
async def test_a_wrong_query_is_a_problem(console, query):
    status, problem = await console.call("GET", f"/api/alerts?{query}")
    assert (status, problem["status"]) == (400, 400)


async def test_an_alert_that_was_put_into_the_log_again_stands_once(console, put_trail):
    await put_trail(received(1), received(2), received(1))
    _, page = await console.call("GET", "/api/alerts")
    assert [line["alert_id"] for line in page["alerts"]] == [make_id(2), make_id(1)]
    _, found = await console.call("GET", f"/api/alerts/{make_id(1)}")
    assert [event["stage"] for event in found["events"]] == ["alert.received"] * 2


async def test_every_filter_finds_what_the_whole_list_holds(console, put_trail):
    """In pages of any size, and the newest first, though filters read other indexes."""
    await put_trail(
        *(message for number in range(1, 10) for message in lives(number)),
        *executed(20),
        *denied(21, route="other"),
    )
    _, whole = await console.call("GET", "/api/alerts")
    statuses = {line["status"] for line in whole["alerts"]}
    assert statuses == {"executed", "denied", "rejected", "refused", "pending", "partial"}
    tried = [
        *({"status": status} for status in (*sorted(statuses), "unknown", "dead")),
        *({"symbol": symbol} for symbol in ("BTC_USDT", "ETHUSDT.P", "NONE_USDT")),
        *({"route": route} for route in ("demo", "other")),
        {"route": "demo", "status": "denied"},
        {"symbol": "BTC_USDT", "status": "executed"},
        {"symbol": "BTC_USDT", "route": "other"},
    ]
    for filters in tried:
        wanted = [
            line["alert_id"]
            for line in whole["alerts"]
            if all(fits(line, name, value) for name, value in filters.items())
        ]
        for limit in (1, 2, 50):
            assert await walked(console, limit=limit, **filters) == wanted, filters


def lives(number):
    """One alert of each kind in turn."""
    alert, lane = make_id(number), "paper.BTC_USDT"
    accepted = (f"intent.accepted.0.{lane}", "router", make_intent(alert_id=alert))
    leg = make_leg(client_order_id=f"order{number}")
    planned = (f"order.planned.{lane}", "executor", make_plan(leg, alert=alert))
    match number % 5:
        case 0:
            return [received(number, ticker="ETHUSDT.P"), *denied(number)[1:]]
        case 1:
            rejected = make_execution("rejected", f"order{number}", alert=alert, code=2005)
            where = f"execution.rejected.{lane}"
            return [received(number), accepted, planned, (where, "executor", rejected)]
        case 2:
            refused = make_refused(alert)
            return [("alert.refused.demo", "ingest", refused)]
        case 3:
            return [received(number), accepted]
        case _:
            held = make_plan(alert=alert, withheld=Denial(reason=Reason.HALTED, message="no"))
            return [received(number), accepted, (f"order.planned.{lane}", "executor", held)]


def make_refused(alert):
    values = {"route": "demo", "status": 422, "reason": Reason.FIELD_INVALID, "message": "no"}
    return AlertRefused(alert_id=alert, at=START, **values)


def fits(line, name, value):
    """The list names the ticker where no contract is known."""
    return line[name] == value


async def walked(console, **query):
    found, before = [], None
    while True:
        more = {} if before is None else {"before": before}
        _, page = await console.call("GET", f"/api/alerts?{urlencode({**query, **more})}")
        found += [line["alert_id"] for line in page["alerts"]]
        before = page["next"]
        if before is None:
            return found
