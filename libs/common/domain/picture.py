"""What the exchange tells about one symbol of an account, as far as a plan needs it: pure values,
and which of them an intent needs.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from libs.common.contracts.intent import Intent
from libs.common.contracts.order import Holding, Pending, Protective, Trail
from libs.common.contracts.words import Action, PositionMode, SizingMode, TriggerSource


class Need(StrEnum):
    """What has to be asked of the exchange besides the position."""

    PRICES = "prices"
    EQUITY = "equity"
    PENDING = "pending"
    PROTECTIVES = "protectives"
    TRAILS = "trails"


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """In units of the quote currency per base unit."""

    last: Decimal
    mark: Decimal
    index: Decimal

    def of(self, source: TriggerSource) -> Decimal:
        return {
            TriggerSource.LAST: self.last,
            TriggerSource.MARK: self.mark,
            TriggerSource.INDEX: self.index,
        }[source]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One symbol of one account. What was not asked for is None or empty."""

    holdings: tuple[Holding, ...]
    position_mode: PositionMode
    prices: Prices | None = None
    equity: Decimal | None = None
    """In the contract's settlement currency, unrealised profit included."""
    pending: tuple[Pending, ...] = ()
    """Resting and waiting orders of the symbol."""
    protectives: tuple[Protective, ...] = ()
    trails: tuple[Trail, ...] = ()


_ENTRIES = frozenset({Action.BUY, Action.SELL, Action.REVERSE, Action.TARGET})
_OF_EQUITY = frozenset({SizingMode.PERCENT_EQUITY, SizingMode.RISK_PERCENT})
_PRICED = frozenset({SizingMode.PERCENT_EQUITY, SizingMode.RISK_PERCENT, SizingMode.QUOTE})


def needs(intent: Intent) -> frozenset[Need]:
    """What `plan_orders` will look at besides holdings and position mode."""
    match intent.action:
        case Action.CANCEL:
            return frozenset({Need.PENDING})
        case Action.BREAKEVEN:
            return frozenset({Need.PRICES, Need.PROTECTIVES})
        case Action.MODIFY:
            found = {Need.PRICES, Need.PROTECTIVES}
            if intent.order_id is not None or intent.comment is not None:
                found.add(Need.PENDING)
            if intent.protection.trailing_ticks is not None:
                found.add(Need.TRAILS)
            return frozenset(found)
        case _ if intent.action in _ENTRIES:
            return _needs_of_entry(intent)
        case _:
            return frozenset()


def _needs_of_entry(intent: Intent) -> frozenset[Need]:
    found = set()
    if intent.size is not None and intent.size.mode in _OF_EQUITY:
        found.add(Need.EQUITY)
    if intent.price is None and _wants_price(intent):
        found.add(Need.PRICES)
    if intent.protection.trailing_ticks is not None:
        found.add(Need.TRAILS)
    return frozenset(found)


def _wants_price(intent: Intent) -> bool:
    limits = intent.limits
    return (
        (intent.size is not None and intent.size.mode in _PRICED)
        or limits.max_order_notional is not None
        or limits.max_position_notional is not None
        or intent.protection.stop is not None
        or intent.protection.target is not None
    )
