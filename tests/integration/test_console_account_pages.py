"""The accounts' pages over real NATS, without a browser: roles, forms, what is refused, what is
never shown, and what is said where nobody answers. Executors are played.
"""

import asyncio
import contextlib
import html
import logging
import re
from base64 import b64encode

import msgspec
import pytest
from nacl.encoding import Base64Encoder
from nacl.public import SealedBox

from libs.common.asking import answer, answering
from libs.common.contracts import codec, subjects
from libs.common.contracts.route import Account
from libs.common.sealing import unseal
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from tests.account_forms import CHECKED, EDIT, HOSTILE, KEY, NEW, SECRET
from tests.console_server import PRIVATE_KEY, running
from tests.console_visitor import users_in, visiting
from tests.pictured import make_egress, make_picture
from tests.secrecy import assert_no_secrets

pytestmark = pytest.mark.integration


@pytest.fixture
async def console(js, nats_url, reader_dsn, tmp_path):
    await ensure_topology(js)
    known = {"checkup_s": 0.5, "picture_s": 0.5}
    async with running(nats_url, reader_dsn, users=users_in(tmp_path), **known) as found:
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
async def main(operator):
    assert (await operator.post("/accounts", NEW)).status == 303


@contextlib.asynccontextmanager
async def told(console, subject, payload):
    """Somebody who answers so."""
    bus = console.bus
    async with answering(bus, subject, lambda _asked, reply, _with: answer(bus, reply, payload)):
        await bus.client.flush()
        yield


def picture_told(console, **changes):
    return told(console, subjects.PICTURES_ASKED, codec.encode(make_picture(**changes)))


async def check(console, checked=CHECKED):
    await console.bus.publish(
        subject=subjects.account_checked(checked.account), message=checked, event_id="checked"
    )


async def stored(console, name="main") -> Account:
    return msgspec.json.decode(await console.stored("accounts", name), type=Account)


async def opened(console, name="main") -> str:
    key = Secret(PRIVATE_KEY.encode(Base64Encoder).decode())
    return unseal(private_key=key, sealed=await console.stored("secrets", name)).reveal()


def boxed(text: str) -> str:
    return b64encode(SealedBox(PRIVATE_KEY.public_key).encrypt(text.encode())).decode()


def revision_in(page) -> str:
    return re.search(r'name="revision" value="(\d+)"', page.html)[1]


async def test_an_account_is_added_without_javascript(console, operator):
    page = await operator.post("/accounts", NEW)
    assert (page.status, page.headers["Location"]) == (303, "/accounts/main?saved=new")
    account = await stored(console)
    assert (account.access_key, account.expected_addresses) == (KEY, ("203.0.113.9",))
    assert await opened(console) == SECRET
    assert "its secret is sealed" in (await operator.get(page.headers["Location"])).text


async def test_an_account_is_added_with_a_secret_that_was_sealed_where_it_was_typed(
    console, operator
):
    fields = {**NEW, "secret_key": "", "sealed_secret_key": boxed("typed-there")}
    page = await operator.post("/accounts", fields, htmx=True)
    assert (page.status, page.headers["HX-Redirect"]) == (200, "/accounts/main?saved=new")
    assert await opened(console) == "typed-there"


async def test_the_api_takes_a_sealed_secret_or_a_typed_one_and_not_both(console):
    body = {**NEW, "order_calls_per_2s": 4, "expected_addresses": []}
    both = {**body, "sealed_secret_key": boxed("x")}
    status, problem = await console.call("POST", "/api/accounts", both)
    assert (status, problem["field"]) == (422, "sealed_secret_key")
    del both["secret_key"]
    assert (await console.call("POST", "/api/accounts", both))[0] == 201
    assert await opened(console) == "x"
    change = {"sealed_secret_key": boxed("next")}
    assert (await console.call("PATCH", "/api/accounts/main", change))[0] == 200
    assert await opened(console) == "next"
    change = {"sealed_secret_key": b64encode(bytes(48)).decode()}
    status, problem = await console.call("PATCH", "/api/accounts/main", change)
    assert (status, problem["field"]) == (422, "sealed_secret_key")
    assert await opened(console) == "next"


