"""The table of trade modes, each cell worked out by hand.

A row is what is held, a column is the signal, a cell is the legs in the order in which they are
sent. `docs/trade-modes.md` tells the same to people.
"""

import pytest

from libs.common.contracts.intent import Intent
from libs.common.contracts.route import RouteAccount
from libs.common.contracts.words import AccountId, Action, PositionMode, TradeMode, VenueSymbol
from services.router.deciding import decide_intent
from tests.factories import NOW, make_alert, make_instrument, make_order, make_settings
from tests.unit.domain.notation import ONE_SIDE, answer, picture, signal

ANY = list(PositionMode)
HELD = ["none", "long 3", "short 3", "long 3, short 2"]

# mode, then one line per position held: buy 2 | buy 5 | sell 2 | sell 5
ENTRIES = {
    TradeMode.NETTING: {
        "none": "open long 2 | open long 5 | open short 2 | open short 5",
        "long 3": "open long 2 | open long 5 | close long 2 | close long 3, open short 2",
        "short 3": "close short 2 | close short 3, open long 2 | open short 2 | open short 5",
        "long 3, short 2": (
            "close short 2 | close short 2, open long 3 | close long 2 | close long 3, open short 2"
        ),
    },
    TradeMode.OPPOSITE: {
        "none": "open long 2 | open long 5 | open short 2 | open short 5",
        "long 3": (
            "open long 2 | open long 5 | close long 3, open short 2 | close long 3, open short 5"
        ),
        "short 3": (
            "close short 3, open long 2 | close short 3, open long 5 | open short 2 | open short 5"
        ),
        "long 3, short 2": (
            "close short 2, open long 2 | close short 2, open long 5"
            " | close long 3, open short 2 | close long 3, open short 5"
        ),
    },
    TradeMode.REVERSE: {
        "none": "open long 2 | open long 5 | open short 2 | open short 5",
        "long 3": "open long 2 | open long 5 | close long 3 | close long 3",
        "short 3": "close short 3 | close short 3 | open short 2 | open short 5",
        "long 3, short 2": "close short 2 | close short 2 | close long 3 | close long 3",
    },
    TradeMode.HEDGE: {
        "none": "open long 2 | open long 5 | open short 2 | open short 5",
        "long 3": "open long 2 | open long 5 | open short 2 | open short 5",
        "short 3": "open long 2 | open long 5 | open short 2 | open short 5",
        "long 3, short 2": "open long 2 | open long 5 | open short 2 | open short 5",
    },
}
ENTRY_SIGNALS = ["buy 2", "buy 5", "sell 2", "sell 5"]

# target long 2 | target long 5 | target short 2 | target short 5 | target flat
TARGETS = {
    "none": "open long 2 | open long 5 | open short 2 | open short 5 | nothing",
    "long 2": (
        "nothing | open long 3"
        " | close long 2, open short 2 | close long 2, open short 5 | close long 2"
    ),
    "long 3": (
        "close long 1 | open long 2"
        " | close long 3, open short 2 | close long 3, open short 5 | close long 3"
    ),
    "short 3": (
        "close short 3, open long 2 | close short 3, open long 5"
        " | close short 1 | open short 2 | close short 3"
    ),
    "long 3, short 2": (
        "close short 2, close long 1 | close short 2, open long 2"
        " | close long 3 | close long 3, open short 3 | close long 3, close short 2"
    ),
}
TARGET_SIGNALS = [
    *("target long 2", "target long 5", "target short 2", "target short 5", "target flat"),
]

# The same under every mode. What is held, then the signal.
EXITS = {
    "none": {
        "flat": "nothing",
        "flat long": "nothing",
        "flat short": "nothing",
        "flat 50%": "nothing",
        "closeall": "nothing",
        "closelong": "nothing",
        "closeshort": "nothing",
    },
    "long 3": {
        "flat": "close long 3",
        "flat long": "close long 3",
        "flat short": "nothing",
        "flat 50%": "close long 1",
        "flat 100%": "close long 3",
        "closeall": "close long 3",
        "closeall short": "close long 3",
        "closelong": "close long 3",
        "closeshort": "nothing",
    },
    "short 3": {
        "flat": "close short 3",
        "flat long": "nothing",
        "flat short": "close short 3",
        "flat 50%": "close short 1",
        "closeall": "close short 3",
        "closelong": "nothing",
        "closeshort": "close short 3",
    },
    "long 3, short 2": {
        "flat": "close long 3, close short 2",
        "flat long": "close long 3",
        "flat short": "close short 2",
        "flat 50%": "close long 1, close short 1",
        "flat long 50%": "close long 1",
        "closeall": "close long 3, close short 2",
        "closeall long": "close long 3, close short 2",
        "closelong": "close long 3",
        "closelong 50%": "close long 1",
        "closeshort": "close short 2",
        "closeshort 50%": "close short 1",
    },
}

