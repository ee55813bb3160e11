"""`python -m bench.pages`: what the first page weighs and takes, and how a list of ten thousand
alerts scrolls, in a real browser over the stack as it is shipped.
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import asyncpg
from playwright.async_api import Browser, BrowserContext, Page, StorageState, async_playwright

from bench.command import complain, machine, run_measurement, write_figures
from bench.errors import BenchError
from bench.options import add_place, whole
from bench.signalled import Tell, say
from bench.stack import running_stack
from bench.table import render
from bench.trail.events import STREAM, Shape, events
from bench.trail.filling import Filler, Sample
from libs.common.secret import Secret
from services.auditor.store import Store, make_pool

BYTES_GOAL = 100_000
MS_GOAL = 100.0
LONG_FRAME_MS = 50.0
_EVENTS_PER_ALERT = 5.84
_FAR = 1_000_000
_VISITS = 10
_VIEWPORT = {"width": 1280, "height": 800}
_IDLE_FRAMES = 180
_PX_A_FRAME = 200
"""At 60 frames a second six rows of a screen each frame: faster than anybody reads."""

_SCROLL = """async ([step, wanted, limit]) => {
  const root = document.scrollingElement, frames = [];
  const next = () => new Promise(requestAnimationFrame);
  let last = await next(), waited = 0;
  for (let turn = 0; turn < limit; turn += 1) {
    window.scrollBy(0, step);
    const now = await next();
    frames.push(now - last);
    last = now;
    const there = step > 0 ? root.scrollTop + innerHeight >= root.scrollHeight - 1
      : root.scrollTop <= 0;
    if (step === 0 || !there) continue;
    if (step < 0 || document.querySelectorAll(".chunk > .row").length >= wanted) break;
    waited += 1;
  }
  return { frames, waited, rows: document.querySelectorAll(".chunk > .row").length };
}"""
_TIMES = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const painted = performance.getEntriesByName("first-contentful-paint")[0];
  return { page_bytes: page.transferSize, answered: page.responseEnd,
           ready: page.domContentLoadedEventEnd,
           painted: painted ? painted.startTime : null, loaded: page.loadEventEnd };
}"""


@dataclass(frozen=True, kw_only=True)
class Options:
    alerts: int
    out: Path
    port_base: int


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visit with an empty cache; times in milliseconds from the click on."""

    requests: int
    bytes: int
    page_bytes: int
    """Of the page's own HTML."""
    answered: float
    ready: float
    painted: float | None
    loaded: float


@dataclass(frozen=True, kw_only=True)
class Scroll:
    name: str
    rows: int
    frames: int
    long: int
    """Over 50 ms."""
    median_ms: float
    longest_ms: float
    waited: int
    """Frames at the end of what was loaded."""


@dataclass(kw_only=True)
class Outcome:
    visits: list[Visit]
    scrolls: list[Scroll]


def main() -> int:
    """0: all goals are reached; 1: not so, or it could not be run; 130: interrupted."""
    options = parse(sys.argv[1:])

    def conclude(outcome: Outcome, _folder: Path) -> int:
        figures = {"machine": machine(), "alerts": options.alerts, **asdict(outcome)}
        write_figures(figures, out=options.out)
        say(f"\n{table(outcome)}\n")
        return complain(complaints(outcome))

    return run_measurement(
        prefix="alertwire-pages-",
        whole=lambda folder, tell: measure(options, folder, tell),
        conclude=conclude,
    )


