"""Whatever is asked for and whatever the exchange tells, planning answers: with orders that the
exchange can take, or with a denial. The picture holds what `needs` names and nothing more.
"""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.codec import decode, encode
from libs.common.contracts.intent import Denial, Intent, Limits, Offset, Protection, Size
from libs.common.contracts.order import Pending, Plan, Protective, Trail
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    RESTING_TYPES,
    Action,
    DistanceUnit,
    Effect,
    MarginMode,
    MarketPosition,
    OrderType,
    PendingKind,
    PositionMode,
    PositionSide,
    SizingMode,
    TradeMode,
    TriggerSource,
)
from libs.common.domain.picture import Need, Picture, Prices, needs
from libs.common.domain.planning import plan_orders
from tests.factories import NOW, make_holding, make_instrument, make_intent

# Anything that passes the guard of messages may arrive: digits and exponents far beyond reason.
digits = st.integers(min_value=1, max_value=10**12)
exponents = st.integers(min_value=-18, max_value=8)
amounts = st.builds(lambda number, power: Decimal(number).scaleb(power), digits, exponents)
prices = (
    st.sampled_from([Decimal(50_000), Decimal("49999.95"), Decimal("0.0000001"), Decimal(10) ** 20])
    | amounts
)
percents = st.sampled_from([Decimal(1), Decimal("33.3"), Decimal(100)])
labels = st.none() | st.sampled_from(["a", "b"])
sides = st.sampled_from(PositionSide)
instruments = st.builds(
    lambda size, step, largest, tick: make_instrument(
        contract_size=size,
        step_contracts=step,
        minimum_contracts=step,
        maximum_contracts=step * largest,
        tick_price=tick,
    ),
    st.sampled_from([Decimal("0.0001"), Decimal(10_000_000)]),
    st.sampled_from([Decimal(1), Decimal("0.1"), Decimal(5)]),
    st.integers(min_value=1, max_value=400_000),
    st.sampled_from([Decimal("0.1"), Decimal("1E-10"), Decimal("0.25")]),
)
offsets = (
    st.none()
    | st.builds(lambda price: Offset(price=price), prices)
    | st.builds(
        lambda distance, unit: Offset(distance=distance, unit=unit),
        prices,
        st.sampled_from(DistanceUnit),
    )
)
sizes = st.none() | st.builds(
    lambda mode, value, times: Size(mode=mode, value=value, multiplier=times),
    st.sampled_from(
        [
            SizingMode.QUOTE,
            SizingMode.PERCENT_EQUITY,
            SizingMode.PERCENT_POSITION,
            SizingMode.RISK_PERCENT,
        ]
    ),
    percents | amounts,
    st.sampled_from([Decimal(1), Decimal("0.5")]),
)
limits = st.builds(
    lambda order, position, pyramiding: Limits(
        max_order_notional=order, max_position_notional=position, pyramiding=pyramiding
    ),
    st.none() | prices,
    st.none() | prices,
    st.booleans(),
)
STALE = Denial(reason=Reason.STALE, message="too old")


@st.composite
def intents(draw) -> Intent:
    instrument = draw(instruments)
    action = draw(st.sampled_from(Action))
    wanted = draw(st.sampled_from(MarketPosition)) if action is Action.TARGET else None
    size = draw(sizes)
    whole = st.integers(min_value=1, max_value=10**9)
    steps = draw(st.none() | whole) if size is None else None
    order_type = draw(st.sampled_from(OrderType))
    return make_intent(
        action=action,
        wanted=wanted,
        contracts=None if steps is None else instrument.step_contracts * steps,
        size=size,
        close_percent=draw(st.none() | percents),
        order_type=order_type,
        price=draw(st.none() | prices),
        trigger=draw(st.sampled_from(TriggerSource)),
        protection=Protection(
            stop=draw(offsets), target=draw(offsets), trailing_ticks=draw(st.none() | prices)
        ),
        limits=draw(limits),
        opening_denied=draw(st.none() | st.just(STALE)),
        order_id=draw(labels),
        comment=draw(labels),
        trade_mode=draw(st.sampled_from(TradeMode)),
        margin_mode=draw(st.sampled_from(MarginMode)),
        leverage=draw(st.sampled_from([1, 10])),
        close_side=draw(st.none() | sides),
        instrument=instrument,
    )


