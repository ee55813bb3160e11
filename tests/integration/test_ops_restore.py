"""Backups of a real log, and restores of them beside a real trail; no service runs."""

import asyncio
import os
import secrets
from datetime import UTC, datetime

import click
import msgspec
import pytest
from nats.js.errors import KeyNotFoundError

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.contracts import codec, subjects
from libs.common.contracts.control import Control, Scope
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.words import AlertId
from libs.common.domain import identity
from libs.common.health import Health
from libs.common.presence import present
from libs.common.secret import Secret
from libs.common.topology import AUDITED_STREAMS, AUDITOR, ROUTER, ensure_topology
from services.auditor.handler import Auditor
from services.auditor.store import Store, make_pool
from services.auditor.upkeep import keep
from services.console.writing import Writer
from tests.factories import make_alert, make_intent, make_route
from tests.unled_consumers import leave_out
from tools.cli import ops_restoring
from tools.cli.ops_backup_manifest import read_manifest
from tools.cli.ops_backup_saving import save
from tools.cli.ops_restore_settling import BURIED, MADE_BY
from tools.cli.ops_restoring import Restoring

pytestmark = pytest.mark.integration

EXECUTOR = "executor-0"


def quiet(_line):
    pass


@pytest.fixture
async def bus(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="test", health=Health("test")
    ) as bus:
        yield bus


@pytest.fixture
async def audited(bus, writer_dsn):
    """Brings everything that the log holds into the trail, as often as it is called."""

    async def bring():
        stop = asyncio.Event()
        async with make_pool(Secret(writer_dsn)) as pool, asyncio.TaskGroup() as group:
            store = Store(pool)
            upkeep = group.create_task(keep(store))
            for stream in AUDITED_STREAMS:
                auditor = Auditor(bus=bus, store=store, batch_max=500, flush_s=0.01, stream=stream)
                group.create_task(auditor.run(stop))
            async with asyncio.timeout(30):
                while [one for one in AUDITED_STREAMS if not await is_stored(bus, one)]:
                    await asyncio.sleep(0.05)
            stop.set()
            await cancelled([upkeep])

    return bring


async def is_stored(bus, stream):
    state = (await bus.js.stream_info(stream)).state
    info = await bus.js.consumer_info(stream, AUDITOR)
    return info.ack_floor.stream_seq >= state.last_seq and not info.num_pending


async def alert(bus, name):
    found = make_alert(alert_id=AlertId(name))
    await publish(bus, found, subject=subjects.alert_received(found.route))


async def intent(bus, name):
    found = make_intent(alert_id=AlertId(name))
    subject = subjects.intent_accepted(shard=0, account=found.account, symbol=found.symbol)
    await publish(bus, found, subject=subject)


async def publish(bus, message, *, subject):
    await bus.publish(subject=subject, message=message, event_id=secrets.token_hex(8))


def writer(bus, bucket):
    return Writer(bus, bucket=bucket)


def restoring(directory, nats_url, *, trail=None, **changes):
    values = {
        "directory": directory,
        "manifest": read_manifest(directory),
        "log": Access(url=Secret(nats_url)),
        "database": None if trail is None else Secret(trail),
        "replace": True,
        "keep_database": True,
        "replace_database": False,
        "replicas": None,
        "placement": (),
        "tell": quiet,
    }
    return Restoring(**values | changes)


async def saved(directory, nats_url):
    return await save(directory, log=Access(url=Secret(nats_url)), database=None, tell=quiet)


async def position(bus, name, *, stream=subjects.STREAM):
    info = await bus.js.consumer_info(stream, name)
    return info.ack_floor.stream_seq, info.num_pending, info.paused


async def last_seq(bus, stream=subjects.STREAM):
    return (await bus.js.stream_info(stream)).state.last_seq


async def test_a_stream_of_many_chunks_comes_back_as_it_was(bus, nats_url, tmp_path):
    for number in range(150):
        await bus.js.publish(f"account.called.a{number}", os.urandom(200_000))
    await bus.js.purge_stream(subjects.STREAM, seq=20)
    before = (await bus.js.stream_info(subjects.STREAM)).state
    message = await bus.js.get_msg(subjects.STREAM, seq=77)
    told = []
    manifest = await save(
        tmp_path / "new", log=Access(url=Secret(nats_url)), database=None, tell=told.append
    )
    assert manifest.streams[-1].file.bytes > 25_000_000
    await restoring(tmp_path / "new", nats_url).run()
    after = (await bus.js.stream_info(subjects.STREAM)).state
    assert (after.first_seq, after.last_seq) == (before.first_seq, before.last_seq)
    again = await bus.js.get_msg(subjects.STREAM, seq=77)
    assert (again.data, again.subject, again.time) == (
        message.data,
        message.subject,
        message.time,
    )


