"""What an alert would do, step by step, without sending anything: pure. A body, a route and what is
assumed to be held go in, an explanation comes out.

The steps are those that the real services take: parsing, deciding and planning are theirs, so the
sentences here are the ones that stand in the trail of a real alert.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from libs.common.contracts.alert import Alert, Order
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Holding
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Route, RouteAccount
from libs.common.contracts.words import Action, PositionMode, PositionSide, VenueSymbol
from libs.common.domain.identity import alert_id
from libs.common.domain.picture import Need, Picture, Prices, needs
from libs.common.domain.planning import Planned, plan_orders
from libs.common.domain.quantity import floor_to_step, plain
from services.ingest.parsing import Unparsed, parse_alert
from services.ingest.refusals import Refusal
from services.router.deciding import decide_intent

_UNSENT = alert_id(unix_ms=0, random_bits=0)
"""Ids only tell orders apart; those of a plan that is not sent are not shown."""


class Outcome(StrEnum):
    PLANNED = "planned"
    PARTIAL = "partial"
    """What closes is planned, and what would open is withheld."""
    DENIED = "denied"
    REFUSED = "refused"
    UNPLANNED = "unplanned"
    """What was assumed does not suffice."""


class Lack(StrEnum):
    """What a plan needs and was not assumed."""

    PRICE = "price"
    EQUITY = "equity"
    ENTRY = "entry"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """One side of a position, as somebody imagines it."""

    side: PositionSide
    contracts: Decimal
    entry: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumed:
    """What the exchange would tell at the moment of the plan."""

    held: tuple[Held, ...] = ()
    price: Decimal | None = None
    """Last, mark and index price alike."""
    equity: Decimal | None = None
    position_mode: PositionMode | None = None
    """None: as the account has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountKnown:
    """What the system knows of an account."""

    position_mode: PositionMode
    catalogue: Mapping[VenueSymbol, Instrument]
    halted: Denial | None = None
    """Why the route may open nothing there now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unplanned:
    message: str
    lacking: Lack | None = None
    """None: what was assumed cannot be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountExplained:
    account: str
    intent: Intent | None = None
    """None where the router denied."""
    result: Planned | Denial | Unplanned
    assumptions: tuple[str, ...] = ()
    """What the plan takes for granted, one sentence each."""

    @property
    def outcome(self) -> Outcome:
        match self.result:
            case Unplanned():
                return Outcome.UNPLANNED
            case Denial():
                return Outcome.DENIED
            case Planned(withheld=withheld):
                return Outcome.PARTIAL if withheld else Outcome.PLANNED

    @property
    def denied_by(self) -> str | None:
        if not isinstance(self.result, Denial):
            return None
        return "router" if self.intent is None else "executor"


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    route: str
    body: str
    """With stars for a secret's value."""
    order: Order | None = None
    refusal: Refusal | None = None
    accounts: tuple[AccountExplained, ...] = ()
    assumptions: tuple[str, ...] = ()


def explain(
    body: bytes,
    *,
    route: Route,
    accounts: Mapping[str, AccountKnown],
    assumed: Assumed,
    now: datetime,
) -> Explanation:
    """What `body` would do at `now` on those of the route's accounts that are in `accounts`.

    The body's secret is not asked for: only its hash is kept, and that is not shown to anybody.
    """
    parsed = parse_alert(body, route=without_secret(route))
    if isinstance(parsed, Unparsed):
        return Explanation(route=route.id, body=parsed.body, refusal=parsed.refusal)
    alert = Alert(
        alert_id=_UNSENT,
        route=route.id,
        at=now,
        order=parsed.order,
        body=parsed.body,
        body_sha256=sha256(body).hexdigest(),
    )
    return Explanation(
        route=route.id,
        body=parsed.body,
        order=parsed.order,
        accounts=tuple(
            _of_account(alert, route, each, known=accounts[each.account], assumed=assumed)
            for each in route.settings.accounts
            if each.account in accounts
        ),
        assumptions=_of_route(route),
    )


def without_secret(route: Route) -> Route:
    """The route for a body whose secret nobody can check."""
    return Route(settings=route.settings, tokens=route.tokens)


def _of_route(route: Route) -> tuple[str, ...]:
    settings = route.settings
    found = ["it is no resend of an alert that has just come"]
    if settings.allow_addresses:
        found.append("it comes from an address that the route allows")
    if route.body_secret_sha256 is not None:
        found.append("the body secret is right")
    if settings.guards.orders_per_minute is not None:
        found.append("nothing else was opened in the last minute")
    return tuple(found)


