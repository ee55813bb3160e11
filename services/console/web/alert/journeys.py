"""All of one alert's page as data, and as sections that can be told apart: a page that follows live
takes those that have changed, and leaves the others as somebody has opened them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from markupsafe import Markup

from services.console.documents import Document
from services.console.web.alert.calls import INLINE_MAX
from services.console.web.alert.checklist import checklist
from services.console.web.alert.orders import shares
from services.console.web.alert.overview import is_open, overview
from services.console.web.alert.reckonings import reckonings
from services.console.web.alert.timeline import timeline
from services.console.web.alert.understanding import body_of
from services.console.web.rendering import Pages
from services.console.web.shell import Shell

_SECTIONS = (
    *("head", "checklist", "closed", "timeline", "orders", "body", "reckonings"),
    *("replay", "events"),
)
"""In the order of the page; each is a template, and leaves out itself where it has nothing."""
_DIGEST_CHARS = 16
BARS_SHOWN = 40
PIECES_SHOWN = 12
LONG_ONES = frozenset({"timeline", "orders"})
"""Sections whose rest is asked for when somebody opens it."""


@dataclass(frozen=True, kw_only=True)
class Section:
    name: str
    html: Markup
    version: str


def sections_of(
    document: Document,
    *,
    pages: Pages,
    shell: Shell,
    trace_link: str | None,
    level: int,
) -> list[Section]:
    """`level`: of the topmost heading."""
    context = _context(document, shell=shell, trace_link=trace_link, level=level)
    found = [_section(name, pages=pages, context=context) for name in _SECTIONS]
    return [section for section in found if section.html]


def rest_of(name: str, document: Document, *, pages: Pages, shell: Shell) -> Markup:
    """Of one of the `LONG_ONES` what its section has left out."""
    context = _context(document, shell=shell, trace_link=None, level=2)
    return _section(name, pages=pages, context={**context, "rest_only": True}).html


def frame_of(document: Document, *, sections: Sequence[Section], now: datetime) -> dict[str, Any]:
    """What the frame around the sections is told."""
    events = document["events"]
    return {
        "alert_id": document["alert_id"],
        "alert_status": document["status"],
        "sections": sections,
        "is_open": is_open(document, now=now),
        "after": max((event["seq"] for event in events), default=0),
    }


def _context(
    document: Document, *, shell: Shell, trace_link: str | None, level: int
) -> dict[str, Any]:
    told: Document = msgspec.json.decode(msgspec.json.encode(document))
    known = reckonings(told["events"])
    return {
        "shell": shell,
        "level": level,
        "here": f"/alerts/{told['alert_id']}",
        "document": told,
        "head": overview(told),
        "trace_link": trace_link,
        "checks": checklist(told["diagnosis"]),
        "timeline": timeline(told["events"]),
        "bars_shown": BARS_SHOWN,
        "pieces_shown": PIECES_SHOWN,
        "rest_only": False,
        "body": body_of(told["events"]),
        "accounts": known,
        "shares": shares(told, known=known),
        "inline_max": INLINE_MAX,
    }


def _section(name: str, *, pages: Pages, context: dict[str, Any]) -> Section:
    text = pages.text(f"alert/sections/{name}.html", **context).strip()
    # The template's output is escaped already.
    html = Markup(text)  # noqa: S704
    version = sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_CHARS]
    return Section(name=name, html=html, version=version)
