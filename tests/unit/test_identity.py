"""Keys: deterministic, distinct, and short enough for the exchange."""

import itertools
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.words import Action, Effect, PositionSide
from libs.common.domain import identity
from tests.factories import ALERT_ID


def order_id(**changes):
    values = {
        "alert": ALERT_ID,
        "account": "paper",
        "effect": Effect.OPEN,
        "side": PositionSide.LONG,
        "chunk": 0,
        "attempt": 0,
    }
    return identity.client_order_id(**{**values, **changes})


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_alert_ids_are_version_7_uuids_that_hold_their_time(unix_ms, random_bits):
    made = UUID(identity.alert_id(unix_ms=unix_ms, random_bits=random_bits))
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == unix_ms


def test_all_random_bits_count():
    made = {identity.alert_id(unix_ms=1, random_bits=1 << bit) for bit in range(74)}
    assert len(made) == 74


def test_alert_ids_sort_by_time():
    ids = [identity.alert_id(unix_ms=ms, random_bits=2**74 - 1 - ms) for ms in range(50)]
    assert ids == sorted(ids)


def test_a_client_order_id_is_what_mexc_takes():
    assert re.fullmatch(r"[A-Za-z0-9]{30}", order_id())
    assert order_id() == order_id()


def test_client_order_ids_differ_in_every_part():
    sides = itertools.product(Effect, PositionSide)
    made = [order_id(effect=effect, side=side) for effect, side in sides]
    made += [order_id(chunk=chunk) for chunk in range(1, identity.CHUNKS_MAX)]
    made += [order_id(attempt=attempt) for attempt in range(1, identity.ATTEMPTS_MAX)]
    made += [order_id(account="other")]
    made += [order_id(alert=identity.alert_id(unix_ms=2, random_bits=2))]
    assert len(set(made)) == len(made)


@given(st.uuids(), st.uuids())
def test_client_order_ids_of_two_alerts_differ(one, other):
    same = order_id(alert=str(one)) == order_id(alert=str(other))
    assert same == (one == other)


@pytest.mark.parametrize(
    "changes", [{"chunk": identity.CHUNKS_MAX}, {"attempt": 36}, {"chunk": -1}]
)
def test_out_of_range_is_an_error_not_a_wrong_id(changes):
    with pytest.raises(ValueError, match="no id"):
        order_id(**changes)


def test_body_keys():
    def key(**changes):
        values = {"route": "demo", "explicit_id": None, "body": b"{}"}
        return identity.body_key(**{**values, **changes})

    assert key() == key()
    assert key() != key(body=b"{ }")
    assert key() != key(route="other")
    assert key(explicit_id="a") == key(explicit_id="a", body=b"other")
    assert key(explicit_id="a") != key(explicit_id="b")
    assert key(explicit_id="{}") != key()


def test_what_a_halt_closes_has_an_id_for_each_plan_that_it_makes():
    halt = identity.alert_id(unix_ms=1_763_900_000_000, random_bits=7)

    def made(**changes):
        named = {
            "halt": halt,
            "account": "paper",
            "symbol": "BTC_USDT",
            "action": Action.CLOSE_ALL,
        }
        return identity.flatten_alert_id(**{**named, **changes})

    assert made() == made()
    others = {
        made(halt=identity.alert_id(unix_ms=3, random_bits=3)),
        made(account="second"),
        made(symbol="ETH_USDT"),
        made(action=Action.CANCEL),
    }
    assert len({made(), *others}) == 5
    assert made()[:13] == halt[:13], "it sorts as the halt does"
    assert (made()[14], made()[19] in "89ab") == ("7", True)
