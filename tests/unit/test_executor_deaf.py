"""A private connection that is open and tells nothing (perhaps its key may not read orders) is not
believed once that is noticed: its picture is only as young as the last question.
"""

import pytest

from tests.unit.test_executor_book import ETH, Desk, held


@pytest.fixture
def deaf():
    """Twice the exchange told what nobody had pushed."""
    desk = Desk().live()
    desk.corrected(("BTC_USDT", held(10)))
    desk.wait(10)
    desk.corrected()
    desk.wait(10)
    return desk


def test_one_push_that_was_lost_is_corrected_and_the_rest_believed():
    desk = Desk().live()
    desk.corrected(("BTC_USDT", held(10)))
    assert desk.sizes() == {"long": 10}


def test_two_in_a_row_are_a_connection_that_tells_nothing(deaf):
    assert not deaf.book.is_live
    assert (deaf.sizes(), deaf.sizes(ETH)) == (None, None)


def test_answers_alone_make_it_no_better(deaf):
    deaf.corrected()
    deaf.wait(10)
    deaf.corrected()
    assert deaf.sizes() is None


def test_a_new_connection_of_the_same_key_is_no_better(deaf):
    deaf.book.lost()
    deaf.live()
    assert deaf.sizes() is None


def test_a_position_that_is_pushed_makes_it_good(deaf):
    deaf.push(3)
    assert deaf.sizes() == {"long": 3}


def test_pushes_in_between_are_signs_of_life():
    desk = Desk().live()
    for contracts in (10, 20, 30):
        desk.corrected(("BTC_USDT", held(contracts)))
        desk.push(contracts + 1)
        desk.wait(10)
    assert desk.sizes() == {"long": 31}


def test_what_has_changed_between_two_connections_was_nobodys_to_push():
    desk = Desk().live()
    for contracts in (10, 20, 30):
        desk.book.lost()
        desk.live(("BTC_USDT", held(contracts)))
    assert desk.sizes() == {"long": 30}
