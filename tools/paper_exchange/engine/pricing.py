"""The market moves: a price or a depth is set, and whatever waits for it reacts."""

from tools.paper_exchange.engine.checking import known_contract
from tools.paper_exchange.engine.commands import SetDepth, SetPrice
from tools.paper_exchange.engine.depth import drop_passed
from tools.paper_exchange.engine.liquidation import liquidate
from tools.paper_exchange.engine.matching import match_resting
from tools.paper_exchange.engine.state import Depth, Price
from tools.paper_exchange.engine.triggers.firing import fire_triggers
from tools.paper_exchange.engine.turn import Turn


def set_price(turn: Turn, command: SetPrice) -> int:
    known_contract(turn.contracts, command.symbol)
    turn.state.prices[command.symbol] = Price(
        last=command.last,
        fair=command.last if command.fair is None else command.fair,
        index=command.last if command.index is None else command.index,
    )
    turn.price_changed(command.symbol)
    depth = turn.state.depths.get(command.symbol)
    if depth is not None:
        drop_passed(depth, command.last)
    match_resting(turn, symbol=command.symbol, moved=True)
    fire_triggers(turn, command.symbol)
    liquidate(turn, command.symbol)
    return 0


def set_depth(turn: Turn, command: SetDepth) -> int:
    known_contract(turn.contracts, command.symbol)
    turn.price_changed(command.symbol)
    if command.bids is None and command.asks is None:
        turn.state.depths.pop(command.symbol, None)
        return 0
    turn.state.depths[command.symbol] = Depth(
        bids=[list(level) for level in command.bids or []],
        asks=[list(level) for level in command.asks or []],
    )
    match_resting(turn, symbol=command.symbol, moved=False)
    turn.wake(command.symbol)
    return 0
