"""The control side of the venue's own rules: uncertain readings, call rates, maintenance, what
differs from the catalogue, what an account may not.
"""

from collections.abc import Callable

import msgspec

from tools.paper_exchange.control.behaviour import Maintenance, changed
from tools.paper_exchange.control.replying import WrongBodyError, answer, decoded, done
from tools.paper_exchange.engine.commands import SetContract, SetRestrictions
from tools.paper_exchange.engine.restrictions import ContractChanges, Restrictions
from tools.paper_exchange.rest.limits import LimitsChange
from tools.paper_exchange.rest.replies import Answer
from tools.paper_exchange.venue import Venue

Handler = Callable[[Venue, str, bytes], Answer]


class SeedBody(msgspec.Struct, forbid_unknown_fields=True):
    seed: int


def _set_behaviour(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.behaviour = changed(venue.behaviour, body)
    return answer(200, venue.behaviour)


def _set_limits(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.limits.change(decoded(body, LimitsChange))
    return answer(200, venue.limits.shown())


def _set_seed(venue: Venue, _rest: str, body: bytes) -> Answer:
    """From here on the same calls meet the same faults."""
    seed = decoded(body, SeedBody).seed
    venue.chance.seed(seed)
    venue.push_chance.seed(seed)
    return done()


def _set_maintenance(venue: Venue, _rest: str, body: bytes) -> Answer:
    venue.maintenance = decoded(body, Maintenance)
    return answer(200, venue.maintenance)


def _set_contract(venue: Venue, symbol: str, body: bytes) -> Answer:
    """The body is all that differs; an empty one is the catalogue's contract again."""
    changes = decoded(body, ContractChanges)
    if symbol not in venue.contracts:
        known = ", ".join(venue.contracts)
        raise WrongBodyError(f"no contract {symbol!r}; known are {known}", status=404)
    venue.apply(SetContract(at_ms=venue.now_ms(), symbol=symbol, changes=changes))
    return answer(200, changes)


def _set_account(venue: Venue, access_key: str, body: bytes) -> Answer:
    """The body is all restrictions; an empty one lifts them."""
    restrictions = decoded(body, Restrictions)
    key = venue.state.keys.get(access_key)
    if key is None:
        raise WrongBodyError("no account has this access key", status=404)
    command = SetRestrictions(
        at_ms=venue.now_ms(), account_id=key.account_id, restrictions=restrictions
    )
    venue.apply(command)
    return answer(200, restrictions)


PLAIN: dict[tuple[str, str], Handler] = {
    ("PUT", "limits"): _set_limits,
    ("PUT", "behaviour"): _set_behaviour,
    ("PUT", "maintenance"): _set_maintenance,
    ("PUT", "seed"): _set_seed,
}
# These take a name behind theirs: a symbol, an access key.
NAMED: dict[tuple[str, str], Handler] = {
    ("PUT", "contracts"): _set_contract,
    ("PUT", "accounts"): _set_account,
}
