"""Accounts in a browser: a key is sealed before it leaves, the doctor speaks, and what an account
holds is followed.
"""

import pytest
import pytest_asyncio
from nacl.encoding import Base64Encoder
from playwright.async_api import Page, expect

from libs.common.sealing import unseal
from libs.common.secret import Secret
from tests.browser.accessibility import assert_accessible
from tests.browser.pages import wait_settled
from tests.console_server import PRIVATE_KEY

SECRET = "v3ry-secret \N{KEY} \N{LATIN SMALL LETTER U WITH DIAERESIS}"
CHECKED_MS = 25_000
"""A checkup begins two seconds after an account has come, and takes some."""


class Sent:
    """What a page has sent until now."""

    def __init__(self, page: Page) -> None:
        self._requests: list[str] = []
        page.on("request", self._note)

    def _note(self, request) -> None:
        self._requests.append(f"{request.method} {request.url} {request.post_data or ''}")

    @property
    def text(self) -> str:
        return "\n".join(self._requests)

    @property
    def posted(self) -> list[str]:
        return [each for each in self._requests if each.startswith("POST")]


async def fill(page, *, name, access_key, secret, address="http://127.0.0.1:2", socket=None):
    await page.get_by_label("Name of the account").fill(name)
    await page.get_by_label("API key (access key)").fill(access_key)
    await page.get_by_label("API secret (secret key)").fill(secret)
    await page.get_by_text("Another exchange address").click()
    await page.get_by_label("REST address").fill(address)
    socket = socket or f"{address.replace('http', 'ws')}/edge"
    await page.get_by_label("WebSocket address").fill(socket)


async def add(page):
    await page.get_by_role("button", name="Add the account").click()


async def opened(console, name):
    key = Secret(PRIVATE_KEY.encode(Base64Encoder).decode())
    return unseal(private_key=key, sealed=await console.stored("secrets", name)).reveal()


