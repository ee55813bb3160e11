"""A halt that has closed something, as the console shows it: over real NATS and Postgres."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from libs.common.contracts import codec
from libs.common.contracts.flattening import FlatLane
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action
from libs.common.domain.identity import alert_id
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.auditor.rows import to_row
from services.auditor.store import Store, make_pool
from tests.console_server import running
from tests.factories import make_alert, make_intent, make_leg
from tests.trail_messages import make_denied, make_execution, make_flattening, make_plan

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def make_id(number):
    return alert_id(unix_ms=1_763_900_000_000 + number, random_bits=number)


HALT, CANCEL, CLOSE, OTHER, ALERT = (make_id(number) for number in range(5))
LISTED = FlatLane(symbol="BTC_USDT", close=CLOSE, cancel=CANCEL)
ON_SECOND = FlatLane(symbol="ETH_USDT", close=OTHER)


@pytest.fixture
async def console(js, nats_url, reader_dsn):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn) as found:
        yield found


@pytest.fixture
async def put(writer_dsn):
    """Stores messages as the auditor does, one millisecond apart."""
    async with make_pool(Secret(writer_dsn)) as pool:
        store = Store(pool)
        await store.ensure_partitions(START.date(), START.date())
        seq = 0

        async def put_all(*messages):
            nonlocal seq
            for subject, message in messages:
                seq += 1
                at = START + timedelta(milliseconds=seq)
                row = to_row(
                    stream="PIPELINE",
                    seq=seq,
                    subject=subject,
                    stored_at=at,
                    headers={"Alertwire-Service": "executor"},
                    data=codec.encode(msgspec.structs.replace(message, at=at)),
                )
                assert await store.insert([row]) == 1

        yield put_all


def listing():
    return [
        ("intent.flattened.paper", make_flattening(LISTED, halt=HALT)),
        ("intent.flattened.second", make_flattening(ON_SECOND, account="second", halt=HALT)),
    ]


def closed(alert, account="paper", symbol="BTC_USDT"):
    order = {"order": f"o-{alert}", "account": account, "alert": alert, "symbol": symbol}
    leg = make_leg("close", client_order_id=order["order"])
    intent = make_intent(
        alert_id=alert, account=account, symbol=symbol, route="halt", action=Action.CLOSE_ALL
    )
    place = f"{account}.{symbol}"
    plan = make_plan(leg, account=account, alert=alert, symbol=symbol)
    return [
        (f"intent.accepted.0.{place}", intent),
        (f"order.planned.{place}", plan),
        (f"execution.filled.{place}", make_execution("filled", **order)),
    ]


def canceled():
    intent = make_intent(alert_id=CANCEL, route="halt", action=Action.CANCEL)
    plan = make_plan(alert=CANCEL)
    return [("intent.accepted.0.paper.BTC_USDT", intent), ("order.planned.paper.BTC_USDT", plan)]


async def halt_of(console):
    status, found = await console.call("GET", f"/api/alerts/{HALT}")
    assert status == 200
    return found


async def test_a_halt_is_pending_until_each_of_its_alerts_has_ended(console, put):
    await put(*listing())
    found = await halt_of(console)
    assert (found["status"], found["route"], found["orders"]) == ("pending", "halt", [])
    await put(*canceled(), *closed(CLOSE), *closed(OTHER, "second", "ETH_USDT"))
    found = await halt_of(console)
    assert found["status"] == "executed"
    assert found["alerts"] == [
        shown(CANCEL, "paper", "BTC_USDT", "cancel"),
        shown(CLOSE, "paper", "BTC_USDT", "closeall"),
        shown(OTHER, "second", "ETH_USDT", "closeall"),
    ]
    _, one = await console.call("GET", f"/api/alerts/{CLOSE}")
    assert (one["status"], one["route"], one["alerts"]) == ("executed", "halt", [])


def shown(alert, account, symbol, action, status="executed", reason=None):
    return {
        "alert_id": alert,
        "account": account,
        "symbol": symbol,
        "action": action,
        "status": status,
        "reason": reason,
    }


async def test_what_could_not_be_closed_makes_it_partial(console, put):
    denied = make_denied(Reason.POSITION_FROZEN, account="second", alert=OTHER, route="halt")
    await put(*listing(), *canceled(), *closed(CLOSE), ("intent.denied.halt", denied))
    found = await halt_of(console)
    assert (found["status"], found["reason"]) == ("partial", "position_frozen")
    assert found["alerts"][-1]["status"] == "denied"


@pytest.mark.parametrize(("lanes", "status"), [((LISTED,), "partial"), ((), "denied")])
async def test_a_contract_that_nobody_knows_was_not_closed(console, put, lanes, status):
    listed = make_flattening(*lanes, halt=HALT, unlisted=("ODD_USDT",))
    await put(("intent.flattened.paper", listed), *canceled(), *closed(CLOSE))
    found = await halt_of(console)
    assert (found["status"], found["reason"]) == (status, "symbol_unknown")


async def test_a_halt_that_found_nothing_is_executed(console, put):
    await put(("intent.flattened.paper", make_flattening(halt=HALT)))
    found = await halt_of(console)
    assert (found["status"], found["alerts"]) == ("executed", [])


async def test_a_halt_stands_once_among_the_alerts(console, put):
    await put(("alert.received.demo", make_alert(alert_id=ALERT)), *listing(), *canceled())
    await put(*closed(CLOSE), *closed(OTHER, "second", "ETH_USDT"))

    async def ids(query):
        _, page = await console.call("GET", f"/api/alerts{query}")
        return [line["alert_id"] for line in page["alerts"]]

    assert await ids("") == [HALT, ALERT]
    assert await ids("?limit=1") == [HALT]
    assert await ids("?before=2") == [ALERT]
    assert await ids("?route=halt") == [HALT]
    assert await ids("?route=demo") == [ALERT]
    assert await ids("?symbol=ETH_USDT") == [HALT]
    assert await ids("?symbol=SOL_USDT") == []
    assert await ids("?status=executed") == [HALT]
    _, page = await console.call("GET", "/api/alerts?limit=1")
    line = page["alerts"][0]
    told = {name: line[name] for name in ("route", "action", "symbol", "accounts", "status")}
    assert told == {
        "route": "halt",
        "action": "flatten",
        "symbol": None,
        "accounts": ["paper", "second"],
        "status": "executed",
    }
