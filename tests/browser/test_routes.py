"""A trader's way through the routes' pages, on the running stack: a working route in one form, its
test, a new URL; and what a viewer may not do.
"""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import OpenPage
from tests.browser.faults import Faults
from tests.browser.pages import wait_settled
from tests.browser.pictures import Pictures
from tests.e2e.own_routes import OwnRoutes
from tests.e2e.running_stack import Trader

pytestmark = pytest.mark.e2e


def field(page: Page, name: str) -> Any:
    # Where a secret is typed has no name, so that nothing sends it.
    return page.locator(f'#route-form :is([name="{name}"], [data-field="{name}"])')


async def answers(trader: Trader, webhook: str) -> int:
    """A body without a ticker trades nothing: 422 where the token is known."""
    return (await trader.post({"no": "ticker"}, webhook=webhook))[0]


async def until(trader: Trader, webhook: str, status: int) -> None:
    async with asyncio.timeout(10):
        while await answers(trader, webhook) != status:
            await asyncio.sleep(0.02)


async def test_a_trader_has_a_working_account_and_route_after_one_form(
    stack_page: OpenPage, trader: Trader, faults: Faults, pictures: Pictures
) -> None:
    faults.allow("console", "422")
    name = "btc-trend"
    keys = await trader.paper.control("POST", "accounts", {"balance": "5000", "position_mode": 1})
    page = await stack_page()
    await page.goto("/routes")
    await page.get_by_role("link", name="New route").click()
    await field(page, "id").fill("Not a name")
    await field(page, "leverage").fill("50")
    await field(page, "account").select_option("+new")
    await field(page, "new_account.id").fill(name)
    await field(page, "access_key").fill(keys["access_key"])
    await field(page, "secret_key").fill(keys["secret_key"])
    place = field(page, "place").locator("option", has_text="127.0.0.1").first
    await field(page, "place").select_option(await place.get_attribute("value"))
    # Told while it is typed, before anything is sent.
    await expect(page.locator("#said-id .wrong")).to_contain_text("Small letters")
    await page.get_by_role("button", name="Create route").click()
    await expect(field(page, "id")).to_be_focused()
    await expect(field(page, "id")).to_have_attribute("aria-invalid", "true")
    # As the box that it is by now.
    await expect(field(page, "secret_key")).to_have_value("")
    await expect(field(page, "sealed_secret_key")).not_to_have_value("")
    await field(page, "id").fill(name)
    await expect(page.locator("#said-id .wrong")).to_have_count(0)
    await wait_settled(page)
    await assert_accessible(page)
    await page.evaluate("() => scrollTo(0, 0)")
    await pictures.take(page, "route-form")
    await page.get_by_role("button", name="Create route").click()
    await expect(page.get_by_role("heading", name=f"Route {name} is ready")).to_be_focused()
    assert page.url.endswith("/routes/new")
    webhook = await copied(page, "Copy the webhook URL")
    await page.get_by_text("By hand, and for the first test").click()
    message = await copied(page, "Copy the message By hand, and for the first test")
    await assert_accessible(page)
    await until(trader, webhook, 422)
    status, answer = await trader.post(message, webhook=webhook)
    assert (status, answer["status"]) == (200, "accepted"), answer
    journey = await trader.ended(answer["alert_id"])
    assert (journey["status"], journey["route"]) == ("executed", name)
    # No picture shows a URL that works.
    await page.locator("#webhook").evaluate(
        "(url) => { url.textContent = 'https://hook.example.org/hook/kYz3…'; }"
    )
    await pictures.take(page, "route-created")
    await page.goto("/routes")
    await expect(page.locator(f"#latest-{name} .badge")).to_have_text("executed")
    await assert_accessible(page)
    await pictures.take(page, "routes")
    await page.get_by_role("link", name=name, exact=True).click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert webhook.rpartition("/")[2] not in await page.content()
    await take_back(trader, name)


async def copied(page: Page, label: str) -> str:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name=label, exact=True)
    await button.click()
    await expect(button).to_have_text("Copied")
    return str(await page.evaluate("() => navigator.clipboard.readText()"))


async def take_back(trader: Trader, name: str) -> None:
    for kind in ("routes", "accounts"):
        status, answer = await trader.api("DELETE", f"/api/{kind}/{name}")
        assert status == 204, answer


