"""The health pages over real NATS and Postgres: what stands where a part is away, who may replay a
letter, and that nothing which a stranger wrote is more than text.
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass

import aiohttp
import msgspec
import pytest

from libs.common.contracts import subjects
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.auditor.rows import to_row
from services.auditor.store import Store, make_pool
from services.console.web.access.user_file import User, UsersFile, hash_password
from services.console.web.access.users import Users
from services.console.web.access.viewers import Role
from tests.console_server import running
from tests.factories import NOW
from tests.pictured import make_picture
from tests.trail_messages import make_dead
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

HTMX = {"HX-Request": "true"}
HOSTILE = "</p><script>alert(1)</script>\u202eevil"
ACCOUNT = {
    "id": "main",
    "base_url": "http://127.0.0.1:1",
    "ws_url": "ws://x",
    "access_key": "a",
    "secret_key": "s",
}
HASHES = {role: hash_password(f"{role.value}-word") for role in Role}


@dataclass(kw_only=True)
class Person:
    """Somebody who has signed in, as far as HTTP goes."""

    http: aiohttp.ClientSession
    url: str
    csrf: str = ""

    async def ask(self, method, path, *, headers=None, data=None):
        async with self.http.request(
            method, self.url + path, headers=headers or {}, data=data, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text(), answer.headers

    async def part(self, path):
        """As the page asks for it."""
        status, text, _ = await self.ask("GET", path, headers=HTMX)
        return status, " ".join(text.split())


@contextlib.asynccontextmanager
async def somebody(console, name):
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        person = Person(http=http, url=console.url)
        form = {"name": name, "password": f"{name}-word"}
        assert (await person.ask("POST", "/sign-in", data=form))[0] == 303
        # Nothing that is kept for a moment is asked for: a test is about to change it.
        _, text, _ = await person.ask("GET", "/health/dead")
        person.csrf = re.search(r'name="csrf" value="([^"]+)"', text)[1]
        yield person


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users.json"
    known = tuple(User(name=role, role=role, password_hash=HASHES[role]) for role in Role)
    path.write_bytes(msgspec.json.encode(UsersFile(users=known)))
    return Users(path)


@pytest.fixture
async def console(js, nats_url, reader_dsn, users):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn, users=users, picture_s=0.5) as found:
        yield found


@pytest.fixture
async def operator(console):
    async with somebody(console, "operator") as found:
        yield found


@pytest.fixture
async def viewer(console):
    async with somebody(console, "viewer") as found:
        yield found


async def bury(console, number=1, **changes):
    """A letter in the log, as a service leaves it."""
    stored = await console.bus.js.publish("alert.received.demo", b"{%d" % number)
    letter = msgspec.structs.replace(
        make_dead("router", "alert.received.demo"), seq=stored.seq, data=b"{", **changes
    )
    told = await console.bus.publish(
        subject=subjects.dead("router"), message=letter, event_id=f"b{number}"
    )
    return told.seq


@pytest.mark.parametrize(
    "path", ["", "/now", "/figures", "/dead", "/dead/1", "/accounts/main/picture"]
)
async def test_nobody_sees_it_without_a_session(console, path):
    async with console.http.get(f"{console.url}/health{path}", allow_redirects=False) as answer:
        assert answer.status == 303
    headers = {"Authorization": "Bearer console-token", **HTMX}
    async with console.http.get(f"{console.url}/health{path}", headers=headers) as answer:
        assert answer.status == 401


async def test_the_processes_own_health_needs_no_session(console):
    for path in ("/health/live", "/health/ready"):
        async with console.http.get(console.url + path, allow_redirects=False) as answer:
            assert answer.status in {200, 503}
            assert (await answer.json())["service"] == "console"


async def test_the_page_stands_with_what_is_known(console, viewer):
    await console.call("POST", "/api/accounts", ACCOUNT)
    status, text, _ = await viewer.ask("GET", "/health")
    assert status == 200
    # No service runs here.
    assert "5 things are wrong" in text
    assert "docs/runbook.md#alertwireservicedown" in text
    for service in ("ingest", "router", "executor", "auditor", "console"):
        assert f'id="service-{service}"' in text
    assert 'hx-get="/health/accounts/main/picture"' in text
    assert "not checked yet" in text
    status, part = await viewer.part("/health/now")
    assert status == 200
    assert "<html" not in part
    assert "5 things are wrong" in part


async def test_figures_of_each_span_and_of_none_else(viewer):
    for span in ("6h", "24h", "7d"):
        status, part = await viewer.part(f"/health/figures?span={span}")
        assert status == 200
        assert f'href="/health/figures?span={span}"' in part
        assert "Nothing came in this time." in part
    assert (await viewer.part("/health/figures?span=1y"))[0] == 422
    status, text, _ = await viewer.ask("GET", "/health/figures")
    assert status == 200
    assert "<html" in text


async def test_without_postgres_the_rest_stands(js, nats_url, users):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with (
        running(nats_url, nowhere, users=users) as console,
        somebody(console, "viewer") as viewer,
    ):
        status, text, _ = await viewer.ask("GET", "/health")
        assert status == 200
        assert "PostgreSQL cannot be read" in text
        assert "Trading does not need it." in text
        assert 'id="waiting"' in text
        status, part = await viewer.part("/health/figures")
        assert status == 200
        assert "The figures cannot be had" in part
        assert (await viewer.part("/health/dead"))[1].count("Nothing was given up on") == 1


async def test_without_nats_the_page_says_so_and_shows_what_the_trail_knows(console, operator):
    seq = await bury(console)
    await console.call("POST", "/api/accounts", ACCOUNT)
    await console.bus.client.close()
    status, text, _ = await operator.ask("GET", "/health")
    assert status == 200
    for told in (
        "Nobody can be asked who is there",
        "The log does not answer",
        "How far its readers are cannot be told",
        "Their checkups cannot be had",
        "can be read",
    ):
        assert told in text, told
    assert "Nothing came in this time." in (await operator.part("/health/figures"))[1]
    assert "cannot be listed" in (await operator.part("/health/dead"))[1]
    assert "tone-bad" in (await operator.part("/health/accounts/main/picture"))[1]
    # It is no way to change anything.
    form = {"csrf": operator.csrf}
    status, _, _ = await operator.ask("POST", f"/health/dead/{seq}/replay", data=form)
    assert status == 503


async def test_who_was_taken_out_of_the_file_is_out_without_nats_too(console, operator, users):
    await console.bus.client.close()
    users.__init__(None)
    status, _, headers = await operator.ask("GET", "/health")
    assert (status, headers["Location"].startswith("/sign-in")) == (303, True)


async def test_a_stranger_is_not_let_in_while_nats_is_away(console):
    await console.bus.client.close()
    cookies = {"alertwire_session": "x"}
    async with console.http.get(
        console.url + "/health", cookies=cookies, allow_redirects=False
    ) as answer:
        assert answer.status == 503


async def test_a_picture_is_asked_of_its_executor(console, viewer):
    await console.call("POST", "/api/accounts", ACCOUNT)
    picture = make_picture(why=HOSTILE)

    async def answer(message):
        await message.respond(msgspec.json.encode(picture))

    assert "No executor has answered" in (await viewer.part("/health/accounts/main/picture"))[1]
    await console.bus.client.subscribe("ask.picture.main", cb=answer)
    _, part = await viewer.part("/health/accounts/main/picture")
    assert "asked just now" in part
    assert "Nothing is opened" in part
    assert "<script" not in part
    assert (await viewer.part("/health/accounts/other/picture"))[1].count("tone-bad") == 1
    assert (await viewer.part("/health/accounts/*/picture"))[1].count("tone-bad") == 1


async def test_a_slow_executor_delays_nothing_else(console, viewer):
    await console.call("POST", "/api/accounts", ACCOUNT)
    asked = asyncio.Event()

    async def keep_silent(_message):
        asked.set()

    await console.bus.client.subscribe("ask.picture.main", cb=keep_silent)
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(viewer.part("/health/accounts/main/picture"))
        await asked.wait()
        assert (await viewer.part("/health/now"))[0] == 200
        assert not slow.done()
    assert "No executor has answered" in slow.result()[1]


async def test_a_letter_is_replayed_by_an_operator_alone(console, operator, viewer):
    seq = await bury(console)
    path = f"/health/dead/{seq}/replay"
    _, part = await viewer.part("/health/dead")
    assert "not replayed" in part
    assert "<form" not in part
    assert (await viewer.ask("POST", path, data={"csrf": viewer.csrf}))[0] == 403
    assert (await operator.ask("POST", path, data={"csrf": "other"}))[0] == 403
    assert "Replayed" not in (await operator.part("/health/dead"))[1]
    _, part = await operator.part("/health/dead")
    assert "unless the software was mended it ends here again" in part
    headers = {**HTMX, "X-CSRF-Token": operator.csrf}
    status, text, _ = await operator.ask("POST", path, headers=headers)
    assert status == 200
    assert "Put into the log again" in text
    _, again, _ = await operator.ask("POST", path, headers=headers)
    assert "It was replayed before" in again
    _, part = await operator.part("/health/dead")
    assert "Replayed" in part
    assert "<form" not in part
    _, found = await console.call("GET", f"/api/dead/{seq}")
    assert f"as message {found['replayed']['seq']}" in part


async def test_a_plain_form_replays_too(console, operator):
    seq = await bury(console)
    path = f"/health/dead/{seq}"
    status, _, headers = await operator.ask("POST", f"{path}/replay", data={"csrf": operator.csrf})
    assert (status, headers["Location"]) == (303, path)
    assert "as message" in (await operator.ask("GET", path))[1]


async def test_a_letter_whole_and_none_of_it_is_more_than_text(console, viewer):
    seq = await bury(console, reason=HOSTILE, headers={"x-<b>": HOSTILE})
    for path in ("/health/dead", f"/health/dead/{seq}"):
        status, text, _ = await viewer.ask("GET", path)
        assert status == 200
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text
    assert "x-&lt;b&gt;" in text
    assert "<b>" not in text
    assert "It is no JSON" in text
    for missing in (seq + 1, 10**30):
        assert (await viewer.ask("GET", f"/health/dead/{missing}"))[0] == 404


async def test_letters_page_by_page(console, viewer):
    seqs = [await bury(console, number) for number in range(25)]
    _, first = await viewer.part("/health/dead")
    found = [int(each) for each in re.findall(r'id="letter-(\d+)"', first)]
    assert found == sorted(seqs, reverse=True)[:20]
    [older] = set(re.findall(r"/health/dead\?before=\d+", first))
    _, rest = await viewer.part(older)
    told = [int(each) for each in re.findall(r'id="letter-(\d+)"', rest)]
    assert told == sorted(seqs, reverse=True)[20:]
    assert "Newest" in rest
    assert "Older" not in rest
    # What is shown is what somebody chose: it is not replaced by the newest.
    assert "dead-again" in first
    assert "dead-again" not in rest


async def test_nothing_was_given_up_on(viewer):
    status, text, _ = await viewer.ask("GET", "/health/dead")
    assert status == 200
    assert "Nothing was given up on" in text


async def test_what_nobody_can_read_keeps_no_list_from_being_shown(console, viewer, writer_dsn):
    """It has no alert id: it stands among the dead letters, and the list of alerts without it."""
    row = to_row(
        stream="PIPELINE",
        seq=1,
        subject="alert.received.demo",
        stored_at=NOW,
        headers={},
        data=b'{"type":"of another release"}',
    )
    async with make_pool(Secret(writer_dsn)) as pool:
        store = Store(pool)
        await store.ensure_partitions(NOW.date(), NOW.date())
        assert await store.insert([row]) == 1
    status, found = await console.call("GET", "/api/alerts")
    assert (status, found["alerts"]) == (200, [])
    assert (await viewer.ask("GET", "/"))[0] == 200