def parse(arguments: Sequence[str]) -> Options:
    """Exits with 2 and a sentence on wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.pages",
        description=(
            "Start the whole stack in a temporary folder, fill the trail with made-up alerts and "
            "look at the live page with a Chromium: bytes and times of a first visit, and the "
            "frames while all alerts are scrolled through. Exits with 1 where a goal is missed."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--alerts", type=whole(100, 100_000), default=10_000, metavar="N", help="in the list"
    )
    add_place(parser, out="pages.json", port_base=8720)
    return Options(**vars(parser.parse_args(arguments)))


async def measure(options: Options, folder: Path, tell: Tell) -> Outcome:
    tell("starting the stack")
    directory = folder / "stack"
    async with running_stack(directory, port_base=options.port_base) as described:
        await _fill(described["postgres"], options.alerts)
        tell(f"{options.alerts:,} alerts are in the trail")
        async with _browser() as browser:
            cookies = await _signed_in(browser, described)
            visits = [await _visit(browser, described, cookies) for _ in range(_VISITS)]
            tell("scrolling")
            async with _context(browser, described, cookies) as context:
                scrolls = await _scrolled(await context.new_page(), options.alerts)
        tell("stopping the stack")
    return Outcome(visits=visits, scrolls=scrolls)


def table(outcome: Outcome) -> str:
    visits = outcome.visits
    rows = [
        ["bytes of all requests", max(each.bytes for each in visits), None],
        ["of these the page itself", max(each.page_bytes for each in visits), None],
        ["requests", max(each.requests for each in visits), None],
        *(
            [f"{name}, ms", median(values), max(values)]
            for name, values in (
                ("page answered", [each.answered for each in visits]),
                ("first painted", [each.painted for each in visits if each.painted is not None]),
                ("ready", [each.ready for each in visits]),
                ("all loaded", [each.loaded for each in visits]),
            )
            if values
        ),
    ]
    first = render(["a first visit, nothing cached", "median", "max"], rows)
    heads = ["scrolled", "rows", "frames", "over 50 ms", "median ms", "longest ms", "waited"]
    lines = [list(asdict(each).values()) for each in outcome.scrolls]
    return f"{first}\n\n{render(heads, lines)}"


def complaints(outcome: Outcome) -> list[str]:
    size = max(each.bytes for each in outcome.visits)
    answered = median(each.answered for each in outcome.visits)
    told = []
    if size > BYTES_GOAL:
        told.append(f"the first page takes {size:,} bytes, which is over {BYTES_GOAL:,}")
    if answered > MS_GOAL:
        told.append(f"the first page takes {answered:.0f} ms, which is over {MS_GOAL:.0f}")
    return told


async def _fill(url: str, alerts: int) -> None:
    """Of the last day, as the auditor would have stored them."""
    until = datetime.now(UTC)
    since = until - timedelta(days=1)
    connection = await asyncpg.connect(url, ssl=False)
    try:
        async with make_pool(Secret(url)) as pool:
            days = (since.date(), until.date())
            await connection.execute("SELECT audit_ensure_partitions($1, $2)", *days)
            head = await connection.fetchrow("SELECT seq, hash FROM audit_head($1)", STREAM)
            assert head is not None
            filler = Filler(
                connection=connection,
                store=Store(pool),
                events=events(Shape(since=since, alert_every=timedelta(days=1) / (alerts + 50))),
                sample=Sample(random=Random(1)),
                first_seq=head["seq"] + _FAR,
                head=head["hash"],
            )
            await filler.copy(int((alerts + 50) * _EVENTS_PER_ALERT))
        await connection.execute("VACUUM (ANALYZE) audit_event")
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise BenchError("there is no Chromium: CHROMIUM names one")
    async with async_playwright() as driver:
        # Its sandbox refuses root.
        browser = await driver.chromium.launch(
            executable_path=path, chromium_sandbox=os.geteuid() != 0
        )
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def _context(
    browser: Browser, described: dict[str, Any], cookies: StorageState | None = None
) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(
        base_url=described["console"], storage_state=cookies, viewport=_VIEWPORT
    )
    try:
        yield context
    finally:
        await context.close()


async def _signed_in(browser: Browser, described: dict[str, Any]) -> StorageState:
    user = described["console_users"]["viewer"]
    async with _context(browser, described) as context:
        page = await context.new_page()
        await page.goto("/sign-in")
        await page.fill("[name=name]", user["name"])
        await page.fill("[name=password]", user["password"])
        await page.click("main button[type=submit]")
        await page.wait_for_url(lambda url: "/sign-in" not in url)
        return await context.storage_state()


async def _visit(browser: Browser, described: dict[str, Any], cookies: StorageState) -> Visit:
    async with _context(browser, described, cookies) as context:
        page = await context.new_page()
        network = await context.new_cdp_session(page)
        await network.send("Network.enable")
        sizes: list[float] = []
        network.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
        await page.goto("/", wait_until="load")
        # The stream stands and the counts have come: nothing else is fetched.
        await page.wait_for_selector("#following[data-state=live]")
        await page.wait_for_selector(".count")
        times = await page.evaluate(_TIMES)
        return Visit(requests=len(sizes), bytes=int(sum(sizes)), **times)


async def _scrolled(page: Page, alerts: int) -> list[Scroll]:
    await page.goto("/", wait_until="load")
    await page.wait_for_selector("#following[data-state=live]")
    turns = (
        ("not at all", 0, _IDLE_FRAMES),
        ("down, while it loads", _PX_A_FRAME, 100_000),
        ("up again", -_PX_A_FRAME, 100_000),
        ("down again", _PX_A_FRAME, 100_000),
    )
    scrolls = []
    for name, step, limit in turns:
        found = await page.evaluate(_SCROLL, [step, alerts, limit])
        frames = found["frames"]
        scrolls.append(
            Scroll(
                name=name,
                rows=found["rows"],
                frames=len(frames),
                long=sum(frame > LONG_FRAME_MS for frame in frames),
                median_ms=median(frames),
                longest_ms=max(frames),
                waited=found["waited"],
            )
        )
    return scrolls


if __name__ == "__main__":
    sys.exit(main())
