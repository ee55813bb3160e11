"""The router: each of a route's accounts gets its own answer, once, whatever is delivered again."""

from datetime import timedelta

import pytest

from libs.common.bus import LogUnavailable
from libs.common.contracts import subjects
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Guards, RouteState
from libs.common.contracts.words import Action, TradeMode
from libs.common.domain.identity import alert_id
from libs.common.outcome import Refuse, Retry
from services.router.handler import Router, lane_of
from tests.factories import (
    NOW,
    make_account,
    make_alert,
    make_instrument,
    make_intent,
    make_order,
    make_route,
)
from tests.unit.router_desk import ACCEPTED, DENIED, TWO, Desk


async def test_each_account_gets_its_own_intent():
    desk = Desk()
    await desk.handle()
    assert desk.bus.stages == [ACCEPTED, ACCEPTED]
    assert desk.intents["first"].contracts == 10
    assert desk.intents["second"].contracts == 20
    assert desk.intents["first"].intent_id != desk.intents["second"].intent_id
    assert [entry.subject for entry in desk.bus.entries] == [
        "intent.accepted.0.first.BTC_USDT",
        "intent.accepted.0.second.BTC_USDT",
    ]


async def test_an_intent_goes_to_the_shard_of_its_account():
    desk = Desk(shards=16)
    await desk.handle()
    assert {entry.subject.split(".")[2] for entry in desk.bus.entries} == {
        str(subjects.shard_of(name, shards=16)) for name in ("first", "second")
    }
    await desk.again()
    assert len(desk.bus.entries) == 2, "and is found there again"


async def test_an_unknown_account_is_denied_and_the_other_served():
    desk = Desk(accounts=["second"])
    await desk.handle()
    assert set(desk.intents) == {"second"}
    assert set(desk.denials) == {"first"}
    denial = desk.denials["first"]
    assert denial.reason is Reason.ACCOUNT_UNKNOWN
    assert "first" in denial.message
    assert desk.bus.entries[0].subject == "intent.denied.demo"


async def test_a_denial_names_account_and_reason():
    desk = Desk(state=RouteState.PAUSED, trade_mode=TradeMode.HEDGE)
    await desk.handle()
    assert {account: denial.reason for account, denial in desk.denials.items()} == {
        "first": Reason.ROUTE_PAUSED,
        "second": Reason.ROUTE_PAUSED,
    }


@pytest.mark.parametrize("accounts", [["first", "second"], ["second"], []])
async def test_a_redelivery_decides_nothing_twice(accounts):
    """Even long after, when the log no longer knows the event ids."""
    desk = Desk(accounts=accounts)
    await desk.handle()
    before = list(desk.bus.entries)
    assert len(before) == 2
    desk.clock.advance(3600)
    await desk.again()
    assert desk.bus.entries == before


@pytest.mark.parametrize("accounts", [["first", "second"], ["second"], []])
async def test_a_dead_letters_alert_that_is_replayed_is_decided_on_once(accounts):
    """What was decided lies before its new place."""
    desk = Desk(accounts=accounts)
    await desk.handle()
    before = list(desk.bus.entries)
    desk.bus.forget_event_ids()
    await desk.handle(fresh=False, seq=len(before) + 1, origin_seq=0)
    assert desk.bus.entries == before
    desk.routes.clear()
    await desk.handle(fresh=False, seq=len(before) + 1, origin_seq=0)
    assert desk.bus.entries == before


async def test_what_a_dead_process_left_out_is_made_up_for():
    desk = Desk()
    await desk.handle()
    desk.bus.cut_after(1)
    assert set(desk.intents) == {"first"}
    await desk.again()
    assert set(desk.intents) == {"first", "second"}
    assert len(desk.bus.entries) == 2


async def test_a_decision_stands_although_the_route_has_changed_since():
    desk = Desk()
    await desk.handle()
    desk.routes["demo"] = make_route(accounts=TWO, state=RouteState.PAUSED)
    await desk.again()
    assert desk.bus.stages == [ACCEPTED, ACCEPTED]


async def test_decisions_about_other_alerts_do_not_count():
    desk = Desk()
    other = make_alert(alert_id=alert_id(unix_ms=2, random_bits=2))
    await desk.handle(other)
    await desk.again()
    assert len(desk.bus.entries) == 4
    denied = Desk(accounts=[])
    await denied.handle(other)
    await denied.again()
    assert len(denied.bus.entries) == 4


