"""Stopping from any page in two clicks, while somebody else looks; and who may not."""

import asyncio
import contextlib

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.pages import rows, wait_settled

SEEN_WITHIN_MS = 3_000


@contextlib.asynccontextmanager
async def resumed_after(trader):
    """Nothing stays halted behind the test."""
    try:
        yield
    finally:
        _, found = await trader.api("GET", "/api/halt")
        for halt in found["halts"]:
            scope = {"scope": halt["scope"], "id": halt["id"]}
            await trader.api("POST", "/api/resume", scope)


@pytest.mark.e2e
async def test_everything_is_stopped_and_closed_in_front_of_others(stack_page, trader, pictures):
    await trader.execute(order_action="buy")
    assert await trader.holdings()
    other = await stack_page("viewer", scheme="dark")
    page = await stack_page("operator")
    async with resumed_after(trader):
        await page.keyboard.press("Tab")
        await page.get_by_role("link", name="Stop", exact=True).click()
        dialog = page.get_by_role("dialog", name="Stop trading")
        await expect(dialog.get_by_role("button", name="Stop trading")).to_be_focused()
        await expect(dialog.get_by_role("combobox")).to_contain_text("Route demo")
        await assert_accessible(page)
        await pictures.take(page, "stop")
        await dialog.get_by_label("Flatten").check()
        await dialog.get_by_label("Reason").fill("the exchange behaves oddly")
        await dialog.get_by_role("button", name="Stop trading").click()
        await expect(dialog).to_be_hidden()
        banner = page.get_by_role("region", name="What is halted")
        await expect(banner).to_contain_text("Everything is halted")
        # Another's open page says so by itself, and to who only listens at once.
        seen = other.get_by_role("region", name="What is halted")
        await expect(seen).to_contain_text("by operator", timeout=SEEN_WITHIN_MS)
        await expect(seen).to_contain_text("the exchange behaves oddly")
        assert await seen.get_attribute("aria-live") == "assertive"
        await expect(seen.get_by_text("Resume")).to_have_count(0)
        await assert_accessible(other)
        async with asyncio.timeout(20):
            while await trader.holdings():
                await asyncio.sleep(0.1)
        await page.goto("/halts")
        await expect(page.get_by_text("all closed").first).to_be_visible()
        closed = (await rows(page, ".flat"))[0]
        assert (closed["Account"], closed["Symbol"]) == ("paper", "BTC_USDT")
        assert closed["State"].startswith("executed")
        await assert_accessible(page)
        await pictures.take(page, "halts")
        await banner.get_by_text("Resume").first.click()
        await banner.get_by_role("button", name="Yes, resume everything").click()
        await expect(banner).not_to_contain_text("halted")
        await expect(seen).not_to_contain_text("halted", timeout=SEEN_WITHIN_MS)
        await page.goto("/changes")
        assert (await rows(page))[0]["What"] == "everything resumed"
        await assert_accessible(page)
        await pictures.take(page, "changes")
    assert (await trader.execute(order_action="buy"))["status"] == "executed"
    await trader.flat()


@pytest.mark.integration
async def test_a_viewer_has_nothing_to_stop_with(console_page):
    page = await console_page("viewer", device="phone")
    await page.goto("/halts")
    await expect(page.get_by_text("Nothing is halted.")).to_be_visible()
    await expect(page.get_by_text("Stop")).to_have_count(0)
    width = await page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 390
    await assert_accessible(page)


@pytest.mark.integration
async def test_without_scripts_it_takes_the_page_and_stops_as_well(console_page, console):
    page = await console_page("operator", javascript=False)
    await page.get_by_role("link", name="Stop", exact=True).click()
    await page.get_by_label("Reason").last.fill("by hand")
    await page.get_by_role("button", name="Stop trading").last.click()
    await expect(page.locator("#banner")).to_contain_text("Everything is halted")
    await page.locator("#banner summary").click()
    await page.get_by_role("button", name="Yes, resume everything").click()
    await expect(page.locator("#banner")).not_to_contain_text("is halted")
    assert await console.call("GET", "/api/halt") == (200, {"halts": []})


@pytest.mark.integration
async def test_what_cannot_be_stopped_is_said_in_the_dialog(console_page, console, faults):
    faults.allow("console", "404")
    account = {"base_url": "https://a.example", "ws_url": "wss://a.example/edge"}
    keys = {"access_key": "mx0vglABCD1234", "secret_key": "very-secret"}
    await console.call("POST", "/api/accounts", {"id": "gone", **account, **keys})
    page = await console_page("operator")
    await page.get_by_role("link", name="Stop", exact=True).click()
    dialog = page.get_by_role("dialog", name="Stop trading")
    await expect(dialog.get_by_role("combobox")).to_contain_text("Account gone")
    await dialog.get_by_role("combobox").select_option("account:gone")
    await console.call("DELETE", "/api/accounts/gone")
    await dialog.get_by_role("button", name="Stop trading").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("There is no account")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="Stop", exact=True)).to_be_focused()
    await wait_settled(page)
