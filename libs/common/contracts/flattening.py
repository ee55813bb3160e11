"""What a halt with `flatten` closes of one account: listed once, and stored before the first intent
of it, so that neither a crash nor a restart long after makes another list.
"""

from datetime import datetime

from libs.common.contracts.calls import ExchangeCall
from libs.common.contracts.control import Scope
from libs.common.contracts.messages import Message, Part
from libs.common.contracts.words import AccountId, AlertId, RouteId, VenueSymbol


class FlatLane(Part, frozen=True, kw_only=True):
    """One symbol, and the alert ids under which its intents are found."""

    symbol: VenueSymbol
    close: AlertId
    cancel: AlertId | None = None
    """None where nothing was pending that might open."""


class Flattening(Message, frozen=True, kw_only=True, tag="intent.flattened"):
    alert_id: AlertId
    """The halt's id."""
    account: AccountId
    route: RouteId
    """The name under which its intents stand: the halted route's, else `halt`."""
    at: datetime
    halted_at: datetime
    scope: Scope
    reason: str = ""
    lanes: tuple[FlatLane, ...] = ()
    unlisted: tuple[VenueSymbol, ...] = ()
    """Held, and left alone, since the exchange does not list the contract to us."""
    calls: tuple[ExchangeCall, ...] = ()
    """How it was learnt what is held and waits."""