async def test_a_route_that_is_not_known_yet_is_waited_for():
    desk = Desk()
    route = desk.routes.pop("demo")
    with pytest.raises(Retry) as caught:
        await desk.handle()
    assert caught.value.delay_s < 1
    assert desk.bus.entries == []
    desk.routes["demo"] = route
    await desk.handle(fresh=False)
    assert len(desk.intents) == 2


async def test_a_route_that_is_gone_is_a_denial_for_all():
    desk = Desk()
    desk.routes.clear()
    desk.clock.advance(3)
    await desk.handle()
    assert {account: denial.reason for account, denial in desk.denials.items()} == {
        None: Reason.ROUTE_UNKNOWN
    }
    await desk.again()
    assert desk.bus.stages == [DENIED], "once"


@pytest.mark.parametrize("accounts", [["first", "second"], ["second"], []])
async def test_a_route_that_was_deleted_after_the_decision_changes_nothing(accounts):
    desk = Desk(accounts=accounts)
    await desk.handle()
    before = list(desk.bus.entries)
    desk.routes.clear()
    desk.clock.advance(3)
    await desk.again()
    assert desk.bus.entries == before


async def test_other_alerts_of_a_deleted_route_are_denied_when_they_come_again():
    desk = Desk()
    await desk.handle(make_alert(alert_id=alert_id(unix_ms=2, random_bits=2)))
    desk.routes.clear()
    desk.clock.advance(3)
    await desk.again()
    assert desk.denials[None].reason is Reason.ROUTE_UNKNOWN


@pytest.mark.parametrize("catalogues", [{}, {"another-exchange": {"BTC_USDT": make_instrument()}}])
async def test_without_the_exchanges_contracts_the_alert_waits(catalogues):
    """An unknown symbol could not be told from one that was not read yet."""
    desk = Desk()
    desk.catalogues = catalogues
    with pytest.raises(Retry, match="contracts were not read yet"):
        await desk.handle()
    assert desk.bus.entries == []


async def test_it_does_not_wait_for_ever():
    desk = Desk()
    desk.catalogues = {}
    desk.clock.advance(29.9)
    with pytest.raises(Retry):
        await desk.handle()
    desk.clock.advance(0.1)
    await desk.handle(fresh=False)
    assert {denial.reason for denial in desk.denials.values()} == {Reason.CONTRACTS_UNKNOWN}
    assert "account first's exchange" in desk.denials["first"].message


async def test_an_account_whose_exchange_is_not_known_yet_keeps_no_other_waiting():
    desk = Desk()
    desk.accounts["first"] = make_account(id="first", base_url="http://127.0.0.1:2")
    with pytest.raises(Retry):
        await desk.handle()
    assert set(desk.intents) == {"second"}
    with pytest.raises(Retry):
        await desk.again()
    assert desk.bus.stages == [ACCEPTED], "once, however often the first one is tried"
    known = next(iter(desk.catalogues.values()))
    desk.catalogues = {
        **desk.catalogues,
        subjects.instrument_prefix("http://127.0.0.1:2"): known,
    }
    await desk.again()
    assert set(desk.intents) == {"first", "second"}
    assert desk.denials == {}


async def test_a_bug_in_one_accounts_decision_keeps_no_other_from_its_intent():
    desk = Desk()
    desk.accounts["first"] = make_account(id="first", base_url="http://127.0.0.1:2")
    desk.catalogues[subjects.instrument_prefix("http://127.0.0.1:2")] = {"BTC_USDT": "none"}
    with pytest.raises(AttributeError):
        await desk.handle()
    assert set(desk.intents) == {"second"}


async def test_a_log_that_is_away_weighs_more_than_an_account_that_waits():
    """It costs no try, so the alert is not buried while the log is away."""
    desk = Desk()
    desk.accounts["first"] = make_account(id="first", base_url="http://127.0.0.1:2")
    desk.bus.failing = 1
    with pytest.raises(LogUnavailable):
        await desk.handle()


async def test_a_log_that_is_away_is_told_to_the_caller():
    desk = Desk()
    desk.bus.failing = 1
    with pytest.raises(LogUnavailable):
        await desk.handle()
    await desk.handle(fresh=False)
    assert len(desk.intents) == 2


async def test_what_is_no_alert_is_refused():
    with pytest.raises(Refuse, match="Intent"):
        await Desk().handle(make_intent())


async def test_an_exit_has_no_size():
    desk = Desk()
    await desk.handle(make_alert(order=make_order(action=Action.FLAT, quantity=None)))
    assert {intent.contracts for intent in desk.intents.values()} == {None}


