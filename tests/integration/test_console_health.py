"""`/api/health` over real NATS and Postgres: who answers, who is behind, what is away."""

import asyncio
import contextlib

import pytest

from libs.common.asking import ask_all
from libs.common.bus import Bus
from libs.common.contracts import codec, presence, subjects
from libs.common.express import ExpressClient
from libs.common.health import Health
from libs.common.owning import Ownership
from libs.common.presence import present
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.auditor.rows import to_row
from services.auditor.store import Store, make_pool
from services.console.presences import SERVICES, Presences
from tests.console_server import running
from tests.diagnosed import make_checkup, make_finding
from tests.factories import NOW, make_alert
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

LEASES = {"router": "router", "executor": "executor-0"}


@pytest.fixture
async def console(js, nats_url, reader_dsn):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn) as found:
        yield found


@contextlib.asynccontextmanager
async def connection(nats_url, service):
    client = ExpressClient()
    await client.connect(nats_url)
    try:
        bus = Bus(client=client, service=service)
        await bus.open()
        yield bus
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def processes(nats_url, *services):
    """Their presence, each over a connection of its own."""
    async with contextlib.AsyncExitStack() as stack:
        found = {}
        for service in services:
            bus = await stack.enter_async_context(connection(nats_url, service))
            health = found[service] = Health(service)
            if service in LEASES:
                ownership = Ownership(LEASES[service])
                ownership.confirm(asked_at=NOW, monotonic_at=0.0)
                health.tell_role(ownership.role)
            await stack.enter_async_context(present(bus, health))
            await bus.client.flush()
        yield found


async def health_of(console):
    status, found = await console.call("GET", "/api/health")
    assert status == 200
    return found


async def until(console, holds):
    """Asked again until it holds: an answer is kept for a second."""
    async with asyncio.timeout(10):
        while not holds(found := await health_of(console)):
            await asyncio.sleep(0.05)
    return found


async def heard(console, *services):
    """Once all of them have answered in time, which one on a busy machine may not."""

    def answered(found):
        return set(services).isdisjoint(found["services"]["silent"])

    return await until(console, answered)


async def test_everybody_is_there(console, nats_url):
    async with processes(nats_url, *SERVICES):
        found = await heard(console, *SERVICES)
    assert found["troubles"] == []
    assert found["state"] == "ok"
    told = found["services"]["processes"]
    assert [each["service"] for each in told] == list(SERVICES)
    assert {each["work"] for each in told} == {None, "router", "executor-0"}
    assert found["services"]["silent"] == []
    readers = [(each["stream"], each["name"]) for each in found["consumers"]["consumers"]]
    buckets = [f"KV_{bucket}" for bucket in subjects.AUDITED_BUCKETS]
    assert readers == [
        *(("PIPELINE", name) for name in ("router", "executor-0", "auditor")),
        *((bucket, "auditor") for bucket in buckets),
    ]
    assert found["log"]["retention_s"] == 14 * 86_400
    assert found["log"]["first_at"] is None
    assert found["trail"]["reachable"]
    assert found["trail"]["behind_messages"] == 0


async def test_each_router_shard_is_a_reader_of_its_own(console, nats_url):
    await ensure_topology(console.bus.js, router_shards=11)
    async with processes(nats_url, *SERVICES):
        found = await heard(console, *SERVICES)
    names = [f"router-{shard}-of-11" for shard in range(11)]
    readers = [each for each in found["consumers"]["consumers"] if each["service"] == "router"]
    assert [each["name"] for each in readers] == names
    assert [each["what"] for each in found["troubles"]] == names
    assert {each["text"] for each in found["troubles"]} == {"nobody works at it"}


async def test_an_executor_shard_that_is_no_more_is_seen_only_while_something_waits_there(
    console, nats_url
):
    js = console.bus.js

    async def executors():
        found = await health_of(console)
        readers = [
            each for each in found["consumers"]["consumers"] if each["service"] == "executor"
        ]
        return [each["name"] for each in readers], [each["what"] for each in found["troubles"]]

    async def settled(wanted):
        async with asyncio.timeout(10):
            while await executors() != wanted:
                await asyncio.sleep(0.05)

    async with processes(nats_url, *SERVICES):
        await ensure_topology(js, shards=2)
        await settled((["executor-0", "executor-1"], ["executor-1"]))
        await ensure_topology(js, shards=1)
        await settled((["executor-0"], []))
        await js.publish("intent.accepted.1.main.BTC_USDT", b"{}")
        await settled((["executor-0", "executor-1"], ["executor-1"]))


async def test_who_does_not_answer_is_silent_and_who_is_not_ready_says_why(console, nats_url):
    here = ("ingest", "executor", "auditor", "console")
    async with processes(nats_url, *here) as there:
        there["executor"].add("contracts", lambda: "the exchange does not answer")
        found = await heard(console, *here)
    assert found["services"]["silent"] == ["router"]
    assert found["state"] == "wrong"
    assert {each["what"]: each["text"] for each in found["troubles"]} == {
        "router": "nobody answers",
        "executor": "not ready: contracts: the exchange does not answer",
    }


async def test_a_second_process_of_a_service_is_told_too(console, nats_url):
    """Both answer the same question: there is no queue between them."""
    async with processes(nats_url, *SERVICES), connection(nats_url, "ingest") as bus:
        standby = Health("executor")
        ownership = Ownership("executor-0")
        ownership.stands_by = True
        standby.tell_role(ownership.role)
        async with present(bus, standby):
            await bus.client.flush()
            payloads = await ask_all(console.bus, subjects.PRESENCE_ASKED, within_s=2.0)
    told = [presence.decode(each) for each in payloads]
    assert sorted(each.role for each in told if each.service == "executor") == [
        *("owner", "stands_by")
    ]


