"""A question about an account is always answered, and never ends what trades beside it."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from libs.common.contracts.account_picture import AccountPicture, PictureState
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.words import AccountId
from libs.common.watching import Watched
from services.executor.checkup.addresses import UNSEEN
from services.executor.resting import RestingOrders
from services.executor.viewing.answering import AccountPictures
from tests.factories import make_account
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.fakes import FakeExchange
from tests.unit.executor_desk import OneAccount

PAPER = AccountId("paper")


class Stand:
    def __init__(self):
        self.posted = []
        bus = FakeBus()
        bus.client = SimpleNamespace(
            post=lambda reply, payload: self.posted.append((reply, payload))
        )
        accounts = OneAccount(FakeExchange())
        accounts._connected.budget.left, accounts._connected.budget.waiting = 4, 0
        accounts.settings = {PAPER: make_account()}
        clock = FakeClock()
        self.pictures = AccountPictures(
            bus=bus,
            accounts=accounts,
            contracts=Watched(
                bucket="instruments", decode=msgspec.json.Decoder(Instrument).decode, on_change=None
            ),
            resting=RestingOrders(owned=lambda _account: True),
            shard_of=lambda _account: 0,
            own=UNSEEN,
            refused_from_here=lambda _account: None,
            clock=clock,
            monotonic=clock.elapsed_s,
        )

    async def answered(self, account, *replies):
        self.pictures._waiting[account] = list(replies)
        async with asyncio.TaskGroup() as group:
            await self.pictures._answer(account, group)
        return self.posted


@pytest.fixture
def stand():
    return Stand()


async def test_all_who_wait_get_the_same_answer(stand):
    [first, second] = await stand.answered(PAPER, "inbox.1", "inbox.2")
    assert (first[0], second[0]) == ("inbox.1", "inbox.2")
    assert first[1] == second[1]
    picture = msgspec.json.decode(first[1], type=AccountPicture)
    assert (picture.account, picture.state) == (PAPER, PictureState.ASKED)
    assert picture.order_calls_left == 4


async def test_an_account_that_is_not_known_yet_is_answered_with_nothing(stand):
    assert await stand.answered(AccountId("nobody"), "inbox.1") == [("inbox.1", b"")]


@pytest.mark.parametrize("bug", [KeyError("x"), ValueError("x"), ZeroDivisionError()], ids=repr)
async def test_a_bug_is_answered_with_nothing_and_goes_no_further(stand, bug):
    def stumble(_connected, _asked):
        raise bug

    stand.pictures._known = stumble
    assert await stand.answered(PAPER, "inbox.1") == [("inbox.1", b"")]
