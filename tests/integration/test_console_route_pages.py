"""The routes' pages over real NATS and Postgres, without a browser and mostly without JavaScript:
roles, forms, what is refused and what is never shown.
"""

import asyncio
import html
import json
import logging
import re

import msgspec
import pytest
from nacl.encoding import Base64Encoder

from libs.common.buckets import read_all
from libs.common.contracts import subjects
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.route import Account, Route
from libs.common.sealing import unseal
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.console.web.routes import desk
from tests.console_server import PRIVATE_KEY, running
from tests.console_visitor import users_in, visiting
from tests.factories import make_instrument

pytestmark = pytest.mark.integration

SECRET = "the-secret-key-itself"
BODY_SECRET = "word-of-mine"
ACCOUNT = {
    "id": "main",
    "base_url": "http://127.0.0.1:2",
    "ws_url": "ws://127.0.0.1:2/edge",
    "access_key": "mx0vglABCD1234",
    "secret_key": SECRET,
}
NEW = {
    "id": "btc",
    "account": "+new",
    "new_account.id": "fresh",
    "place": "+other",
    "base_url": "http://127.0.0.1:2",
    "ws_url": "ws://127.0.0.1:2/edge",
    "access_key": "mx0vglFRESH567",
    "secret_key": SECRET,
    "body_secret": BODY_SECRET,
    "leverage": "20",
    "pyramiding": "on",
}
EDIT = {"account": "main", "pyramiding": "on", "leverage": "7"}
HOSTILE = "<script>alert(1)</script>\"'\u202e"


@pytest.fixture
async def console(js, nats_url, reader_dsn, tmp_path):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn, users=users_in(tmp_path)) as found:
        yield found


@pytest.fixture
async def operator(console):
    async with visiting(console.url) as found:
        yield found


@pytest.fixture
async def viewer(console):
    async with visiting(console.url, role="viewer") as found:
        yield found


@pytest.fixture
async def route(console):
    """Made by the API, with its contract in the catalogue."""
    assert (await console.call("POST", "/api/accounts", ACCOUNT))[0] == 201
    status, made = await console.call(
        "POST", "/api/routes", {"id": "demo", "accounts": [{"account": "main"}]}
    )
    assert status == 201
    await listed(console, make_instrument(leverage_maximum=100))
    return made


async def listed(console, instrument: Instrument):
    bucket = await console.bus.js.key_value(subjects.BUCKET_INSTRUMENTS)
    key = subjects.instrument_key(base_url=ACCOUNT["base_url"], symbol=instrument.symbol)
    await bucket.put(key, msgspec.json.encode(instrument))


async def stored(console, name) -> Route:
    return msgspec.json.decode(await console.stored("routes", name), type=Route)


def webhook_in(page) -> str:
    return re.search(r"https://hook\.example\.org/hook/[\w-]+", page.html)[0]


def revision_in(page) -> str:
    return re.search(r'name="revision" value="(\d+)"', page.html)[1]


async def test_account_and_route_are_made_in_one_form(console, operator):
    page = await operator.post("/routes", NEW)
    assert page.status == 200
    account = msgspec.json.decode(await console.stored("accounts", "fresh"), type=Account)
    assert account.access_key == NEW["access_key"]
    sealed = await console.stored("secrets", "fresh")
    key = Secret(PRIVATE_KEY.encode(Base64Encoder).decode())
    assert unseal(private_key=key, sealed=sealed).reveal() == SECRET
    found = await stored(console, "btc")
    assert [each.account for each in found.settings.accounts] == ["fresh"]
    assert found.settings.leverage == 20
    pasted = re.search(r"<pre[^>]*>(.*?)</pre>", page.html, re.DOTALL)
    assert pasted is not None
    assert json.loads(html.unescape(pasted[1]))["secret"] == BODY_SECRET


async def test_the_url_is_shown_in_that_one_answer_and_nowhere_else(console, operator, caplog):
    caplog.set_level(logging.DEBUG)
    made = await operator.post("/routes", NEW)
    rotated = await operator.post("/routes/btc/rotate", {"overlap_s": "3600"})
    tokens = [webhook_in(page).rpartition("/")[2] for page in (made, rotated)]
    assert tokens[0] != tokens[1]
    for page in (made, rotated):
        assert page.headers["Cache-Control"] == "no-store"
        assert "Location" not in page.headers
        assert "HX-Push-Url" not in page.headers
    places = ("/routes", "/routes/btc", "/routes/btc/edit", "/routes/btc/test", "/routes/-/latest")
    shown = [(await operator.get(place)).html for place in (*places, "/routes/new")]
    for secret in (*tokens, SECRET, BODY_SECRET):
        assert not any(secret in page for page in shown)
        assert secret not in caplog.text
    for name in ("routes", "accounts"):
        bucket = await console.bus.js.key_value(name)
        for value in (await read_all(bucket, timeout_s=5)).values():
            assert not any(secret.encode() in value for secret in (*tokens, SECRET, BODY_SECRET))


