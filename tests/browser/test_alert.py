"""One alert's page as somebody looks at it: what became of it, why, and what comes meanwhile."""

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.words import AlertId, ClientOrderId
from libs.common.domain.identity import alert_id
from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import OpenPage
from tests.browser.faults import Faults
from tests.browser.pages import wait_settled
from tests.browser.pictures import Pictures
from tests.console_server import Console
from tests.e2e.own_routes import OwnRoutes
from tests.e2e.running_stack import RunningStack, Trader
from tests.factories import D, make_alert, make_intent, make_leg, make_order
from tests.trail_messages import make_denied, make_execution, make_plan
from tests.trail_store import TrailStore, subject_of, trail_store

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HOSTILE = (
    "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>\u202egnp\u2066'\"</pre>"
)


@pytest_asyncio.fixture(loop_scope="session")
async def trail(writer_dsn: str) -> AsyncIterator[TrailStore]:
    async with trail_store(writer_dsn) as found:
        yield found


class Story:
    """An alert that goes on while a page shows it: in the log, and in the trail behind it."""

    def __init__(self, console: Console, trail: TrailStore) -> None:
        self.alert = AlertId(alert_id(unix_ms=int(time.time() * 1000), random_bits=7))
        self._console, self._trail = console, trail

    async def tell(self, *messages: AnyMessage) -> None:
        for message in messages:
            stored = await self._console.bus.publish(
                subject=subject_of(message), message=message, event_id=subject_of(message)
            )
            await self._trail.put(message, seq=stored.seq)


@pytest_asyncio.fixture(loop_scope="session")
async def story(console: Console, trail: TrailStore) -> Story:
    return Story(console, trail)


async def fits(page: Page) -> bool:
    """Nothing of the page lies beside the screen."""
    found: bool = await page.evaluate(
        "() => document.documentElement.scrollWidth <= window.innerWidth"
    )
    return found


async def test_an_executed_alert_tells_how(
    stack: RunningStack, trader: Trader, stack_page: OpenPage, pictures: Pictures
) -> None:
    journey = await trader.execute(price="50000", stop_loss="1.5", sltp_type="percent")
    page = await stack_page("viewer")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(f"/alerts/{journey['alert_id']}")
    head = page.locator(".part-head")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Buy 0.001 BTCUSDT.P")
    await expect(head.locator(".badge").first).to_have_text("executed")
    await expect(head).to_contain_text("Opened long 10 contracts of BTC_USDT on paper at")
    await expect(page.locator(".part-checklist")).to_have_count(0)
    steps = page.locator(".timeline tbody .step")
    told = [text for text in await steps.all_inner_texts() if text != "round trip"]
    assert told == ["received", "stored", "decided", "planned", "sent", "accepted", "filled"]
    await pictures.take(page, "alert-executed", full=True)
    await assert_accessible(page)

    order = page.locator(".part-orders")
    await expect(order).to_contain_text("(0.001 BTC)")
    call = order.locator("details.call", has_text="order/create").first
    await call.locator("summary").first.click()
    await expect(call).to_contain_text(journey["orders"][0]["client_order_id"])

    await page.get_by_role("button", name="Copy link").click()
    await expect(page.locator("#said")).to_have_text("Copied")
    assert await page.evaluate("() => navigator.clipboard.readText()") == page.url

    await page.locator("#said").evaluate("(place) => { place.textContent = ''; }")
    await page.get_by_role("button", name="Copy as JSON").click()
    await expect(page.locator("#said")).to_have_text("Copied")
    copied = await page.evaluate("() => navigator.clipboard.readText()")
    _, document = await trader.api("GET", f"/api/alerts/{journey['alert_id']}")
    assert msgspec.json.decode(copied) == document

    await page.get_by_role("button", name="What would be decided today?").click()
    await expect(page.locator(".replayed")).to_contain_text("The same.")
    events = page.locator(".part-events")
    await events.locator("summary").first.click()
    await events.locator(".raw-event summary", has_text="intent.accepted").click()
    await expect(events.locator("pre")).to_contain_text('"type": "intent.accepted"')
    await wait_settled(page)
    await assert_accessible(page)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await fits(page)


async def test_a_rejected_alert_tells_why_and_what_to_do(
    trader: Trader, routes: OwnRoutes, stack_page: OpenPage, pictures: Pictures
) -> None:
    for paper in (
        await routes.account("page-poor", balance="0.01"),
        await routes.account("page-barred", ip_whitelist=["198.51.100.7"]),
    ):
        await paper.close()
    page = await stack_page("operator")
    for account, label, mend in (
        ("page-barred", "Linked IP", "Link IP Address"),
        ("page-poor", "Balance", "Transfer margin"),
    ):
        route = await routes.make(accounts=[{"account": account}])
        alert = await route.send(order_action="buy", order_contracts=0.001)
        journey = await trader.ended(alert)
        assert journey["status"] in {"rejected", "denied"}
        await page.goto(f"/alerts/{alert}")
        verdict = page.locator(".verdict")
        await expect(verdict).to_have_count(1)
        await expect(verdict).to_contain_text(f"{label}:")
        await expect(verdict).to_contain_text(mend)
        wrong = page.locator(".checks .check-wrong")
        await expect(wrong.get_by_role("rowheader")).to_have_text(label)
        await expect(page.locator(".checks tbody tr")).to_have_count(13)
    await pictures.take(page, "alert-rejected", full=True)
    await assert_accessible(page)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await fits(page)