async def test_only_the_owner_reads_it_and_a_change_is_seen(bus, nats_url, tmp_path):
    await alert(bus, "one")
    directory = tmp_path / "new"
    manifest = await saved(directory, nats_url)
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    names = {stream.name for stream in manifest.streams}
    assert names.isdisjoint({"KV_owners", "KV_sessions"})
    assert read_manifest(directory) == manifest
    with pytest.raises(click.ClickException, match="is not empty"):
        await saved(directory, nats_url)
    path = directory / "PIPELINE.snapshot"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(click.ClickException, match="not what it was"):
        read_manifest(directory)
    (directory / "manifest.json").unlink()
    with pytest.raises(click.ClickException, match="no backup"):
        read_manifest(directory)


async def test_it_deletes_nothing_unasked_and_starts_beside_nobody(bus, nats_url, tmp_path):
    await alert(bus, "one")
    await saved(tmp_path / "new", nats_url)
    with pytest.raises(click.ClickException, match="--replace deletes it"):
        await restoring(tmp_path / "new", nats_url, replace=False).run()
    async with present(bus, Health("router")):
        with pytest.raises(click.ClickException, match="stop every service first: router"):
            await restoring(tmp_path / "new", nats_url).run()
    assert await last_seq(bus) == 1


async def test_what_is_open_is_buried_and_nobody_is_given_anything(bus, nats_url, tmp_path):
    routes = writer(bus, subjects.BUCKET_ROUTES)
    await routes.put("demo", msgspec.json.encode(make_route()), made_by="a test")
    for name in ("routed", "open"):
        await alert(bus, name)
    await intent(bus, "routed")
    await saved(tmp_path / "new", nats_url)
    await alert(bus, "later")
    restored = await restoring(tmp_path / "new", nats_url).run()
    buried = [(each.service, each.seq, each.alert_id) for each in restored.settled.buried]
    assert buried == [("router", 2, "open"), ("executor", 3, "routed")]
    letters = [await bus.entry(seq) for seq in (4, 5)]
    assert all(isinstance(entry.message, DeadLetter) for entry in letters)
    assert {entry.message.reason for entry in letters} == {BURIED}
    assert codec.decode(letters[0].message.data).alert_id == "open"
    assert await position(bus, ROUTER) == (5, 0, None)
    assert await position(bus, EXECUTOR) == (5, 0, None)
    again = await restoring(tmp_path / "new", nats_url).run()
    assert len(again.settled.buried) == 2, "the same backup, the same outcome"


@pytest.mark.parametrize("say_so", [False, True])
async def test_a_consumer_that_a_cluster_tells_of_late_is_settled_too(
    bus, nats_url, tmp_path, monkeypatch, say_so
):
    """Else what it had left open would be carried out again."""
    await intent(bus, "routed")
    await saved(tmp_path / "new", nats_url)
    leave_out(monkeypatch, EXECUTOR, times=3, say_so=say_so)
    restored = await restoring(tmp_path / "new", nats_url).run()
    assert [(each.service, each.seq) for each in restored.settled.buried] == [("executor", 1)]
    assert await position(bus, EXECUTOR) == (2, 0, None)


async def test_a_consumer_that_does_not_come_back_ends_it(bus, nats_url, tmp_path, monkeypatch):
    await bus.js.delete_consumer(subjects.STREAM, EXECUTOR)
    manifest = await saved(tmp_path / "less", nats_url)
    stream = msgspec.structs.replace(manifest.streams[-1], consumers=(EXECUTOR, ROUTER))
    promised = msgspec.structs.replace(manifest, streams=[*manifest.streams[:-1], stream])
    monkeypatch.setattr(ops_restoring, "_CONSUMERS_WITHIN_S", 0.1)
    with pytest.raises(click.ClickException, match="back without executor-0: start nothing"):
        await restoring(tmp_path / "less", nats_url, manifest=promised).run()


async def test_the_log_of_a_cluster_is_put_back_on_one_server(bus, nats_url, tmp_path):
    await alert(bus, "one")
    manifest = await saved(tmp_path / "new", nats_url)
    kept = {"num_replicas": 3, "placement": {"tags": ["disk:fast"]}}
    streams = [
        msgspec.structs.replace(each, config=each.config | kept) for each in manifest.streams
    ]
    of_three = msgspec.structs.replace(manifest, streams=streams)
    with pytest.raises(click.ClickException, match="--replicas and --placement say which"):
        await restoring(tmp_path / "new", nats_url, manifest=of_three).run()
    here = {"manifest": of_three, "replicas": 1, "placement": ["-"]}
    await restoring(tmp_path / "new", nats_url, **here).run()
    config = (await bus.js.stream_info(subjects.STREAM)).config
    assert (config.num_replicas, config.placement) == (1, None)
    assert (await bus.entry(1)).message.alert_id == "one"


