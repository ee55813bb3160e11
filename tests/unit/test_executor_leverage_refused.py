"""Whatever the exchange says to a leverage that is set beforehand: it is told once, tried again
slowly, and costs no order.
"""

import asyncio

import pytest

from libs.common.bus import LogUnavailable
from libs.common.contracts.causes import Cause
from libs.common.contracts.route import Symbols
from tests.factories import make_instrument, make_intent
from tests.fakes import Mishap, Refusal
from tests.unit.executor_desk import Desk
from tests.unit.leverage_desk import BTC, ETH, SETTLED, TIMING, Levered
from tests.unit.test_executor_live import LiveDesk

OPEN_ORDERS = Refusal(code=2019, message="there are open orders", kind=Cause.LEVERAGE)


@pytest.fixture
def levered():
    return Levered(Desk())


@pytest.fixture
def live():
    return Levered(LiveDesk(), symbols=Symbols())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2019, Cause.LEVERAGE),
        (2021, Cause.LEVERAGE),
        (2006, Cause.LEVERAGE),
        (2026, Cause.LEVERAGE),
        (7004, Cause.LEVERAGE),
        (2027, Cause.MARGIN_MODE),
        (704, Cause.PERMISSION),
        (9999, Cause.OTHER),
    ],
)
async def test_it_is_told_once_in_the_exchanges_words_and_tried_slowly(code, kind, levered):
    refusal = Refusal(code=code, message="no", kind=kind)
    levered.exchange.befall(*[refusal] * 1_000)
    [line] = await levered.look()
    assert line["event"] == "leverage.refused"
    assert (line["why"], line["code"]) == ("no", code)
    for _ in range(24 * 60):
        levered.wait(60)
        assert await levered.look() == []
    assert len(levered.set) < 40, "in a day, with pauses that grow to an hour"


async def test_once_it_is_taken_the_pauses_begin_anew(levered):
    levered.exchange.befall(OPEN_ORDERS)
    await levered.look()
    levered.wait(TIMING.leverage_retry_s)
    [line] = await levered.look()
    assert line["event"] == "leverage.set"


async def test_one_contract_keeps_no_other_waiting(levered):
    levered.route(symbols=Symbols(allow=(BTC, ETH)))
    levered.exchange.befall(OPEN_ORDERS)
    await levered.look(times=2)
    assert [symbol for symbol, _ in levered.exchange.leverages_set] == [BTC, ETH, ETH]


@pytest.mark.parametrize("mishap", [Mishap.RATE_LIMIT, Mishap.DROP, Mishap.NOT_SENT])
async def test_what_did_not_arrive_is_sent_later(mishap, levered):
    levered.exchange.befall(mishap)
    [line] = await levered.look()
    assert line["event"] == "leverage.delayed"
    levered.wait(TIMING.leverage_retry_s)
    await levered.look()
    assert levered.set[-2:] == SETTLED


async def test_a_lost_reply_is_read_first(levered):
    levered.exchange.befall(Mishap.LOSE_REPLY)
    await levered.look()
    levered.wait(TIMING.leverage_retry_s)
    [line] = await levered.look()
    assert levered.set == SETTLED
    assert line["before"] == "long isolated 20x, short isolated 20x", "of before the lost one"


async def test_what_cannot_be_read_back_is_told_once_it_can(levered):
    set_leverage = levered.exchange.set_leverage

    async def then_silent(wanted, **how):
        done = await set_leverage(wanted, **how)
        if wanted.side == "short":
            levered.exchange.fail_queries()
        return done

    levered.exchange.set_leverage = then_silent
    [delayed] = await levered.look()
    assert delayed["event"] == "leverage.delayed"
    levered.wait(TIMING.leverage_retry_s)
    [line] = await levered.look()
    assert line["event"] == "leverage.set"
    assert levered.set == SETTLED


