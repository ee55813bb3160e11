"""What somebody could do who has taken over a service, and what the log does about it."""

import asyncio
import json

import pytest
from nats.js import api

from libs.common import metrics
from libs.common.bus import LogUnavailable
from libs.common.cancelling import cancelled
from libs.common.contracts import subjects
from libs.common.permissions import User
from libs.common.watching import Watched
from tests.factories import make_alert
from tests.locked_nats import asked, locked_nats

pytestmark = pytest.mark.integration
API = "$JS.API"


@pytest.fixture
async def locked():
    async with locked_nats() as found:
        yield found


@pytest.fixture
async def admin(locked):
    async with locked.client(User.ADMIN) as client:
        yield client.jetstream()


async def count(js, stream=subjects.STREAM):
    return (await js.stream_info(stream)).state.messages


async def test_who_may_not_store_an_alert_does_not_and_it_is_counted(locked, admin):
    alert = make_alert()
    wanted = {
        "subject": subjects.alert_received(alert.route),
        "message": alert,
        "event_id": "e1",
    }
    async with locked.bus(User.EXECUTOR) as bus:
        before = metrics.log_errors.labels("executor")._value.get()
        with pytest.raises(LogUnavailable):
            await bus.publish(**wanted)
        assert metrics.log_errors.labels("executor")._value.get() == before + 1
    assert await count(admin) == 0
    async with locked.bus(User.INGEST) as bus:
        assert (await bus.publish(**wanted)).seq == 1


async def test_the_console_stores_a_secret_that_it_cannot_read(locked, admin):
    stream, key = "KV_secrets", "$KV.secrets.main"
    consumer = {"stream_name": stream, "config": {"name": "x", "ack_policy": "none"}}
    pushing = {**consumer, "config": {**consumer["config"], "deliver_subject": "_INBOX_console.x"}}
    async with locked.client(User.CONSOLE) as console:
        await console.jetstream(timeout=2).publish(key, b"sealed")
        heard = await console.subscribe("_INBOX_console.x")
        ways = [
            (f"{API}.STREAM.MSG.GET.{stream}", {"last_by_subj": key}),
            (f"{API}.DIRECT.GET.{stream}", {"last_by_subj": key}),
            (f"{API}.DIRECT.GET.{stream}.{key}", None),
            (f"{API}.CONSUMER.CREATE.{stream}", pushing),
            (f"{API}.CONSUMER.CREATE.{stream}.x", pushing),
            (f"{API}.CONSUMER.CREATE.{stream}.x.{key}", pushing),
            (f"{API}.CONSUMER.DURABLE.CREATE.{stream}.x", pushing),
            (f"{API}.CONSUMER.MSG.NEXT.{stream}.auditor", {"batch": 1}),
            (f"{API}.STREAM.SNAPSHOT.{stream}", {"deliver_subject": "_INBOX_console.x"}),
            (f"{API}.STREAM.CREATE.X", {"name": "X", "mirror": {"name": stream}}),
            # By the log, which it may make consumers of.
            (f"{API}.CONSUMER.CREATE.PIPELINE.x", pushing),
        ]
        found = await asyncio.gather(*(asked(console, *way) for way in ways))
        assert [answer for answer in found[:-1] if answer is not None] == []
        assert found[-1]["error"]["description"] == "stream name in subject does not match request"
        assert heard.pending_msgs == 0
    assert (await admin.get_last_msg(stream, key)).data == b"sealed"


async def test_the_executor_reads_what_the_console_sealed(locked):
    secrets = Watched(bucket=subjects.BUCKET_SECRETS, decode=bytes, on_change=None)
    async with locked.client(User.CONSOLE) as console, locked.bus(User.EXECUTOR) as executor:
        await console.jetstream().publish("$KV.secrets.main", b"sealed")
        following = asyncio.create_task(secrets.follow(executor))
        async with asyncio.timeout(20):
            while secrets.get("main") != b"sealed":
                await asyncio.sleep(0.02)
        await cancelled([following])