async def test_what_comes_appears_and_what_is_open_stays_open(
    console: Console, story: Story, console_page: OpenPage
) -> None:
    """From an alert of which nothing is known yet to its fill, without loading the page again."""
    alert = story.alert
    leg = make_leg(client_order_id=ClientOrderId("o1"))
    page = await console_page("viewer")
    await page.goto(f"/alerts/{alert}")
    await expect(page.locator(".part-head")).to_contain_text("Nothing of it is in the trail yet.")
    await expect(page.locator(".follow")).to_have_text("Following live")
    await page.evaluate("() => { window.loadedOnce = true; }")

    await story.tell(make_alert(alert_id=alert), make_intent(alert_id=alert))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Buy 0.001 BTCUSDT.P")
    events = page.locator(".part-events")
    await events.locator("summary").first.click()
    await events.locator(".raw-event summary").first.click()
    await expect(events.locator("pre")).to_contain_text("alert.received")
    await page.locator(".part-body details summary").first.focus()
    focused = "() => document.activeElement.closest('section').className"
    assert "part-body" in await page.evaluate(focused)

    await story.tell(
        make_plan(leg, alert=alert),
        make_execution("filled", "o1", alert=alert, filled_contracts=D(10)),
    )
    await expect(page.locator(".part-head .badge").first).to_have_text("executed")
    await expect(page.locator("#said")).to_contain_text("Now executed")
    await expect(events.locator(".raw-event")).to_have_count(4)
    # What was opened is open still, with what was fetched for it.
    await expect(events.locator("pre")).to_contain_text("alert.received")
    assert "part-body" in await page.evaluate(focused)
    assert await page.evaluate("() => window.loadedOnce")

    console.feed.close()
    await expect(page.locator(".follow")).to_contain_text("The connection is lost")


async def test_the_journey_works_in_another_page(
    story: Story, console_page: OpenPage, console: Console
) -> None:
    """As a dialog puts it into itself."""
    page = await console_page("operator")
    await story.tell(make_alert(alert_id=story.alert))
    await page.goto(f"/alerts/{story.alert}")
    await page.evaluate(
        """(path) => {
          document.querySelector("main").innerHTML = "<h1>Another</h1><div id='place'></div>";
          return htmx.ajax("GET", path, { target: "#place", swap: "innerHTML" });
        }""",
        f"/alerts/{story.alert}/journey?level=2",
    )
    await expect(page.locator("#place h2").first).to_contain_text("Buy 0.001 BTCUSDT.P")
    await expect(page.locator(".follow")).to_have_text("Following live")
    await story.tell(make_denied(alert=story.alert))
    await expect(page.locator("#place .badge").first).to_have_text("denied")


async def test_a_hostile_alert_is_nothing_but_text(
    trail: TrailStore, console_page: OpenPage
) -> None:
    alert = AlertId(alert_id(unix_ms=1_763_900_000_000, random_bits=3))
    order = make_order(ticker=HOSTILE[:64], comment=HOSTILE, order_id="y" * 512)
    told: dict[str, Any] = {"alert_id": alert, "body": HOSTILE + "z" * 60_000, "order": order}
    await trail.put(
        make_alert(**told, source_address=HOSTILE, content_type=HOSTILE),
        make_intent(alert_id=alert, steps=(HOSTILE, "w" * 5000)),
        make_plan(make_leg(client_order_id=ClientOrderId("o1")), alert=alert, steps=(HOSTILE,)),
        make_execution("rejected", "o1", alert=alert, code=9, message=HOSTILE + "v" * 5000),
    )
    for device in ("desktop", "phone"):
        page = await console_page("viewer", device=device)
        await page.goto(f"/alerts/{alert}")
        for details in await page.locator("main details > summary").all():
            if await details.is_visible():
                await details.click()
        await expect(page.locator(".late-place pre").first).to_contain_text("zzzz")
        await wait_settled(page)
        assert await page.evaluate("() => window.pwned === undefined")
        assert await page.locator("main script, main img").count() == 0
        assert "\u202e" not in await page.content()
        assert await fits(page)
        await assert_accessible(page)


async def test_what_is_not_there_is_a_page_of_words(console_page: OpenPage, faults: Faults) -> None:
    page = await console_page("viewer")
    faults.allow("console", "404")
    await page.goto(f"/alerts/{alert_id(unix_ms=1, random_bits=1)}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
    await expect(page.locator("main")).to_contain_text("The trail knows no alert")
    await assert_accessible(page)
