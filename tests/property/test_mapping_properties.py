"""Charts of multiplied coins: whatever the spelling, the money is the same."""

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.intent import Intent
from libs.common.contracts.route import RouteAccount, Sizing, Symbols
from libs.common.contracts.words import Action, MarketPosition
from libs.common.domain.rescaling import rescaled_price
from libs.common.domain.symbols import Mapped, map_ticker
from services.router.deciding import decide_intent
from services.router.translating import inverted
from tests.factories import NOW, make_alert, make_instrument, make_order, make_settings

MULTIPLES = [10**zeros for zeros in range(3, 8)]
coins = st.sampled_from(["PEPE", "BONK", "MOG", "BABYDOGE", "CAT", "X2Y2", "SPX"])
quotes = st.sampled_from(["USDT", "USDC", "USD"])
venues = st.sampled_from(["", "BINANCE:", "BYBIT:", "MEXC:"])
endings = st.sampled_from(["", ".P", "PERP", ".PERP", "-PERP"])
numbers = st.decimals(min_value="0.000000001", max_value="1000000000", places=9)


@st.composite
def spellings(draw, coin):
    """A name of so many of a coin."""
    multiple = draw(st.sampled_from([1, *MULTIPLES]))
    if multiple == 1:
        return multiple, coin
    names = [f"{multiple}{coin}", *([f"1M{coin}"] if multiple == 10**6 else [])]
    if not coin[-1].isdigit():
        names.append(f"{coin}{multiple}")
    return multiple, draw(st.sampled_from(names))


@given(data=st.data(), coin=coins, quote=quotes, venue=venues, ending=endings)
def test_the_units_are_the_quotient_of_the_multiples(data, coin, quote, venue, ending):
    of_chart, chart = data.draw(spellings(coin))
    of_venue, name = data.draw(spellings(coin))
    symbol = f"{name}_{quote}"
    listed = (symbol, f"BTC_{quote}", f"{name}_OTHER")
    catalogue = {each: make_instrument(symbol=each, base=each.split("_")[0]) for each in listed}
    found = map_ticker(f"{venue}{chart}{quote}{ending}", catalogue=catalogue, symbols=Symbols())
    assert isinstance(found, Mapped)
    assert found.instrument.symbol == symbol
    assert found.per_unit * of_venue == of_chart


@given(quantity=numbers, price=numbers, of_chart=st.sampled_from(MULTIPLES))
def test_rescaling_keeps_the_notional(quantity, price, of_chart):
    for per_unit in (Decimal(of_chart), 1 / Decimal(of_chart)):
        rescaled = rescaled_price(price, per_unit=per_unit)
        assert rescaled is not None
        with localcontext() as context:
            context.prec = 60
            assert (quantity * per_unit) * rescaled == quantity * price


@given(price=numbers, per_unit=numbers)
def test_any_rescaled_price_travels(price, per_unit):
    """A message carries it, or it is none: never an error."""
    rescaled = rescaled_price(price, per_unit=per_unit)
    if rescaled is not None:
        make_order(price=rescaled)
        with localcontext() as context:
            context.prec = 60
            assert abs(rescaled * per_unit - price) <= max(price, per_unit) * Decimal("1e-19")


@given(
    action=st.sampled_from(list(Action)),
    wanted=st.none() | st.sampled_from(list(MarketPosition)),
    previous=st.none() | st.sampled_from(list(MarketPosition)),
    quantity=st.none() | numbers,
)
def test_inverse_twice_is_the_identity(action, wanted, previous, quantity):
    order = make_order(action=action, wanted=wanted, previous=previous, quantity=quantity)
    assert inverted(inverted(order)) == order
    if action in {Action.BUY, Action.SELL} or wanted in {MarketPosition.LONG, MarketPosition.SHORT}:
        assert inverted(order) != order


@given(quantity=numbers, multiplier=numbers, account=numbers, inverse=st.booleans())
def test_a_decision_is_an_intent_or_a_denial_never_an_error(quantity, multiplier, account, inverse):
    """However absurd the numbers are; and what is to be bought is never more than was asked."""
    found = decide_intent(
        make_alert(order=make_order(quantity=quantity)),
        route=make_settings(inverse=inverse, sizing=Sizing(multiplier=multiplier)),
        account=RouteAccount(account="paper", multiplier=account),
        catalogue={"BTC_USDT": make_instrument()},
        now=NOW,
    )
    if isinstance(found, Intent):
        assert found.contracts is not None
        with localcontext() as context:
            context.prec = 80
            asked = quantity * multiplier * account * 10_000
            assert found.contracts <= asked
        assert found.action is (Action.SELL if inverse else Action.BUY)