async def test_a_contract_whose_answers_are_odd_keeps_no_other_waiting(levered):
    """Whether it is the contract or the account cannot be told by one answer."""
    levered.route(symbols=Symbols(allow=(BTC, ETH)))
    ask = levered.exchange.leverages

    async def odd(symbol):
        if symbol == BTC:
            levered.exchange.fail_queries()
        return await ask(symbol)

    levered.exchange.leverages = odd
    await levered.look()
    levered.wait(TIMING.leverage_retry_s)
    await levered.look(times=2)
    assert [symbol for symbol, _ in levered.exchange.leverages_set] == [ETH, ETH]


@pytest.mark.parametrize("question", ["leverages", "holdings", "pending"])
async def test_an_exchange_that_does_not_answer_is_asked_later(question, levered):
    ask = getattr(levered.exchange, question)

    async def failing(symbol):
        setattr(levered.exchange, question, ask)
        levered.exchange.fail_queries()
        return await ask(symbol)

    setattr(levered.exchange, question, failing)
    [line] = await levered.look()
    assert line["event"] == "leverage.delayed"
    assert levered.set == []
    levered.wait(TIMING.leverage_retry_s)
    await levered.look()
    assert levered.set == SETTLED


async def test_a_log_that_is_away_is_asked_later(live):
    await live.desk.handle(make_intent())
    last, live.bus.last = live.bus.last, away
    live.start()
    [line] = await live.look()
    assert line["event"] == "leverage.delayed"
    live.bus.last = last
    live.wait(TIMING.leverage_retry_s)
    await live.look()
    assert live.setter._restored == {"paper"}


async def test_an_account_whose_key_cannot_be_read_is_left(levered):
    levered.accounts.readable = False
    assert await levered.look(times=3) == []
    assert levered.exchange.asked == []
    levered.accounts.readable = True
    levered.wait(TIMING.leverage_retry_s * 4)
    await levered.look()
    assert levered.set == SETTLED


async def test_more_than_the_contract_allows_is_not_sent(levered):
    levered.list(make_instrument(leverage_maximum=5))
    [line] = await levered.look(times=3)
    assert line["event"] == "leverage.refused"
    assert "5" in line["why"]
    assert levered.set == []


async def away(_subject):
    raise LogUnavailable("away")


class TestTheTrail:
    """What is set at the exchange apart from any alert stands there with its bytes."""

    async def told(self, levered):
        await asyncio.sleep(0)  # nobody waits for it
        return levered.bus.messages("account.called")

    async def test_what_was_set_is_told_with_its_calls(self, levered):
        await levered.look()
        (called,) = await self.told(levered)
        assert (called.account, called.symbol, called.alert_id) == ("paper", BTC, None)
        assert called.what == (
            "set leverage long cross 10x: done; set leverage short cross 10x: done"
        )
        assert [call.path for call in called.calls] == [
            "/leverages",
            *["/leverage"] * 2,
            "/leverages",
        ]
        await levered.look(times=5)
        assert len(await self.told(levered)) == 1, "looking changes nothing"

    async def test_a_refusal_is_told_each_time(self, levered):
        levered.exchange.befall(OPEN_ORDERS, OPEN_ORDERS)
        await levered.look()
        levered.wait(TIMING.leverage_retry_s)
        await levered.look()
        found = [called.what for called in await self.told(levered)]
        assert found == ["set leverage long cross 10x: refused: 2019 there are open orders"] * 2

    async def test_what_is_not_known_is_told_as_such(self, levered):
        levered.exchange.befall(Mishap.LOSE_REPLY)
        await levered.look()
        (called,) = await self.told(levered)
        assert called.what.startswith("set leverage long cross 10x: not known: ")

    async def test_a_log_that_is_away_costs_nothing_but_the_telling(self, levered):
        levered.bus.failing = 1
        [line] = await levered.look()
        assert line["event"] == "leverage.set"
        assert levered.set == SETTLED
        assert await self.told(levered) == []
