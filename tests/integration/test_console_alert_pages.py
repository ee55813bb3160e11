"""An alert's page over real NATS and Postgres: what it answers to whom, and that it follows."""

import asyncio
import time

import aiohttp
import msgspec
import pytest

from libs.common.buckets import read_all
from libs.common.contracts.words import ClientOrderId
from libs.common.domain.identity import alert_id
from libs.common.topology import ensure_topology
from services.console.web.access.guarding import COOKIE
from services.console.web.access.user_file import User, UsersFile, hash_password
from services.console.web.access.users import Users
from services.console.web.access.viewers import Role
from tests.console_server import running
from tests.event_stream import Followed
from tests.factories import ALERT_ID, D, make_alert, make_intent, make_leg, make_order
from tests.journeys import CALL, JOURNEYS, PAUSED
from tests.trail_messages import make_denied, make_execution, make_plan
from tests.trail_store import subject_of, trail_store
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

HOSTILE = '{"ticker":"<script>alert(1)</script>\u202e","x":"</pre><img src=x onerror=alert(2)>"}'
PAGE = f"/alerts/{ALERT_ID}"


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users.json"
    known = tuple(
        User(name=role.value, role=role, password_hash=hash_password(f"{role.value}-word"))
        for role in Role
    )
    path.write_bytes(msgspec.json.encode(UsersFile(users=known)))
    return Users(path)


@pytest.fixture
async def console(js, nats_url, reader_dsn, users):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn, users=users, heartbeat_s=0.2) as found:
        yield found


@pytest.fixture
async def trail(writer_dsn):
    async with trail_store(writer_dsn) as found:
        yield found


class Browser:
    """Somebody with a session."""

    def __init__(self, http, url):
        self.http, self.url, self.csrf = http, url, ""

    async def sign_in(self, role, bus):
        form = {"name": role, "password": f"{role}-word"}
        async with self.http.post(f"{self.url}/sign-in", data=form) as answer:
            await answer.read()
        bucket = await bus.js.key_value("sessions")
        for value in (await read_all(bucket, timeout_s=5)).values():
            session = msgspec.json.decode(value)
            if session["name"] == role:
                self.csrf = session["csrf"]

    async def get(self, path, **headers):
        async with self.http.get(self.url + path, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def post(self, path, **headers):
        async with self.http.post(self.url + path, headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def browser(console):
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Browser(session, console.url)


@pytest.fixture
async def viewer(browser, console):
    await browser.sign_in("viewer", console.bus)
    return browser


def executed():
    leg = make_leg(client_order_id=ClientOrderId("o1"))
    told = {"filled_contracts": D(10), "average_price": D(50000), "calls": (CALL,)}
    return [make_alert(), make_intent(), make_plan(leg), make_execution("filled", "o1", **told)]


async def test_nobody_sees_it_without_a_session(browser, trail):
    await trail.put(*executed())
    for path in ("", "/journey", "/events", "/json", "/raw/1", "/body", "/calls/4/0"):
        status, text = await browser.get(PAGE + path)
        assert (status, text) == (303, ""), path


async def test_a_viewer_sees_all_of_it(viewer, console, trail):
    await trail.put(*executed())
    status, html = await viewer.get(PAGE)
    assert status == 200
    assert "Opened long 10 contracts of BTC_USDT on paper at 50000." in html
    assert "<nav" in html
    status, part = await viewer.get(f"{PAGE}/journey?level=3", **{"HX-Request": "true"})
    assert status == 200
    assert "<nav" not in part
    assert "<h3 " in part
    _, document = await viewer.get(f"{PAGE}/json")
    _, expected = await console.call("GET", f"/api/alerts/{ALERT_ID}")
    assert msgspec.json.decode(document) == expected
    _, event = await viewer.get(f"{PAGE}/raw/2", **{"HX-Request": "true"})
    assert "intent.accepted" in event
    _, page = await viewer.get(f"{PAGE}/raw/2")
    assert "Back to the alert" in page
    _, call = await viewer.get(f"{PAGE}/calls/4/0")
    assert "Balance insufficient" in call


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"/alerts/{alert_id(unix_ms=1, random_bits=1)}", "The trail knows no alert"),
        ("/alerts/nothing", "An alert id is a UUID"),
        (f"{PAGE}/raw/99", "has no event 99"),
        (f"{PAGE}/calls/1/7", "has no call 7"),
        (f"/alerts/{alert_id(unix_ms=1, random_bits=1)}/json", "The trail knows no alert"),
    ],
    ids=["unknown", "no id", "no event", "no call", "unknown document"],
)
async def test_what_is_not_there_is_told_in_words(viewer, trail, path, words):
    await trail.put(make_alert())
    status, html = await viewer.get(path)
    assert status == 404
    assert words in html
    assert "<h1>Not found</h1>" in html