async def test_a_secret_is_nowhere_once_it_was_sent(console, operator, caplog):
    caplog.set_level(logging.DEBUG)
    await operator.post("/accounts", {**NEW, "id": "Wrong Name"})
    made = await operator.post("/accounts", NEW)
    again = await operator.post("/accounts", NEW, htmx=True)
    revision = revision_in(await operator.get("/accounts/main/edit"))
    fields = {**EDIT, "revision": revision, "secret_key": SECRET, "order_calls_per_2s": "no"}
    refused = await operator.post("/accounts/main", fields)
    assert (again.status, refused.status) == (409, 422)
    places = ("/accounts", "/accounts/main", "/accounts/main/edit", "/accounts/new")
    pages = [made, again, refused, *[await operator.get(place) for place in places]]
    for page in pages:
        assert_no_secrets(page.html, SECRET)
        assert SECRET not in str(page.headers)
    assert KEY not in pages[4].html, "of the access key its end is shown"
    assert SECRET not in caplog.text
    for stream in await console.bus.js.streams_info():
        for sequence in range(1, stream.state.last_seq + 1):
            message = await console.bus.js.get_msg(stream.config.name, sequence)
            assert SECRET.encode() not in (message.data or b"")
            assert SECRET not in str(message.headers)


async def test_what_was_typed_stays_and_the_fault_stands_at_its_field(operator):
    fields = {**NEW, "id": HOSTILE, "order_calls_per_2s": "many", "sealed_secret_key": ""}
    page = await operator.post("/accounts", fields)
    assert page.status == 422
    assert html.escape(HOSTILE).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page.html
    assert "<script>alert" not in page.html
    assert 'value="many"' in page.html
    said = re.findall(r'data-for="([^"]+)"[^>]*><span class="wrong', page.html)
    assert said == ["id", "order_calls_per_2s"]
    page = await operator.post("/accounts", fields, htmx=True)
    assert (page.status, page.headers["HX-Reswap"]) == (422, "none")
    assert "<form" not in page.html


async def test_a_secret_that_a_broken_page_could_not_seal_is_said_to_have_stayed_there(operator):
    page = await operator.post("/accounts", {**NEW, "secret_key": "", "sealed_secret_key": ""})
    assert page.status == 422
    assert "this page could not seal it, and has sent nothing of it" in page.text


async def test_editing_keeps_the_key_unless_another_is_typed(console, operator, main):
    revision = revision_in(await operator.get("/accounts/main/edit"))
    fields = {**EDIT, "revision": revision, "position_mode": "one_way", "expected_addresses": ""}
    page = await operator.post("/accounts/main", fields)
    assert (page.status, page.headers["Location"]) == (303, "/accounts/main?saved=yes")
    account = await stored(console)
    assert (account.access_key, account.position_mode.value) == (KEY, "one_way")
    assert account.expected_addresses == ()
    assert await opened(console) == SECRET
    revision = revision_in(await operator.get("/accounts/main/edit"))
    key = {"access_key": "mx0vglNEXT5678", "sealed_secret_key": boxed("next")}
    page = await operator.post("/accounts/main", {**EDIT, **key, "revision": revision})
    assert page.headers["Location"] == "/accounts/main?saved=key"
    assert (await stored(console)).access_key == "mx0vglNEXT5678"
    assert await opened(console) == "next"


async def test_two_editors_never_overwrite_each_other(console, operator, main):
    revision = revision_in(await operator.get("/accounts/main/edit"))
    assert (await console.call("PATCH", "/api/accounts/main", {"order_calls_per_2s": 8}))[0] == 200
    fields = {**EDIT, "revision": revision, "secret_key": "other", "order_calls_per_2s": "2"}
    page = await operator.post("/accounts/main", fields)
    assert page.status == 409
    assert "changed this account since you opened it" in page.text
    assert 'value="2"' in page.html
    assert ((await stored(console)).order_calls_per_2s, await opened(console)) == (8, SECRET)
    page = await operator.post("/accounts/main", {**fields, "revision": revision_in(page)})
    assert page.status == 303
    assert ((await stored(console)).order_calls_per_2s, await opened(console)) == (2, "other")


