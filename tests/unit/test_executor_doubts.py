"""The live picture says why it is not to be trusted, and from when on an answer is."""

import pytest

from libs.common.contracts.account_picture import Doubt
from tests.factories import D
from tests.unit.test_executor_book import BTC, ETH, TIMING, Desk, held


@pytest.fixture
def desk():
    return Desk()


def doubt(desk):
    found = desk.book.doubted()
    return None if found is None else found.doubt


def test_before_the_connection_is_open_it_is_down(desk):
    assert doubt(desk) is Doubt.SOCKET_DOWN
    assert desk.book.doubted().since == float("-inf"), "any answer will do"


def test_open_and_not_read_yet(desk):
    desk.book.opened()
    assert doubt(desk) is Doubt.NEVER_READ


def test_once_read_there_is_nothing_to_say(desk):
    desk.live((BTC, held(10)))
    assert desk.book.doubted() is None
    assert desk.book.shown == ((BTC, held(10)),)


def test_lost_only_answers_of_after_that_count(desk):
    desk.live((BTC, held(10)))
    desk.book.lost()
    assert doubt(desk) is Doubt.SOCKET_DOWN
    assert desk.book.doubted().since == desk.now
    desk.wait(5)
    desk.book.lost()
    assert desk.book.doubted().since == desk.now - 5, "it was lost then, not again"
    assert desk.book.shown == ((BTC, held(10)),), "what was known last is still shown"


def test_silence_is_told_with_its_seconds(desk):
    desk.live()
    desk.now += TIMING.heard_s + 1
    assert doubt(desk) is Doubt.SILENT
    assert "for 9 s" in desk.book.doubted().why
    assert desk.book.doubted().since == desk.heard_at


def test_a_picture_that_nothing_confirms_is_old(desk):
    desk.live()
    desk.wait(TIMING.picture_lasts_s)
    assert doubt(desk) is Doubt.OLD


def test_a_missing_push_is_a_gap_until_the_exchange_was_asked(desk):
    desk.live()
    desk.push(10, version=1)
    desk.push(30, version=3)
    assert doubt(desk) is Doubt.GAP
    since = desk.book.doubted().since
    desk.wait(2)
    assert desk.book.doubted().since == since
    desk.corrected((BTC, held(30)))
    assert desk.book.doubted() is None


def test_positions_that_move_without_a_push_make_it_deaf(desk):
    desk.live()
    for contracts in (10, 20):
        desk.wait(10)
        desk.corrected((BTC, held(contracts)))
    assert doubt(desk) is Doubt.DEAF
    assert "2 times without a push" in desk.book.doubted().why


def test_what_an_order_of_ours_has_moved_is_unconfirmed_by_name(desk):
    desk.live((BTC, held(10)), (ETH, held(5, position_id="8")))
    desk.book.distrust(ETH)
    assert doubt(desk) is Doubt.UNCONFIRMED
    assert ETH in desk.book.doubted().why
    assert BTC not in desk.book.doubted().why
    assert desk.book.doubted().since == desk.now + TIMING.visible_after_s


@pytest.mark.parametrize("case", ["fresh", "silent", "old", "deaf", "lost"])
def test_it_doubts_exactly_when_it_is_not_live(desk, case):
    """Two ways to say the same: neither may go its own way."""
    desk.live((BTC, held(10)))
    match case:
        case "silent":
            desk.now += TIMING.heard_s + 0.1
        case "old":
            desk.wait(TIMING.picture_lasts_s)
        case "deaf":
            for contracts in (20, 30):
                desk.wait(10)
                desk.corrected((BTC, held(contracts)))
        case "lost":
            desk.book.lost()
    assert (desk.book.doubted() is None) is desk.book.is_live


def test_when_a_position_was_told_last(desk):
    assert desk.book.told_at == float("-inf")
    desk.live((BTC, held(10)))
    assert desk.now - desk.book.told_at == 10
    desk.push(20)
    assert desk.book.told_at == desk.now
    assert desk.sizes() == {"long": D(20)}
