"""Why something must not be opened now, as far as only the executor knows it. Pure. What closes is
never held back (docs/decisions/0008-what-closes-always-passes.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.common.contracts.calls import ExchangeCall
from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Account
from libs.common.contracts.words import AccountId, Action, PositionMode, RouteId, TradeMode
from services.executor.addresses import unexpected
from services.executor.exchange import QueryFailed

_SIGNALS = frozenset({Action.BUY, Action.SELL})
ENTRIES = _SIGNALS | {Action.REVERSE, Action.TARGET}
"""Actions that may open something."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Denied:
    """No plan is made."""

    denial: Denial
    calls: Sequence[ExchangeCall] = ()
    """What was asked before it was decided."""


class Halted(Protocol):
    """What is halted by hand."""

    def denial(self, *, route: RouteId, account: AccountId) -> Denial | None: ...


def may_close(intent: Intent) -> bool:
    """Whether an entry may also close something, so that it is planned all the same."""
    return intent.action not in _SIGNALS or intent.trade_mode is not TradeMode.HEDGE


def stale(intent: Intent, *, now: datetime) -> Denial | None:
    age_s = (now - intent.received_at).total_seconds()
    if intent.action not in ENTRIES or age_s <= intent.max_age_s:
        return None
    return Denial(
        reason=Reason.STALE,
        message=f"the entry is {age_s:.1f} s old; max_age_s is {intent.max_age_s}",
        context={"age_s": f"{age_s:.1f}", "max_age_s": str(intent.max_age_s)},
    )


def position_mode_differs(
    intent: Intent, *, expected: PositionMode, told: PositionMode
) -> Denial | None:
    """The account is set up for another mode than the exchange has it in: its owner has changed
    one of the two, and sizes and sides may not mean what they say.
    """
    if intent.action not in ENTRIES or expected is told:
        return None
    return Denial(
        reason=Reason.POSITION_MODE_DIFFERS,
        message=(
            f"the exchange has account {intent.account} in {told.value} mode, and it is set up"
            f" here for {expected.value}: change the one that is wrong"
        ),
        context={"expected": expected.value, "told": told.value},
    )


def address_not_linked(
    account: Account, *, code: int, said: str, since: datetime, addresses: Iterable[str]
) -> Denial:
    """The exchange has refused our address for the account's key."""
    seen = ", ".join(addresses)
    told = seen or "not known"
    return Denial(
        reason=Reason.ADDRESS_NOT_LINKED,
        message=(
            f"the exchange refuses our address for the key of account {account.id} since"
            f" {since:%Y-%m-%d %H:%M:%S} UTC: {said} (code {code}); our address is {told}: link it"
            " to the key"
        ),
        context={
            "account": account.id,
            "addresses": seen,
            "since": since.isoformat(),
            "code": str(code),
            "response": said,
        },
    )


def address_unexpected(account: Account, *, seen: tuple[str, ...]) -> Denial | None:
    """We are seen under another address than the account's owner expects; where nobody has told
    ours, nothing is known to be wrong.
    """
    wrong = unexpected(seen, account.expected_addresses)
    if not account.expected_addresses or not wrong:
        return None
    expected = ", ".join(account.expected_addresses)
    return Denial(
        reason=Reason.ADDRESS_UNEXPECTED,
        message=(
            f"our own address is {', '.join(wrong)}, and account {account.id} expects {expected}"
        ),
        context={"account": account.id, "addresses": ", ".join(seen), "expected": expected},
    )


def query_refused(failure: QueryFailed, from_here: Denial | None) -> Denial:
    """Where the exchange does not tell what a plan needs; `from_here`: what is known of its refusal
    of our address.
    """
    context = {
        "code": str(failure.code),
        "cause": failure.kind.value,
        "path": failure.call.path,
        "response": failure.call.response_body[:1000],
    }
    message = f"the exchange refused to tell what is needed: {failure.message}"
    if failure.kind is not Cause.IP:
        return Denial(reason=Reason.EXCHANGE_REFUSED_QUERY, message=message, context=context)
    known = from_here.context if from_here is not None else {}
    return Denial(reason=Reason.ADDRESS_NOT_LINKED, message=message, context={**known, **context})
