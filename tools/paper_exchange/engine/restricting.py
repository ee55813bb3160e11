"""The control side sets what differs from the catalogue, and what an account may not."""

from tools.paper_exchange.engine.checking import known_contract
from tools.paper_exchange.engine.commands import SetContract, SetRestrictions
from tools.paper_exchange.engine.restrictions import ContractChanges
from tools.paper_exchange.engine.turn import Turn


def set_contract(turn: Turn, command: SetContract) -> int:
    known_contract(turn.contracts, command.symbol)
    if command.changes == ContractChanges():
        turn.state.contract_changes.pop(command.symbol, None)
    else:
        turn.state.contract_changes[command.symbol] = command.changes
    return 0


def set_restrictions(turn: Turn, command: SetRestrictions) -> int:
    account = turn.state.accounts[command.account_id]
    account.restrictions = command.restrictions
    return account.id