def test_alerts_of_one_route_share_a_lane():
    assert lane_of(make_alert(route="a")) == lane_of(make_alert(route="a")) == "a"
    assert lane_of(make_alert(route="b")) == "b"


def numbered(number, *, at_s=0.0, route="demo", **order):
    return make_alert(
        alert_id=alert_id(unix_ms=number, random_bits=number),
        at=NOW + timedelta(seconds=at_s),
        route=route,
        order=make_order(**order),
    )


class PacedDesk(Desk):
    """A route that may open twice a minute on each account."""

    def __init__(self):
        super().__init__(guards=Guards(orders_per_minute=2), max_age_s=3600)
        self.number = 0

    async def post(self, *, at_s, **order):
        self.number += 1
        await self.handle(numbered(self.number, at_s=at_s, **order))
        return self.refused_last("first")

    def refused_last(self, account):
        """Whether the last intent of an account may open nothing."""
        return self.intents[account].opening_denied is not None

    def restart(self):
        self.router = Router(
            bus=self.bus,
            routes=self.routes,
            accounts=self.accounts,
            catalogues=lambda: self.catalogues,
            halts=self.halts,
            shards=1,
            clock=self.clock,
            is_owner=lambda: True,
        )


async def test_openings_are_counted_over_a_minute_that_slides():
    desk = PacedDesk()
    found = [await desk.post(at_s=at_s) for at_s in (0, 10, 59, 60, 69.9, 70)]
    assert found == [False, False, True, False, True, False]
    denial = (await desk.bus.entry(5)).message.opening_denied
    assert denial.reason is Reason.ORDERS_PER_MINUTE
    assert denial.context == {"openings": "2", "orders_per_minute": "2"}


async def test_each_account_and_route_has_its_own_count():
    desk = PacedDesk()
    desk.routes["other"] = make_route(id="other", accounts=TWO, guards=Guards(orders_per_minute=1))
    assert not await desk.post(at_s=0)
    assert not await desk.post(at_s=1, route="other")
    assert await desk.post(at_s=2, route="other")
    assert not await desk.post(at_s=3)
    assert {intent.opening_denied for intent in desk.intents.values()} == {None}


async def test_exits_and_what_was_withheld_do_not_count():
    desk = PacedDesk()
    for at_s in range(5):
        assert not await desk.post(at_s=at_s, action=Action.FLAT, quantity=None)
    assert [await desk.post(at_s=at_s) for at_s in (5, 6, 7, 8)] == [False, False, True, True]
    assert not await desk.post(at_s=65.5), "those of 7 and 8 opened nothing"


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_redelivery_is_counted_once(restarted):
    desk = PacedDesk()
    first = numbered(100)
    await desk.handle(first)
    for _ in range(3):
        desk.bus.forget_event_ids()
        await desk.handle(first, fresh=False)
        if restarted:
            desk.restart()
    assert not await desk.post(at_s=1)
    assert await desk.post(at_s=2)


async def test_an_opening_counts_although_its_confirmation_was_lost():
    """The log has it, the router was not told; the redelivery finds it there."""
    desk = PacedDesk()
    assert not await desk.post(at_s=0)
    lost = numbered(100, at_s=1)
    other = PacedDesk()
    other.bus = desk.bus
    other.restart()
    await other.handle(lost)
    await desk.handle(lost, fresh=False)
    assert await desk.post(at_s=2)


async def test_a_restart_forgets_no_opening():
    desk = PacedDesk()
    assert [await desk.post(at_s=at_s) for at_s in (0, 30)] == [False, False]
    desk.restart()
    assert await desk.post(at_s=59)
    assert not await desk.post(at_s=61)


async def test_an_alert_that_comes_again_is_not_counted_against_itself():
    desk = PacedDesk()
    desk.routes["demo"] = make_route(accounts=TWO, guards=Guards(orders_per_minute=1))
    alert = numbered(1)
    await desk.handle(alert)
    desk.bus.cut_after(0)
    desk.bus.forget_event_ids()
    await desk.handle(alert, fresh=False)
    assert not desk.refused_last("first")


async def test_what_another_router_opened_meanwhile_counts_in_the_next_tenure():
    """The lease was lost and came back within the minute."""
    desk = PacedDesk()
    assert not await desk.post(at_s=0)
    mine = desk.router
    desk.restart()
    assert not await desk.post(at_s=1)
    desk.router = mine
    mine.begin()
    assert await desk.post(at_s=2)
