"""The live picture: what is pushed counts at once, what the exchange answers corrects it, and where
neither can be trusted it says so.
"""

import pytest

from libs.common.contracts.words import PositionMode, PositionSide
from services.executor.book import Book
from services.executor.pushes import (
    PositionModePushed,
    PositionPushed,
)
from services.executor.settings import Timing
from tests.factories import D, make_holding
from tests.unit.mexc_calls import make_call

BTC, ETH = "BTC_USDT", "ETH_USDT"
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
TIMING = Timing()


class Desk:
    """A book with a clock that is moved by hand, and what it asked for."""

    def __init__(self):
        self.now = self.heard_at = 1_000.0
        self.book = Book(
            "paper", timing=TIMING, heard_at=lambda: self.heard_at, clock=lambda: self.now
        )
        self.wanted = []
        self.book.want_correction = self.wanted.append

    def live(self, *positions):
        """Opened and read whole, a while ago."""
        self.book.opened()
        self.book.corrected(positions, asked_at=self.now)
        self.wait(10)
        self.wanted.clear()
        return self

    def wait(self, seconds):
        self.now += seconds
        self.heard_at = self.now

    def push(self, contracts, *, side=LONG, symbol=BTC, position_id="7", version=None):
        holding = held(contracts, side=side, position_id=position_id)
        self.book.pushed(
            PositionPushed(
                symbol=symbol,
                side=side,
                position_id=position_id,
                holding=holding if contracts else None,
                version=version,
                call=make_call(),
            )
        )

    def sizes(self, symbol=BTC):
        holdings = self.book.holdings(symbol)
        if holdings is None:
            return None
        return {holding.side.value: int(holding.contracts) for holding in holdings}

    def corrected(self, *positions, asked_s_ago=0.0):
        self.book.corrected(positions, asked_at=self.now - asked_s_ago)


def held(contracts, *, side=LONG, position_id="7"):
    return make_holding(
        side=side, contracts=D(contracts), free_contracts=D(contracts), position_id=position_id
    )


@pytest.fixture
def desk():
    return Desk()


def test_nothing_is_known_before_a_whole_picture_was_read(desk):
    assert desk.sizes() is None
    desk.book.opened()
    assert desk.wanted == [0.0], "the exchange is asked at once"
    desk.push(10)
    assert desk.sizes() is None, "other symbols may be held too"
    desk.corrected((BTC, held(10)))
    assert desk.sizes() == {"long": 10}
    assert desk.sizes(ETH) == {}


def test_what_is_pushed_counts_at_once(desk):
    desk.live()
    desk.push(10)
    desk.push(4, side=SHORT, position_id="8")
    assert desk.sizes() == {"long": 10, "short": 4}
    desk.push(0)
    assert desk.sizes() == {"short": 4}
    assert desk.sizes(ETH) == {}


def test_a_lost_connection_makes_it_worthless_until_it_is_read_again(desk):
    desk.live((BTC, held(10)))
    desk.book.position_mode = PositionMode.HEDGE
    desk.book.lost()
    assert desk.sizes() is None
    assert desk.book.position_mode is None
    desk.book.opened()
    assert desk.sizes() is None
    desk.corrected()
    assert desk.sizes() == {}, "it was closed meanwhile"


def test_an_answer_to_a_question_of_before_the_loss_does_not_count(desk):
    desk.live((BTC, held(10)))
    desk.book.lost()
    desk.corrected((BTC, held(10)))
    assert desk.sizes() is None


def test_silence_makes_it_worthless(desk):
    desk.live((BTC, held(10)))
    desk.now += TIMING.heard_s + 0.1
    assert desk.sizes() is None
    desk.heard_at = desk.now
    assert desk.sizes() == {"long": 10}


def test_a_picture_that_no_answer_confirms_gets_too_old(desk):
    desk.live((BTC, held(10)))
    desk.wait(TIMING.picture_lasts_s)
    assert desk.sizes() is None
    desk.corrected((BTC, held(10)))
    assert desk.sizes() == {"long": 10}


def test_an_answer_corrects_what_no_push_told(desk):
    desk.live((BTC, held(10)), (ETH, held(3)))
    desk.corrected((BTC, held(6)))
    assert desk.sizes() == {"long": 6}
    assert desk.sizes(ETH) == {}