@st.composite
def pictures(draw, intent: Intent) -> Picture:
    wanted, step = needs(intent), intent.instrument.step_contracts
    mode = draw(st.sampled_from(PositionMode))
    most = 2 if mode is PositionMode.HEDGE else 1
    held = draw(st.lists(sides, unique=True, max_size=most))
    counts = st.integers(min_value=1, max_value=10**6)
    holdings = tuple(
        make_holding(
            side.value,
            step * (count := draw(counts)),
            free_contracts=step * draw(st.integers(min_value=0, max_value=count)),
            average_price=draw(prices),
            margin_mode=draw(st.sampled_from(MarginMode)),
            leverage=draw(st.sampled_from([1, 10])),
        )
        for side in held
    )
    some = st.integers(min_value=0, max_value=3)

    def listed(need: Need, make):
        return tuple(make(n) for n in range(draw(some))) if need in wanted else ()

    return Picture(
        holdings=holdings,
        position_mode=mode,
        prices=Prices(last=draw(prices), mark=draw(prices), index=draw(prices))
        if Need.PRICES in wanted
        else None,
        equity=draw(amounts | st.sampled_from([Decimal(0), Decimal(-5)]))
        if Need.EQUITY in wanted
        else None,
        pending=listed(
            Need.PENDING,
            lambda n: Pending(
                kind=draw(st.sampled_from(PendingKind)),
                exchange_order_id=str(n),
                effect=draw(st.sampled_from(Effect)),
                position_side=draw(sides),
                contracts=step,
                price=draw(prices),
                stop_price=draw(st.none() | prices),
                target_price=draw(st.none() | prices),
                order_id=draw(labels),
                comment=draw(labels),
            ),
        ),
        protectives=listed(
            Need.PROTECTIVES,
            lambda n: Protective(
                exchange_id=str(n),
                position_id="p",
                position_side=draw(sides),
                contracts=step,
                stop_price=draw(st.none() | prices),
                target_price=draw(st.none() | prices),
                whole=draw(st.booleans()),
            ),
        ),
        trails=listed(
            Need.TRAILS,
            lambda n: Trail(
                exchange_id=str(n),
                position_side=draw(sides),
                contracts=step,
                distance=draw(prices),
                created_ms=n,
            ),
        ),
    )


@st.composite
def questions(draw) -> tuple[Intent, Picture]:
    intent = draw(intents())
    return intent, draw(pictures(intent))


def on_tick(price: Decimal | None, tick: Decimal) -> bool:
    # `%` would round where a price has more digits than the context.
    return price is None or (price > 0 and (price / tick) == (price / tick).to_integral_value())


@settings(max_examples=1_500)
@given(questions())
def test_every_question_has_an_answer_that_the_exchange_can_take(question):
    intent, picture = question
    answered = plan_orders(intent, picture)
    if isinstance(answered, Denial):
        assert answered.message
        return
    of, free = intent.instrument, {held.side: held.free_contracts for held in picture.holdings}
    for leg in answered.legs:
        assert 0 < leg.contracts <= of.maximum_contracts
        assert leg.contracts % of.step_contracts == 0
        assert (leg.price is None) == (leg.order_type is OrderType.MARKET)
        for price in (leg.price, leg.stop_price, leg.target_price):
            assert on_tick(price, of.tick_price), price
        if leg.effect is Effect.CLOSE:
            assert leg.stop_price is leg.target_price is None
            free[leg.position_side] -= leg.contracts
    assert all(left >= 0 for left in free.values())
    effects = {leg.effect for leg in answered.legs}
    if intent.order_type in RESTING_TYPES:
        assert len(effects) <= 1, "an order that may wait flips nothing"
    if Effect.OPEN in effects:
        assert intent.opening_denied is None
        assert intent.action in {Action.BUY, Action.SELL, Action.REVERSE, Action.TARGET}
    ids = [leg.client_order_id for leg in answered.legs]
    ids += [change.change_id for change in answered.changes]
    assert len(set(ids)) == len(ids)
    for change in answered.changes:
        assert change.contracts is None or change.contracts > 0
    # It is stored before anything is sent: what cannot be stored and read again is of no use.
    plan = Plan(
        intent_id=intent.intent_id,
        alert_id=intent.alert_id,
        route=intent.route,
        account=intent.account,
        symbol=intent.symbol,
        at=NOW,
        holdings=picture.holdings,
        legs=answered.legs,
        changes=answered.changes,
        withheld=answered.withheld,
        steps=answered.steps,
        summary=answered.summary,
    )
    assert decode(encode(plan)) == plan