async def test_a_test_is_explained_then_sent_once_and_followed_in_place(
    stack_page: OpenPage, trader: Trader, pictures: Pictures
) -> None:
    before = len(await trader.orders_received())
    page = await stack_page()
    await page.goto("/routes")
    await page.get_by_role("link", name="Test demo").click()
    dialog = page.get_by_role("dialog", name="Test")
    await expect(dialog.get_by_role("heading", name="Test")).to_be_focused()
    await dialog.get_by_label("Quantity").fill("0.0037")
    await expect(dialog.locator("#trial-preview")).to_contain_text('"0.0037"')
    await dialog.get_by_role("button", name="Dry run").click()
    await expect(dialog.locator(".legs")).to_contain_text("open long")
    await expect(dialog.locator(".legs")).to_contain_text("37")
    await expect(dialog.get_by_text("nothing was sent", exact=False).first).to_be_visible()
    assert len(await trader.orders_received()) == before
    await wait_settled(page)
    await assert_accessible(page)
    await pictures.take(page, "route-test")
    await dialog.get_by_role("button", name="Send", exact=True).dblclick()
    await expect(dialog.locator('.journey[data-status="executed"]')).to_be_visible()
    await dialog.get_by_role("button", name="Send", exact=True).click()
    await expect(dialog.get_by_text("Sent already, and once")).to_be_visible()
    await expect(dialog.locator('.journey[data-status="executed"]')).to_be_visible()
    assert len(await trader.orders_received()) == before + 1
    await wait_settled(page)
    await assert_accessible(page)
    await dialog.get_by_role("button", name="Send another").click()
    await expect(dialog.locator(".journey")).to_have_count(0)
    await expect(dialog.get_by_label("Quantity")).to_have_value("0.0037")
    await dialog.get_by_label("Action").select_option("flat")
    await dialog.get_by_label("Quantity").fill("")
    await dialog.get_by_role("button", name="Send", exact=True).click()
    await expect(dialog.locator('.journey[data-status="executed"]')).to_be_visible()
    assert len(await trader.orders_received()) == before + 2
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("link", name="Test demo")).to_be_focused()


async def test_an_old_url_works_until_its_end(
    stack_page: OpenPage, trader: Trader, routes: OwnRoutes
) -> None:
    own = await routes.make()
    page = await stack_page()
    webhooks = [own.webhook]
    for overlap in ("1 hour", "not at all"):
        await page.goto(f"/routes/{own.name}")
        await page.get_by_text("Make a new URL…").click()
        await page.get_by_label(overlap, exact=False).check()
        await page.get_by_role("button", name="Make the new URL").click()
        await expect(page.locator("#webhook")).to_be_visible()
        webhooks.append(await page.locator("#webhook").inner_text())
        await until(trader, webhooks[-1], 422)
        if overlap == "1 hour":
            assert await answers(trader, webhooks[0]) == 422
            await expect(page.get_by_text("works until")).to_be_visible()
            await assert_accessible(page)
    await until(trader, webhooks[0], 404)
    assert await answers(trader, webhooks[1]) == 404
    # By the clock, too: the console offers no end that a test could wait for.
    path = f"/api/routes/{own.name}/rotate"
    status, made = await trader.api("POST", path, {"overlap_s": 1})
    assert status == 200
    await until(trader, made["webhook"], 422)
    await until(trader, webhooks[2], 404)
    await page.goto(f"/routes/{own.name}")
    history = page.locator(".history")
    await expect(history).to_contain_text("operator from")
    await assert_accessible(page)
    await pictures_of_nothing_secret(page, [*webhooks, made["webhook"]])


async def pictures_of_nothing_secret(page: Page, webhooks: list[str]) -> None:
    content = await page.content()
    assert not any(webhook.rpartition("/")[2] in content for webhook in webhooks)


async def test_a_viewer_has_no_button_that_changes_a_route(
    stack_page: OpenPage, routes: OwnRoutes
) -> None:
    own = await routes.make()
    page = await stack_page("viewer", device="phone", scheme="dark")
    await page.goto("/routes")
    await wait_settled(page)
    await expect(page.get_by_role("link", name="New route")).to_have_count(0)
    await expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    await page.get_by_role("link", name=f"Dry run of {own.name}").click()
    dialog = page.get_by_role("dialog", name="Test")
    await dialog.get_by_role("button", name="Dry run").click()
    await expect(dialog.locator(".legs")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Send")).to_have_count(0)
    await assert_accessible(page)
    width = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert width <= 0


async def test_what_was_typed_survives_another_editor(
    stack_page: OpenPage, trader: Trader, routes: OwnRoutes, faults: Faults
) -> None:
    faults.allow("console", "409")
    own = await routes.make()
    page = await stack_page()
    await page.goto(f"/routes/{own.name}/edit")
    await field(page, "leverage").fill("12")
    status, _ = await trader.api("PATCH", f"/api/routes/{own.name}", {"max_age_s": 45})
    assert status == 200
    await page.get_by_role("button", name="Save").click()
    conflict = page.locator("#refusal .notice")
    await expect(conflict).to_contain_text("changed this route")
    # A check of what was typed before comes after it, and takes nothing away.
    async with page.expect_response("**/routes/-/check"):
        await field(page, "leverage").fill("13")
        await field(page, "leverage").fill("12")
    await wait_settled(page)
    await expect(conflict).to_contain_text("changed this route")
    await expect(field(page, "leverage")).to_have_value("12")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").get_by_text("Saved.")).to_be_visible()
    _, found = await trader.api("GET", f"/api/routes/{own.name}")
    assert (found["leverage"], found["max_age_s"]) == (12, 30)
