"""Pages that one test opens, each in a context of its own, all watched for faults."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, StorageState

from tests.browser.faults import Faults, told
from tests.browser.looks import Look

TIMEOUT_MS = 10_000


class Visits:
    def __init__(self, browser: Browser, faults: Faults) -> None:
        self._browser = browser
        self._faults = faults
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

    async def told(self) -> None:
        """Returns once all that the pages did until now has reached the faults."""
        for context, look in self._open:
            for page in context.pages:
                await told(page, javascript=look.javascript)

    async def describe(self) -> str:
        """What is on the pages now, as a screen reader would say it."""
        texts = []
        for context, _ in self._open:
            for page in context.pages:
                with contextlib.suppress(Error):
                    shown = await page.locator("body").aria_snapshot(timeout=1000)
                    texts.append(f"{page.url} shows:\n{shown}")
        return "\n".join(texts)

    async def close(self) -> None:
        for context, _ in self._open:
            await context.close()


@contextlib.asynccontextmanager
async def visiting(browser: Browser, faults: Faults) -> AsyncIterator[Visits]:
    """At the end the pages are closed, and what they did wrong fails."""
    visits = Visits(browser, faults)
    try:
        yield visits
        await visits.told()
    finally:
        # Only what happened until here counts: closing cuts streams and requests.
        seen = list(faults.seen)
        await visits.close()
        faults.seen = seen
    faults.check()
