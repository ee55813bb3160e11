"""How much an alert asks for, by the route's sizing mode: pure. In contracts where nothing live is
needed, else as a size that the executor settles against the account.
"""

from decimal import Context, Decimal, localcontext

from libs.common.contracts.alert import Order
from libs.common.contracts.intent import Denial, Size
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import RouteAccount, RouteSettings, Sizing
from libs.common.contracts.words import SizingMode
from libs.common.domain.quantity import Sized, of_quote, plain, to_contracts
from libs.common.domain.rescaling import fitted
from libs.common.domain.symbols import Mapped

_EXACT = Context(prec=120)
_IN_PERCENT = frozenset(
    {SizingMode.PERCENT_EQUITY, SizingMode.PERCENT_POSITION, SizingMode.RISK_PERCENT}
)
_BY_ALERT = frozenset({SizingMode.BASE, SizingMode.CONTRACTS})


def sized_by_alert(order: Order) -> bool:
    return order.quantity is not None or order.quantity_percent is not None


def size_of(
    order: Order,
    *,
    route: RouteSettings,
    account: RouteAccount,
    mapped: Mapped,
    price: Decimal | None,
) -> Sized | Size | Denial:
    """The size that an order would open; `price` is the exchange's, as the alert tells it."""
    mode = route.sizing.mode
    with localcontext(_EXACT):
        multiplier = route.sizing.multiplier * account.multiplier
    value = _value(order, route.sizing)
    if isinstance(value, Denial):
        return value
    if mode in _IN_PERCENT or (mode is SizingMode.QUOTE and price is None):
        # A part of what is held is that part, on every account.
        alone = mode is SizingMode.PERCENT_POSITION
        return _later(mode, value, multiplier=Decimal(1) if alone else multiplier)
    if mode is SizingMode.QUOTE:
        assert price is not None  # noqa: S101 - see above
        return of_quote(value, price=price, multiplier=multiplier, instrument=mapped.instrument)
    return to_contracts(
        value,
        mode=mode,
        per_unit=mapped.per_unit,
        multiplier=multiplier,
        instrument=mapped.instrument,
    )


def told(size: Size) -> str:
    """A size that is still open, for people."""
    times = "" if size.multiplier == 1 else f" x {plain(size.multiplier)}"
    return f"size {size.mode.value} {plain(size.value)}{times}, settled against the account"


def _later(mode: SizingMode, value: Decimal, *, multiplier: Decimal) -> Size | Denial:
    carried = fitted(multiplier)
    if carried is None:
        return Denial(
            reason=Reason.ABOVE_MAXIMUM,
            message=(
                f"the multipliers of route and account come to {plain(multiplier)}, which is no"
                " number to trade with"
            ),
            context={"multiplier": plain(multiplier)},
        )
    return Size(mode=mode, value=value, multiplier=carried)


def _value(order: Order, sizing: Sizing) -> Decimal | Denial:
    sent = order.quantity
    if order.quantity_percent is not None:
        if sizing.mode not in _IN_PERCENT:
            return Denial(
                reason=Reason.FIELD_INVALID,
                message=(
                    f"order_contracts {plain(order.quantity_percent)}% means a part of the equity"
                    f" or of the position, and the route's sizing.mode is {sizing.mode.value}"
                ),
                context={"field": "order_contracts", "sizing.mode": sizing.mode.value},
            )
        sent = order.quantity_percent
    if sizing.mode is SizingMode.FIXED:
        found = sent if sizing.value is None else sizing.value
    elif sizing.mode in _BY_ALERT:
        found = sent
    else:
        found = sizing.value if sent is None else sent
    if found is not None:
        return found
    by_alert = sizing.mode in _BY_ALERT
    return Denial(
        reason=Reason.SIZE_MISSING,
        message="the alert has no order_contracts, and "
        + (
            f"sizing.mode {sizing.mode.value} takes the size from it"
            if by_alert
            else "the route has no sizing.value"
        ),
        context={"sizing.mode": sizing.mode.value},
    )
