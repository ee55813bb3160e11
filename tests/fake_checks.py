"""What the fake exchange tells to a checkup."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import ClientOrderId, PositionMode, VenueSymbol
from services.executor.checkable import Funds, KeyInfo, Listing, Ping
from services.executor.exchange import QueryFailed, Rejected, Submitted, Told, Unknown
from tests.fake_orders import Refusal

if TYPE_CHECKING:
    from tests.fakes import FakeExchange

ORDERLY = KeyInfo(
    permissions=("CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ", "CONTRACT_DEAL_WRITE"),
    linked=("203.0.113.9",),
    days_left=None,
    status="VALID",
)


class FakeChecks:
    """`key` None: it may not ask for that. `closed` contracts are not open to the API."""

    SIGNED = frozenset({"positions", "key_info", "position_mode", "funds", "leverages"})

    def __init__(self, exchange: "FakeExchange") -> None:
        self._exchange = exchange
        self.key: KeyInfo | None = ORDERLY
        self.offset_ms = 0
        self.elapsed_ms = 8.0
        self.closed: set[VenueSymbol] = set()
        self.probes: list[tuple[ClientOrderId, VenueSymbol, Decimal, PositionMode]] = []
        self.loses_probe = False
        """The next order of nothing is lost."""
        self.refusals: list[Refusal] = []
        """Of the next signed questions, one each."""

    def refuse_signed(self, refusal: Refusal, *, count: int = 100) -> None:
        self.refusals = [refusal] * count

    def refused(self, question: str) -> Refusal | None:
        return self.refusals.pop(0) if self.refusals and question in self.SIGNED else None

    async def ping(self) -> Told[Ping]:
        call = self._exchange._ask("ping")
        ping = Ping(offset_ms=self.offset_ms, elapsed_ms=self.elapsed_ms)
        return Told(value=ping, calls=(call,))

    async def key_info(self) -> Told[KeyInfo]:
        call = self._exchange._ask("key_info")
        if self.key is None:
            raise QueryFailed(kind=Cause.PERMISSION, code=700007, message="may not", call=call)
        return Told(value=self.key, calls=(call,))

    async def position_mode(self) -> Told[PositionMode]:
        call = self._exchange._ask("position_mode")
        return Told(value=self._exchange.position_mode_, calls=(call,))

    async def funds(self) -> Told[Mapping[str, Funds]]:
        call = self._exchange._ask("funds")
        venue = self._exchange.venue
        bound = sum(
            (
                held.contracts
                * venue.instruments[symbol].contract_size
                * held.average_price
                / held.leverage
                for (symbol, _), held in venue.held.items()
            ),
            Decimal(0),
        )
        funds = Funds(equity=venue.equity(), available=max(venue.equity() - bound, Decimal(0)))
        return Told(value={"USDT": funds}, calls=(call,))

    async def listing(self, symbol: VenueSymbol) -> Told[Listing | None]:
        call = self._exchange._ask("listing")
        found = self._exchange.instruments_.get(symbol)
        if found is None:
            return Told(value=None, calls=(call,))
        listing = Listing(
            instrument=found,
            is_open=True,
            api_allowed=symbol not in self.closed,
            state="enabled",
        )
        return Told(value=listing, calls=(call,))

    async def probe_order(
        self,
        client_order_id: ClientOrderId,
        *,
        symbol: VenueSymbol,
        price: Decimal,
        position_mode: PositionMode,
    ) -> Submitted:
        call = self._exchange._ask("probe_order")
        self.probes.append((client_order_id, symbol, price, position_mode))
        if self.loses_probe:
            self.loses_probe = False
            return Unknown(why="connection lost", call=call)
        return Rejected(code=2011, message="Order quantity error", kind=Cause.QUANTITY, call=call)