async def test_the_old_url_works_beside_the_new_for_as_long_as_was_chosen(console, operator, route):
    page = await operator.post("/routes/demo/rotate", {"overlap_s": "86400"})
    assert "works until" in page.text
    first, second = (await stored(console, "demo")).tokens
    assert first.expires_at is not None
    assert second.expires_at is None
    assert "old URL until" in (await operator.get("/routes")).text
    page = await operator.post("/routes/demo/rotate", {"overlap_s": "0"})
    assert "404 from now on" in page.text
    assert len((await stored(console, "demo")).tokens) == 1
    page = await operator.post("/routes/demo/rotate", {"overlap_s": "-5"})
    assert page.status == 422


async def test_what_can_never_work_is_refused_and_all_that_was_typed_stays(console, operator):
    wrong = {
        **NEW,
        "id": HOSTILE,
        "leverage": "900",
        "symbols.allow": HOSTILE,
        "guards.windows": HOSTILE,
    }
    page = await operator.post("/routes", wrong)
    assert page.status == 422
    for words in ("from 1 to 500", "Small letters", "no trading window"):
        assert words in page.text
    for kept in ('value="900"', 'value="fresh"', NEW["access_key"]):
        assert kept in page.html
    assert "<script>alert" not in page.html
    assert "&lt;script&gt;alert(1)" in page.html
    # But a secret is never written back, so it has to be typed again.
    assert SECRET not in page.html
    assert BODY_SECRET not in page.html
    assert (await console.call("GET", "/api/accounts"))[1] == {"accounts": []}


async def test_a_script_gets_only_what_is_to_be_said(operator, route):
    fields = {"id": "demo", "account": "main", "leverage": "200"}
    page = await operator.post("/routes", fields, htmx=True)
    assert page.status == 422
    assert page.headers["HX-Reswap"] == "none"
    assert "There is a route demo already" in page.text
    assert "<form" not in page.html
    assert SECRET not in page.html
    checked = await operator.post("/routes/-/check", fields, htmx=True)
    assert checked.status == 200
    assert "1 of the exchange&#39;s 1 contracts allow less" in checked.html


async def test_while_typing_what_is_not_there_yet_is_not_wrong(operator):
    page = await operator.post("/routes/-/check", {"account": "+new"}, htmx=True)
    assert 'class="wrong' not in page.html
    page = await operator.post("/routes", {"account": "+new"}, htmx=True)
    assert page.html.count('class="wrong foreign"') == 4


async def test_two_editors_never_overwrite_each_other(console, operator, route):
    form = await operator.get("/routes/demo/edit")
    revision = revision_in(form)
    status, _ = await console.call(
        "PATCH", "/api/routes/demo", {"max_age_s": 99}, **{"Alertwire-By": "anna"}
    )
    assert status == 200
    typed = {**EDIT, "revision": revision, "symbols.allow": "BTC_USDT"}
    page = await operator.post("/routes/demo", typed)
    assert page.status == 409
    assert "changed this route since you opened it" in page.text
    assert 'value="7"' in page.html
    assert ">BTC_USDT</textarea>" in page.html
    assert (await stored(console, "demo")).settings.leverage == 10
    again = await operator.post("/routes/demo", {**typed, "revision": revision_in(page)})
    assert (again.status, again.headers["Location"]) == (303, "/routes/demo?saved=yes")
    assert (await stored(console, "demo")).settings.leverage == 7


async def test_the_body_secret_stays_unless_another_is_typed_or_none_is_wanted(console, operator):
    await operator.post("/routes", NEW)
    before = (await stored(console, "btc")).body_secret_sha256
    digests = []
    for change in ({}, {"body_secret": "another"}, {"body_secret.off": "on"}):
        revision = revision_in(await operator.get("/routes/btc/edit"))
        fields = {"account": "fresh", "revision": revision, **change}
        assert (await operator.post("/routes/btc", fields)).status == 303
        digests.append((await stored(console, "btc")).body_secret_sha256)
    assert digests[0] == before
    assert digests[1] not in {None, before}
    assert digests[2] is None


async def test_pausing_resuming_and_deleting(console, operator, route):
    page = await operator.post("/routes/demo/pause", {"from": "list"})
    assert (page.status, page.headers["Location"]) == (303, "/routes")
    assert "Paused: nothing is opened" in (await operator.get("/routes/demo")).text
    await operator.post("/routes/demo/resume")
    assert (await stored(console, "demo")).settings.state == "live"
    page = await operator.post("/routes/demo/delete", {"confirm": "dem"})
    assert page.status == 422
    assert "Type demo to delete it." in page.text
    page = await operator.post("/routes/demo/delete", {"confirm": "demo"})
    assert page.headers["Location"] == "/routes?gone=demo"
    assert (await operator.get("/routes/demo")).status == 404


