"""Signing in, being at rest, and reading tables: on pages of our own, the console and the stack."""

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.pages import rows, wait_settled
from tests.browser.serving import document, serving

TABLE = document(
    "<table><thead><tr><th>Time<th>State</thead>"
    "<tbody><tr><td>12:00<td><b>executed</b></tr><tr><td>12:01<td>denied</tr></tbody></table>"
)
BUSY = document("<p class='htmx-request'>Asking</p>", head='<script src="/busy.js" defer></script>')
BUSY_SCRIPT = """
const asking = document.querySelector("p");
setTimeout(() => { asking.className = ""; asking.textContent = "Done"; }, 300);
"""


async def test_rows_are_read_by_their_headings(page):
    async with serving({"/": TABLE}) as url:
        await page.goto(url)
        assert await rows(page) == [
            {"Time": "12:00", "State": "executed"},
            {"Time": "12:01", "State": "denied"},
        ]


async def test_a_page_is_settled_once_nothing_is_asked(page):
    async with serving({"/": BUSY, "/busy.js": BUSY_SCRIPT}) as url:
        await page.goto(url)
        assert await page.inner_text("p") == "Asking"
        await wait_settled(page)
        assert await page.inner_text("p") == "Done"


@pytest.mark.integration
async def test_each_role_signs_in_to_the_console(console_page):
    for role in ("operator", "viewer"):
        page = await console_page(role)
        await expect(page.locator(".who-name")).to_contain_text(role)
        await assert_accessible(page)


@pytest.mark.integration
async def test_the_sign_in_needs_no_script(console_page):
    page = await console_page("viewer", javascript=False, device="phone", scheme="dark")
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.e2e
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_running_stack_is_signed_in_to_once(stack_page, stack_sessions, scheme):
    page = await stack_page("operator", scheme=scheme)
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await assert_accessible(page)
    assert [name for _, name in stack_sessions].count("operator") == 1