@pytest.mark.parametrize("user", [User.INGEST, User.CONSOLE])
async def test_who_makes_consumers_of_the_moment_cannot_change_another_ones(locked, admin, user):
    def wanted(**more):
        config = {"ack_policy": "explicit", "filter_subject": "dead.*", **more}
        return {"stream_name": "PIPELINE", "config": config}

    async with locked.client(user) as client:
        ways = (
            ("CREATE.PIPELINE", wanted(name="router")),
            ("CREATE.PIPELINE.router", wanted(name="router")),
            ("CREATE.PIPELINE.router.dead.*", wanted(name="router")),
            ("DURABLE.CREATE.PIPELINE.router", wanted(durable_name="router")),
            ("DELETE.PIPELINE.router", None),
            ("PAUSE.PIPELINE.router", {"pause_until": "2099-01-01T00:00:00Z"}),
            ("RESET.PIPELINE.router", {}),
            ("MSG.NEXT.PIPELINE.router", {"batch": 1, "no_wait": True}),
        )
        found = await asyncio.gather(
            *(asked(client, f"{API}.CONSUMER.{subject}", body) for subject, body in ways)
        )
        assert found == [None] * len(ways)
        # The name in the subject is the one that counts.
        filter_subject = "alert.received.>"
        body = wanted(name="router", filter_subject=filter_subject)
        await asked(client, f"{API}.CONSUMER.CREATE.PIPELINE.x.{filter_subject}", body)
    router = await admin.consumer_info("PIPELINE", "router")
    assert (router.config.filter_subject, router.paused) == ("alert.received.>", None)
    assert router.config.ack_wait == 15


async def test_an_answer_of_the_log_sent_elsewhere_is_no_message_of_ours(locked, admin):
    """Where an answer goes is not checked; so what is stored must not be what comes."""
    intent = "intent.accepted.0.main.BTC_USDT"
    async with locked.client(User.AUDITOR) as auditor:
        js = auditor.jetstream(timeout=2)
        await js.publish("anchor.PIPELINE", b'{"type":"forged"}')
        last = json.dumps({"last_by_subj": "anchor.PIPELINE"}).encode()
        for way in (f"{API}.DIRECT.GET.ANCHORS", f"{API}.STREAM.MSG.GET.ANCHORS"):
            auditor.post(way, last, reply=intent)
        auditor.post(f"{API}.DIRECT.GET.ANCHORS.anchor.PIPELINE", b"", reply=intent)
        assert await asked(auditor, f"{API}.CONSUMER.INFO.PIPELINE.auditor") is not None
    async with asyncio.timeout(20):
        while not await count(admin):
            await asyncio.sleep(0.02)
    found = await admin.get_last_msg("PIPELINE", intent)
    assert found.seq == 1
    assert json.loads(found.data)["type"] == "io.nats.jetstream.api.v1.stream_msg_get_response"


async def test_from_the_anchors_nothing_is_taken_even_by_the_administrator(locked, admin):
    await admin.publish("anchor.PIPELINE", b"x")
    for take in (admin.purge_stream("ANCHORS"), admin.delete_msg("ANCHORS", 1)):
        with pytest.raises(Exception, match=r"not permitted|does not allow|not allowed"):
            await take
    assert await count(admin, "ANCHORS") == 1


async def test_a_service_whose_key_is_taken_away_and_given_back_goes_on(locked):
    """Its connection is ended by the server; it tries on until it is let in."""
    config = locked.config_file.read_text()
    users = json.loads(config)
    async with locked.bus(User.INGEST) as bus:
        public = bus.client._public_nkey
        listed = users["authorization"]["users"]
        users["authorization"]["users"] = [one for one in listed if one.get("nkey") != public]
        locked.config_file.write_text(json.dumps(users))
        locked.reload()
        async with asyncio.timeout(30):
            while bus.client.is_connected:
                await asyncio.sleep(0.02)
        locked.config_file.write_text(config)
        locked.reload()
        async with asyncio.timeout(30):
            while not bus.client.is_connected:
                await asyncio.sleep(0.02)
        alert = make_alert()
        stored = await bus.publish(
            subject=subjects.alert_received(alert.route), message=alert, event_id="e1"
        )
        assert stored.seq == 1


async def test_consumers_without_a_name_are_given_one(locked):
    async with locked.client(User.INGEST) as client:
        config = api.ConsumerConfig(filter_subject=subjects.ALERTS_RECEIVED, ack_policy="none")
        made = await client.jetstream().add_consumer(subjects.STREAM, config)
        assert len(made.name) == 22
