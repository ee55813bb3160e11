"""The health page through a browser: it follows what happens without being loaded again, keeps what
somebody has opened, and replays a dead letter.
"""

import asyncio
import os
import signal

import pytest
import pytest_asyncio
from playwright.async_api import expect

from libs.common.bus import connected
from libs.common.connecting import Access
from libs.common.health import Health
from libs.common.secret import Secret
from tests.browser.accessibility import assert_accessible
from tests.browser.pages import wait_settled

pytestmark = pytest.mark.e2e

BACK_MS = 40_000
"""A process is started again, and takes the lease over after six seconds."""
CHART_TIMES = """(texts) => texts.map((text) => [text.dataset.at, text.textContent])"""


@pytest_asyncio.fixture(loop_scope="session")
async def bus(stack):
    url = Secret(stack.description["nats"])
    async with connected(Access(url=url), service="test", health=Health("test")) as found:
        yield found


async def letter_of(trader, seq):
    """The place of the letter about a message, once it is there."""
    async with asyncio.timeout(20):
        while True:
            _, found = await trader.api("GET", "/api/dead")
            for letter in found["dead"]:
                if letter["origin_seq"] == seq:
                    return letter["seq"]
            await asyncio.sleep(0.05)


async def test_a_service_that_falls_silent_is_seen_and_seen_to_come_back(stack, stack_page, trader):
    await trader.execute()
    page = await stack_page("viewer")
    await page.goto("/health")
    router = page.locator("#service-router > h3 .badge")
    await expect(router).to_have_text("ready", timeout=BACK_MS)
    # The figures are loaded once somebody sees them.
    table = page.locator("#figures-table")
    await page.locator("#figures").scroll_into_view_if_needed()
    await table.locator("summary").click()
    await page.locator("#account-paper-place").focus()
    await page.evaluate("() => { window.sameAsBefore = true; }")
    process = stack.description["processes"]["router"]
    # Stopped first: started again at once, it might be back before anybody has looked.
    os.kill(process, signal.SIGSTOP)
    try:
        await expect(router).to_have_text("silent")
    finally:
        os.kill(process, signal.SIGKILL)
    await expect(page.locator("#state-said")).to_contain_text("wrong")
    await expect(page.locator("#said")).to_contain_text("router: nobody answers")
    await expect(router).to_have_text("ready", timeout=BACK_MS)
    await expect(page.locator("#said")).not_to_contain_text("router: nobody answers")
    assert await page.evaluate("() => window.sameAsBefore")
    assert await page.evaluate("() => document.activeElement.id") == "account-paper-place"
    assert await table.get_attribute("open") is not None
    await trader.execute()


async def test_a_dead_letter_is_replayed(stack_page, trader, bus):
    stored = await bus.js.publish("alert.received.demo", b'{"type":"<b>of another release"}')
    seq = await letter_of(trader, stored.seq)
    page = await stack_page("operator")
    await page.goto("/health")
    letter = page.locator(f"#letter-{seq}")
    await letter.get_by_text("Replay…").click()
    await expect(letter).to_contain_text("unless the software was mended it ends here again")
    await assert_accessible(page)
    await letter.get_by_role("button", name="Yes, replay it").click()
    done = letter.get_by_role("status")
    await expect(done).to_contain_text("Put into the log again")
    await expect(done).to_be_focused()
    await letter.get_by_role("link", name="alert.received").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Dead letter {seq}")
    await expect(page.locator("main")).to_contain_text("<b>of another release")
    await expect(page.locator("main")).to_contain_text("as message")
    await assert_accessible(page)
    # A viewer sees it, and no way to replay anything.
    page = await stack_page("viewer", device="phone", scheme="dark")
    await page.goto("/health/dead")
    await expect(page.locator(f"#letter-{seq}")).to_be_visible()
    await expect(page.get_by_text("Replay…")).to_have_count(0)
    await assert_accessible(page)


async def test_how_it_looks(stack_page, trader, pictures):
    for _ in range(3):
        await trader.execute()
    await trader.post({"no": "ticker"})
    page = await stack_page("operator", timezone="Asia/Tokyo")
    await page.goto("/health")
    await page.locator("#dead").scroll_into_view_if_needed()
    await expect(page.locator("#figures-tiles")).to_be_visible()
    await expect(page.locator("#picture-paper .tone-good")).to_contain_text("live")
    times = await page.locator("text[data-at]").evaluate_all(CHART_TIMES)
    assert times
    for at, told in times:
        hour = (int(at[11:13]) + 9) % 24
        assert told == f"{hour:02}:{at[14:16]}"
    await page.locator("#span-7d").click()
    await expect(page.locator("#span-7d")).to_have_attribute("aria-current", "true")
    await expect(page.locator("#span-7d")).to_be_focused()
    await wait_settled(page)
    await page.evaluate("() => window.scrollTo(0, 0)")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await assert_accessible(page)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= 390
    await assert_accessible(page)
    await page.set_viewport_size({"width": 1280, "height": 800})
    await pictures.take(page, "health", full=True)


async def test_it_needs_no_script(stack_page):
    page = await stack_page("viewer", javascript=False)
    await page.goto("/health")
    await expect(page.locator("#service-ingest")).to_contain_text("ready")
    await page.get_by_role("link", name="Show the dead letters").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dead letters")
    await page.goto("/health/figures?span=6h")
    await expect(page.locator("#latency")).to_be_visible()