async def test_an_account_is_deleted_once_no_route_trades_it(console, operator, main):
    route = {"id": "btc", "accounts": [{"account": "main"}]}
    assert (await console.call("POST", "/api/routes", route))[0] == 201
    assert 'href="/routes/btc"' in (await operator.get("/accounts/main")).html
    page = await operator.post("/accounts/main/delete", {"confirm": "main"})
    assert page.status == 409
    assert "Route btc trades this account: change or delete it first." in page.text
    await console.call("DELETE", "/api/routes/btc")
    page = await operator.post("/accounts/main/delete", {"confirm": "mai"})
    assert (page.status, "Type main to delete it." in page.text) == (422, True)
    page = await operator.post("/accounts/main/delete", {"confirm": "main"})
    assert page.headers["Location"] == "/accounts?gone=main"
    assert (await operator.get("/accounts/main")).status == 404
    assert "No account yet" in (await operator.get("/accounts")).text


async def test_what_an_account_holds_is_told_in_place(console, operator, main):
    async with picture_told(console):
        part = await operator.get("/accounts/main/picture", htmx=True)
        whole = await operator.get("/accounts/main/picture")
        glance = await operator.get("/accounts/main/glance", htmx=True)
    for page in (part, whole):
        for words in ("1,000.50 USDT", "+0.1234 USDT", "45250.5", "isolated 10x", "stop 48000"):
            assert words in page.text
        for words in ("asked the exchange answered 0.3 s ago", "because a push is missing"):
            assert words in page.text
        assert "Something else than our orders moved BTC_USDT" in page.text
        assert "mark price of X_USDT: not answered" in page.text
        assert "Nothing is opened from here" in page.text
    assert "<main" not in part.html
    assert "<main" in whole.html
    assert "Equity 1,000.50 USDT Positions 1 Orders 2" in glance.text


async def test_what_is_not_known_is_not_shown_as_nothing(console, operator, main):
    unknown = {"positions": None, "balances": None, "orders": None, "position_mode": None}
    async with picture_told(console, **unknown):
        page = await operator.get("/accounts/main/picture", htmx=True)
        glance = await operator.get("/accounts/main/glance", htmx=True)
    assert "Not known now: it may hold anything." in page.text
    assert not re.search("None is held|Nothing waits", page.text)
    assert glance.text.count("not known") == 3


async def test_what_strangers_wrote_is_harmless(console, operator, main):
    await check(console)
    async with picture_told(console, why=HOSTILE):
        pages = [await operator.get("/accounts/main/picture", htmx=True)]
    pages += [await operator.get(place) for place in ("/accounts/main", "/accounts")]
    for page in pages:
        assert "<script>alert" not in page.html
        assert "&lt;script&gt;" in page.html


async def test_pages_come_at_once_while_no_executor_answers(console, operator, main):
    asked = []
    watching = await console.bus.client.listen("ask.>", lambda subject, *_: asked.append(subject))
    for place in ("/accounts", "/accounts/main", "/accounts/new"):
        assert (await operator.get(place)).status == 200
    await console.bus.client.flush()
    assert not asked, "an executor was waited for"
    await console.bus.client.forget(watching)
    page = await operator.get("/accounts/main/picture", htmx=True)
    assert page.status == 200
    assert "No executor has answered for account main" in page.text
    assert "No executor" in (await operator.get("/accounts/main/glance", htmx=True)).text
    page = await operator.get("/accounts/-/addresses", htmx=True)
    assert "its address is not known" in page.text
    page = await operator.post("/accounts/main/check")
    assert (page.status, "No executor has answered" in page.text) == (503, True)


async def test_the_doctors_report_is_told_and_renewed_once_there_is_a_newer_one(
    console, operator, main
):
    assert "Not checked yet" in (await operator.get("/accounts/main")).text
    assert (await operator.get("/accounts/main/checkup?seen=", htmx=True)).status == 204
    await check(console)
    page = await operator.get("/accounts/main/checkup?seen=", htmx=True)
    assert page.status == 200
    assert "1 ok, 1 wrong, 1 not reached" in page.text
    assert "Access key ✕ wrong code 402" in page.text
    assert "<code>x edit</code>" in page.html
    seen = re.search(r"seen=([^\"]+)", page.html)[1]
    assert (await operator.get(f"/accounts/main/checkup?seen={seen}", htmx=True)).status == 204
    assert "61 days left" in (await operator.get("/accounts")).text


