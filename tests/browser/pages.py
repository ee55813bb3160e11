"""What tests do with every page of the console: sign in, wait until it is at rest, read a table."""

from playwright.async_api import Page, expect

User = dict[str, str]
"""`name` and `password`, as in stack.json's `console_users`."""

_ROWS = """(rows) => rows.map((row) => {
  const names = [...row.closest("table").querySelectorAll("thead th")];
  return Object.fromEntries([...row.cells].map((cell, column) => [
    names[column]?.innerText.trim() || String(column), cell.innerText.trim()]));
})"""


async def signed_in(page: Page, user: User) -> Page:
    """The page, behind the sign-in, at the address that it is led to."""
    await page.goto("/sign-in")
    await page.locator("input[name=name]").fill(user["name"])
    await page.locator("input[name=password]").fill(user["password"])
    await (
        page.locator("form", has=page.locator("input[name=password]"))
        .locator("button[type=submit]")
        .click()
    )
    await page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


async def wait_settled(page: Page) -> None:
    """Until no request of htmx is under way and nothing is being swapped.

    What has not begun yet (a field's delay, an event of the stream) is not waited for: a test waits
    for what it expects to see, and uses this before it looks at the whole page.
    """
    await expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


async def rows(page: Page, table: str = "table") -> list[dict[str, str]]:
    """The body of the first table that fits, each row by its columns' headings."""
    body = page.locator(table).first.locator("tbody > tr")
    found: list[dict[str, str]] = await body.evaluate_all(_ROWS)
    return found
