"""`/alerts/events` over a real log and trail: whoever looks sees each alert as it is, misses
nothing when they come back, and is told in words what is away.
"""

import asyncio
import itertools
from contextlib import asynccontextmanager

import msgspec
import pytest

from libs.common.contracts import codec
from libs.common.contracts.flattening import FlatLane
from libs.common.contracts.reasons import Reason
from libs.common.domain.identity import alert_id
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.auditor.rows import to_row
from services.auditor.store import Store, make_pool
from services.console.lines import Filters
from services.console.web.access.user_file import UsersFile
from services.console.web.live.board import Board
from services.console.web.live.ledger import Ledger
from tests.console_server import running
from tests.factories import NOW, make_alert, make_intent, make_leg, make_order
from tests.live_stand import state_of, users_of, visitor
from tests.nats_process import NatsProcess
from tests.trail_messages import make_denied, make_execution, make_flattening, make_plan
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

NOWHERE = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
LANE = "paper.BTC_USDT"
_stored = itertools.count()


def make_id(number):
    return alert_id(unix_ms=1_763_900_000_000 + number, random_bits=number)


@asynccontextmanager
async def looking(nats_url, dsn, tmp_path, *, checked_every_s=5.0, **board):
    async with running(
        nats_url,
        dsn,
        users=users_of(tmp_path),
        board_options=board,
        checked_every_s=checked_every_s,
    ) as console:
        yield await visitor(console)


@pytest.fixture
async def viewer(js, nats_url, tmp_path):
    """With Postgres away."""
    await ensure_topology(js)
    async with looking(nats_url, NOWHERE, tmp_path) as found:
        yield found


async def store(viewer, subject, message):
    stored = await viewer.console.bus.publish(
        subject=subject, message=message, event_id=f"stored-{next(_stored)}"
    )
    return stored.seq


async def receive(viewer, number, route="demo", **order):
    alert = make_alert(alert_id=make_id(number), route=route, order=make_order(**order))
    return await store(viewer, f"alert.received.{route}", alert)


async def deny(viewer, number, route="demo"):
    denied = make_denied(Reason.STALE, alert=make_id(number), route=route)
    return await store(viewer, f"intent.denied.{route}", denied)


async def execute(viewer, number):
    alert, order = make_id(number), f"order{number}"
    await store(viewer, f"intent.accepted.0.{LANE}", make_intent(alert_id=alert))
    plan = make_plan(make_leg(client_order_id=order), alert=alert)
    await store(viewer, f"order.planned.{LANE}", plan)
    await store(viewer, f"execution.sent.{LANE}", make_execution("sent", order, alert=alert))
    filled = make_execution("filled", order, alert=alert)
    return await store(viewer, f"execution.filled.{LANE}", filled)


async def test_an_alert_is_told_as_a_row_and_then_as_it_changes(viewer):
    async with viewer.following("/alerts/events") as stream:
        assert (await stream.next()).name == "hello"
        await stream.until("beat")
        await receive(viewer, 1)
        event = await stream.until("rows")
        assert list(event.rows) == [make_id(1)]
        assert state_of(event.rows[make_id(1)]) == "pending"
        assert f'href="/alerts/{make_id(1)}"' in event.data
        last = await execute(viewer, 1)
        await stream.states({make_id(1): "executed"})
        assert stream.last_id == str(last)


async def test_several_messages_of_a_moment_are_one_row(viewer):
    async with viewer.following("/alerts/events") as stream:
        await stream.until("beat")
        await receive(viewer, 1)
        await deny(viewer, 1)
        event = await stream.until("rows")
        assert state_of(event.rows[make_id(1)]) == "denied"


