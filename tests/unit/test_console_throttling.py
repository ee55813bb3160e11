"""How often somebody may try to sign in."""

import pytest

from services.console.web.access.throttling import Throttle, place_of


class Hand:
    at = 0.0

    def __call__(self):
        return self.at


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def throttle(hand):
    return Throttle(now=hand)


def test_a_name_that_was_tried_ten_times_from_an_address_waits_there(throttle, hand):
    for _ in range(10):
        assert throttle.wait_s(address="10.0.0.1", name="ann") == 0
        throttle.began(address="10.0.0.1", name="ann")
    assert throttle.wait_s(address="10.0.0.1", name="ann") == 300
    assert throttle.wait_s(address="10.0.0.1", name="bob") == 0
    assert throttle.wait_s(address="10.0.0.2", name="ann") == 0
    hand.at = 300
    assert throttle.wait_s(address="10.0.0.1", name="ann") == 0


def test_many_addresses_guess_one_name_a_hundred_times_at_most(throttle):
    for number in range(100):
        address = f"10.0.0.{number}"
        assert throttle.wait_s(address=address, name="ann") == 0
        throttle.began(address=address, name="ann")
    assert throttle.wait_s(address="10.0.0.200", name="ann") == 300


def test_whoever_wants_to_lock_an_operator_out_cannot(throttle):
    """From where they have signed in, what others try does not count."""
    throttle.began(address="10.0.1.1", name="ann")
    throttle.succeeded(address="10.0.1.1", name="ann")
    for number in range(200):
        throttle.began(address=f"10.0.0.{number}", name="ann")
    assert throttle.wait_s(address="10.0.0.250", name="ann") == 300
    assert throttle.wait_s(address="10.0.1.1", name="ann") == 0


def test_an_address_waits_after_twenty_names_and_a_success_excuses_only_itself(throttle):
    for number in range(19):
        throttle.began(address="10.0.0.1", name=f"n{number}")
    throttle.began(address="10.0.0.1", name="ann")
    throttle.succeeded(address="10.0.0.1", name="ann")
    assert throttle.wait_s(address="10.0.0.1", name="ann") == 0
    throttle.began(address="10.0.0.1", name="ann")
    assert throttle.wait_s(address="10.0.0.1", name="ann") == 300
    assert throttle.wait_s(address="10.0.0.2", name="bob") == 0


def test_names_that_nobody_has_fill_no_memory(throttle):
    for number in range(6_000):
        throttle.began(address=f"10.{number // 250}.{number % 250}.1", name=f"nobody-{number}")
    assert len(throttle._attempts) == 10_000


def test_addresses_of_one_ipv6_customer_are_one():
    assert place_of("2001:db8::1") == place_of("2001:db8::ffff:2") != place_of("2001:db8:0:1::1")
    assert place_of("192.0.2.1") == "192.0.2.1"
    assert place_of("nowhere") == "nowhere"