def _of_account(
    alert: Alert, route: Route, part: RouteAccount, *, known: AccountKnown, assumed: Assumed
) -> AccountExplained:
    if not known.catalogue:
        return AccountExplained(account=part.account, result=contracts_unknown(part))
    decided = decide_intent(
        alert,
        route=route.settings,
        account=part,
        catalogue=known.catalogue,
        now=alert.at,
        halted=known.halted,
    )
    if isinstance(decided, Denial):
        return AccountExplained(account=part.account, result=decided)
    mode = assumed.position_mode or known.position_mode
    picture = _picture(decided, assumed=assumed, mode=mode)
    return AccountExplained(
        account=part.account,
        intent=decided,
        result=picture if isinstance(picture, Unplanned) else plan_orders(decided, picture),
        assumptions=_told(decided, assumed=assumed, mode=mode),
    )


def contracts_unknown(part: RouteAccount) -> Denial:
    """What the router says in the end, where the executor has read no contracts."""
    return Denial(
        reason=Reason.CONTRACTS_UNKNOWN,
        message=f"the contracts of account {part.account}'s exchange were not read yet",
        context={"account": part.account},
    )


def _picture(intent: Intent, *, assumed: Assumed, mode: PositionMode) -> Picture | Unplanned:
    wanted, price = needs(intent), assumed.price
    if Need.PRICES in wanted and price is None:
        return Unplanned(message="the plan needs the market's price", lacking=Lack.PRICE)
    if Need.EQUITY in wanted and assumed.equity is None:
        return Unplanned(message="the plan needs the account's equity", lacking=Lack.EQUITY)
    impossible = _impossible(intent, assumed.held, mode=mode)
    if impossible is not None:
        return impossible
    return Picture(
        holdings=tuple(_holding(intent, held, price=price) for held in assumed.held),
        position_mode=mode,
        prices=None if price is None else Prices(last=price, mark=price, index=price),
        equity=assumed.equity,
    )


def _impossible(intent: Intent, held: tuple[Held, ...], *, mode: PositionMode) -> Unplanned | None:
    sides = [each.side for each in held]
    if len(set(sides)) < len(sides):
        return Unplanned(message=f"{sides[0].value} is held twice")
    if mode is PositionMode.ONE_WAY and len(sides) > 1:
        return Unplanned(message="an account in one-way mode holds one side at a time")
    for each in held:
        if each.contracts != floor_to_step(each.contracts, step=intent.instrument.step_contracts):
            return Unplanned(message=_off_step(each, intent.instrument))
        if intent.action is Action.BREAKEVEN and each.entry is None:
            return Unplanned(
                message=f"breakeven needs the entry price of the {each.side.value} position",
                lacking=Lack.ENTRY,
            )
    return None


def _off_step(held: Held, instrument: Instrument) -> str:
    return (
        f"{held.side.value} {plain(held.contracts)} cannot be held: {instrument.symbol} has steps"
        f" of {plain(instrument.step_contracts)} contracts, of {plain(instrument.contract_size)}"
        f" {instrument.base} each"
    )


def _holding(intent: Intent, held: Held, *, price: Decimal | None) -> Holding:
    # Nothing but breakeven looks at the entry, and it has asked for one.
    entry = next((each for each in (held.entry, price, intent.price) if each), Decimal(0))
    return Holding(
        side=held.side,
        contracts=held.contracts,
        free_contracts=held.contracts,
        average_price=entry,
        margin_mode=intent.margin_mode,
        leverage=intent.leverage,
        position_id=held.side.value,
    )


def _told(intent: Intent, *, assumed: Assumed, mode: PositionMode) -> tuple[str, ...]:
    wanted = needs(intent)
    held = [
        f"{each.side.value} {plain(each.contracts)} contracts"
        + (f" at {plain(each.entry)}" if each.entry else "")
        for each in assumed.held
    ]
    chosen = "" if assumed.position_mode else ", as the account is"
    found = [
        f"held: {' and '.join(held) or 'nothing'}"
        + (f", {intent.margin_mode.value} {intent.leverage}x, all of it free" if held else ""),
        f"position mode: {mode.value}{chosen}",
    ]
    if Need.PRICES in wanted and assumed.price is not None:
        found.append(f"last, mark and index price: {plain(assumed.price)}")
    if Need.EQUITY in wanted and assumed.equity is not None:
        found.append(f"equity: {plain(assumed.equity)} {intent.instrument.quote}")
    for need, nothing in (
        (Need.PENDING, "no order is pending"),
        (Need.PROTECTIVES, "no stop and no target are on the position"),
        (Need.TRAILS, "no trailing stop is on the position"),
    ):
        if need in wanted:
            found.append(nothing)
    return tuple(found)