async def test_who_comes_back_misses_nothing(viewer):
    """At every place, with changes of old alerts and new ones, and while others look."""
    async with viewer.following("/alerts/events?after=0") as other:
        await other.until("beat")
        shown = {}
        last_id = "0"
        for turn in range(1, 8):
            async with viewer.following("/alerts/events", **{"Last-Event-ID": last_id}) as stream:
                await receive(viewer, turn)
                shown |= await stream.states({make_id(turn): "pending"})
                last_id = stream.last_id
            await deny(viewer, turn)
            await receive(viewer, 100 + turn)
        async with viewer.following("/alerts/events", **{"Last-Event-ID": last_id}) as stream:
            wanted = {make_id(7): "denied", make_id(107): "pending"}
            shown |= await stream.states(wanted)
    assert shown == {
        **{make_id(turn): "denied" for turn in range(1, 8)},
        **{make_id(100 + turn): "pending" for turn in range(1, 8)},
    }


async def test_what_was_missed_while_nobody_looked_is_read_from_the_log(viewer):
    for number in range(1, 40):
        await receive(viewer, number)
        await deny(viewer, number)
    path = "/alerts/events?after=4"
    async with viewer.following(path) as stream:
        found = await stream.states({make_id(39): "denied"})
    assert found == {make_id(number): "denied" for number in range(3, 40)}


async def test_after_a_long_gap_the_list_is_loaded_anew(js, nats_url, tmp_path):
    await ensure_topology(js)
    async with looking(nats_url, NOWHERE, tmp_path, reach=20) as viewer:
        for number in range(1, 31):
            await receive(viewer, number)
        async with viewer.following("/alerts/events", **{"Last-Event-ID": "2"}) as stream:
            await stream.until("reload")
            assert await stream.next() is None
        async with viewer.following("/alerts/events?after=2") as stream:
            await stream.until("behind")
            await receive(viewer, 31)
            assert list((await stream.until("rows")).rows) == [make_id(31)]


async def test_only_what_matches_is_told_and_what_no_longer_does_is_taken_away(viewer):
    query = "?route=demo&symbol=BTCUSDT.P&status=pending&account="
    async with viewer.following(f"/alerts/events{query}") as stream:
        await stream.until("beat")
        await receive(viewer, 1, route="other")
        await receive(viewer, 2, ticker="ETHUSDT.P")
        await receive(viewer, 3)
        assert list((await stream.until("rows")).rows) == [make_id(3)]
        await deny(viewer, 1, route="other")
        await deny(viewer, 3)
        gone = await stream.until("gone")
        assert gone.data == make_id(3)


async def test_a_halt_that_closes_stands_in_the_list_and_what_it_closes_does_not(viewer):
    halt, close = make_id(1), make_id(2)
    async with viewer.following("/alerts/events") as stream:
        await stream.until("beat")
        lane = FlatLane(symbol="BTC_USDT", close=close)
        await store(viewer, "intent.flattened.paper", make_flattening(lane, halt=halt))
        row = (await stream.until("rows")).rows[halt]
        assert "flatten" in row
        await execute(viewer, 2)
        assert await stream.states({halt: "executed"}) == {halt: "executed"}


async def test_what_began_before_is_completed_from_the_trail(
    js, nats_url, tmp_path, reader_dsn, writer_dsn
):
    await ensure_topology(js)
    alert = make_alert(alert_id=make_id(1), order=make_order(comment="from the trail"))
    async with make_pool(Secret(writer_dsn)) as pool:
        keeping = Store(pool)
        await keeping.ensure_partitions(NOW.date(), NOW.date())
        row = to_row(
            stream="PIPELINE",
            seq=1,
            subject="alert.received.demo",
            stored_at=NOW,
            headers={},
            data=codec.encode(msgspec.structs.replace(alert, at=NOW)),
        )
        assert await keeping.insert([row]) == 1
    async with looking(nats_url, reader_dsn, tmp_path) as viewer:
        # Of the log only the end is left: the beginning is the trail's alone.
        await store(viewer, "alert.received.demo", alert)
        await js.purge_stream("PIPELINE")
        async with viewer.following("/alerts/events?text=from+the+trail") as stream:
            await stream.until("beat")
            await deny(viewer, 1)
            event = await stream.until("rows")
            assert "BTCUSDT.P" in event.data


