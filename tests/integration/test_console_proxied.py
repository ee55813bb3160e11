"""Signing in by a proxy's header: believed from that proxy alone, bound to the name for forms."""

import pytest

from libs.common.buckets import read_all
from libs.common.topology import ensure_topology
from services.console.web.access.guarding import COOKIE
from services.console.web.access.proxies import read_proxies
from services.console.web.access.users import Users
from tests.console_people import _CSRF, HTMX, somebody, write_users
from tests.console_server import running
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

NOWHERE = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
USER, GROUPS = "X-Auth-Request-Email", "X-Auth-Request-Groups"
ANN = {USER: "ann@example.org", GROUPS: "staff", "X-Forwarded-For": "6.6.6.6, 192.0.2.7"}
BOB = {USER: "bob@example.org", GROUPS: "staff"}


def proxies(networks="127.0.0.0/8"):
    return read_proxies(
        networks=networks,
        user_header=USER,
        groups_header=GROUPS,
        operators="ann@example.org",
        viewers="group:staff",
        sign_out_url="/oauth2/sign_out",
    )


@pytest.fixture
async def users(js, tmp_path):
    await ensure_topology(js)
    write_users(tmp_path / "users.json")
    return Users(tmp_path / "users.json")


@pytest.fixture
async def console(users, nats_url):
    async with running(nats_url, NOWHERE, users=users, proxies=proxies()) as found:
        yield found


@pytest.fixture
async def browser(console):
    async with somebody(console) as found:
        yield found


async def entered(person, who):
    """With the first page comes the session."""
    page = await person.get("/halts", **who)
    assert page.status == 200
    found = _CSRF.search(page.text)
    person.csrf = found[1] if found else ""
    return page


async def test_whom_the_proxy_names_is_in_and_the_trail_names_them_and_their_address(
    console, browser
):
    page = await entered(browser, ANN)
    assert page.cookies[COOKIE]["httponly"]
    assert "ann@example.org" in page.text
    done = await browser.post("/halts", headers=ANN, what="all")
    assert done.status == 303
    bucket = await console.bus.js.key_value("controls")
    [key] = await read_all(bucket, timeout_s=5)
    message = await console.bus.js.get_last_msg("KV_controls", f"$KV.controls.{key}")
    assert message.headers["Alertwire-By"] == "ann@example.org from 192.0.2.7"


async def test_one_session_serves_until_another_is_named(browser):
    first = (await entered(browser, ANN)).cookies[COOKIE].value
    assert COOKIE not in (await browser.get("/halts", **ANN)).cookies
    other = await browser.get("/halts", **BOB)
    assert other.cookies[COOKIE].value != first
    # A form of the one does nothing in the name of the other.
    assert (await browser.post("/halts", headers=ANN, what="all")).status == 403


async def test_a_form_without_a_session_or_of_another_site_does_nothing(browser):
    assert (await browser.post("/halts", headers=ANN, what="all")).status == 403
    await entered(browser, ANN)
    headers = {**ANN, "Sec-Fetch-Site": "cross-site"}
    assert (await browser.post("/halts", headers=headers, what="all")).status == 403
    assert (await browser.ask("POST", "/halts", headers=ANN, data={"what": "all"})).status == 403


async def test_roles_follow_the_header_at_once(browser):
    await entered(browser, {**ANN})
    demoted = {**ANN, USER: "bob@example.org"}
    page = await browser.get("/halts", **demoted)
    assert 'data-role="viewer"' in page.text
    stranger = await browser.get("/halts", **{USER: "eve@example.org<b>"})
    assert stranger.status == 403
    assert "neither a viewer nor an operator" in stranger.text
    assert "<b>" not in stranger.text
    assert (await browser.get("/halts/banner", **HTMX, **{USER: "eve"})).status == 403
    assert (await browser.get("/halts", **{USER: ""})).status == 403


async def test_the_session_of_a_proxy_is_worth_nothing_without_it(browser):
    """Whoever gets by the proxy to the console itself, with the cookie, is nobody."""
    await entered(browser, ANN)
    assert (await browser.get("/halts")).status == 303


async def test_passwords_are_for_those_whom_no_proxy_names(browser):
    assert (await browser.sign_in("operator")).status == 303
    assert (await browser.get("/halts")).status == 200
    # With a header the header counts, not what the cookie says.
    assert 'data-role="viewer"' in (await browser.get("/halts", **BOB)).text


async def test_signing_out_leads_to_the_proxys_sign_out(browser):
    await entered(browser, ANN)
    done = await browser.post("/sign-out", headers=ANN)
    assert (done.status, done.headers["Location"]) == (303, "/oauth2/sign_out")
    sign_in = await browser.get("/sign-in?next=/changes", **ANN)
    assert (sign_in.status, sign_in.headers["Location"]) == (303, "/changes")


async def test_a_header_from_elsewhere_is_ignored(users, nats_url):
    elsewhere = proxies("10.0.0.0/24")
    async with running(nats_url, NOWHERE, users=users, proxies=elsewhere) as console:
        async with somebody(console) as spoofer:
            assert (await spoofer.get("/halts", **ANN)).status == 303
            # Nor does it choose the address that is slowed down.
            for number in range(10):
                hop = {"X-Forwarded-For": f"192.0.2.{number}"}
                assert (await spoofer.sign_in("operator", "guess", **hop)).status == 401
            assert (await spoofer.sign_in("operator")).status == 429


async def test_behind_a_proxy_each_address_is_slowed_down_by_itself(browser):
    for _ in range(10):
        await browser.sign_in("operator", "guess", **{"X-Forwarded-For": "192.0.2.1"})
    slowed = await browser.sign_in("operator", **{"X-Forwarded-For": "192.0.2.1"})
    assert slowed.status == 429
    assert (await browser.sign_in("operator", **{"X-Forwarded-For": "192.0.2.2"})).status == 303
