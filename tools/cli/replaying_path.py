"""An old alert under today's rules, beside what was decided then: pure but for `PictureOf`, which
reads what was recorded. Nothing is sent, and nobody is asked.

What the rules were told then, they are told again: the body, the times of the decisions, the
openings of the minute before, what was halted, what was held, what the exchange answered. So a
difference comes from a rule: the route, the contract, the account, or the code.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Plan
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Route, RouteAccount
from libs.common.contracts.words import AccountId, PositionMode
from libs.common.domain.picture import Picture
from libs.common.domain.planning import Planned, plan_orders
from services.executor.withholding import may_close, position_mode_differs, stale
from services.ingest.parsing import Unparsed, parse_alert
from services.ingest.refusals import Refusal
from services.router.deciding import decide_intent
from tools.cli.explaining_path import AccountKnown, contracts_unknown, without_secret
from tools.cli.recorded import AccountThen, Recorded
from tools.cli.recorded_answers import NotRecorded

PictureOf = Callable[[Intent, Plan, PositionMode], Picture]
"""What a plan was made from; raises `NotRecorded`."""

OF_THE_SENDER = frozenset(
    {
        *(Reason.BODY_SECRET_WRONG, Reason.ADDRESS_NOT_ALLOWED),
        *(Reason.CLIENT_CERTIFICATE_WRONG, Reason.RATE_EXCEEDED, Reason.BODY_TOO_LARGE),
    }
)
"""What ingest refuses for something that no body shows."""
_OF_THE_MOMENT = frozenset(
    {
        *(Reason.HALTED, Reason.KEY_UNREADABLE, Reason.EXCHANGE_REFUSED_QUERY),
        *(Reason.ADDRESS_NOT_LINKED, Reason.ADDRESS_UNEXPECTED),
    }
)
"""What comes from no rule, and is taken as it was."""
_OPENINGS = re.compile(r"opening (\d+) of \d+ in a minute")


@dataclass(frozen=True, kw_only=True, slots=True)
class Untold:
    """No plan can be made again; the text says why."""

    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountNow:
    """What today's rules make of it for one account."""

    intent: Intent | None = None
    result: Planned | Denial | Untold
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """`then` beside what is decided now."""

    then: Recorded
    refusal: Refusal | None = None
    alert: Alert | None = None
    """As it is understood now; None where it would be refused."""
    denied: Denial | None = None
    """Why no account is reached at all."""
    accounts: Mapping[AccountId, AccountNow | None]
    """Those of then and those of now; None where the route trades it no more."""
    notes: tuple[str, ...] = ()


def replay(
    then: Recorded,
    *,
    route: Route | None,
    accounts: Mapping[str, AccountKnown],
    picture_of: PictureOf,
) -> Replayed:
    """`accounts`: those of the route's that exist."""
    arrived = then.arrived
    if route is None:
        return _without_route(then)
    if isinstance(arrived, AlertRefused) and arrived.reason in OF_THE_SENDER:
        note = f"{arrived.reason.value} is about the sender or the request, and taken as it was"
        return Replayed(then=then, refusal=_refusal(arrived), accounts={}, notes=(note,))
    parsed = parse_alert(arrived.body.encode(), route=without_secret(route))
    if isinstance(parsed, Unparsed):
        missing = dict.fromkeys(then.accounts)
        return Replayed(then=then, refusal=parsed.refusal, accounts=missing)
    alert = Alert(
        alert_id=arrived.alert_id,
        route=arrived.route,
        at=arrived.at,
        order=parsed.order,
        body=parsed.body,
        body_sha256=arrived.body_sha256,
    )
    parts = {AccountId(part.account): part for part in route.settings.accounts}
    found: dict[AccountId, AccountNow | None] = {}
    for name in dict.fromkeys([*then.accounts, *parts]):
        part = parts.get(name)
        if part is None:
            found[name] = None
            continue
        found[name] = _account(
            alert,
            route,
            part,
            known=accounts.get(name),
            then=then.accounts.get(name, AccountThen()),
            picture_of=picture_of,
        )
    return Replayed(then=then, alert=alert, accounts=found)


def _without_route(then: Recorded) -> Replayed:
    name = then.arrived.route
    denial = Denial(
        reason=Reason.ROUTE_UNKNOWN,
        message=f"route {name} no longer exists",
        context={"route": name},
    )
    return Replayed(
        then=then,
        denied=denial,
        accounts=dict.fromkeys(then.accounts),
        notes=(f"route {name} is gone: its webhook answers 404, and nothing of it is recorded",),
    )


