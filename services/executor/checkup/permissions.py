"""What a key may do, in MEXC's words, beside what an order needs: pure. The names are those of its
documents; the sentences those of its page `API Management`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

ORDER_PLACING = "CONTRACT_DEAL_WRITE"
VIEW_ORDERS = "CONTRACT_DEAL_READ"
VIEW_ACCOUNT = "CONTRACT_ACCOUNT_READ"

NEEDED: Mapping[str, str] = MappingProxyType(
    {
        ORDER_PLACING: "Order Placing",
        VIEW_ORDERS: "View Order Details",
        VIEW_ACCOUNT: "View Account Details",
    }
)
"""With their names on the page where a key is made."""

_NEVER = "WITHDRAW"
_MOVES_MONEY = ("TRANSFER", "DEPOSIT")


def missing(told: Iterable[str]) -> list[str]:
    """Those of the needed ones, by the name on the page."""
    known = set(told)
    return [shown for name, shown in NEEDED.items() if name not in known]


def withdrawing(told: Iterable[str]) -> list[str]:
    """What lets money leave MEXC; to see withdrawals moves none."""
    return [name for name in told if _NEVER in name and not name.endswith("_READ")]


def unneeded(told: Iterable[str]) -> list[str]:
    """What else a thief could do something with. Reading is harmless, and the spot side's own tells
    about the key.
    """
    known = list(told)
    never = set(withdrawing(known))
    return [name for name in known if name.endswith("_WRITE") and name not in {*NEEDED, *never}]


def is_about_money(name: str) -> bool:
    return any(word in name for word in _MOVES_MONEY)
