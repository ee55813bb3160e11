"""The console's reading of the trail, over real NATS and Postgres."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from libs.common.contracts import codec
from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change, ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ChangeKind, OrderType, PositionSide
from libs.common.domain.diagnosis.checklist import CheckName
from libs.common.domain.identity import alert_id
from libs.common.queries import named_queries
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.auditor.rows import to_row
from services.auditor.store import Store, make_pool
from services.console import trail
from tests.console_server import running
from tests.diagnosed import make_checkup, make_finding
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


async def test_an_alert_that_was_held_back_in_the_queue_is_listed_as_denied(console, put_trail):
    alert, lane = make_id(1), "paper.BTC_USDT"
    plan = make_plan(make_leg(client_order_id="order1"), alert=alert)
    held = make_execution("canceled", "order1", alert=alert, reason=Reason.HALTED)
    await put_trail(
        received(1),
        (f"order.planned.{lane}", "executor", plan),
        (f"execution.canceled.{lane}", "executor", held),
    )
    _, page = await console.call("GET", "/api/alerts?status=denied")
    assert [(line["alert_id"], line["reason"]) for line in page["alerts"]] == [(alert, "halted")]


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


def checked(word, account="paper"):
    finding = make_finding("permissions", "ok", word)
    return f"account.checked.{account}", "executor", make_checkup(finding, account=account)


def forbidden(number):
    """Rejected for what says nothing about the key's permissions."""
    lane, alert = "paper.BTC_USDT", make_id(number)
    words = {"code": 6001, "cause": Cause.OTHER, "message": "Trading is forbidden"}
    return [
        *executed(number)[:4],
        (
            f"execution.rejected.{lane}",
            "executor",
            make_execution("rejected", f"order{number}", alert=alert, **words),
        ),
    ]


async def test_an_alert_that_was_not_executed_is_diagnosed(console, put_trail):
    await put_trail(*forbidden(1))
    _, found = await console.call("GET", f"/api/alerts/{make_id(1)}")
    lines = {line["check"]: line for line in found["diagnosis"]}
    assert list(lines) == [name.value for name in CheckName]
    assert set(lines["exchange"]) == {"check", "state", "evidence", "mend"}
    assert lines["exchange"]["state"] == "wrong"
    assert lines["exchange"]["evidence"] == "open long 10 BTC_USDT: 6001 Trading is forbidden"
    assert lines["permissions"]["state"] == "unknown", "there is no checkup"


async def test_the_checkup_nearest_to_the_alert_is_taken(console, put_trail):
    """The first one behind it, else the last before it; never another account's."""

    async def told(number):
        _, found = await console.call("GET", f"/api/alerts/{make_id(number)}")
        lines = {line["check"]: line for line in found["diagnosis"]}
        return lines["permissions"]["evidence"].partition(" (")[0]

    await put_trail(checked("first"), checked("second"), *forbidden(1), checked("else", "other"))
    assert await told(1) == "second"
    await put_trail(checked("third"), checked("fourth"), *forbidden(2))
    assert await told(1) == "third"
    assert await told(2) == "fourth"


async def test_checkups_are_found_by_an_index(put_trail, reader_dsn):
    await put_trail(checked("first"), *forbidden(1))
    queries = named_queries(Path(trail.__file__).with_name("queries.sql"))
    connection = await asyncpg.connect(reader_dsn)
    try:
        await connection.execute("SET enable_seqscan = off")
        plan = await connection.fetch(f"EXPLAIN {queries['checkups']}", ["paper"], START)
    finally:
        await connection.close()
    text = "\n".join(row[0] for row in plan)
    assert "Seq Scan" not in text, text
    assert text.count("stage_stored_at_idx") == 2, text