async def test_a_halt_is_seen_in_list_and_page(console, operator, route):
    await console.call("POST", "/api/halt", {"scope": "account", "id": "main"})
    for place in ("/routes", "/routes/demo"):
        page = await operator.get(place)
        assert "status-halted" in page.html
        assert "account main is halted" in page.text.lower()


CHANGING = {
    "create": "/routes",
    "save": "/routes/demo",
    "pause": "/routes/demo/pause",
    "resume": "/routes/demo/resume",
    "rotate": "/routes/demo/rotate",
    "delete": "/routes/demo/delete",
    "send": "/routes/-/test/send",
}


@pytest.mark.parametrize("path", CHANGING.values(), ids=CHANGING)
async def test_only_an_operator_with_the_forms_own_proof_changes_anything(
    console, operator, viewer, route, path
):
    before = await console.stored("routes", "demo")
    fields = {**EDIT, "confirm": "demo", "overlap_s": "0", "route": "demo", "action": "buy"}
    assert (await viewer.post(path, fields)).status == 403
    assert (await operator.post(path, fields, csrf="other")).status == 403
    assert await console.stored("routes", "demo") == before


async def test_a_viewer_sees_routes_without_a_button_that_changes_one(viewer, route):
    for place in ("/routes", "/routes/demo", "/routes/demo/test"):
        page = await viewer.get(place)
        assert page.status == 200
        for word in ("/pause", "/rotate", "/delete", "/edit", "/test/send", "/routes/new"):
            assert word not in page.html
        assert "Dry run" in page.text
    for place in ("/routes/new", "/routes/demo/edit"):
        assert (await viewer.get(place)).status == 403


async def test_without_anything_the_list_leads_to_the_first_route(operator, console):
    page = await operator.get("/routes")
    assert "Create account and route" in page.text
    assert 'href="/accounts/new"' in page.html
    await console.call("POST", "/api/accounts", ACCOUNT)
    assert "Create a route" in (await operator.get("/routes")).text


async def test_while_the_trail_is_away_routes_are_shown_and_changed(js, nats_url, tmp_path):
    await ensure_topology(js)
    nowhere = "postgresql://viewer:x@127.0.0.1:9/none"
    async with (
        running(nats_url, nowhere, users=users_in(tmp_path)) as console,
        visiting(console.url) as operator,
    ):
        assert (await operator.post("/routes", NEW)).status == 200
        page = await operator.get("/routes/btc")
        assert page.status == 200
        assert "The trail cannot be read now." in page.text
        assert "not known now" in (await operator.get("/routes/-/latest", htmx=True)).text
        fields = {"account": "fresh", "revision": "0"}
        page = await operator.post("/routes/btc", fields)
        assert page.status == 409
        assert "Somebody changed this route" in page.text


async def test_routes_of_other_names_do_not_collide_with_pages(operator, console):
    page = await operator.post("/routes", {**NEW, "id": "new"})
    assert page.status == 422
    assert "A page has this name" in page.text
    for name in ("check", "latest", "test"):
        fields = {**NEW, "id": name, "new_account.id": f"of-{name}"}
        assert (await operator.post("/routes", fields)).status == 200
        assert (await operator.get(f"/routes/{name}")).status == 200


async def test_two_people_make_one_route_at_once(console, operator):
    await console.call("POST", "/api/accounts", ACCOUNT)
    fields = {"id": "same", "account": "main", "pyramiding": "on"}
    pages = await asyncio.gather(*(operator.post("/routes", fields) for _ in range(4)))
    assert sorted({page.status for page in pages}) in ([200, 409], [200, 422], [200, 409, 422])
    assert sum(page.status == 200 for page in pages) == 1


async def test_where_only_the_account_was_made_the_form_goes_on_with_it(
    console, operator, route, monkeypatch
):
    """Somebody has taken the route's name in between."""

    async def unseen(*_args, **_more):
        return []

    monkeypatch.setattr(desk, "_taken", unseen)
    page = await operator.post("/routes", {**NEW, "id": "demo"}, htmx=True)
    assert page.status == 409
    assert (page.headers["HX-Retarget"], page.headers["HX-Reswap"]) == ("#main", "innerHTML")
    assert "Account fresh was created, the route was not" in page.text
    assert '<option value="fresh" selected>' in page.html
    assert 'value="20"' in page.html
    assert SECRET not in page.html
    monkeypatch.undo()
    again = {"id": "other", "account": "fresh", "pyramiding": "on"}
    assert (await operator.post("/routes", again)).status == 200
