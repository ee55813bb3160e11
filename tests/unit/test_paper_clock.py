"""The paper exchange's clock, and what falls due as its time passes."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paper_desk import BTC
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.engine.commands import AddAccount, PlaceOrder, SetPrice
from tools.paper_exchange.engine.triggers.commands import PlacePlan
from tools.paper_exchange.market.clock import (
    FARTHEST_JUMP_MS,
    FARTHEST_OFFSET_MS,
    Clock,
    ClockError,
)
from tools.paper_exchange.market.funding import CYCLE_MS, next_settlement, settlements
from tools.paper_exchange.market.timekeeping import pass_time
from tools.paper_exchange.venue import Venue

HOUR_MS = 3_600_000
NOON = int(datetime(2026, 7, 15, 12, tzinfo=UTC).timestamp()) * 1000


class RealTime:
    def __init__(self):
        self.ms = NOON

    def __call__(self):
        return self.ms * 1_000_000


@pytest.fixture(name="real")
def real_fixture() -> RealTime:
    return RealTime()


@pytest.fixture(name="clock")
def clock_fixture(real) -> Clock:
    return Clock(real)


def test_it_runs_with_the_real_time_and_a_jump_is_kept(clock, real):
    assert (clock.now_ms(), clock.stands, clock.ahead_ms) == (NOON, False, 0)
    clock.advance(5_000)
    real.ms += 100
    assert (clock.now_ms(), clock.ahead_ms) == (NOON + 5_100, 5_000)


def test_it_stands_still_until_it_runs_on_from_there(clock, real):
    clock.stand_at(NOON + 1_000)
    real.ms += 60_000
    assert (clock.now_ms(), clock.stands) == (NOON + 1_000, True)
    clock.advance(500)
    assert (clock.now_ms(), clock.stands) == (NOON + 1_500, True)
    clock.run()
    assert (clock.now_ms(), clock.stands) == (NOON + 1_500, False)
    real.ms += 10
    assert clock.now_ms() == NOON + 1_510
    clock.run()
    assert clock.now_ms() == NOON + 1_510


@pytest.mark.parametrize(
    "set_wrongly",
    [
        lambda clock: clock.advance(-1),
        lambda clock: clock.advance(FARTHEST_JUMP_MS + 1),
        lambda clock: clock.stand_at(NOON - 1),
        lambda clock: clock.stand_at(NOON + FARTHEST_JUMP_MS + 1),
    ],
)
def test_it_never_goes_back_nor_absurdly_far(clock, set_wrongly):
    with pytest.raises(ClockError):
        set_wrongly(clock)
    assert (clock.now_ms(), clock.stands) == (NOON, False)


def test_the_time_that_is_told_may_be_off_and_the_books_time_is_not(clock, real):
    clock.tell_off_by(-12_000)
    assert (clock.now_ms(), clock.told_ms(), clock.ahead_ms) == (NOON, NOON - 12_000, 0)
    real.ms += 10
    clock.advance(500)
    assert (clock.now_ms(), clock.told_ms()) == (NOON + 510, NOON - 11_490)
    clock.tell_off_by(0)
    assert clock.told_ms() == clock.now_ms() == NOON + 510


@pytest.mark.parametrize("offset_ms", [FARTHEST_OFFSET_MS + 1, -FARTHEST_OFFSET_MS - 1])
def test_it_is_not_told_absurdly_wrong(clock, offset_ms):
    with pytest.raises(ClockError):
        clock.tell_off_by(offset_ms)
    assert clock.told_ms() == NOON


def test_standing_in_the_running_millisecond_does_not_go_back_within_it(clock, real):
    real.ms += Decimal("0.7")
    before = clock.now_ns()
    clock.stand_at(NOON)
    assert clock.now_ns() == before


def test_funding_is_settled_at_midnight_eight_and_four():
    moments = settlements(after_ms=NOON, until_ms=NOON + 20 * HOUR_MS)
    assert [datetime.fromtimestamp(due / 1000, UTC).hour for due in moments] == [16, 0, 8]
    assert next_settlement(NOON + 4 * HOUR_MS - 1) == NOON + 4 * HOUR_MS
    assert next_settlement(NOON + 4 * HOUR_MS) == NOON + 12 * HOUR_MS


@given(after=st.integers(0, 2**42), spans=st.lists(st.integers(0, 3 * CYCLE_MS), max_size=8))
def test_a_settlement_happens_once_however_time_is_cut(after, spans):
    whole = list(settlements(after_ms=after, until_ms=after + sum(spans)))
    parts, begin = [], after
    for span in spans:
        parts += settlements(after_ms=begin, until_ms=begin + span)
        begin += span
    assert parts == whole


class Holder:
    """A venue without a server, and one account with a position of 1,000 contracts."""

    def __init__(self, real, *, state_dir=None):
        self.venue = Venue(load_catalogue(), clock_ns=real, state_dir=state_dir)
        self.venue.funding_rates[BTC] = Decimal("0.001")
        venue, at_ms = self.venue, self.venue.now_ms()
        venue.apply(
            AddAccount(
                at_ms=at_ms,
                access_key="paper_test",
                secret_key="secret",
                permissions=[],
                ip_whitelist=[],
                expires_ms=None,
                balance=Decimal(10_000),
                position_mode=1,
            )
        )
        venue.apply(SetPrice(at_ms=at_ms, symbol=BTC, last=Decimal(50_000)))
        fields = {"account_id": 1, "symbol": BTC, "type": 5, "open_type": 2, "leverage": 10}
        venue.apply(PlaceOrder(at_ms=at_ms, side=1, vol=Decimal(1000), position_mode=1, **fields))

    def plan(self, *, cycle):
        """A trigger order that nothing reaches; `cycle` 1 ends after a day, 2 after a week."""
        fields = {"account_id": 1, "symbol": BTC, "side": 1, "type": 5, "open_type": 2}
        made = self.venue.apply(
            PlacePlan(
                at_ms=self.venue.now_ms(),
                vol=Decimal(1),
                leverage=10,
                position_mode=1,
                trigger_price=Decimal(90_000),
                condition=1,
                trend=1,
                cycle=cycle,
                **fields,
            )
        )
        return self.venue.state.accounts[1].triggers.plans.open[made]

    @property
    def records(self):
        records = self.venue.state.accounts[1].funding_records
        return [(record.at_ms - NOON, record.amount) for record in records]


def test_a_jump_settles_each_funding_at_its_own_time_and_once(real):
    holder = Holder(real)
    pass_time(holder.venue)
    assert holder.records == []
    holder.venue.clock.advance(13 * HOUR_MS)
    pass_time(holder.venue)
    pass_time(holder.venue)
    assert holder.records == [(4 * HOUR_MS, -5), (12 * HOUR_MS, -5)]
    assert holder.venue.state.accounts[1].wallet("USDT").funding == -10
    holder.venue.clock.advance(7 * HOUR_MS)
    pass_time(holder.venue)
    assert len(holder.records) == 3


def test_the_public_history_holds_every_contract_and_the_rate_of_its_time(real):
    holder = Holder(real)
    holder.venue.clock.advance(4 * HOUR_MS)
    pass_time(holder.venue)
    holder.venue.funding_rates[BTC] = Decimal("-0.0005")
    holder.venue.clock.advance(8 * HOUR_MS)
    pass_time(holder.venue)
    newest, before = holder.venue.tape.fundings(BTC)
    assert (newest.rate, newest.at_ms - NOON) == (Decimal("-0.0005"), 12 * HOUR_MS)
    assert (before.rate, before.at_ms - NOON) == (Decimal("0.001"), 4 * HOUR_MS)
    assert [amount for _, amount in holder.records] == [-5, Decimal("2.5")]
    assert len(holder.venue.tape.fundings("ETH_USDT")) == 2


def test_only_contracts_that_somebody_holds_are_settled_in_the_books(real):
    holder = Holder(real)
    told = []
    holder.venue.listeners.append(lambda events, at_ms: told.append(at_ms))
    holder.venue.clock.advance(5 * HOUR_MS)
    pass_time(holder.venue)
    assert told == [NOON + 4 * HOUR_MS]


def test_trigger_orders_end_at_their_own_time(real):
    holder = Holder(real)
    day, week = holder.plan(cycle=1), holder.plan(cycle=2)
    holder.venue.clock.advance(24 * HOUR_MS - 1)
    pass_time(holder.venue)
    assert holder.venue.state.accounts[1].triggers.plans.open == {day.id: day, week.id: week}
    holder.venue.clock.advance(1)
    pass_time(holder.venue)
    assert holder.venue.state.accounts[1].triggers.plans.open == {week.id: week}
    assert day.updated_ms == NOON + 24 * HOUR_MS
    holder.venue.clock.advance(200 * HOUR_MS)
    pass_time(holder.venue)
    assert holder.venue.state.accounts[1].triggers.plans.open == {}
    assert week.updated_ms == NOON + 7 * 24 * HOUR_MS
    times = [at_ms for at_ms, _ in holder.records]
    assert times == sorted(times)


def test_a_trigger_order_that_ended_while_the_process_was_off_ends_when_it_is_back(real, tmp_path):
    holder = Holder(real, state_dir=tmp_path)
    plan = holder.plan(cycle=1)
    holder.venue.close()
    real.ms += 30 * HOUR_MS
    venue = Venue(load_catalogue(), clock_ns=real, state_dir=tmp_path)
    pass_time(venue)
    account = venue.state.accounts[1]
    assert account.triggers.plans.open == {}
    assert account.triggers.plans.finished[plan.id].updated_ms == NOON + 30 * HOUR_MS
    assert account.funding_records == []
    venue.close()
