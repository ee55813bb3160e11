from hypothesis import given
from hypothesis import strategies as st

from bench.matching import OrderCall, alert_of, match, waits_ms
from libs.common.contracts.words import AccountId, AlertId, Effect, PositionSide
from libs.common.domain.identity import alert_id, client_order_id

FIRST = alert_id(unix_ms=1_700_000_000_000, random_bits=1)
SECOND = alert_id(unix_ms=1_700_000_000_000, random_bits=2)


def oid(alert: AlertId) -> str:
    return client_order_id(
        alert=alert,
        account=AccountId("paper"),
        effect=Effect.OPEN,
        side=PositionSide.LONG,
        chunk=0,
        attempt=0,
    )


def call(alert, *, at=1, code: int | None = 0):
    return OrderCall(external_oid=oid(alert), received_ns=at, code=code)


@given(unix_ms=st.integers(0, 2**48 - 1), random_bits=st.integers(0, 2**74 - 1))
def test_a_client_order_id_tells_its_alert(unix_ms, random_bits):
    alert = alert_id(unix_ms=unix_ms, random_bits=random_bits)
    assert alert_of(oid(alert)) == alert


def test_foreign_ids_have_no_alert():
    assert alert_of("") is None
    assert alert_of("too-short") is None
    assert alert_of("-" * 30) is None
    assert alert_of("z" * 30) is None  # above 2**128


def test_one_order_for_each_alert_agrees():
    matched = match([FIRST, SECOND], [call(FIRST), call(SECOND)])
    assert matched.agrees
    assert matched.orders == 2


def test_missing_doubled_and_unexpected_orders_are_named():
    matched = match([FIRST], [])
    assert (matched.agrees, matched.missing) == (False, [FIRST])
    matched = match([FIRST], [call(FIRST), call(FIRST, at=2)])
    assert (matched.agrees, matched.doubled) == (False, [FIRST])
    matched = match([FIRST], [call(FIRST), call(SECOND)])
    assert (matched.agrees, matched.unexpected) == (False, [oid(SECOND)])


def test_a_refused_call_is_no_order():
    """Over the rate limit, or never executed: the order may come with a later call."""
    refused = [call(FIRST, at=1, code=510), call(FIRST, at=2, code=None)]
    assert match([FIRST], refused).missing == [FIRST]
    matched = match([FIRST], [*refused, call(FIRST, at=3)])
    assert matched.agrees
    assert (matched.orders, matched.refused_calls) == (1, 2)


def test_the_wait_ends_with_the_first_call():
    matched = match([FIRST], [call(FIRST, at=9_000_000), call(FIRST, at=3_000_000, code=510)])
    assert waits_ms({FIRST: 1_000_000, SECOND: 0}, matched) == [2.0]
