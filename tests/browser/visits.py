"""Pages that one test opens, each in a context of its own, all watched for faults."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, StorageState

from tests.browser.faults import Faults, told
from tests.browser.looks import Look

TIMEOUT_MS = 10_000


class Visits:
    def __init__(self, browser: Browser, faults: Faults, is_failed: Callable[[], bool]) -> None:
        self._browser = browser
        self._faults = faults
        self._is_failed = is_failed
        self._open: list[tuple[BrowserContext, Look]] = []

    async def page(
        self,
        base_url: str | None = None,
        *,
        cookies: StorageState | None = None,
        **look: Any,
    ) -> Page:
        """`look`: fields of `Look`, as `device="phone"`."""
        seen = Look(**look)
        context = await self._browser.new_context(
            base_url=base_url, storage_state=cookies, **seen.options()
        )
        self._open.append((context, seen))
        context.set_default_timeout(TIMEOUT_MS)
        await self._faults.watch(context, base_url=base_url)
        return await context.new_page()

    async def leave(self) -> None:
        """Closes the pages; what they did until now has reached the faults, and nothing after it
        does: closing cuts streams and requests. What stops a server calls this before.
        """
        for context, look in self._open:
            for page in context.pages:
                await told(page, javascript=look.javascript)
        self._faults.end()
        if self._is_failed():
            print(await self._described())  # noqa: T201 - pytest shows it beside the failure
        while self._open:
            context, _ = self._open.pop()
            await context.close()

    async def _described(self) -> str:
        # As a screen reader would say it.
        texts = []
        for context, _ in self._open:
            for page in context.pages:
                with contextlib.suppress(Error):
                    shown = await page.locator("body").aria_snapshot(timeout=1000)
                    texts.append(f"{page.url} shows:\n{shown}")
        return "\n".join(texts)


@contextlib.asynccontextmanager
async def visiting(
    browser: Browser, faults: Faults, *, is_failed: Callable[[], bool] = lambda: False
) -> AsyncIterator[Visits]:
    """At the end the pages are closed, and what they did wrong fails. What was on them is printed
    where the test has failed.
    """
    visits = Visits(browser, faults, is_failed)
    try:
        yield visits
    finally:
        await visits.leave()
    faults.check()
