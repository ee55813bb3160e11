"""The executor's accounts: who can trade, who cannot and why, and a client per key."""

import base64

import pytest
from nacl.public import PrivateKey

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.sealing import SecretState
from libs.common.contracts.words import SecretSource
from libs.common.sealing import key_id, seal
from libs.common.secret import Secret
from services.executor.accounts import RETIRED_FOR_S, Accounts, Connected
from services.executor.mounted import MountedSecrets
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Timing
from tests.factories import make_account
from tests.fakes import FakeExchange
from tests.unit.executor_desk import SilentFeed

KEY, OTHER_KEY = PrivateKey.generate(), PrivateKey.generate()


def b64(key) -> str:
    return base64.b64encode(bytes(key)).decode()


def named(key) -> str:
    return key_id(b64(key.public_key))


def sealed(secret="secret", *, key=KEY) -> bytes:
    return seal(public_key=b64(key.public_key), secret=Secret(secret))


class Desk:
    """`Accounts` with what stands in the buckets, and the clients that it made."""

    def __init__(self, folder):
        self.made: list[tuple[str, str, FakeExchange]] = []
        self.given: list[Secret] = []
        self.now = 0.0
        self.key_file = folder / "sealing.key"
        self.mounts = folder / "mounts"
        self.mounts.mkdir()
        self.rotate(KEY)
        self.accounts = Accounts(
            keys=SealingKeys.read(self.key_file),
            mounted=MountedSecrets(self.mounts),
            make_exchange=self._make,
            on_change=lambda: None,
            timing=Timing(),
            clock=lambda: self.now,
        )
        self.settings = self.accounts.settings._copy.values
        self.secrets = self.accounts.secrets._copy.values

    def _make(self, account, secret):
        exchange = FakeExchange()
        self.made.append((account.base_url, secret.reveal(), exchange))
        self.given.append(secret)
        return exchange, SilentFeed()

    def rotate(self, *keys):
        """What stands in the key file from now on."""
        self.key_file.write_text("\n".join(b64(key) for key in keys))

    def enter(self, name="paper", *, secret=None, **changes):
        self.settings[name] = make_account(id=name, **changes)
        self.secrets[name] = secret or sealed()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


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


async def test_a_rotation_leaves_the_client_as_it_is(desk):
    """New key in the file, secret sealed anew, old key gone: trading never stops meanwhile."""
    desk.enter()
    first = desk.accounts.find("paper")
    assert desk.accounts.held(first.account).key == named(KEY)
    desk.rotate(OTHER_KEY, KEY)
    assert desk.accounts.keys.look()
    assert desk.accounts.find("paper") is first
    desk.secrets["paper"] = sealed(key=OTHER_KEY)
    assert desk.accounts.find("paper") is first, "the same key in another box"
    assert desk.accounts.held(first.account).key == named(OTHER_KEY)
    desk.rotate(OTHER_KEY)
    assert desk.accounts.keys.look()
    assert desk.accounts.find("paper") is first
    assert len(desk.made) == 1
    assert not desk.given[0].is_wiped


async def test_a_key_that_left_the_file_too_early_stops_nobody_and_is_told(desk):
    desk.enter()
    first = desk.accounts.find("paper")
    desk.rotate(OTHER_KEY)
    desk.accounts.keys.look()
    assert desk.accounts.find("paper") is first
    held = desk.accounts.held(first.account)
    assert (held.state, held.key) == (SecretState.UNUSABLE, named(KEY))
    assert "gone from the key file" in held.why


async def test_a_mounted_key_is_used_where_the_account_says_so_and_there_alone(desk):
    (desk.mounts / "paper").write_text("mounted")
    desk.accounts.mounted.look()
    desk.enter()
    assert isinstance(desk.accounts.find("paper"), Connected)
    assert [secret for _, secret, _ in desk.made] == ["secret"]
    desk.enter(secret_source=SecretSource.MOUNTED)
    found = desk.accounts.find("paper")
    assert [secret for _, secret, _ in desk.made] == ["secret", "mounted"]
    assert desk.accounts.held(found.account).state is SecretState.MOUNTED
    (desk.mounts / "paper").write_text("changed")
    desk.accounts.mounted.look()
    assert desk.accounts.find("paper") is not found
    assert [secret for _, secret, _ in desk.made] == ["secret", "mounted", "changed"]
    assert desk.given[1].reveal() == "mounted", "a call may be under way with it"
    (desk.mounts / "paper").unlink()
    desk.accounts.mounted.look()
    denied(desk.accounts.find("paper"), Reason.KEY_UNREADABLE, "no file paper")


async def test_a_key_that_should_be_mounted_is_missed_even_where_one_is_sealed(desk):
    desk.enter(secret_source=SecretSource.MOUNTED)
    denied(desk.accounts.find("paper"), Reason.KEY_UNREADABLE, "should be mounted")
    held = desk.accounts.held(desk.settings["paper"])
    assert held.state is SecretState.UNUSABLE


async def test_a_replaced_key_is_wiped_once_nothing_can_be_under_way_with_it(desk):
    desk.enter()
    desk.accounts.find("paper")
    desk.enter(secret=sealed("changed"))
    desk.accounts.find("paper")
    old, new = desk.given
    desk.now = RETIRED_FOR_S - 1
    await desk.accounts.let_go()
    assert not old.is_wiped
    desk.now = RETIRED_FOR_S
    await desk.accounts.let_go()
    assert old.is_wiped
    assert [exchange.closed for _, _, exchange in desk.made] == [True, False]
    assert not new.is_wiped


async def test_the_key_of_a_deleted_account_is_wiped(desk):
    desk.enter()
    desk.accounts.find("paper")
    del desk.settings["paper"]
    await desk.accounts.let_go()
    desk.now = RETIRED_FOR_S
    await desk.accounts.let_go()
    assert desk.given[0].is_wiped
    desk.enter()
    assert isinstance(desk.accounts.find("paper"), Connected), "entered again, it trades"


async def test_nothing_is_left_at_the_end(desk):
    (desk.mounts / "second").write_text("mounted")
    desk.accounts.mounted.look()
    desk.enter()
    desk.enter("second", secret_source=SecretSource.MOUNTED)
    for name in ("paper", "second"):
        desk.accounts.find(name)
    private = desk.accounts.keys.current.private
    await desk.accounts.close()
    assert [secret.is_wiped for secret in (*desk.given, private)] == [True] * 3
    desk.secrets["paper"] = sealed("changed")
    denied(desk.accounts.find("paper"), Reason.KEY_UNREADABLE, "process ends")
