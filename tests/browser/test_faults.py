"""What a page does wrong fails the test that looks at it, unless the test expects it."""

import asyncio
import contextlib

import pytest
from aiohttp import web
from playwright.async_api import expect

from tests.browser.faults import Faults
from tests.browser.looks import Look
from tests.browser.serving import document, serving
from tests.browser.visits import visiting


async def refused(_request):
    return web.Response(status=422, text="no")


async def cut(request):
    request.transport.abort()
    return web.Response()


async def slow(request):
    await asyncio.sleep(3600)


PAGES = {
    "/": document("<h1>Plain</h1>"),
    "/console": document("", head='<script src="/console.js"></script>'),
    "/console.js": "console.warn('careful')",
    "/raising": document("", head='<script src="/raising.js"></script>'),
    "/raising.js": "undefined.oops",
    "/cut": document("", head='<script src="/cut.js"></script>'),
    "/cut.js": cut,
    "/inline": document("<p style='color: red'>Red</p><script>document.title = 'x'</script>"),
    "/elsewhere": document("<a href='http://localhost:9/away'>Away</a>"),
    "/posting": document("", head='<script src="/posting.js"></script>'),
    "/posting.js": "fetch('/refused', {method: 'POST'})",
    "/refused": refused,
    "/leaving": document("<p>Wait</p>", head='<script src="/leaving.js"></script>'),
    "/hasty": document("<img src='/slow' alt=''>", head='<script src="/hasty.js"></script>'),
    "/hasty.js": "addEventListener('DOMContentLoaded', () => { location.href = '/'; });",
    "/slow": slow,
    "/leaving.js": "new EventSource('/events').onopen = () => { location.href = '/'; };",
}


async def events(request):
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    await answer.write(b": here\n\n")
    while True:
        line = await request.content.readline()
        if not line:
            return answer


async def complaints_about(browser, path, *, faults=None, **look):
    faults = faults or Faults()
    async with serving({**PAGES, "/events": events}) as url, visiting(browser, faults) as visits:
        page = await visits.page(url, **look)
        if path == "/posting":
            async with page.expect_response("**/refused"):
                await page.goto(path)
        else:
            await page.goto(path)
        if path == "/elsewhere":
            async with page.expect_event("requestfailed"):
                await page.get_by_role("link").click(no_wait_after=True)
        if path in {"/leaving", "/hasty"}:
            await page.get_by_role("heading", name="Plain").wait_for()
    return faults.complaints()


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/console", {"console"}),
        ("/raising", {"error"}),
        ("/cut", {"failed", "console"}),
        ("/inline", {"csp", "console"}),
        ("/elsewhere", {"elsewhere", "failed"}),
        ("/posting", {"console"}),
    ],
    ids=["console", "raising", "cut", "inline", "elsewhere", "refused"],
)
async def test_a_fault_fails(browser, path, kinds):
    faults = Faults()
    with pytest.raises(AssertionError, match="the page did what it must not"):
        await complaints_about(browser, path, faults=faults)
    assert {fault.kind for fault in faults.seen} == kinds


async def test_a_violation_is_seen_without_javascript_too(browser):
    with pytest.raises(AssertionError, match="Content Security Policy"):
        await complaints_about(browser, "/inline", javascript=False)


@pytest.mark.parametrize(
    "path", ["/", "/leaving", "/hasty"], ids=["plain", "leaves-a-stream", "leaves-early"]
)
async def test_a_page_without_faults_passes(browser, path):
    assert await complaints_about(browser, path) == []


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "stays"])
async def test_who_leaves_before_the_server_stops_sees_no_cut(browser, leaves):
    faults = Faults()
    pages = {"/": PAGES["/"], "/wait": document("", head='<script src="/wait.js"></script>')}
    script = "new EventSource('/events').onopen = () => { document.title = 'Open'; };"
    with contextlib.suppress(AssertionError):
        async with visiting(browser, faults) as visits, contextlib.AsyncExitStack() as server:
            answers = {**pages, "/wait.js": script, "/events": events}
            page = await visits.page(await server.enter_async_context(serving(answers)))
            await page.goto("/wait")
            await expect(page).to_have_title("Open")
            if leaves:
                await visits.leave()
                await server.aclose()
            else:
                async with page.expect_event("requestfailed"):
                    await server.aclose()
    assert bool(faults.complaints()) is not leaves


async def test_what_a_test_expects_is_no_fault(browser):
    faults = Faults()
    faults.allow("console", "422")
    await complaints_about(browser, "/posting", faults=faults)


async def test_what_was_expected_and_does_not_come_fails(browser):
    faults = Faults()
    faults.allow("console", "422")
    with pytest.raises(AssertionError, match="expected and not seen: console: 422"):
        await complaints_about(browser, "/", faults=faults)


async def test_what_may_come_may_stay_away(browser):
    faults = Faults()
    faults.allow("console", "422", must_happen=False)
    await complaints_about(browser, "/", faults=faults)


async def test_a_look_is_what_the_page_sees(visits):
    async with serving(PAGES) as url:
        page = await visits.page(url, device="phone", scheme="dark", reduced_motion=True)
        await page.goto("/")
        seen = await page.evaluate(
            """() => [
              matchMedia("(prefers-color-scheme: dark)").matches,
              matchMedia("(prefers-reduced-motion: reduce)").matches,
              matchMedia("(pointer: coarse)").matches,
              innerWidth,
              Intl.DateTimeFormat().resolvedOptions().timeZone,
              navigator.language]"""
        )
    assert seen == [True, True, True, 390, "Europe/Berlin", "en-GB"]


def test_an_unknown_part_of_a_look_is_wrong_use():
    with pytest.raises(TypeError):
        Look(colour="dark")