async def test_a_checkup_is_asked_for(console, operator, main):
    async with told(console, subjects.CHECKUPS_ASKED, codec.encode(CHECKED)):
        page = await operator.post("/accounts/main/check", htmx=True)
        plain = await operator.post("/accounts/main/check")
    assert "Checked: 1 ok, 1 wrong, 1 not reached" in page.text
    assert (plain.status, plain.headers["Location"]) == (303, "/accounts/main#doctor-card")


async def test_addresses_are_told_to_be_pasted_beside_what_the_exchange_tells(
    console, operator, main
):
    await check(console)
    async with told(console, subjects.EGRESS_ASKED, codec.encode(make_egress())):
        page = await operator.get("/accounts/-/addresses?account=main", htmx=True)
    assert 'data-copy="203.0.113.9"' in page.html
    assert "Linked at MEXC: 203.0.113.8. Not linked yet: 203.0.113.9." in page.text.replace(
        "  ", ""
    )


async def test_a_halt_is_seen_in_list_and_page(console, operator, main):
    page = await operator.get("/accounts/main")
    [place] = re.findall(r'href="(/halts\?what=[^"#]+)', page.html)
    # Whoever comes from an account must not stop everything by the next click.
    assert 'value="account:main" selected' in (await operator.get(place)).html
    await console.call("POST", "/api/halt", {"scope": "account", "id": "main"})
    for place in ("/accounts", "/accounts/main"):
        page = await operator.get(place)
        assert "status-halted" in page.html
        assert "Account main is halted" in page.text


CHANGING = {
    "create": "/accounts",
    "save": "/accounts/main",
    "check": "/accounts/main/check",
    "delete": "/accounts/main/delete",
}


@pytest.mark.parametrize("path", CHANGING.values(), ids=CHANGING)
async def test_only_an_operator_with_the_forms_own_proof_changes_anything(
    console, operator, viewer, main, path
):
    before = await console.stored("accounts", "main")
    fields = {**NEW, "confirm": "main", "revision": "1"}
    assert (await viewer.post(path, fields)).status == 403
    assert (await operator.post(path, fields, csrf="other")).status == 403
    assert await console.stored("accounts", "main") == before


async def test_a_viewer_sees_accounts_without_a_button_that_changes_one(viewer, main):
    for place in ("/accounts", "/accounts/main"):
        page = await viewer.get(place)
        assert page.status == 200
        for word in ("/edit", "/delete", '/check"', "/accounts/new", "/halts?what="):
            assert word not in page.html
    for place in ("/accounts/new", "/accounts/main/edit"):
        assert (await viewer.get(place)).status == 403


async def test_two_people_make_one_account_at_once(console, operator):
    pages = await asyncio.gather(
        *(operator.post("/accounts", {**NEW, "secret_key": f"secret-{n}"}) for n in range(4))
    )
    assert sorted(page.status for page in pages) == [303, 409, 409, 409]
    winner = next(n for n, page in enumerate(pages) if page.status == 303)
    assert await opened(console) == f"secret-{winner}"


async def test_the_scripts_that_seal_come_with_key_forms_alone(operator, main):
    scripts = ("sealing.js", "nacl-fast.min.js", "sealedbox.web.js")
    for place in ("/accounts/new", "/accounts/main/edit", "/routes/new"):
        page = await operator.get(place)
        assert all(name in page.html for name in scripts), place
        assert PRIVATE_KEY.public_key.encode(Base64Encoder).decode() in html.unescape(page.html)
        with_script = page.html.split("<noscript>")[0]
        assert 'name="secret_key"' not in with_script, "a script's failure would send it plain"
    for place in ("/accounts", "/accounts/main", "/routes"):
        page = await operator.get(place)
        assert not any(name in page.html for name in scripts), place
