"""Subjects are built and parsed in one place, whatever the names hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts import subjects
from libs.common.contracts.words import ExecutionKind


def test_the_documented_subjects():
    assert subjects.alert_received("demo") == "alert.received.demo"
    assert (
        subjects.intent_accepted(shard=0, account="paper", symbol="BTC_USDT")
        == "intent.accepted.0.paper.BTC_USDT"
    )
    assert subjects.order_planned(account="a", symbol="B_C") == "order.planned.a.B_C"
    assert (
        subjects.execution(kind=ExecutionKind.FILLED, account="a", symbol="B_C")
        == "execution.filled.a.B_C"
    )
    assert subjects.dead("router") == "dead.router"


@pytest.mark.parametrize(
    ("subject", "stage", "keys"),
    [
        ("alert.received.demo", "alert.received", ("demo",)),
        ("execution.filled.a.B_C", "execution.filled", ("a", "B_C")),
        ("dead.router", "dead", ("router",)),
    ],
)
def test_parsing(subject, stage, keys):
    assert subjects.parse(subject) == subjects.Subject(stage=stage, keys=keys)


@given(st.text(min_size=1, max_size=20))
def test_any_symbol_makes_one_token_and_comes_back(symbol):
    if any(0xD800 <= ord(char) <= 0xDFFF for char in symbol):
        return
    made = subjects.order_planned(account="a", symbol=symbol)
    assert made.count(".") == 3
    assert not set(made) & set(" *>\t\r\n")
    assert subjects.parse(made).keys == ("a", symbol)


def test_shards_are_stable():
    """A change here would hand an account to another executor on upgrade."""
    assert [subjects.shard_of(name, shards=4) for name in ("paper", "main", "a")] == [1, 1, 2]
    assert subjects.shard_of("paper", shards=1) == 0


@pytest.mark.parametrize(
    ("scope", "name"),
    [("all", None), ("route", "btc-trend"), ("account", "a.b ü=1"), ("route", "")],
)
def test_a_controls_key_tells_what_it_was_made_of(scope, name):
    assert subjects.parse_control_key(subjects.control_key(scope=scope, name=name)) == (scope, name)


def test_a_buckets_subject_tells_bucket_and_key():
    subject = subjects.bucket_subject(bucket="controls", key="route.btc")
    assert subject == "$KV.controls.route.btc"
    assert subjects.parse_bucket_subject(subject) == ("controls", "route.btc")