async def test_nobody_is_waited_for_once_everybody_has_answered(console, nats_url):
    presences = Presences(console.bus, within_s=60)
    async with processes(nats_url, *SERVICES), asyncio.timeout(20):
        for _ in range(2):
            assert len(await presences.ask()) == len(SERVICES)


async def test_where_nobody_listens_nobody_is_waited_for(console):
    async with asyncio.timeout(20):
        assert await Presences(console.bus, within_s=60).ask() == []


async def test_strange_answers_are_passed_over(console, nats_url):
    async with connection(nats_url, "router") as bus:

        async def answer(message):
            for payload in (b"", b"{}", b"\xff", b'{"type":"dead"}', b"[" * 10_000):
                await message.respond(payload)

        await bus.client.subscribe(subjects.PRESENCE_ASKED, cb=answer)
        await bus.client.flush()
        assert await Presences(console.bus, within_s=0.2).ask() == []


async def test_what_waits_is_told_with_its_age(console, nats_url):
    for number in range(3):
        alert = make_alert(route="demo")
        await console.bus.publish(
            subject="alert.received.demo", message=alert, event_id=f"alert:{number}"
        )
    found = await health_of(console)
    readers = {each["name"]: each for each in found["consumers"]["consumers"][:3]}
    assert (readers["router"]["waiting"], readers["auditor"]["waiting"]) == (3, 3)
    assert readers["executor-0"]["waiting"] == 0
    assert readers["executor-0"]["oldest_s"] is None
    assert 0 <= readers["router"]["oldest_s"] < 60
    assert (found["log"]["messages"], found["log"]["last_seq"]) == (3, 3)
    # Nothing of it is in the trail.
    assert (found["trail"]["behind_messages"], found["trail"]["seq"]) == (3, None)
    assert found["trail"]["behind_s"] >= 0


async def test_how_far_the_trail_is_behind(console, writer_dsn):
    alert = make_alert(route="demo")
    for number in range(3):
        await console.bus.publish(
            subject="alert.received.demo", message=alert, event_id=f"alert:{number}"
        )
    entry = await console.bus.entry(2)
    row = to_row(
        stream="PIPELINE",
        seq=2,
        subject=entry.subject,
        stored_at=entry.stored_at,
        headers={},
        data=codec.encode(alert),
    )
    async with make_pool(Secret(writer_dsn)) as pool:
        store = Store(pool)
        await store.ensure_partitions(entry.stored_at.date(), entry.stored_at.date())
        await store.insert([row])
    found = await until(console, lambda found: found["trail"]["seq"] == 2)
    assert found["trail"]["behind_messages"] == 1


async def test_the_accounts_last_checkups(console):
    for name in ("main", "paper"):
        keys = {"access_key": "a", "secret_key": "s"}
        account = {"id": name, "base_url": "http://127.0.0.1:1", "ws_url": "ws://x", **keys}
        assert (await console.call("POST", "/api/accounts", account))[0] == 201
    checked = make_checkup(
        make_finding("linked_ip", "wrong"), account="main", key_days_left=3, at=NOW
    )
    await console.bus.publish(
        subject=subjects.account_checked(checked.account), message=checked, event_id="c:1"
    )
    found = await health_of(console)
    main, paper = found["accounts"]["accounts"]
    assert paper == {"account": "paper", "state": None}
    assert (main["state"], main["lines"], main["key_days_left"]) == ("wrong", ["linked_ip"], 3)
    told = [each["runbook"] for each in found["troubles"] if each["what"] == "main"]
    assert [each.partition("#")[2] for each in told] == [
        *("alertwirecheckupwrong", "alertwirekeyexpires")
    ]


async def test_without_postgres_the_rest_stands(js, nats_url):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere) as console, processes(nats_url, *SERVICES):
        found = await heard(console, *SERVICES)
        assert not found["trail"]["reachable"]
        assert found["trail"]["problem"]
        assert [each["part"] for each in found["troubles"]] == ["trail"]
        assert (await console.call("GET", "/api/statistics"))[0] == 503


async def test_without_nats_the_trail_stands(console):
    await console.bus.client.close()
    found = await health_of(console)
    assert found["state"] == "wrong"
    assert found["trail"]["reachable"]
    for part in ("services", "log", "consumers", "accounts"):
        assert found[part]["problem"], part


async def test_without_consumers_it_is_said_and_nothing_else(js, nats_url, reader_dsn):
    """The set-up step has not run: there is no stream either."""
    async with running(nats_url, reader_dsn) as console:
        found = await health_of(console)
    assert "stream not found" in found["log"]["problem"]
    assert found["trail"]["reachable"]


async def test_many_viewers_cost_one_question(console, nats_url):
    async with connection(nats_url, "router") as bus:
        asked = 0

        async def count(_message):
            nonlocal asked
            asked += 1

        await bus.client.subscribe(subjects.PRESENCE_ASKED, cb=count)
        await bus.client.flush()
        found = await asyncio.gather(*(health_of(console) for _ in range(20)))
    assert asked == 1
    assert len({each["at"] for each in found}) == 1


async def test_it_asks_for_the_token(console):
    status, _ = await console.call("GET", "/api/health", Authorization="Bearer no")
    assert status == 401
