"""How often somebody may try to sign in."""

from services.console.web.access.throttling import Throttle


class Hand:
    at = 0.0

    def __call__(self):
        return self.at


def test_a_name_that_failed_ten_times_waits_whatever_address_tries():
    hand = Hand()
    throttle = Throttle(now=hand)
    for number in range(10):
        assert throttle.wait_s(address=f"10.0.0.{number}", name="ann") == 0
        throttle.failed(address=f"10.0.0.{number}", name="ann")
    assert throttle.wait_s(address="10.0.0.99", name="ann") == 300
    assert throttle.wait_s(address="10.0.0.99", name="bob") == 0
    hand.at = 300
    assert throttle.wait_s(address="10.0.0.99", name="ann") == 0


def test_an_address_waits_after_twenty_names_and_a_success_excuses_only_the_name():
    throttle = Throttle(now=Hand())
    for number in range(19):
        throttle.failed(address="10.0.0.1", name=f"n{number}")
    throttle.failed(address="10.0.0.1", name="ann")
    throttle.succeeded(name="ann")
    assert throttle.wait_s(address="10.0.0.1", name="ann") == 300
    assert throttle.wait_s(address="10.0.0.2", name="ann") == 0
