"""The alerts that documents show, with what each document says becomes of them.

A block of JSON with a ticker is an alert. Before it may stand the route that it is sent to, behind
it what it is understood as, or how it is refused.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from libs.common.contracts.route import Route, RouteSettings
from services.ingest.parsing import Parsed, Unparsed, parse_alert
from tests.factories import make_route

_ALERT = re.compile(
    r"(?:^Route: `(?P<route>\{[^`]*\})`\s+)?"
    r"^```json\n(?P<body>.*?)^```$"
    r"(?:\s+Understood as `(?P<order>\{[^`]*\})`"
    r"|\s+Refused: (?P<status>\d+) `(?P<reason>\w+)`, field `(?P<field>\w+)`)?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    body: str
    route: dict[str, Any]
    order: dict[str, Any] | None
    """The fields of the order that the document tells."""
    refused: tuple[str, str, str] | None
    """Status, reason and field."""
    heading: str


def shown_alerts(page: Path) -> list[Shown]:
    text = page.read_text()
    return [
        Shown(
            body=found["body"],
            route=json.loads(found["route"] or "{}"),
            order=json.loads(found["order"]) if found["order"] else None,
            refused=(found["status"], found["reason"], found["field"]) if found["status"] else None,
            heading=re.findall(r"^#+ (.*)$", text[: found.start()], re.MULTILINE)[-1],
        )
        for found in _ALERT.finditer(text)
        if re.search(r'"(ticker|symbol)"', found["body"])
    ]


def parsed(body: str, *, route: dict[str, Any]) -> Parsed | Unparsed:
    return parse_alert(body.encode(), route=_route(route))


def filled(body: str, *, values: dict[str, str]) -> str:
    """As TradingView would send it."""
    for placeholder, value in values.items():
        body = body.replace(placeholder, value)
    return body


def _route(settings: dict[str, Any]) -> Route:
    known = msgspec.to_builtins(make_route().settings)
    return msgspec.structs.replace(
        make_route(), settings=msgspec.convert({**known, **settings}, RouteSettings)
    )