@pytest.mark.parametrize("seconds", [0.0, TIMING.visible_after_s * 0.9])
def test_an_answer_may_be_older_than_a_push(desk, seconds):
    desk.live((BTC, held(10)))
    desk.push(25)
    desk.wait(seconds)
    desk.corrected((BTC, held(10)))
    assert desk.sizes() == {"long": 25}
    desk.push(0)
    desk.wait(seconds)
    desk.corrected((BTC, held(25)))
    assert desk.sizes() == {}, "closed, and the answer still shows it"


def test_an_answer_that_comes_late_counts_from_its_question(desk):
    desk.live((BTC, held(10)))
    desk.wait(5)
    desk.push(25)
    desk.wait(3)
    desk.corrected((BTC, held(10)), asked_s_ago=3.5)
    assert desk.sizes() == {"long": 25}
    desk.wait(2)
    desk.corrected((BTC, held(10)))
    assert desk.sizes() == {"long": 10}, "the exchange is the authority in the end"


def test_an_older_version_changes_nothing(desk):
    desk.live()
    desk.push(10, version=4)
    desk.push(5, version=3)
    assert desk.sizes() == {"long": 10}
    desk.push(12, version=4)
    assert desk.sizes() == {"long": 12}, "of the same version the last word counts"


def test_a_version_of_another_position_says_nothing(desk):
    desk.live()
    desk.push(10, version=4, position_id="7")
    desk.push(5, version=1, position_id="8")
    assert desk.sizes() == {"long": 5}
    assert desk.wanted == []


def test_a_gap_is_asked_about_and_trusted_only_where_it_was_pushed_since(desk):
    desk.live((ETH, held(3, position_id="9")))
    desk.push(10, version=4)
    desk.wait(1)
    desk.push(12, version=6)
    assert desk.wanted == [0.0]
    assert desk.sizes() == {"long": 12}
    assert desk.sizes(ETH) is None, "what is missing may have been about this one"
    desk.corrected((BTC, held(12)), (ETH, held(2, position_id="9")), asked_s_ago=1.0)
    assert desk.sizes(ETH) is None, "an answer to a question of before says nothing"
    desk.wait(0.1)
    desk.corrected((BTC, held(12)), (ETH, held(2, position_id="9")))
    assert desk.sizes(ETH) == {"long": 2}


def test_consecutive_versions_are_no_gap(desk):
    desk.live()
    for version in range(1, 5):
        desk.push(version, version=version)
    assert desk.wanted == []
    assert desk.sizes(ETH) == {}


def test_a_version_goes_on_behind_an_answer(desk):
    desk.live()
    desk.push(10, version=4)
    desk.wait(5)
    desk.corrected((BTC, held(10)))
    desk.push(12, version=6)
    assert desk.wanted == [0.0]


def test_after_an_order_it_looks_again_soon(desk):
    desk.live().book.ordered()
    assert desk.wanted == [TIMING.correct_after_order_s]


def test_the_position_mode_is_as_last_told(desk):
    desk.live()
    assert desk.book.position_mode is None
    desk.book.pushed(PositionModePushed(mode=PositionMode.ONE_WAY))
    assert desk.book.position_mode is PositionMode.ONE_WAY


@pytest.mark.parametrize("position_id", ["7", "8"])
def test_in_one_way_mode_only_one_side_is_held(desk, position_id):
    desk.live((BTC, held(10)))
    desk.book.position_mode = PositionMode.ONE_WAY
    desk.push(4, side=SHORT, position_id=position_id)
    assert desk.sizes() == {"short": 4}


def test_a_position_that_changes_its_side_leaves_the_other(desk):
    desk.live((BTC, held(10)))
    desk.push(4, side=SHORT, position_id="7")
    assert desk.sizes() == {"short": 4}


def test_in_hedge_mode_both_sides_are_held(desk):
    desk.live((BTC, held(10)))
    desk.book.position_mode = PositionMode.HEDGE
    desk.push(4, side=SHORT, position_id="8")
    assert desk.sizes() == {"long": 10, "short": 4}


def test_a_side_that_is_closed_says_nothing_of_the_other(desk):
    desk.live((BTC, held(10)))
    desk.book.position_mode = PositionMode.ONE_WAY
    desk.push(0, side=SHORT, position_id="8")
    assert desk.sizes() == {"long": 10}