def _refusal(refused: AlertRefused) -> Refusal:
    return Refusal(
        status=refused.status,
        reason=refused.reason,
        message=refused.message,
        field=refused.field,
        value=refused.value,
    )


def _account(
    alert: Alert,
    route: Route,
    part: RouteAccount,
    *,
    known: AccountKnown | None,
    then: AccountThen,
    picture_of: PictureOf,
) -> AccountNow:
    if known is None:
        return AccountNow(result=_account_unknown(route, part))
    if not known.catalogue:
        return AccountNow(result=contracts_unknown(part))
    decided = decide_intent(
        alert,
        route=route.settings,
        account=part,
        catalogue=known.catalogue,
        now=_decided_at(then) or alert.at,
        recent_openings=_recent_openings(then),
        halted=_of_the_moment(_router_denials(then)),
    )
    if isinstance(decided, Denial):
        return AccountNow(result=decided)
    return _planned(decided, known=known, then=then, picture_of=picture_of)


def _planned(
    intent: Intent, *, known: AccountKnown, then: AccountThen, picture_of: PictureOf
) -> AccountNow:
    by_executor = None if then.denied_by_router else then.denial
    plan = then.plan
    taken = _of_the_moment([by_executor, plan.withheld if plan else None])
    if taken is not None and by_executor is taken and taken.reason is not Reason.HALTED:
        note = f"{taken.reason.value} came from no rule, and is taken as it was"
        return AccountNow(intent=intent, result=taken, notes=(note,))
    planned_at = plan.at if plan else then.denied_at or intent.at
    told = _told_mode(then) or known.position_mode
    withheld = (
        stale(intent, now=planned_at)
        or taken
        or position_mode_differs(intent, expected=known.position_mode, told=told)
    )
    if withheld is not None and not may_close(intent):
        return AccountNow(intent=intent, result=withheld)
    if plan is None:
        return _without_plan(intent, then=then, denial=by_executor)
    asked = msgspec.structs.replace(intent, opening_denied=intent.opening_denied or withheld)
    try:
        picture = picture_of(asked, plan, told)
    except NotRecorded as missing:
        return AccountNow(intent=intent, result=Untold(message=str(missing)))
    return AccountNow(intent=intent, result=plan_orders(asked, picture))


def _without_plan(intent: Intent, *, then: AccountThen, denial: Denial | None) -> AccountNow:
    if denial is not None and then.intent is not None and is_same_intent(then.intent, intent):
        note = "what was held stands nowhere, since nothing was planned: the denial is taken as is"
        return AccountNow(intent=intent, result=denial, notes=(note,))
    message = "no plan was made then, so what was held stands nowhere, and none can be made now"
    return AccountNow(intent=intent, result=Untold(message=message))


def is_same_intent(then: Intent, now: Intent) -> bool:
    """But for the time, and for how it is said."""
    return msgspec.structs.replace(then, at=now.at, steps=now.steps) == now


def _account_unknown(route: Route, part: RouteAccount) -> Denial:
    return Denial(
        reason=Reason.ACCOUNT_UNKNOWN,
        message=f"route {route.id} names account {part.account}, which does not exist",
        context={"account": part.account},
    )


def _decided_at(then: AccountThen) -> datetime | None:
    return then.intent.at if then.intent else then.denied_at


def _router_denials(then: AccountThen) -> list[Denial | None]:
    if then.intent is not None:
        return [then.intent.opening_denied]
    return [then.denial]


def _recent_openings(then: AccountThen) -> int:
    """As they were counted then; none where the route did not count."""
    for denial in _router_denials(then):
        if denial is not None and denial.reason is Reason.ORDERS_PER_MINUTE:
            return int(denial.context.get("openings", 0))
    for step in then.intent.steps if then.intent else ():
        if found := _OPENINGS.search(step):
            return int(found[1]) - 1
    return 0


def _of_the_moment(denials: list[Denial | None]) -> Denial | None:
    return next((each for each in denials if each and each.reason in _OF_THE_MOMENT), None)


def _told_mode(then: AccountThen) -> PositionMode | None:
    """The mode in which the exchange had the account."""
    for denial in (then.denial, then.plan.withheld if then.plan else None):
        if denial is not None and denial.reason is Reason.POSITION_MODE_DIFFERS:
            return PositionMode(denial.context["told"])
    if then.plan is None:
        return None
    modes = [leg.position_mode for leg in then.plan.legs]
    modes += [change.position_mode for change in then.plan.changes if change.position_mode]
    return modes[0] if modes else None