async def test_everything_is_halted_and_nothing_is_flattened(bus, nats_url, tmp_path):
    controls = writer(bus, subjects.BUCKET_CONTROLS)
    halt = Control(
        scope=Scope.ACCOUNT,
        id="paper",
        halt_id=identity.alert_id(unix_ms=0, random_bits=1),
        at=datetime.now(UTC),
        flatten=True,
        accounts=("paper",),
    )
    await controls.put("account.paper", msgspec.json.encode(halt), made_by="a test")
    await saved(tmp_path / "new", nats_url)
    restored = await restoring(tmp_path / "new", nats_url).run()
    assert restored.settled.flattening == ["account paper"]
    store = await bus.js.key_value(subjects.BUCKET_CONTROLS)
    found = {
        key: msgspec.json.decode((await store.get(key)).value, type=Control)
        for key in ("all", "account.paper")
    }
    assert found["all"].by == MADE_BY
    assert not found["account.paper"].flatten
    assert found["account.paper"].halt_id == halt.halt_id


async def test_the_log_goes_on_where_a_newer_trail_ends(bus, nats_url, database, audited, tmp_path):
    routes = writer(bus, subjects.BUCKET_ROUTES)
    sealed = writer(bus, subjects.BUCKET_SECRETS)
    await routes.put("demo", msgspec.json.encode(make_route()), made_by="a test")
    await sealed.put("paper", b"sealed", made_by="a test")
    await alert(bus, "one")
    await saved(tmp_path / "new", nats_url)
    await alert(bus, "two")
    await bus.js.publish("account.called.x", b"gone before it was read")
    await bus.js.delete_msg(subjects.STREAM, 3)
    await intent(bus, "two")
    paused = msgspec.json.encode(make_route(inverse=True))
    await routes.put("demo", paused, made_by="anna")
    await sealed.put("paper", b"sealed anew", made_by="anna")
    await audited()
    restored = await restoring(tmp_path / "new", nats_url, trail=database).run()
    taken_on = restored.settled.taken_on
    assert taken_on.places == {"PIPELINE": 3, "KV_routes": 1, "KV_secrets": 1}
    assert taken_on.secrets_gone == {"paper"}
    assert (await bus.entry(2)).message.alert_id == "two"
    assert (await bus.entry(4)).message.alert_id == "two"
    store = await bus.js.key_value(subjects.BUCKET_ROUTES)
    entry = await store.get("demo")
    assert (entry.value, entry.revision) == (paused, 2)
    # An older secret would be a wrong one.
    with pytest.raises(KeyNotFoundError):
        await (await bus.js.key_value(subjects.BUCKET_SECRETS)).get("paper")
    buried = [(each.service, each.alert_id) for each in restored.settled.buried]
    assert buried == [("router", "one"), ("executor", "two")], "two was routed"
    assert await position(bus, AUDITOR) == (4, 2, None), "two letters are news, the rest is not"
    await audited()


async def test_a_trail_that_is_older_than_the_log_gets_what_it_lacks(
    bus, nats_url, database, audited, tmp_path
):
    await alert(bus, "one")
    await audited()
    for name in ("two", "three"):
        await alert(bus, name)
    await saved(tmp_path / "new", nats_url)
    # As if they had been stored in a database that is lost.
    await bus.js.reset_consumer(subjects.STREAM, AUDITOR, seq=4)
    await restoring(tmp_path / "new", nats_url, trail=database).run()
    floor, pending, _ = await position(bus, AUDITOR)
    assert (floor, pending) == (1, await last_seq(bus) - 1)
    await audited()


async def test_a_trail_of_another_log_is_refused(bus, js, nats_url, database, audited, tmp_path):
    await alert(bus, "one")
    await audited()
    await js.delete_stream(subjects.STREAM)
    await ensure_topology(js)
    await intent(bus, "another")
    await saved(tmp_path / "new", nats_url)
    with pytest.raises(click.ClickException, match="not of one history"):
        await restoring(tmp_path / "new", nats_url, trail=database).run()
    *_, paused = await position(bus, ROUTER)
    assert paused, "nobody gets anything of what was not settled"
