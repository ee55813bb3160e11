"""One call to the exchange as the handlers see it, and what a route promises about its calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tools.paper_exchange.control.faults import NOTHING, Befalling
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Key


class Permission(StrEnum):
    ACCOUNT_READ = "CONTRACT_ACCOUNT_READ"
    ACCOUNT_WRITE = "CONTRACT_ACCOUNT_WRITE"
    DEAL_READ = "CONTRACT_DEAL_READ"
    DEAL_WRITE = "CONTRACT_DEAL_WRITE"

    @property
    def code_when_missing(self) -> int:
        return _MISSING[self]


_MISSING = {
    Permission.ACCOUNT_READ: 701,
    Permission.ACCOUNT_WRITE: 702,
    Permission.DEAL_READ: 703,
    Permission.DEAL_WRITE: 704,
}


@dataclass(kw_only=True, slots=True)
class Call:
    method: str
    path: str
    # The query string exactly as it was received: signatures are over these very characters.
    raw_query: str
    body: bytes
    headers: Mapping[str, str]
    peer: str
    now_ms: int
    told_ms: int
    """The exchange's time as it is told; the books know `now_ms` alone."""
    params: dict[str, str] = field(default_factory=dict)
    befalling: Befalling = NOTHING
    signed_in: tuple[Key, Account] | None = None

    @property
    def account(self) -> Account:
        if self.signed_in is None:
            raise Refused(401)
        return self.signed_in[1]

    @property
    def key(self) -> Key:
        if self.signed_in is None:
            raise Refused(401)
        return self.signed_in[0]

    def whole_number(self, name: str, *, default: int) -> int:
        raw = self.params.get(name, "")
        if not raw:
            return default
        try:
            return int(raw)
        except ValueError:
            raise Refused(600) from None
