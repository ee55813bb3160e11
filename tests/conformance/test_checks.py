"""What every implementation promises to a checkup. Recorded are samples that MEXC has published."""

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import PositionMode, PositionSide
from services.executor.exchange import Rejected
from tests.conformance.steps import BTC, submitted
from tests.factories import D

NEEDED = {"CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ", "CONTRACT_DEAL_WRITE"}


async def test_a_ping_tells_the_exchanges_clock_and_what_it_took(stand):
    told = await stand.exchange.checks.ping()
    assert abs(told.value.offset_ms) < 5_000
    assert told.value.elapsed_ms >= 0
    assert len(told.calls) == 1


async def test_a_key_tells_what_it_may_do(stand):
    told = (await stand.exchange.checks.key_info()).value
    assert set(told.permissions) >= NEEDED
    assert told.status == "VALID"


async def test_the_mode_is_told_with_its_call(stand):
    told = await stand.exchange.checks.position_mode()
    assert told.value is PositionMode.HEDGE
    assert len(told.calls) == 1


async def test_what_is_bound_in_a_position_is_not_available(stand):
    before = (await stand.exchange.checks.funds()).value["USDT"]
    assert before.available == before.equity == 10_000
    await submitted(stand)
    after = (await stand.exchange.checks.funds()).value["USDT"]
    assert after.available < after.equity < before.equity


async def test_a_contract_is_told_as_it_is_listed_now(stand):
    listing = (await stand.exchange.checks.listing(BTC)).value
    assert (listing.is_open, listing.api_allowed, listing.state) == (True, True, "enabled")
    assert listing.instrument.contract_size == D("0.0001")


async def test_what_is_not_listed_is_no_failure(stand):
    assert (await stand.exchange.checks.listing("NONE_USDT")).value is None


async def test_positions_are_told_for_margin_mode_and_leverage(stand):
    await submitted(stand)
    ((symbol, held),) = (await stand.exchange.positions()).value
    assert (symbol, held.side, held.leverage) == (BTC, PositionSide.LONG, 10)


async def test_an_order_of_nothing_is_refused_for_its_size(stand):
    """Which is how a key is told that it may place orders."""
    probe = await stand.exchange.checks.probe_order(
        "alertwire-probe", symbol=BTC, price=D("0.1"), position_mode=PositionMode.HEDGE
    )
    assert isinstance(probe, Rejected)
    assert (probe.code, probe.kind) == (2011, Cause.QUANTITY)
    assert (await stand.exchange.pending(BTC)).value == ()