async def test_whoever_is_out_is_told_so(viewer, tmp_path):
    stranger = type(viewer)(console=viewer.console, cookies={}, session_id="")
    async with stranger.following("/alerts/events") as stream:
        assert (await stream.next()).name == "signed-out"
        assert await stream.next() is None


async def test_whoever_is_put_out_while_they_look_is_told_so(js, nats_url, tmp_path):
    await ensure_topology(js)
    options = {"heartbeat_s": 0.05, "checked_every_s": 0.05}
    async with looking(nats_url, NOWHERE, tmp_path, **options) as viewer:
        async with viewer.following("/alerts/events") as stream:
            await stream.until("beat")
            (tmp_path / "users.json").write_bytes(msgspec.json.encode(UsersFile()))
            while await stream.next() is not None:
                pass
        # Whoever reads it comes back, as browsers do by themselves.
        async with viewer.following("/alerts/events") as stream:
            assert (await stream.next()).name == "signed-out"


async def test_a_log_that_is_away_is_told_and_then_it_goes_on(tmp_path):
    nats = NatsProcess(tmp_path / "nats")
    (tmp_path / "nats").mkdir()
    await nats.start()
    async with running(nats.url, NOWHERE, users=users_of(tmp_path)) as console:
        await ensure_topology(console.bus.js)
        viewer = await visitor(console)
        async with viewer.following("/alerts/events") as stream:
            await stream.until("beat")
            await receive(viewer, 1)
            await stream.until("rows")
            await nats.kill()
            await stream.until("log-away")
            # Who was seen a moment ago is let in all the same, and told why nothing comes.
            async with viewer.following("/alerts/events") as other:
                await other.until("log-away")
            await nats.start()
            await stream.until("log-back")
            await receive(viewer, 2)
            assert list((await stream.until("rows")).rows) == [make_id(2)]
    await nats.stop()


async def test_all_streams_end_when_the_console_stops(viewer):
    async with viewer.following("/alerts/events") as stream:
        await stream.until("beat")
        viewer.console.board.close()
        viewer.console.feed.close()
        while await stream.next() is not None:
            pass
    async with asyncio.timeout(10):
        while viewer.console.board.followers:
            await asyncio.sleep(0.01)


async def test_nobody_who_looks_no_longer_is_followed_for(js, nats_url, tmp_path):
    await ensure_topology(js)
    async with looking(nats_url, NOWHERE, tmp_path) as viewer:
        async with viewer.following("/alerts/events") as stream:
            await stream.until("beat")
        console = viewer.console
        async with asyncio.timeout(10):
            while console.board.followers:
                await asyncio.sleep(0.01)
        # The next message finds nobody, and the feed is let go.
        await receive(viewer, 1)
        async with asyncio.timeout(10):
            while console.feed.followers:
                await asyncio.sleep(0.01)
        async with viewer.following("/alerts/events?after=0") as stream:
            assert await stream.states({make_id(1): "pending"})


async def test_whoever_takes_less_than_comes_is_cut_off(js, nats_url, tmp_path):
    """And comes back by the place to which it was told."""
    await ensure_topology(js)
    ledger = Ledger(debounce_s=0.0)
    async with looking(nats_url, NOWHERE, tmp_path, queue_changes=5, ledger=ledger) as viewer:
        board: Board = viewer.console.board
        stream = board.follow(filters=Filters(), after=0)
        await anext(stream)
        last = 0
        for number in range(1, 21):
            last = await receive(viewer, number)
        async with asyncio.timeout(10):
            while ledger.told < last:
                await asyncio.sleep(0.01)
        items = [item async for item in stream]
        assert [type(item).__name__ for item in items][-1] == "TooSlow"