@pytest.mark.integration
async def test_the_box_of_a_browser_opens_and_the_secret_is_never_sent(
    console, console_page, faults
):
    faults.allow("console", "422")
    page = await console_page("operator")
    await page.goto("/accounts/new")
    sent = Sent(page)
    await fill(page, name="Not a name", access_key="mx0vglABCD1234", secret=f" {SECRET}\t")
    await add(page)
    # Refused for its name: what was typed stays, the secret as the box that it is by now.
    await expect(page.get_by_text("Small letters, digits, - and _")).to_be_visible()
    await expect(page.get_by_label("Name of the account")).to_be_focused()
    await expect(page.get_by_label("API key (access key)")).to_have_value("mx0vglABCD1234")
    await expect(page.get_by_label("API secret (secret key)")).to_have_value("")
    await expect(page.get_by_text("Sealed here")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_label("Name of the account").fill("main")
    await add(page)
    await page.wait_for_url("**/accounts/main?saved=new")
    assert await opened(console, "main") == SECRET
    assert len(sent.posted) == 2
    assert "v3ry" not in sent.text
    assert all("sealed_secret_key=" in each for each in sent.posted)


@pytest.mark.integration
async def test_a_route_made_with_an_account_seals_its_key_the_same_way(console, console_page):
    page = await console_page("operator")
    await page.goto("/routes/new")
    sent = Sent(page)
    await page.get_by_label("Name of the route").fill("btc")
    await page.locator("select[name=account]").select_option("+new")
    await page.get_by_label("Name of the account").fill("fresh")
    await page.get_by_label("API key (access key)").fill("mx0vglABCD1234")
    await page.get_by_label("API secret (secret key)").fill(SECRET)
    await page.get_by_role("button", name="Create route").click()
    await expect(page.get_by_role("heading", name="Route btc is ready")).to_be_visible()
    assert await opened(console, "fresh") == SECRET
    assert "v3ry" not in sent.text


@pytest.mark.integration
@pytest.mark.parametrize("script", ["sealing.js", "sealedbox.web.js", "nacl-fast.min.js"])
async def test_where_a_script_fails_nothing_of_the_secret_is_sent_and_it_is_said(
    console, console_page, faults, script
):
    faults.allow("console", "Failed to load resource")
    faults.allow("console", "422", must_happen=script == "sealing.js")
    faults.allow("failed", script)
    faults.allow("error", "sealedbox.web.js", must_happen=False)
    page = await console_page("operator")
    await page.route(f"**/{script}", lambda route: route.abort())
    await page.goto("/accounts/new")
    sent = Sent(page)
    await fill(page, name="main", access_key="mx0vglABCD1234", secret=SECRET)
    await add(page)
    said = page.get_by_text("could not seal")
    await expect(said).to_contain_text("nothing of it" if script == "sealing.js" else "nothing was")
    assert "v3ry" not in sent.text
    assert len(sent.posted) == (1 if script == "sealing.js" else 0)
    assert (await console.call("GET", "/api/accounts"))[1] == {"accounts": []}


@pytest.mark.integration
async def test_without_javascript_the_secret_is_sealed_on_arrival_and_the_page_says_so(
    console, console_page
):
    page = await console_page("operator", javascript=False)
    await page.goto("/accounts/new")
    told = await page.locator("[data-keys] noscript").inner_html()
    assert "it travels to the console as you type it" in told
    await expect(page.locator("#secret-plain")).to_be_visible()
    await expect(page.locator("#secret-typed")).to_be_hidden()
    await page.locator("[name=id]").fill("main")
    await page.locator("[name=access_key]").fill("mx0vglABCD1234")
    await page.locator("[name=secret_key]").fill(SECRET)
    await add(page)
    await page.wait_for_url("**/accounts/main?saved=new")
    assert await opened(console, "main") == SECRET


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_keys(trader):
    """Of a new account at the paper exchange; what the test adds to the console goes again."""
    yield await trader.paper.control("POST", "accounts", {})
    for each in (await trader.api("GET", "/api/accounts"))[1]["accounts"]:
        if each["id"].startswith("own-"):
            await trader.api("DELETE", f"/api/accounts/{each['id']}")


@pytest.mark.e2e
async def test_an_account_is_added_and_the_doctor_looks_at_it(
    stack, stack_page, pictures, trader, fresh_keys
):
    page = await stack_page("operator")
    await page.goto("/accounts")
    await page.get_by_role("link", name="Add an account").click()
    await expect(page.get_by_role("button", name="Copy the addresses")).to_be_visible()
    await wait_settled(page)
    await assert_accessible(page)
    await pictures.take(page, "account-form")
    sent = Sent(page)
    places = {
        "address": stack.description["paper_exchange"],
        "socket": stack.description["paper_exchange_ws"],
    }
    keys = {"access_key": fresh_keys["access_key"], "secret": fresh_keys["secret_key"]}
    await fill(page, name="own-right", **keys, **places)
    await add(page)
    await page.wait_for_url("**/accounts/own-right*")
    assert fresh_keys["secret_key"] not in sent.text
    doctor = page.get_by_role("region", name="Doctor")
    # The executor has opened the box: what is signed with what was in it is accepted.
    secret = doctor.get_by_role("row", name="Secret key")
    await expect(secret).to_contain_text("accepted", timeout=CHECKED_MS)
    holdings = page.get_by_role("region", name="What it holds")
    await expect(holdings).to_contain_text("10,000.00 USDT")
    await expect(holdings).to_contain_text("None is held.")

    await page.goto("/accounts/new")
    await fill(page, name="own-wrong", access_key="mx0vglNOBODY", secret="no-key", **places)
    await add(page)
    await page.wait_for_url("**/accounts/own-wrong*")
    wrong = page.get_by_role("row", name="Access key")
    await expect(wrong).to_contain_text("wrong", timeout=CHECKED_MS)
    await expect(wrong).to_contain_text("→")
    await assert_accessible(page)
    await page.get_by_role("link", name="Replace the key").click()
    await page.get_by_label("API key (access key)").fill(fresh_keys["access_key"])
    await page.get_by_label("API secret (secret key)").fill(fresh_keys["secret_key"])
    await page.get_by_role("button", name="Save").click()
    await page.wait_for_url("**/accounts/own-wrong?saved=key")
    await expect(page.get_by_role("row", name="Access key")).to_contain_text(
        "the exchange knows key", timeout=CHECKED_MS
    )
    assert fresh_keys["secret_key"] not in sent.text


@pytest.mark.e2e
async def test_a_position_is_followed_in_place(stack_page, pictures, trader):
    await trader.execute(order_contracts=0.01)
    page = await stack_page("operator")
    await page.goto("/accounts/paper")
    row = page.get_by_role("row", name="long BTC_USDT")
    profit = row.locator("[data-profit]")
    await expect(row).to_contain_text("0.01 BTC")
    button = page.get_by_role("button", name="Check now")
    await button.focus()
    await trader.paper.control("PUT", "prices/BTC_USDT", {"last": "50000", "fair": "52000"})
    await expect(profit).to_have_text("+20 USDT")
    await trader.paper.control("PUT", "prices/BTC_USDT", {"last": "50000", "fair": "49000"})
    await expect(profit).to_have_text("\N{MINUS SIGN}10 USDT")
    await expect(button).to_be_focused()
    await button.press("Enter")
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await expect(page.locator("#said")).to_contain_text("Checked: ", timeout=CHECKED_MS)
    await expect(page.get_by_role("progressbar")).to_be_hidden()
    await wait_settled(page)
    await assert_accessible(page)
    await pictures.take(page, "account", full=True)
    await page.goto("/accounts")
    await expect(page.locator("#glance-paper")).to_contain_text("Positions")
    await wait_settled(page)
    await assert_accessible(page)
    await pictures.take(page, "accounts")


@pytest.mark.e2e
async def test_on_a_phone_nothing_is_wider_than_the_screen(stack_page, trader):
    await trader.execute(order_contracts=0.001)
    page = await stack_page("viewer", device="phone", scheme="dark")
    for place in ("/accounts", "/accounts/paper"):
        await page.goto(place)
        await expect(page.get_by_text("USDT").first).to_be_visible()
        await wait_settled(page)
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await assert_accessible(page)
