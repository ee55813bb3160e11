"""Signing in and out, as people see it."""

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import assert_accessible

pytestmark = pytest.mark.integration


async def test_a_wrong_password_is_said_and_the_right_one_leads_on(console_page, faults, pictures):
    faults.allow("console", "401")
    page = await console_page(None)
    await page.goto("/halts")
    await expect(page.get_by_label("Name")).to_be_focused()
    await assert_accessible(page)
    await pictures.take(page, "sign-in")
    await page.keyboard.type("operator")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a guess of somebody")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("No such name with this password.")
    await expect(page.get_by_label("Name")).to_have_value("operator")
    await expect(page.get_by_label("Password")).to_be_empty()
    await page.get_by_label("Password").fill("operator-word")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Halts")).to_be_visible()
    # Neither the way back nor what is kept shows anything once signed out.
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_label("Password")).to_be_visible()


async def test_signing_out_everywhere_takes_one_page(console_page):
    elsewhere = await console_page("operator")
    await elsewhere.goto("/halts")
    page = await console_page("operator")
    await page.get_by_role("link", name="operator").click()
    await expect(page.get_by_text("this one", exact=True)).to_have_count(1)
    await assert_accessible(page)
    await elsewhere.goto("about:blank")
    await page.get_by_role("button", name="Sign out everywhere").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    await elsewhere.goto("/halts")
    await expect(elsewhere.get_by_label("Password")).to_be_visible()


async def test_an_open_page_leads_to_the_sign_in_once_its_session_has_ended(console_page, faults):
    faults.allow("console", "401")
    page = await console_page("operator")
    await page.goto("/halts")
    other = await page.context.new_page()
    await other.goto("/halts")
    await other.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    assert page.url.endswith("/sign-in?next=/halts")