async def test_without_postgres_there_are_words(js, nats_url, users):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        running(nats_url, nowhere, users=users) as console,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        browser = Browser(session, console.url)
        await browser.sign_in("viewer", console.bus)
        status, html = await browser.get(PAGE)
        assert status == 503
        assert "The trail cannot be read now" in html


async def test_whatever_somebody_sent_is_text(viewer, trail):
    order = make_order(ticker="<script>alert(1)</script>", comment="</title><script>")
    await trail.put(make_alert(order=order, body=HOSTILE))
    for path in ("", "/journey", "/raw/1", "/body"):
        _, html = await viewer.get(PAGE + path)
        assert "<script>alert" not in html, path
        assert "</title><script>" not in html, path
        assert "<img src=x" not in html, path
        assert "\u202e" not in html, path


async def test_every_journey_is_shown(viewer, trail):
    for number, (name, (messages, status)) in enumerate(JOURNEYS.items()):
        alert = alert_id(unix_ms=1_763_900_000_000, random_bits=number)
        await trail.put(*(msgspec.structs.replace(each, alert_id=alert) for each in messages))
        answered, html = await viewer.get(f"/alerts/{alert}")
        assert answered == 200, name
        assert f"status-{status}" in html, name


async def test_a_replay_is_for_everybody_and_only_from_our_own_form(viewer, console, trail):
    await trail.put(make_alert(), make_denied(account="paper", denial=PAUSED))
    path = f"{PAGE}/replay"
    status, _ = await viewer.post(path)
    assert status == 403
    token = {"X-CSRF-Token": viewer.csrf, "HX-Request": "true"}
    status, html = await viewer.post(path, **token)
    assert status == 404
    assert "There is no route" in html
    route = {"id": "demo", "accounts": [{"account": "paper"}]}
    account = {
        "id": "paper",
        "base_url": "http://127.0.0.1:1",
        "ws_url": "ws://127.0.0.1:1/edge",
        "access_key": "k",
        "secret_key": "s",
    }
    assert (await console.call("POST", "/api/accounts", account))[0] == 201
    assert (await console.call("POST", "/api/routes", route))[0] == 201
    status, html = await viewer.post(path, **token)
    assert status == 200
    # Nobody but the console runs here.
    assert "Not known." in html
    assert "no ingest has answered" in html
    status, document = await console.call("POST", f"/api/alerts/{ALERT_ID}/replay")
    assert (status, document["differences"]) == (200, [])
    assert "no ingest has answered" in document["now"]["problem"]


async def test_an_alert_that_is_on_its_way_is_followed_to_its_end(viewer, console, writer_dsn):
    """From before the trail knows it, to an end behind which nothing is expected."""
    now_ms = int(time.time() * 1000)
    alert = alert_id(unix_ms=now_ms, random_bits=5)
    path = f"/alerts/{alert}"
    status, html = await viewer.get(path)
    assert status == 200
    assert "Nothing of it is in the trail yet." in html
    async with (
        trail_store(writer_dsn) as trail,
        viewer.http.get(f"{console.url}{path}/events?after=0") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        followed = Followed(answer=answer)
        for message in (make_alert(alert_id=alert), make_denied(denial=PAUSED, alert=alert)):
            stored = await console.bus.publish(
                subject=subject_of(message), message=message, event_id=subject_of(message)
            )
            # The trail is behind the log: nobody is told before it has come so far.
            await asyncio.sleep(0.1)
            await trail.put(message, seq=stored.seq)
            _, name, told = await followed.next()
            assert (name, told) == ("changed", stored.seq)
        # The trail's times are of last week, so it is over at the first heartbeat.
        _, name, _ = await followed.next()
        assert name == "over"
        assert await followed.next() is None
    _, html = await viewer.get(path)
    assert 'data-open="no"' in html
    assert "Nothing was sent: route demo is paused" in html


async def test_what_comes_into_the_trail_late_is_told_at_a_heartbeat(viewer, console, writer_dsn):
    """The log's feed has told it long ago, or it is older than what the feed begins with."""
    async with trail_store(writer_dsn) as trail:
        await trail.put(make_alert())
        async with viewer.http.get(f"{console.url}{PAGE}/events?after=1") as answer:
            followed = Followed(answer=answer)
            await followed.comment(1)
            await trail.put(make_denied(denial=PAUSED))
            _, name, told = await followed.next()
            assert (name, told) == ("changed", 2)


async def test_a_cookie_alone_asks_for_nothing(viewer, console):
    """A form of another site brings the cookie and no token."""
    cookies = {each.key: each.value for each in viewer.http.cookie_jar}
    assert COOKIE in cookies
    status, _ = await viewer.post(f"{PAGE}/replay", **{"Sec-Fetch-Site": "cross-site"})
    assert status == 403
