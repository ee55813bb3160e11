"""The executor's accounts: who can trade, who cannot and why, and a client per key."""

import base64

import pytest
from nacl.public import PrivateKey

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.sealing import seal
from libs.common.secret import Secret
from services.executor.accounts import Accounts, Connected
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Timing
from tests.factories import make_account
from tests.fakes import FakeExchange
from tests.unit.executor_desk import SilentFeed

KEY, OTHER_KEY = PrivateKey.generate(), PrivateKey.generate()


def b64(key) -> str:
    return base64.b64encode(bytes(key)).decode()


def sealed(secret="secret", *, key=KEY) -> bytes:
    return seal(public_key=b64(key.public_key), secret=Secret(secret))


class Desk:
    """`Accounts` with what stands in the buckets, and the clients that it made."""

    def __init__(self):
        self.made: list[tuple[str, str, FakeExchange]] = []
        self.accounts = Accounts(
            keys=SealingKeys.of(Secret(b64(KEY))),
            make_exchange=self._make,
            on_change=lambda: None,
            timing=Timing(),
        )
        self.settings = self.accounts.settings._copy.values
        self.secrets = self.accounts.secrets._copy.values

    def _make(self, account, secret):
        exchange = FakeExchange()
        self.made.append((account.base_url, secret.reveal(), exchange))
        return exchange, SilentFeed()

    def enter(self, name="paper", *, secret=None, **changes):
        self.settings[name] = make_account(id=name, **changes)
        self.secrets[name] = secret or sealed()


@pytest.fixture
def desk():
    return Desk()


def denied(found, reason, *words):
    assert isinstance(found, Denial)
    assert found.reason is reason
    assert found.context == {"account": "paper"}
    for word in ("paper", *words):
        assert word in found.message


async def test_an_account_with_its_key_can_trade(desk):
    desk.enter(order_calls_per_2s=7)
    found = desk.accounts.find("paper")
    assert isinstance(found, Connected)
    assert found.account == make_account(order_calls_per_2s=7)
    assert found.budget.left == 7
    assert desk.made == [("http://127.0.0.1:1", "secret", found.exchange)]
    assert desk.accounts.find("paper") is found, "one client per key"


async def test_an_unknown_account(desk):
    denied(desk.accounts.find("paper"), Reason.ACCOUNT_UNKNOWN, "does not exist")
    desk.secrets["paper"] = sealed()
    denied(desk.accounts.find("paper"), Reason.ACCOUNT_UNKNOWN, "does not exist")


async def test_a_secret_that_was_never_entered(desk):
    desk.enter()
    del desk.secrets["paper"]
    denied(desk.accounts.find("paper"), Reason.KEY_UNREADABLE, "never entered", "enter it again")


@pytest.mark.parametrize(
    "secret", [sealed(key=OTHER_KEY), b"", b"no box"], ids=["other", "empty", "no"]
)
async def test_a_secret_that_cannot_be_opened(desk, secret):
    desk.enter()
    desk.secrets["paper"] = secret
    denied(desk.accounts.find("paper"), Reason.KEY_UNREADABLE, "another key", "enter it again")
    assert desk.made == []


async def test_a_changed_key_gets_a_new_client_and_the_old_one_is_closed_at_the_end(desk):
    desk.enter()
    old = desk.accounts.find("paper")
    desk.enter(secret=sealed("changed"))
    new = desk.accounts.find("paper")
    assert [secret for _, secret, _ in desk.made] == ["secret", "changed"]
    assert new.exchange is not old.exchange
    assert not old.exchange.closed, "a call may be under way on it"
    await desk.accounts.close()
    assert old.exchange.closed
    assert new.exchange.closed


async def test_a_changed_account_gets_a_new_client(desk):
    desk.enter()
    old = desk.accounts.find("paper")
    desk.enter(secret=desk.secrets["paper"], base_url="http://127.0.0.1:2", order_calls_per_2s=4)
    new = desk.accounts.find("paper")
    assert [base_url for base_url, _, _ in desk.made] == [
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
    ]
    assert new is not old
    assert new.budget.left == 4


async def test_a_key_that_turned_bad_stops_the_account_and_a_good_one_brings_it_back(desk):
    desk.enter()
    good = desk.secrets["paper"]
    first = desk.accounts.find("paper")
    desk.secrets["paper"] = sealed(key=OTHER_KEY)
    denied(desk.accounts.find("paper"), Reason.KEY_UNREADABLE)
    desk.secrets["paper"] = good
    assert desk.accounts.find("paper") is first


async def test_a_deleted_account_cannot_trade(desk):
    desk.enter()
    desk.accounts.find("paper")
    del desk.settings["paper"]
    denied(desk.accounts.find("paper"), Reason.ACCOUNT_UNKNOWN)


async def test_accounts_are_warmed_once_and_on_demand_again(desk):
    desk.enter("first")
    desk.enter("second")
    desk.settings["without-key"] = make_account(id="without-key")

    async def asked_after(*, everything):
        await desk.accounts.warm(everything=everything)
        return [len(exchange.asked) for _, _, exchange in desk.made]

    assert await asked_after(everything=False) == [1, 1]
    desk.enter("third")
    assert await asked_after(everything=False) == [1, 1, 1]
    assert await asked_after(everything=True) == [2, 2, 2]


async def test_an_exchange_that_is_away_is_warmed_next_time_and_stops_nobody(desk):
    desk.enter("first")
    desk.enter("second")
    first, second = (desk.accounts.find(name).exchange for name in ("first", "second"))
    first.fail_queries()
    await desk.accounts.warm(everything=False)
    assert (first.asked, second.asked) == (["server_time_ms"], ["server_time_ms"])
    await desk.accounts.warm(everything=False)
    assert len(first.asked) == 2
    assert len(second.asked) == 1
