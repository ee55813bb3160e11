"""Signing in to the pages: passwords, sessions, forms of other sites, and what ends a session."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from yarl import URL

from libs.common.buckets import read_all
from libs.common.topology import ensure_topology
from services.console.web.access import sessions as sessions_module
from services.console.web.access.guarding import COOKIE
from services.console.web.access.sessions import PROXY_MARK, Session, Sessions
from services.console.web.access.signing_in import local
from services.console.web.access.users import Users
from services.console.web.access.viewers import Role
from tests.console_people import somebody, write_users
from tests.console_server import running
from tests.secrecy import assert_no_secrets
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOWHERE = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"


@pytest.fixture
def users_file(tmp_path):
    path = tmp_path / "users.json"
    write_users(path)
    return path


@pytest.fixture
async def console(js, nats_url, users_file):
    await ensure_topology(js)
    async with running(nats_url, NOWHERE, users=Users(users_file)) as found:
        yield found


@pytest.fixture
async def stranger(console):
    async with somebody(console) as found:
        yield found


async def stored(console):
    """The sessions, by key."""
    return await read_all(await console.bus.js.key_value("sessions"), timeout_s=5)


async def is_in(person):
    return (await person.get("/halts")).status == 200


async def test_the_right_password_begins_a_session_and_signing_out_ends_it(console, stranger):
    answer = await stranger.sign_in("operator")
    assert answer.headers["Location"] == "/"
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("lax", "/", "")
    [(key, value)] = (await stored(console)).items()
    assert_no_secrets(f"{key} {value.decode()}", cookie.value, hashes_too=False)
    assert (await stranger.ask("POST", "/sign-out", data={"csrf": "other"})).status == 403
    assert await is_in(stranger)
    done = await stranger.post("/sign-out")
    assert (done.status, done.headers["Location"]) == (303, "/sign-in")
    assert not await is_in(stranger)
    # A thief's copy of the cookie is worth nothing from now on.
    async with console.http.get(
        console.url + "/halts", cookies={COOKIE: cookie.value}, allow_redirects=False
    ) as refused:
        assert refused.headers["Location"] == "/sign-in?next=/halts"


async def test_a_page_is_kept_by_no_cache(stranger):
    """Or `back` would show it after signing out."""
    await stranger.sign_in("operator")
    for path in ("/halts", "/sign-in", "/nothing"):
        assert (await stranger.get(path)).headers["Cache-Control"] == "no-store"


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(stranger):
    texts = []
    for name in ("operator", "nobody", "x" * 300, "<b>"):
        answer = await stranger.sign_in(name, "guessed-word")
        assert answer.status == 401
        assert COOKIE not in answer.cookies
        assert "<b>" not in answer.text
        assert_no_secrets(answer.text, "guessed-word")
        texts.append(len(answer.text) - len(name[:100].replace("<b>", "&lt;b&gt;")))
    assert len(set(texts)) == 1


async def test_the_log_tells_of_attempts_and_of_no_password(stranger, capsys):
    """Nor of a name that nobody has: people type their password there."""
    await stranger.sign_in("operator", "guessed-word")
    await stranger.sign_in("my-secret-word\n\x1b[31m", "guessed-word")
    await stranger.sign_in("operator")
    await stranger.post("/sign-out")
    told = capsys.readouterr()
    told = told.out + told.err
    assert_no_secrets(told, "guessed-word", "my-secret-word", "operator-word")
    for event in ("sign_in.failed", "sign_in.done", "sign_out.done"):
        assert event in told
    assert "unknown" in told


async def test_guessing_is_slowed_down(stranger):
    for _ in range(10):
        assert (await stranger.sign_in("operator", "guess")).status == 401
    answer = await stranger.sign_in("operator")
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_many_guesses_at_once_are_no_way_around_it(console, stranger):
    tries = [stranger.sign_in("operator", "guess") for _ in range(30)]
    statuses = [answer.status for answer in await asyncio.gather(*tries)]
    assert statuses.count(401) == 10
    assert statuses.count(429) == 20


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://[bad"},
    ],
    ids=["cross-site", "same-site", "origin", "null", "unreadable"],
)
async def test_a_form_of_another_site_does_nothing(stranger, headers):
    assert (await stranger.sign_in("operator", **headers)).status == 403
    await stranger.sign_in("operator")
    assert (await stranger.post("/sign-out", headers=headers)).status == 403
    assert await is_in(stranger)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: write_users(path, roles=(Role.VIEWER,)),
        lambda path: write_users(path, operator="another-word"),
        lambda path: path.unlink(),
    ],
    ids=["taken-out", "another-password", "no-file"],
)
async def test_a_session_ends_with_the_right_to_it(stranger, users_file, change):
    await stranger.sign_in("operator")
    assert await is_in(stranger)
    change(users_file)
    assert not await is_in(stranger)


async def test_a_role_applies_at_once(stranger, users_file):
    await stranger.sign_in("operator")
    document = json.loads(users_file.read_bytes())
    for user in document["users"]:
        user["role"] = "viewer"
    users_file.write_text(json.dumps(document))
    assert await is_in(stranger)
    refused = await stranger.post("/halts", what="all")
    assert refused.status == 403
    assert "takes an operator" in refused.text


async def test_signing_in_ends_the_session_that_the_browser_had(console, stranger):
    """Also one that somebody else has put there."""
    first = (await stranger.sign_in("operator")).cookies[COOKIE].value
    second = (await stranger.sign_in("viewer")).cookies[COOKIE].value
    assert first != second
    assert [json.loads(each)["name"] for each in (await stored(console)).values()] == ["viewer"]
    jar = stranger.http.cookie_jar
    jar.clear()
    jar.update_cookies({COOKIE: "chosen-by-a-stranger"}, URL(console.url))
    third = (await stranger.sign_in("viewer")).cookies[COOKIE].value
    assert third != "chosen-by-a-stranger"


async def test_signing_out_everywhere_ends_all_of_that_name_only(console):
    async with somebody(console, "operator") as here, somebody(console, "operator") as there:
        async with somebody(console, "viewer") as other:
            page = (await here.get("/you")).text
            assert page.count("<tr>") == 3  # the head, and one for each
            assert page.count("this one</td>") == 1
            cookies = [cookie.value for cookie in here.http.cookie_jar]
            assert_no_secrets(page, *cookies)
            await here.post("/sign-out", everywhere="yes")
            assert [await is_in(each) for each in (here, there, other)] == [False, False, True]


async def test_nobody_has_endless_sessions(console):
    sessions = Sessions(console.bus)
    begun = [await sessions.begin("ann", mark="m") for _ in range(sessions_module.MANY + 3)]
    other = await sessions.begin("bob", mark="m")
    alive = [await sessions.find(each.id) is not None for each in begun]
    assert alive == [False] * 3 + [True] * sessions_module.MANY
    assert await sessions.find(other.id)


async def kept(console, session_id, **changes):
    """Change a session as it is stored."""
    bucket = await console.bus.js.key_value("sessions")
    key = sessions_module._key(session_id)
    session = msgspec.json.decode((await bucket.get(key)).value, type=Session)
    await bucket.put(key, msgspec.json.encode(msgspec.structs.replace(session, **changes)))


async def test_a_session_ends_unused_and_at_the_latest_after_days(console):
    sessions, now = Sessions(console.bus), datetime.now(UTC)
    begun = await sessions.begin("ann", mark="m")
    await kept(console, begun.id, seen_at=now - timedelta(hours=11))
    # A page that asks by itself does not keep it alive; somebody who looks does.
    assert (await sessions.find(begun.id, is_used=False)).seen_at < now
    assert (await sessions.find(begun.id, is_used=False)).seen_at < now
    await sessions.find(begun.id)
    assert (await sessions.find(begun.id)).seen_at >= now
    await kept(console, begun.id, seen_at=now - timedelta(hours=13))
    assert await sessions.find(begun.id) is None
    await kept(console, begun.id, seen_at=now, began_at=now - timedelta(days=8))
    assert await sessions.find(begun.id) is None


async def test_a_session_that_was_ended_while_it_was_renewed_stays_ended(console, monkeypatch):
    sessions = Sessions(console.bus)
    begun = await sessions.begin("ann", mark="m")
    await kept(console, begun.id, seen_at=datetime.now(UTC) - timedelta(hours=1))
    read = sessions._decoded

    def ended_meanwhile(value):
        monkeypatch.setattr(sessions, "_decoded", read)
        nonlocal ending
        ending = asyncio.ensure_future(sessions.end(begun.id))
        return read(value)

    ending = None
    monkeypatch.setattr(sessions, "_decoded", ended_meanwhile)
    await sessions.find(begun.id)
    await ending
    assert await sessions.find(begun.id) is None


async def test_what_is_no_session_lets_nobody_in(console, stranger):
    await stranger.sign_in("operator")
    bucket = await console.bus.js.key_value("sessions")
    [(key, value)] = (await stored(console)).items()
    session = json.loads(value)
    for broken in (b"", b"{}", json.dumps({**session, "mark": PROXY_MARK}).encode()):
        await bucket.put(key, broken)
        assert not await is_in(stranger)
    await bucket.put(key, value)
    assert await is_in(stranger)


async def test_with_https_the_cookie_is_bound_to_it(js, nats_url, users_file):
    await ensure_topology(js)
    url = "https://console.example.org"
    async with running(nats_url, NOWHERE, users=Users(users_file), public_url=url) as console:
        async with somebody(console) as person:
            form = {"name": "operator", "password": "operator-word"}
            headers = {"Origin": url}
            answer = await person.ask("POST", "/sign-in", data=form, headers=headers)
            cookie = answer.cookies[f"__Host-{COOKIE}"]
            assert cookie["secure"]
            assert (cookie["path"], cookie["domain"]) == ("/", "")
            assert "max-age" in answer.headers["Strict-Transport-Security"]
            # Nobody on the way can plant one under the name without the promise.
            headers = {"Cookie": f"{COOKIE}={cookie.value}"}
            assert (await person.get("/halts", **headers)).status == 303
            headers = {"Cookie": f"__Host-{COOKIE}={cookie.value}"}
            assert (await person.get("/halts", **headers)).status == 200


async def test_pages_bring_no_token_of_the_api(stranger):
    """The session opens pages alone."""
    await stranger.sign_in("operator")
    assert (await stranger.get("/api/routes")).status == 401


async def test_a_script_is_led_to_sign_in_and_back_to_its_page(stranger):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://x/changes?kind=route"}
    answer = await stranger.get("/halts/banner", **headers)
    assert answer.status == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/changes%3Fkind%3Droute"
    # A stream that was only refused would look to its page like a console that is away.
    stream = await stranger.get("/alerts/events", Accept="text/event-stream")
    assert (stream.status, "event: signed-out" in stream.text) == (200, True)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"x" * 300_000, FORM),
        (b"{}", {"Content-Type": "application/json"}),
        (b"name=\xff&password=%ff%00", FORM),
        (b"name=a&name=b&password=c&password=d", FORM),
        (b"--b\r\n", {"Content-Type": "multipart/form-data"}),
        (b"--b\r\nnonsense", {"Content-Type": "multipart/form-data; boundary=b"}),
        (b"", {}),
    ],
    ids=["huge", "json", "bytes", "twice", "no-boundary", "broken-parts", "nothing"],
)
async def test_whatever_is_posted_is_refused_in_words(stranger, body, headers):
    answer = await stranger.ask("POST", "/sign-in", data=body, headers=headers)
    assert answer.status in {400, 401, 413}
    assert "failed" not in answer.text


async def test_signing_in_twice_leads_on(stranger):
    await stranger.sign_in("operator")
    answer = await stranger.get("/sign-in?next=/changes")
    assert (answer.status, answer.headers["Location"]) == (303, "/changes")


@pytest.mark.parametrize(
    "place",
    ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\r\nb", "/\t/e"],
    ids=["slashes", "address", "backslash", "relative", "empty", "header", "tab"],
)
def test_signing_in_leads_to_places_of_ours_only(place):
    assert local(place) == "/"
    assert local("/alerts/1?x=2") == "/alerts/1?x=2"
    # Headers are ASCII.
    assert local("/routes/ä") == "/routes/%C3%A4"
