"""What is set up at the exchange beside what its routes want: position mode, money, and for each
contract whether it may be traded, margin mode and leverage. Pure.
"""

from collections.abc import Iterable
from decimal import Decimal

from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckState, CheckupLine, Finding
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import Holding
from libs.common.contracts.words import PositionMode, RouteId
from libs.common.domain.leverages import changes_due
from libs.common.domain.quantity import plain
from services.executor.checkable import Funds, Listing
from services.executor.checkup.observed import LaneSeen, Observed, Refused, Unlisted

FEE_RATE = Decimal("0.0008")
"""Of a taker by API, which an order's margin has to cover too."""


def position_mode(seen: Observed) -> Finding:
    line, expected = CheckupLine.POSITION_MODE, seen.account.position_mode
    told = seen.position_mode
    if not isinstance(told, PositionMode):
        return _unasked(seen, line, told)
    if told is expected:
        return Finding(line=line, state=CheckState.OK, evidence=f"{told.value}, as expected")
    return Finding(
        line=line,
        state=CheckState.WRONG,
        evidence=f"the exchange has the account in {told.value} mode; expected here is"
        f" {expected.value}: entries are denied",
        mend="with nothing held and nothing open, change it at MEXC (Futures → Preferences →"
        f" Position Mode), or here: alertwire accounts edit {seen.account.id}"
        f" --position-mode {told.value}",
    )


def lanes(seen: Observed) -> list[Finding]:
    """Of the account's money and of every contract of its routes."""
    found = [] if seen.lanes else [_money(seen)]
    for lane in seen.lanes:
        found += [_symbol(seen, lane), _balance(seen, lane)]
        found += [_margin_mode(seen, lane), _leverage(seen, lane)]
    found += [_idle(route) for route in seen.idle_routes]
    if not seen.lanes and not seen.idle_routes:
        evidence = "no live route trades on this account"
        found.append(Finding(line=CheckupLine.SYMBOL, state=CheckState.OK, evidence=evidence))
    if seen.left_out:
        evidence = f"{seen.left_out} more contracts of its routes were not looked at"
        found.append(Finding(line=CheckupLine.SYMBOL, state=CheckState.OK, evidence=evidence))
    return found


def _idle(route: RouteId) -> Finding:
    return Finding(
        line=CheckupLine.SYMBOL,
        state=CheckState.OK,
        evidence="the route names no contract, and is not known to have traded one: there is"
        " nothing to look at yet",
        route=route,
    )


def _money(seen: Observed) -> Finding:
    line = CheckupLine.BALANCE
    if isinstance(seen.funds, Refused | None):
        return _unasked(seen, line, seen.funds)
    held = [f"{plain(one.available)} {name}" for name, one in seen.funds.items() if one.equity]
    empty = not any(one.available > 0 for one in seen.funds.values())
    return Finding(
        line=line,
        state=CheckState.WARNING if empty else CheckState.OK,
        evidence=f"available: {', '.join(held) or 'nothing'}",
        mend="transfer USDT to the futures account (MEXC → Assets → Transfer)" if empty else "",
    )


def _symbol(seen: Observed, lane: LaneSeen) -> Finding:
    line, listing = CheckupLine.SYMBOL, lane.listing
    if isinstance(listing, Unlisted):
        return _of(
            lane,
            line,
            CheckState.WRONG,
            f"the exchange lists no contract {lane.symbol}",
            f"correct the route's contract: alertwire routes edit {lane.route} --override or"
            " --allow",
        )
    if not isinstance(listing, Listing):
        return _unasked(seen, line, listing, lane=lane)
    if not listing.is_open:
        return _of(
            lane,
            line,
            CheckState.WRONG,
            f"the contract is {listing.state}",
            "wait until the exchange trades it again, or take it off the route",
        )
    if not listing.api_allowed:
        return _of(
            lane,
            line,
            CheckState.WRONG,
            "the exchange does not let the contract be traded by API (apiAllowed is false)",
            "trade another contract: those of the innovation zone are open by hand alone",
        )
    one = listing.instrument
    return _of(
        lane,
        line,
        CheckState.OK,
        f"enabled and open to the API; the smallest order is {_contracts(one)} of"
        f" {plain(one.contract_size)} {one.base}",
    )


def _balance(seen: Observed, lane: LaneSeen) -> Finding:
    line = CheckupLine.BALANCE
    if isinstance(seen.funds, Refused | None):
        return _unasked(seen, line, seen.funds, lane=lane)
    listing, price = lane.listing, lane.price
    if not isinstance(listing, Listing) or not isinstance(price, Decimal):
        failed = listing if isinstance(listing, Refused) else price
        if isinstance(listing, Unlisted):
            return _of(lane, line, CheckState.NOT_REACHED, "there is no such contract")
        return _unasked(seen, line, failed if isinstance(failed, Refused) else None, lane=lane)
    one = listing.instrument
    nothing = Funds(equity=Decimal(0), available=Decimal(0))
    funds = seen.funds.get(one.quote, nothing)
    notional = one.minimum_contracts * one.contract_size * price
    needed = notional / lane.terms.leverage + notional * FEE_RATE
    asked = (
        f"{plain(funds.available)} {one.quote} available; the smallest order,"
        f" {_contracts(one)} at {plain(price)} and"
        f" {lane.terms.leverage}x, needs {needed:.4f}"
    )
    if funds.available >= needed:
        return _of(lane, line, CheckState.OK, asked)
    bound = funds.equity >= needed
    return _of(
        lane,
        line,
        CheckState.WARNING if bound else CheckState.WRONG,
        f"{asked}, and equity is {plain(funds.equity)}",
        "it is bound in positions and orders: close some, or transfer more to the futures account"
        if bound
        else f"transfer {one.quote} to the futures account (MEXC → Assets → Transfer)",
    )


