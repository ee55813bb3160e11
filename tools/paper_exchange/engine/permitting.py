"""Whether an account may place an order, and a contract take it, whatever its terms."""

from tools.paper_exchange.engine.contracts import Contract, Suspension
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.restrictions import Refusing
from tools.paper_exchange.engine.state import Account, Order

ENABLED, PAUSED = 0, 4


def check_account(account: Account) -> None:
    if account.restrictions is not None:
        code = account.restrictions.refuse.get(Refusing.ALL)
        if code is not None:
            raise Refused(code)


def check_may_open(account: Account, order: Order) -> None:
    if account.restrictions is not None:
        code = account.restrictions.refuse.get(Refusing.OPEN)
        if code is not None and _opens(account, order):
            raise Refused(code)


def check_tradable(account: Account, contract: Contract, *, order: Order, at_ms: int) -> None:
    if not contract.api_allowed:
        raise Refused(1002)
    if contract.state != ENABLED:
        raise Refused(8922 if contract.state == PAUSED else 6005)
    if at_ms < contract.opening_time:
        raise Refused(8930)
    if contract.suspend is not None:
        _check_suspension(account, order, suspension=contract.suspend)


def _check_suspension(account: Account, order: Order, *, suspension: Suspension) -> None:
    if suspension is Suspension.MARKET_CLOSED:
        raise Refused(9068)
    if suspension is Suspension.ALL:
        raise Refused(8922)
    if suspension is Suspension.CLOSE:
        if _closes(account, order):
            raise Refused(8921)
    elif _opens(account, order):
        raise Refused(8932 if suspension is Suspension.RISK else 8920)


def _opens(account: Account, order: Order) -> bool:
    if order.closes_only:
        return False
    opposite = account.position(order.symbol, order.target.opposite) if order.is_net else None
    return opposite is None or order.vol > opposite.hold_vol


def _closes(account: Account, order: Order) -> bool:
    if order.closes_only:
        return True
    return order.is_net and account.position(order.symbol, order.target.opposite) is not None
