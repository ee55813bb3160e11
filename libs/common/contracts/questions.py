"""What services ask each other, and what they answer, so that an alert can be explained before it
is sent and a test be sent by whoever holds no token. Nothing here is a message of the log.

Every answer has a `problem`: why there is none, in words. Whoever shows it shows the rest beside.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from libs.common.contracts.alert import Alert, Order
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.messages import Part, guard
from libs.common.contracts.order import Change, Holding, Leg, Pending, Protective, Trail
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import RouteSettings
from libs.common.contracts.words import AccountId, PositionMode


class ParseAsked(Part, frozen=True, kw_only=True):
    """Of ingest: how is this body understood on a route with these settings?"""

    body: bytes
    settings: RouteSettings
    """As stored, or as somebody is about to store them: then the question is what would be."""


class Refused(Part, frozen=True, kw_only=True):
    """Ingest would refuse it."""

    status: int
    reason: Reason
    message: str
    field: str | None = None
    value: str | None = None


class ParseAnswered(Part, frozen=True, kw_only=True):
    body: str = ""
    """As it would be stored: with stars for a secret's value."""
    order: Order | None = None
    refused: Refused | None = None
    explicit_id: str | None = None
    problem: str | None = None


class DecideAsked(Part, frozen=True, kw_only=True):
    """Of the router: what does this alert come to, on each of the route's accounts?"""

    alert: Alert
    """Need not be in the log."""
    settings: RouteSettings
    now: datetime
    """When it is decided: what the alert's age and the trading windows are taken by."""


class Decided(Part, frozen=True, kw_only=True):
    """One of an intent, a denial and a problem."""

    account: AccountId
    intent: Intent | None = None
    denial: Denial | None = None
    problem: str | None = None


class DecideAnswered(Part, frozen=True, kw_only=True):
    accounts: tuple[Decided, ...] = ()
    """In the route's order."""
    problem: str | None = None


class PlanAsked(Part, frozen=True, kw_only=True):
    """Of the executor that owns the intent's account: what would be planned for it right now?"""

    intent: Intent
    """Need not be in the log."""


class PricesSeen(Part, frozen=True, kw_only=True):
    last: Decimal
    mark: Decimal
    index: Decimal

    def __post_init__(self) -> None:
        for name in ("last", "mark", "index"):
            guard(name, getattr(self, name))


class PictureSeen(Part, frozen=True, kw_only=True):
    """What a plan was made from. What the intent does not need was not asked for."""

    at: datetime
    live: bool
    """What is held was not asked for: the exchange had told it by itself."""
    position_mode: PositionMode
    holdings: tuple[Holding, ...] = ()
    prices: PricesSeen | None = None
    equity: Decimal | None = None
    pending: tuple[Pending, ...] = ()
    protectives: tuple[Protective, ...] = ()
    trails: tuple[Trail, ...] = ()
    busy: bool = False
    """An order of the same account and symbol is under way, so that this is about to change."""

    def __post_init__(self) -> None:
        guard("equity", self.equity)


class Proposal(Part, frozen=True, kw_only=True):
    """A plan that is not stored and not carried out."""

    legs: tuple[Leg, ...] = ()
    changes: tuple[Change, ...] = ()
    withheld: Denial | None = None
    summary: str = ""
    steps: tuple[str, ...] = ()


class PlanAnswered(Part, frozen=True, kw_only=True):
    """One of a proposal, a denial and a problem; the picture as far as it was looked at."""

    proposal: Proposal | None = None
    denial: Denial | None = None
    picture: PictureSeen | None = None
    problem: str | None = None


class SendAsked(Part, frozen=True, kw_only=True):
    """Of ingest: take this body as if it had come to the route's webhook."""

    body: bytes
    by: str
    """Who sends it, for the trail."""
    asked_at: datetime
    """A question that was read late is not acted on: whoever asked has given up waiting."""


class SendAnswered(Part, frozen=True, kw_only=True):
    """What HTTP would have answered."""

    status: int
    document: msgspec.Raw
    retry_after_s: int | None = None
    nothing_sent: bool = False
    """That is certain: else a status of 500 and above leaves open whether it was taken."""
