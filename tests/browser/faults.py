"""What a page must not do while a test looks at it: complain on the console, raise, fail to load
something, break its content security policy, or ask another server for anything.
"""

import contextlib
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    WebError,
)

Kind = Literal["console", "error", "failed", "csp", "elsewhere"]

_REPORTING = """
document.addEventListener("securitypolicyviolation", (event) => window.__reportViolation(
  `${event.effectiveDirective} forbids ${event.blockedURI} in ${event.documentURI}`
  + ` ${event.sourceFile ?? ""}:${event.lineNumber} ${event.sample}`));
"""
# Of what the page itself gives up: when it leaves, or when a newer question replaces an older one.
# What a server cuts has other names.
_GIVEN_UP = "net::ERR_ABORTED"


@dataclass(frozen=True)
class Fault:
    kind: Kind
    text: str


@dataclass(frozen=True)
class _Allowed:
    kind: Kind
    text: str
    must_happen: bool

    def covers(self, fault: Fault) -> bool:
        return fault.kind == self.kind and self.text in fault.text


class Faults:
    """Of all contexts that are watched; `check` fails on what was not allowed."""

    def __init__(self) -> None:
        self.seen: list[Fault] = []
        self._allowed: list[_Allowed] = []
        self._is_over = False

    def allow(self, kind: Kind, text: str, *, must_happen: bool = True) -> None:
        """Expects faults that hold this text: as `allow("console", "422")`. What is expected and
        does not come fails too, unless it need not happen.
        """
        self._allowed.append(_Allowed(kind, text, must_happen))

    async def watch(self, context: BrowserContext, *, base_url: str | None = None) -> None:
        """From now on; everything outside the first page's origin is elsewhere."""
        own = {_origin(base_url)} if base_url else set[str]()

        def on_request(request: Request) -> None:
            if urlsplit(request.url).scheme not in {"http", "https"}:
                return
            own.update([] if own else [_origin(request.url)])
            if _origin(request.url) not in own:
                self._add("elsewhere", f"{request.method} {request.url}")

        def on_failed(request: Request) -> None:
            if request.failure != _GIVEN_UP:
                self._add("failed", f"{request.method} {request.url}: {request.failure}")

        def on_console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                place = message.location.get("url", "")
                self._add("console", f"{message.type}: {message.text} ({place})")

        def on_error(error: WebError) -> None:
            self._add("error", error.error.stack or error.error.message)

        def on_violation(_source: object, text: str) -> None:
            self._add("csp", text)

        await context.expose_binding("__reportViolation", on_violation)
        await context.add_init_script(_REPORTING)
        context.on("request", on_request)
        context.on("requestfailed", on_failed)
        context.on("console", on_console)
        context.on("weberror", on_error)

    def end(self) -> None:
        """What comes from now on is nobody's fault."""
        self._is_over = True

    def complaints(self) -> list[str]:
        unexpected = [
            f"{fault.kind}: {fault.text}"
            for fault in self.seen
            if not any(allowed.covers(fault) for allowed in self._allowed)
        ]
        missed = [
            f"expected and not seen: {allowed.kind}: {allowed.text}"
            for allowed in self._allowed
            if allowed.must_happen and not any(map(allowed.covers, self.seen))
        ]
        return unexpected + missed

    def check(self) -> None:
        complaints = self.complaints()
        assert not complaints, "the page did what it must not:\n" + "\n".join(complaints)

    def _add(self, kind: Kind, text: str) -> None:
        if not self._is_over:
            self.seen.append(Fault(kind, text))


async def told(page: Page, *, javascript: bool = True) -> None:
    """Returns once everything that the page did until now has been told here."""
    turn = "() => new Promise((done) => setTimeout(done))" if javascript else "() => 0"
    # A page that is on its way elsewhere, or closed, has nothing more to tell.
    with contextlib.suppress(Error):
        await page.evaluate(turn)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
