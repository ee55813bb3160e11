"""The live page as people use it: alerts that come and change by themselves, filters, the keyboard,
a console that goes away and comes back.
"""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from libs.common.contracts import codec
from libs.common.domain.identity import alert_id
from libs.common.secret import Secret
from services.auditor.rows import to_row
from services.auditor.store import Store, make_pool
from tests.browser.accessibility import assert_accessible
from tests.browser.pages import wait_settled
from tests.factories import make_alert, make_order

pytestmark = pytest.mark.integration

ROW = ".chunk > .row"
_numbers = itertools.count(1)


def row_of(page, alert):
    return page.locator(f"#a{alert}")


async def live(page):
    await expect(page.locator("#following")).to_have_attribute("data-state", "live")


async def test_an_alert_comes_and_changes_by_itself(stack_page, trader, pictures):
    page = await stack_page()
    await page.goto("/")
    await live(page)
    hostile = "<img src=x onerror=alert(1)> \u202egnp.exe"
    first = await trader.send(order_action="buy", comment=hostile)
    await expect(row_of(page, first).locator(".badge")).to_have_text("executed")
    denied = await trader.send(ticker="<script>alert(1)</script>", comment=hostile)
    await expect(row_of(page, denied)).to_contain_text("<script>alert(1)</script>")
    await expect(row_of(page, denied).locator(".badge")).to_have_text("denied")
    await expect(page.locator(ROW).first).to_have_id(f"a{denied}")
    await trader.send(order_action="sell", ticker="ETHUSDT.P", order_contracts=0.05)
    last = await trader.send(order_action="flat", order_contracts="")
    await expect(row_of(page, last).locator(".badge")).to_have_text("executed")
    await expect(page.locator(".count-executed b")).not_to_have_text("0", timeout=15_000)
    await wait_settled(page)
    await assert_accessible(page)
    await pictures.take(page, "live")
    # Filters apply at once, stand in the address, and what follows is filtered, too.
    await page.locator("#status").select_option("denied")
    await expect(page.locator(ROW).filter(has_text="executed")).to_have_count(0)
    assert page.url.endswith("/?status=denied")
    await live(page)
    other = await trader.send(ticker="NOSUCH.P")
    await expect(row_of(page, other)).to_be_visible()
    await page.keyboard.press("/")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type("nosuch")
    await expect(page.locator(ROW).filter(has_text="script")).to_have_count(0)
    await expect(row_of(page, other)).to_be_visible()
    await page.reload()
    await expect(page.locator("#text")).to_have_value("nosuch")
    await expect(row_of(page, other)).to_be_visible()


async def test_a_console_that_was_restarted_is_found_again(stack, stack_page, trader, faults):
    for kind in ("console", "failed"):
        faults.allow(kind, "/alerts/events", must_happen=False)
        faults.allow(kind, "/halts/banner", must_happen=False)
    faults.allow("console", "htmx:", must_happen=False)
    page = await stack_page()
    await page.goto("/")
    await live(page)
    stack.kill("console")
    await expect(page.locator("#following")).to_contain_text("reconnecting since")
    alert = await trader.send()
    await expect(row_of(page, alert).locator(".badge")).to_have_text("executed", timeout=40_000)
    await live(page)


@pytest.fixture
async def put_alerts(js, writer_dsn):
    """So many alerts in the trail, newest last."""

    async def put(count):
        now = datetime.now(UTC)
        async with make_pool(Secret(writer_dsn)) as pool:
            store = Store(pool)
            await store.ensure_partitions((now - timedelta(days=1)).date(), now.date())
            rows = []
            for number in range(1, count + 1):
                at = now - timedelta(seconds=count - number)
                alert = make_alert(alert_id=make_id(), at=at, body=str(number))
                rows.append(
                    to_row(
                        stream="PIPELINE",
                        seq=number,
                        subject="alert.received.demo",
                        stored_at=at,
                        headers={},
                        data=codec.encode(alert),
                    )
                )
                # The log is as long as the trail.
                await js.publish("position.drifted.none.none", b"{}")
            assert await store.insert(rows) == count

    return put