# The action, not the mode: it closes what is held and opens as much on the other side.
REVERSALS = {
    "none": {"reverse": "denied nothing_held", "reverse 5": "denied nothing_held"},
    "long 3": {
        "reverse": "close long 3, open short 3",
        "reverse 5": "close long 3, open short 5",
        "reverse 2": "close long 3, open short 2",
        "reverse long": "close long 3, open short 3",
        "reverse short": "denied nothing_held",
    },
    "short 3": {
        "reverse": "close short 3, open long 3",
        "reverse 5": "close short 3, open long 5",
    },
    "long 3, short 2": {
        "reverse": "denied side_ambiguous",
        "reverse 5": "denied side_ambiguous",
        "reverse long": "close long 3, open short 3",
        "reverse short": "close short 2, open long 2",
        "reverse short 5": "close short 2, open long 5",
    },
}


def position_modes(holdings: str) -> list[PositionMode]:
    """A one-way account holds one side at most."""
    return [PositionMode.HEDGE] if "," in holdings else ANY


def cells():
    for mode, rows in ENTRIES.items():
        for holdings, row in rows.items():
            for said, expected in zip(ENTRY_SIGNALS, row.split(" | "), strict=True):
                yield mode, holdings, said, expected
    for mode in TradeMode:
        for table in (EXITS, REVERSALS):
            for holdings, row in table.items():
                for said, expected in row.items():
                    yield mode, holdings, said, expected
    for holdings, row in TARGETS.items():
        for said, expected in zip(TARGET_SIGNALS, row.split(" | "), strict=True):
            yield TradeMode.TARGET, holdings, said, expected


def opens_beside(mode: TradeMode, holdings: str, said: str) -> bool:
    other = {"buy": "short", "sell": "long"}.get(said.split(maxsplit=1)[0])
    return mode is TradeMode.HEDGE and other is not None and other in holdings


@pytest.mark.parametrize(("mode", "holdings", "said", "expected"), list(cells()))
def test_cell_on_a_hedge_account(mode, holdings, said, expected):
    assert answer(signal(said, trade_mode=mode), picture(holdings)) == expected


@pytest.mark.parametrize(
    ("mode", "holdings", "said", "expected"), [cell for cell in cells() if "," not in cell[1]]
)
def test_cell_on_a_one_way_account(mode, holdings, said, expected):
    """The same, but that no position may be opened beside another."""
    if opens_beside(mode, holdings, said):
        expected = "denied hedge_needs_hedge_mode"
    seen = picture(holdings, position_mode=PositionMode.ONE_WAY)
    assert answer(signal(said, trade_mode=mode), seen) == expected


@pytest.mark.parametrize("position_mode", ANY)
@pytest.mark.parametrize("mode", list(TradeMode))
def test_a_target_is_moved_to_under_every_mode(mode, position_mode):
    """An alert's own trade type may send a target over a route of another mode."""
    seen = picture("long 3", position_mode=position_mode)
    assert answer(signal("target short 2", trade_mode=mode), seen) == "close long 3, open short 2"


@pytest.mark.parametrize("said", ENTRY_SIGNALS)
@pytest.mark.parametrize("holdings", HELD)
def test_a_target_route_needs_a_target(holdings, said):
    intent = signal(said, trade_mode=TradeMode.TARGET)
    assert answer(intent, picture(holdings)) == "denied target_missing"


@pytest.mark.parametrize("mode", list(ENTRIES))
@pytest.mark.parametrize("holdings", HELD)
def test_the_table_is_whole(mode, holdings):
    """Every position held has a cell for every entry, target, exit and reversal."""
    assert holdings in ENTRIES[mode]
    assert holdings in TARGETS
    assert {"flat", "flat long", "flat short", "flat 50%", "closeall", "closelong"} < set(
        EXITS[holdings]
    )
    assert "reverse" in REVERSALS[holdings]


@pytest.mark.parametrize(("word", "worded"), ONE_SIDE.items())
def test_the_router_words_an_exit_of_one_side_as_flat(word, worded):
    """The planner itself knows no closelong, so the table's cells for it stand on this."""
    order = make_order(action=Action(word), quantity=None)
    intent = decide_intent(
        make_alert(order=order),
        route=make_settings(),
        account=RouteAccount(account=AccountId("paper")),
        catalogue={VenueSymbol("BTC_USDT"): make_instrument()},
        now=NOW,
    )
    assert isinstance(intent, Intent)
    assert f"{intent.action} {intent.close_side}" == worded


def test_every_action_that_trades_is_in_the_table():
    trading = {Action(said.split()[0]) for _, _, said, _ in cells()}
    assert trading == set(Action) - {Action.MODIFY, Action.BREAKEVEN, Action.CANCEL}
