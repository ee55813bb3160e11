"""What an alert would do, step by step, before it is sent: asked of the running services, since
each of them alone knows its part, and none may import another's (docs/decisions/0022). Ingest says
how the body is understood, the router what it comes to, the executor what it would plan with what
the account holds right now. Nothing is sent, and the log stays as it is.

Whatever service does not answer, its part says so in words, and the rest stands.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from libs.common.asking import NobodyAnswers, ask
from libs.common.bus import Bus
from libs.common.contracts import codec, subjects
from libs.common.contracts.alert import Alert
from libs.common.contracts.questions import (
    DecideAnswered,
    DecideAsked,
    Decided,
    ParseAnswered,
    ParseAsked,
    PlanAnswered,
    PlanAsked,
)
from libs.common.contracts.route import Route
from libs.common.domain.identity import alert_id
from services.console.documents import Document, plain

T = TypeVar("T", ParseAnswered, DecideAnswered, PlanAnswered)

PARSED_WITHIN_S = 3.0
DECIDED_WITHIN_S = 5.0
PLANNED_WITHIN_S = 5.0
_PLANS_AT_ONCE = 3
"""An executor answers a few at a time, and says that it is busy to the rest."""
_UNSENT = alert_id(unix_ms=0, random_bits=0)
"""Ids only tell orders apart; those of a plan that is not sent are not shown."""
# Made for this explanation alone, so they would be found nowhere.
_MADE_UP = frozenset(
    {
        *("type", "intent_id", "alert_id", "at", "received_at"),
        *("client_order_id", "change_id"),
    }
)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What the services say of one account."""

    decided: Decided
    planned: PlanAnswered | None = None
    """None where the router denies, or has not answered."""

    @property
    def outcome(self) -> str:
        planned = self.planned
        if self.decided.denial is not None or (planned and planned.denial):
            return "denied"
        if planned is None or planned.proposal is None:
            return "unplanned"
        return "partial" if planned.proposal.withheld else "planned"


class Explaining:
    def __init__(
        self, bus: Bus, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._bus = bus
        self._now = now
        self._plans = asyncio.Semaphore(_PLANS_AT_ONCE)

    async def explain(self, body: bytes, route: Route) -> Document:
        """What `body` would do on the route with these settings, whether they are stored or not.

        The body's secret is not asked for: only its hash is kept, and nobody shows that.
        """
        parsed = await self._parsed(body, route)
        document = _arrival(parsed, route)
        if parsed.problem is not None:
            skipped = f"not asked, since ingest has not told what the body means: {parsed.problem}"
            return document | {"accounts": _unknown(route, problem=skipped)}
        if parsed.order is None:
            return document
        decided = await self._decided(self._alert(parsed, route, body=body), route)
        if decided.problem is not None:
            accounts = _unknown(route, problem=f"the router has not decided: {decided.problem}")
            return document | {"accounts": accounts}
        found = await asyncio.gather(*(self._found(each) for each in decided.accounts))
        return document | {
            "outcome": _gravest([each.outcome for each in found]),
            "accounts": [_account(each) for each in found],
        }

    async def _parsed(self, body: bytes, route: Route) -> ParseAnswered:
        asked = ParseAsked(body=body, settings=route.settings)
        return await self._ask(
            subjects.PARSE_ASKED, asked, of="ingest", cls=ParseAnswered, within_s=PARSED_WITHIN_S
        )

    def _alert(self, parsed: ParseAnswered, route: Route, *, body: bytes) -> Alert:
        assert parsed.order is not None  # noqa: S101 - the caller looked
        return Alert(
            alert_id=_UNSENT,
            route=route.id,
            at=self._now(),
            order=parsed.order,
            body=parsed.body,
            body_sha256=sha256(body).hexdigest(),
            explicit_id=parsed.explicit_id,
        )

    async def _decided(self, alert: Alert, route: Route) -> DecideAnswered:
        asked = DecideAsked(alert=alert, settings=route.settings, now=alert.at)
        return await self._ask(
            subjects.DECIDE_ASKED, asked, of="router", cls=DecideAnswered, within_s=DECIDED_WITHIN_S
        )

    async def _found(self, decided: Decided) -> _Found:
        if decided.intent is None:
            return _Found(decided=decided)
        async with self._plans:
            planned = await self._ask(
                subjects.plan_asked(decided.account),
                PlanAsked(intent=decided.intent),
                of=f"executor that owns account {decided.account}",
                cls=PlanAnswered,
                within_s=PLANNED_WITHIN_S,
            )
        return _Found(decided=decided, planned=planned)

    async def _ask(
        self, subject: str, asked: msgspec.Struct, *, of: str, cls: type[T], within_s: float
    ) -> T:
        """The answer, or one that tells why there is none."""
        problem = ""
        try:
            payload = await ask(self._bus, subject, payload=codec.encode(asked), timeout_s=within_s)
            return msgspec.json.decode(payload, type=cls)
        except NobodyAnswers as silence:
            problem = f"no {of} has answered ({silence}): see whether it runs and is ready"
        except msgspec.MsgspecError as strange:
            problem = f"the {of} has answered something else ({strange}): is it of this release?"
        return cls(problem=problem)


def _arrival(parsed: ParseAnswered, route: Route) -> Document:
    """The explanation as far as ingest tells it."""
    refused = parsed.refused
    return {
        "route": route.id,
        "sent": False,
        "outcome": "refused" if refused else "unplanned",
        # What of it is secret, ingest alone can tell.
        "body": parsed.body if parsed.problem is None else None,
        "order": plain(parsed.order),
        "refusal": plain(refused),
        "problem": parsed.problem,
        "accounts": [],
        "assumptions": [] if refused else _assumptions(route),
    }


def _assumptions(route: Route) -> list[str]:
    found = ["it is no resend of an alert that has just come"]
    if route.settings.allow_addresses:
        found.append("it comes from an address that the route allows")
    if route.body_secret_sha256 is not None:
        found.append("the body secret is right")
    return found


def _unknown(route: Route, *, problem: str) -> list[Document]:
    names = [part.account for part in route.settings.accounts]
    return [
        _account(_Found(decided=msgspec.convert({"account": name, "problem": problem}, Decided)))
        for name in names
    ]


def _account(found: _Found) -> Document:
    decided, planned = found.decided, found.planned or PlanAnswered()
    proposal, denial = planned.proposal, decided.denial or planned.denial
    denied_by = "router" if decided.denial else "executor" if denial else None
    return {
        "account": decided.account,
        "outcome": found.outcome,
        "denied_by": denied_by,
        "denial": plain(denial),
        "intent": shown(decided.intent),
        "legs": shown(proposal.legs) if proposal else [],
        "changes": shown(proposal.changes) if proposal else [],
        "withheld": plain(proposal.withheld) if proposal else None,
        "summary": proposal.summary if proposal else None,
        "steps": list(proposal.steps) if proposal else [],
        "picture": plain(planned.picture),
        "problem": decided.problem or planned.problem,
    }


def shown(value: Any) -> Any:
    """As `plain`, without ids and times: what is not sent has none."""
    if isinstance(value, tuple):
        return [shown(each) for each in value]
    document = plain(value)
    return document and {name: told for name, told in document.items() if name not in _MADE_UP}


def _gravest(outcomes: list[str]) -> str:
    return next(
        (each for each in ("unplanned", "denied", "partial") if each in outcomes), "planned"
    )
