"""Funding: at its settlement long positions pay the short ones where the rate is above zero, and
the other way round where it is below. It goes through the cash. An account that cannot pay loses
resting orders first, youngest first, then margin of the isolated position that it pays for.
"""

from decimal import Decimal

from tools.paper_exchange.engine.booking import cover_shortfall
from tools.paper_exchange.engine.checking import known_contract
from tools.paper_exchange.engine.commands import SettleFunding
from tools.paper_exchange.engine.liquidation import liquidate
from tools.paper_exchange.engine.margin import held_margin, spare, wallet_for
from tools.paper_exchange.engine.matching import cancel
from tools.paper_exchange.engine.state import (
    FUNDING_RECORDS_KEPT,
    ZERO,
    Account,
    FundingRecord,
    Position,
    slot,
)
from tools.paper_exchange.engine.turn import Turn, notional
from tools.paper_exchange.engine.words import OpenType, OrderError, PositionType


def settle_funding(turn: Turn, command: SettleFunding) -> int:
    known_contract(turn.contracts, command.symbol)
    places = [slot(command.symbol, kind) for kind in PositionType]
    for account in turn.state.accounts.values():
        for place in places:
            position = account.positions.get(place)
            if position is not None:
                _settle(turn, account, position=position, rate=command.rate)
    liquidate(turn, command.symbol)
    return 0


def _settle(turn: Turn, account: Account, *, position: Position, rate: Decimal) -> None:
    contract = turn.contract(position.symbol)
    value = notional(contract, vol=position.hold_vol, price=turn.price(position.symbol).fair)
    amount = -value * rate * position.type.sign
    wallet = wallet_for(account, contract.settle_coin)
    wallet.cash += amount
    wallet.funding += amount
    position.funding += amount
    position.updated_ms = turn.at_ms
    position.version += 1
    turn.state.last_funding_id += 1
    account.funding_records.append(
        FundingRecord(
            id=turn.state.last_funding_id,
            position_id=position.id,
            symbol=position.symbol,
            type=position.type,
            value=value,
            rate=rate,
            amount=amount,
            at_ms=turn.at_ms,
        )
    )
    del account.funding_records[:-FUNDING_RECORDS_KEPT]
    turn.position_changed(account, position)
    turn.wallet_changed(account, contract.settle_coin)
    if amount < 0:
        _make_up(turn, account, position=position, currency=contract.settle_coin)


def _make_up(turn: Turn, account: Account, *, position: Position, currency: str) -> None:
    for order in reversed(list(account.open_orders.values())):
        if spare(turn, account, currency=currency) >= 0:
            return
        if order.frozen and order.frozen_currency == currency:
            cancel(turn, account, order=order, error=OrderError.FUNDING_CANCEL)
    short = -spare(turn, account, currency=currency)
    if short > 0 and position.open_type is OpenType.ISOLATED:
        margin = held_margin(position, turn.contract(position.symbol))
        position.extra_margin -= min(short, max(margin, ZERO))
    cover_shortfall(turn, account, currency=currency)