def make_id():
    now = int(datetime.now(UTC).timestamp() * 1000)
    return alert_id(unix_ms=now, random_bits=next(_numbers))


async def receive(console, **order):
    alert = make_alert(alert_id=make_id(), at=datetime.now(UTC), order=make_order(**order))
    await console.bus.publish(subject="alert.received.demo", message=alert, event_id=alert.alert_id)
    return alert.alert_id


async def test_nothing_moves_under_somebody_who_reads(console, console_page, put_alerts):
    await put_alerts(250)
    page = await console_page()
    await live(page)
    assert await page.locator(ROW).count() == 40
    await page.mouse.wheel(0, 400)
    # The next pages come by themselves.
    await expect(page.locator(ROW)).to_have_count(140)
    async with asyncio.timeout(20):
        while await page.locator("#more").is_visible():
            await to_the_end(page)
            await wait_settled(page)
    await expect(page.locator(ROW)).to_have_count(250)
    place = await page.evaluate("window.scrollY")
    first = await receive(console)
    await expect(page.locator("#new")).to_have_text("1 new alert")
    second = await receive(console)
    await expect(page.locator("#new")).to_have_text("2 new alerts")
    assert await page.evaluate("window.scrollY") == place
    assert await page.locator(ROW).count() == 250
    await page.locator("#new").click()
    await expect(page.locator(ROW).first).to_have_id(f"a{second}")
    await expect(page.locator(ROW).nth(1)).to_have_id(f"a{first}")
    assert await page.evaluate("window.scrollY") == 0
    order = await page.locator(ROW).evaluate_all("(rows) => rows.map((row) => +row.dataset.seq)")
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == 252


async def test_who_is_at_the_end_before_the_next_link_is_ready_gets_the_next_page_too(
    console_page, put_alerts
):
    await put_alerts(250)
    page = await console_page()
    await live(page)
    # A machine that is busy takes so long between what it shows and what it listens to.
    await page.evaluate("htmx.config.defaultSettleDelay = 400")
    await to_the_end(page)
    await expect(page.locator(ROW)).to_have_count(140)
    await to_the_end(page)
    await expect(page.locator(ROW)).to_have_count(240)
    await to_the_end(page)
    await expect(page.locator(ROW)).to_have_count(250)


async def to_the_end(page):
    await page.evaluate("window.scrollTo(0, document.scrollingElement.scrollHeight)")


async def test_the_keyboard_moves_through_the_rows(console, console_page, put_alerts):
    await put_alerts(3)
    page = await console_page()
    await live(page)
    await page.keyboard.press("j")
    await expect(page.locator(f"{ROW} a").nth(0)).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(f"{ROW} a").nth(2)).to_be_focused()
    await page.keyboard.press("k")
    await expect(page.locator(f"{ROW} a").nth(1)).to_be_focused()
    # Somebody is in the list: what comes waits.
    await receive(console)
    await expect(page.locator("#new")).to_have_text("1 new alert")
    place = await page.locator(f"{ROW} a").nth(1).get_attribute("href")
    await page.keyboard.press("Escape")
    await expect(page.locator(ROW)).to_have_count(4)
    await page.locator(f'a[href="{place}"]').focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{place}")


async def test_it_works_without_scripts(console, console_page, put_alerts):
    await put_alerts(120)
    page = await console_page(javascript=False)
    await expect(page.locator(ROW)).to_have_count(40)
    await page.locator("#more a").click()
    await expect(page.locator(ROW)).to_have_count(80)
    await page.locator("#symbol").fill("NONE")
    await page.locator("#filters button").click()
    await expect(page.locator("#empty")).to_contain_text("Nothing matches")


async def test_whoever_signs_out_elsewhere_is_led_to_the_sign_in(
    console, console_page, console_users, faults
):
    # What the page asks by itself may be the first to learn of it.
    faults.allow("console", "401", must_happen=False)
    page = await console_page()
    await live(page)
    other = await page.context.new_page()
    await other.goto("/")
    await live(other)
    await other.get_by_role("button", name="Sign out").click()
    await other.wait_for_url("**/sign-in")
    await page.reload()
    await page.wait_for_url("**/sign-in*")