def _margin_mode(seen: Observed, lane: LaneSeen) -> Finding:
    line, wanted = CheckupLine.MARGIN_MODE, lane.terms.margin_mode
    if isinstance(seen.positions, Refused | None):
        return _unasked(seen, line, seen.positions, lane=lane)
    held = _held(seen, lane)
    differing = [one for one in held if one.margin_mode is not wanted]
    if differing:
        return _of(
            lane,
            line,
            CheckState.WRONG,
            f"{_positions(differing)} held in {differing[0].margin_mode.value} margin; the route"
            f" orders {wanted.value}, which the exchange refuses beside it",
            f"close the position, or: alertwire routes edit {lane.route} --margin-mode"
            f" {differing[0].margin_mode.value}",
        )
    said = f"{_positions(held)} held in it" if held else "nothing is held, and orders bring it"
    return _of(lane, line, CheckState.OK, f"{wanted.value}: {said}")


def _leverage(seen: Observed, lane: LaneSeen) -> Finding:
    line, terms, listing = CheckupLine.LEVERAGE, lane.terms, lane.listing
    if isinstance(listing, Listing) and terms.leverage > listing.instrument.leverage_maximum:
        largest = listing.instrument.leverage_maximum
        return _of(
            lane,
            line,
            CheckState.WRONG,
            f"the route orders {terms.leverage}x; the contract takes {largest}x at most",
            f"alertwire routes edit {lane.route} --leverage {largest}",
        )
    if isinstance(listing, Unlisted):
        return _of(lane, line, CheckState.NOT_REACHED, "there is no such contract")
    if isinstance(lane.leverages, Refused | None):
        return _unasked(seen, line, lane.leverages, lane=lane)
    held = _held(seen, lane)
    differing = [one for one in held if one.leverage != terms.leverage]
    if differing:
        return _of(
            lane,
            line,
            CheckState.WRONG,
            f"{_positions(differing)} held with {differing[0].leverage}x; the route orders"
            f" {terms.leverage}x, which the exchange refuses beside it",
            f"close the position, or: alertwire routes edit {lane.route} --leverage"
            f" {differing[0].leverage}",
        )
    if held:
        # The other side is set once nothing is held, and its orders bring their own until then.
        return _of(lane, line, CheckState.OK, f"{_positions(held)} held with {terms.leverage}x")
    told = ", ".join(
        f"{one.side.value} {one.margin_mode.value + ' ' if one.margin_mode else ''}{one.leverage}x"
        for one in lane.leverages
    )
    if changes_due(terms, told=lane.leverages):
        return _of(
            lane,
            line,
            CheckState.WARNING,
            f"set at the exchange: {told}; the route orders {terms}",
            "nothing, if it has just been changed: the executor sets it, and orders bring their"
            " own; else its log says why it could not (leverage.refused, leverage.disputed)",
        )
    return _of(lane, line, CheckState.OK, f"{terms} wanted; set at the exchange: {told}")


def _contracts(instrument: Instrument) -> str:
    number = instrument.minimum_contracts
    return f"{plain(number)} contract{'' if number == 1 else 's'}"


def _held(seen: Observed, lane: LaneSeen) -> list[Holding]:
    if isinstance(seen.positions, Refused | None):
        return []
    return [holding for symbol, holding in seen.positions if symbol == lane.symbol]


def _positions(held: Iterable[Holding]) -> str:
    return ", ".join(f"{one.side.value} {plain(one.contracts)}" for one in held)


def _of(
    lane: LaneSeen, line: CheckupLine, state: CheckState, evidence: str, mend: str = ""
) -> Finding:
    return Finding(
        line=line,
        state=state,
        evidence=evidence,
        mend=mend,
        route=lane.route,
        symbol=lane.symbol,
    )


def _unasked(
    seen: Observed, line: CheckupLine, answer: Refused | None, *, lane: LaneSeen | None = None
) -> Finding:
    route, symbol = (lane.route, lane.symbol) if lane is not None else (None, None)
    if seen.silence is not None:
        state, evidence = CheckState.NOT_REACHED, "not asked: the exchange does not answer"
    elif seen.barred is not None and line is not CheckupLine.SYMBOL:
        state, evidence = CheckState.NOT_REACHED, f"not asked: {seen.barred}"
    elif answer is not None and answer.kind is Cause.PERMISSION:
        state, evidence = CheckState.NOT_REACHED, f"the key may not ask: {answer}"
    else:
        state = CheckState.UNKNOWN
        evidence = f"not answered: {answer}" if answer is not None else "not answered in time"
    return Finding(line=line, state=state, evidence=evidence, route=route, symbol=symbol)
