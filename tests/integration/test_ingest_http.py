"""Ingest over real HTTP on a real log: every answer of the webhook, and what the log then holds."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import pytest
import structlog

from libs.common.contracts.alert import Alert, AlertDuplicate, AlertRefused
from tests.integration.ingest_stand import BUY, stand_on

pytestmark = pytest.mark.integration


@pytest.fixture
async def stand(nats_url):
    async with stand_on(nats_url) as stand:
        yield stand


async def test_accepted_means_that_the_log_holds_the_alert(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    reply = await stand.post(f"{address}/hook/t0ken", BUY)
    assert (reply.status, reply.body["status"]) == (200, "accepted")
    assert set(reply.body) == {"status", "alert_id"}
    [alert] = await stand.entries()
    assert isinstance(alert, Alert)
    assert alert.alert_id == reply.body["alert_id"]
    assert alert.order.quantity == Decimal("0.001")
    assert alert.body == BUY.decode()
    assert alert.body_sha256 == sha256(BUY).hexdigest()
    assert (alert.route, alert.source_address) == ("demo", "127.0.0.1")


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"content-type": "text/plain; charset=utf-8"}},
        {"headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"headers": {"content-type": "application/json"}},
    ],
)
async def test_any_content_type_and_the_short_address_will_do(stand, options):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    assert (await stand.post(f"{address}/t0ken", BUY, **options)).body["status"] == "accepted"
    [alert] = await stand.entries()
    assert alert.content_type == options["headers"]["content-type"]


async def test_a_resend_is_answered_with_the_first_alerts_id(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    first = await stand.post(f"{address}/hook/t0ken", BUY)
    again = await stand.post(f"{address}/hook/t0ken", BUY)
    other = await stand.post(f"{address}/hook/t0ken", BUY.replace(b"0.001", b"0.002"))
    assert again.body == {"status": "duplicate", "alert_id": first.body["alert_id"]}
    assert other.body["status"] == "accepted"
    alert, duplicate, _ = await stand.entries()
    assert isinstance(duplicate, AlertDuplicate)
    assert duplicate.alert_id == alert.alert_id


async def test_an_explicit_id_makes_different_bodies_one_alert(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    first = await stand.post(f"{address}/hook/t0ken", BUY[:-1] + b',"alert_id":7}')
    again = await stand.post(f"{address}/hook/t0ken", BUY[:-1] + b', "alert_id":"7"}')
    assert again.body == {"status": "duplicate", "alert_id": first.body["alert_id"]}


async def test_without_a_window_every_request_is_an_alert(stand):
    await stand.put_route({"duplicate_window_s": 0}, token="t0ken")
    address = await stand.start()
    replies = [await stand.post(f"{address}/hook/t0ken", BUY) for _ in range(3)]
    assert [reply.body["status"] for reply in replies] == ["accepted"] * 3


async def test_a_body_is_new_again_once_the_window_is_over(stand):
    await stand.put_route({"duplicate_window_s": 1}, token="t0ken")
    address = await stand.start()
    words = [(await stand.post(f"{address}/hook/t0ken", BUY)).body["status"]]
    await asyncio.sleep(1.05)
    words.extend([(await stand.post(f"{address}/hook/t0ken", BUY)).body["status"] for _ in "ab"])
    assert words == ["accepted", "accepted", "duplicate"]


@pytest.mark.parametrize("ingests", [1, 2])
async def test_of_identical_requests_at_once_one_is_accepted(stand, ingests):
    """Also where each reaches another ingest: the log decides."""
    await stand.put_route({}, token="t0ken")
    addresses = [await stand.start() for _ in range(ingests)]
    replies = await asyncio.gather(
        *(stand.post(f"{addresses[turn % ingests]}/hook/t0ken", BUY) for turn in range(8))
    )
    assert sorted(reply.body["status"] for reply in replies) == ["accepted"] + ["duplicate"] * 7
    assert len({reply.body["alert_id"] for reply in replies}) == 1
    entries = await stand.entries()
    assert sum(isinstance(entry, Alert) for entry in entries) == 1


async def test_a_resend_that_reaches_another_ingest_at_once_is_known(stand):
    """It has not read of the first one yet; also where an older alert has the same body."""
    await stand.put_route({"duplicate_window_s": 3}, token="t0ken")
    first, second = [await stand.start() for _ in "ab"]

    async def resent(number, *, one, other):
        body = BUY.replace(b"0.001", str(number).encode())
        accepted = await stand.post(f"{one}/hook/t0ken", body)
        again = await stand.post(f"{other}/hook/t0ken", body)
        assert accepted.body["status"] == "accepted"
        assert again.body == {"status": "duplicate", "alert_id": accepted.body["alert_id"]}
        return accepted.body["alert_id"]

    async def all_resent(**where):
        return await asyncio.gather(*(resent(number, **where) for number in range(1, 21)))

    ids = await all_resent(one=first, other=second)
    await asyncio.sleep(3.05)
    ids += await all_resent(one=second, other=first)
    assert len(set(ids)) == 40
    entries = await stand.entries()
    assert sum(isinstance(entry, Alert) for entry in entries) == 40


async def test_an_ingest_that_starts_later_knows_what_came_before(stand):
    """After the window of the first alert and before that of the second, from the log alone."""
    await stand.put_route({"duplicate_window_s": 3}, token="t0ken")
    first = await stand.start()
    await stand.post(f"{first}/hook/t0ken", BUY)
    await asyncio.sleep(3.05)
    chained = await stand.post(f"{first}/hook/t0ken", BUY)
    late = await stand.start()
    again = await stand.post(f"{late}/hook/t0ken", BUY)
    assert chained.body["status"] == "accepted"
    assert again.body == {"status": "duplicate", "alert_id": chained.body["alert_id"]}


@pytest.mark.parametrize(
    ("body", "status", "reason", "field"),
    [
        (b"", 415, "not_a_json_object", None),
        (b"buy BTC", 415, "not_a_json_object", None),
        (b"[" + BUY + b"]", 415, "not_a_json_object", None),
        (BUY[:-1], 415, "not_a_json_object", None),
        (BUY.replace(b"0.001", b'"much"'), 422, "field_invalid", "order_contracts"),
        (BUY.replace(b"0.001", b"null"), 422, "field_missing", "order_contracts"),
        (
            BUY.replace(b"0.001", b'"{{strategy.order.contracts}}"'),
            422,
            "placeholder_unreplaced",
            "order_contracts",
        ),
        (b'{"comment":"' + b"x" * 70_000 + b'"}', 413, "body_too_large", None),
    ],
)
async def test_a_refusal_is_a_problem_and_stays_in_the_log(stand, body, status, reason, field):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    reply = await stand.post(f"{address}/hook/t0ken", body)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.body["status"], reply.body["reason"]) == (status, reason)
    assert reply.body.get("field") == field
    assert {"type", "title", "detail", "alert_id"} <= set(reply.body)
    [refused] = await stand.entries()
    assert isinstance(refused, AlertRefused)
    assert refused.alert_id == reply.body["alert_id"]
    assert (refused.status, refused.reason, refused.field) == (status, reason, field)
    assert refused.body == ("" if status == 413 else body.decode())


async def test_a_chunked_body_is_cut_off_where_it_is_too_large(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()

    async def chunks():
        for _ in range(20):
            yield b" " * 5_000

    reply = await stand.post(f"{address}/hook/t0ken", chunks())
    assert (reply.status, reply.body["reason"]) == (413, "body_too_large")


async def test_exactly_64_kib_are_taken(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    reply = await stand.post(f"{address}/hook/t0ken", BUY + b" " * (65_536 - len(BUY)))
    assert reply.status == 200
    reply = await stand.post(f"{address}/hook/t0ken", BUY + b" " * (65_537 - len(BUY)))
    assert reply.status == 413


async def test_an_unknown_token_opens_nothing(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    for path in ("/hook/wrong", "/wrong", "/hook", "/", "/hook/", "/hook/t0ken/more", "/a/t0ken"):
        reply = await stand.post(f"{address}{path}", BUY)
        assert (path, reply.status, reply.body["title"]) == (path, 404, "Not Found")
        assert reply.headers["content-type"] == "application/problem+json"
    assert await stand.entries() == []


async def test_a_token_ends_when_it_expires(stand):
    expires_at = datetime.now(UTC) - timedelta(seconds=1)
    await stand.put_route({}, token="t0ken", hash={"expires_at": expires_at})
    address = await stand.start()
    assert (await stand.post(f"{address}/hook/t0ken", BUY)).status == 404


async def test_a_changed_route_holds_within_a_second(stand):
    await stand.put_route({}, token="before")
    address = await stand.start()
    await stand.put_route({}, token="after")
    async with asyncio.timeout(1):
        while (await stand.post(f"{address}/hook/before", BUY)).status != 404:
            await asyncio.sleep(0.02)
    assert (await stand.post(f"{address}/hook/after", BUY)).status == 200


async def test_a_hook_is_not_read(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    for path in ("/hook/t0ken", "/t0ken"):
        async with stand.session.get(f"{address}{path}") as reply:
            assert reply.status == 405
            assert reply.headers["allow"] == "POST"
            assert reply.content_type == "application/problem+json"


async def test_health_is_beside_the_hook_and_not_a_token(stand):
    address = await stand.start()
    async with stand.session.get(f"{address}/health/live") as reply:
        assert (reply.status, (await reply.json())["status"]) == (200, "live")
    reply = await stand.post(f"{address}/health/ready", b"")
    assert (reply.status, reply.headers["content-type"]) == (405, "application/problem+json")


async def test_a_body_secret_is_asked_for_and_not_kept(stand):
    hashed = sha256(b"open sesame").hexdigest()
    await stand.put_route({}, token="t0ken", body_secret_sha256=hashed)
    address = await stand.start()
    none = await stand.post(f"{address}/hook/t0ken", BUY)
    wrong = await stand.post(f"{address}/hook/t0ken", BUY[:-1] + b',"secret":"open barley"}')
    right = await stand.post(f"{address}/hook/t0ken", BUY[:-1] + b', "secret": "open sesame"}')
    assert [none.status, wrong.status, right.status] == [401, 401, 200]
    assert wrong.body["reason"] == "body_secret_wrong"
    *refused, alert = await stand.entries()
    assert alert.body == BUY.decode()[:-1] + ', "secret": "***"}'
    assert "open" not in str(refused)


async def test_an_address_that_is_not_allowed_is_turned_away(stand):
    await stand.put_route({"allow_addresses": ["52.89.214.238"]}, token="t0ken")
    address = await stand.start()
    reply = await stand.post(f"{address}/hook/t0ken", BUY)
    assert (reply.status, reply.body["reason"]) == (403, "address_not_allowed")
    assert reply.body["value"] == "127.0.0.1"


async def test_above_its_rate_a_route_has_to_wait(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start(rate_per_s=0.5, rate_burst=2)
    replies = [await stand.post(f"{address}/hook/t0ken", BUY) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert 1 <= int(replies[2].headers["retry-after"]) <= 2


async def test_a_slow_body_is_given_up_on_in_time(stand):
    await stand.put_route({}, token="t0ken")
    address = await stand.start()
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /hook/t0ken HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    async with asyncio.timeout(3):
        head = await reader.readline()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    assert b" 408 " in head


async def test_the_token_is_in_no_log_line(stand, capsys):
    await stand.put_route({}, token="t0ken")
    with structlog.testing.capture_logs() as lines:
        address = await stand.start()
        for body in (BUY, BUY, b"nothing"):
            await stand.post(f"{address}/hook/t0ken", body)
        await stand.post(f"{address}/hook/t0ken-almost", BUY)
    events = [line["event"] for line in lines if line["event"].startswith("alert.")]
    assert events == ["alert.received", "alert.duplicate", "alert.refused", "alert.refused"]
    assert "t0ken" not in str(lines)
    captured = capsys.readouterr()
    assert "t0ken" not in captured.out + captured.err
