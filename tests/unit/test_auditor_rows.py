"""The projection of messages to rows: every message type, and bytes that are none of ours."""

from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts import codec, subjects
from libs.common.contracts.alert import AlertDuplicate, AlertRefused
from libs.common.contracts.checkup import AccountCalled, AccountChecked, CheckupReason
from libs.common.contracts.dead_letter import DeadReplayed
from libs.common.contracts.drift import PositionDrifted
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import AccountId, ExecutionKind, RouteId
from services.auditor.rows import TEXT_CHARS_MAX, bare, to_row, without_doc
from tests.factories import ALERT_ID as ALERT
from tests.factories import NOW as AT
from tests.factories import make_alert, make_intent, make_leg
from tests.trail_messages import (
    SYMBOL,
    common,
    lane,
    make_dead,
    make_denied,
    make_execution,
    make_flattening,
    make_plan,
)

ROUTE = RouteId("demo")
ACCOUNT = AccountId("paper")
STORED_AT = AT + timedelta(milliseconds=3)
HEADERS = {
    "Nats-Msg-Id": "event-1",
    "Alertwire-Service": "ingest",
    "traceparent": "00-0197b2c0000070008000000000000001-00000000000000aa-01",
    "Alertwire-By": "console:7f",
}
OF_LEG = {"intent_id": f"{ALERT}.paper", "account": "paper", "symbol": "BTC_USDT"}


def row_of(data, subject="alert.received.demo", headers=None):
    return to_row(
        stream="PIPELINE",
        seq=7,
        subject=subject,
        stored_at=STORED_AT,
        headers=headers,
        data=data,
    )


MESSAGES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "alert.received": (subjects.alert_received(ROUTE), make_alert(), {}),
    "alert.duplicate": (subjects.alert_duplicate(ROUTE), AlertDuplicate(**common()), {}),
    "alert.refused": (
        subjects.alert_refused(ROUTE),
        AlertRefused(**common(), status=422, reason=Reason.STALE, message="no"),
        {},
    ),
    "intent.accepted": (
        subjects.intent_accepted(shard=0, account=ACCOUNT, symbol=SYMBOL),
        make_intent(),
        OF_LEG,
    ),
    "intent.denied": (
        subjects.intent_denied(ROUTE),
        make_denied(account="paper"),
        {"account": "paper"},
    ),
    "intent.flattened": (
        subjects.intent_flattened(ACCOUNT),
        make_flattening(),
        {"account": "paper", "route": "halt"},
    ),
    "order.planned": (
        subjects.order_planned(account=ACCOUNT, symbol=SYMBOL),
        make_plan(make_leg()),
        OF_LEG,
    ),
    **{
        f"execution.{kind}": (
            subjects.execution(kind=kind, account=ACCOUNT, symbol=SYMBOL),
            make_execution(kind, order="o1"),
            OF_LEG | {"client_order_id": "o1"},
        )
        for kind in ExecutionKind
    },
    "position.drifted": (
        subjects.position_drifted(account=ACCOUNT, symbol=SYMBOL),
        PositionDrifted(**lane("paper", ALERT), expected=(), held=()),
        OF_LEG,
    ),
    "dead.replayed": (
        subjects.dead_replayed("router"),
        DeadReplayed(service="router", at=AT, letter_seq=4, origin_seq=1, seq=5, alert_id=ALERT),
        {"route": None},
    ),
    "account.checked": (
        subjects.account_checked(ACCOUNT),
        AccountChecked(account=ACCOUNT, at=AT, reason=CheckupReason.ASKED, findings=()),
        {"route": None, "account": "paper", "alert_id": None},
    ),
    "account.called": (
        subjects.account_called(ACCOUNT),
        AccountCalled(account=ACCOUNT, at=AT, what="leverage", symbol=SYMBOL, alert_id=ALERT),
        {"route": None, "account": "paper", "symbol": "BTC_USDT"},
    ),
    "dead": (subjects.dead("router"), make_dead("router", "alert.received.demo"), {"route": None}),
}


def test_every_message_type_is_tried():
    """A new type of message needs a line here."""
    tried = {type(message) for _, message, _ in MESSAGES.values()}
    assert tried == set(codec.AnyMessage.__args__)


@pytest.mark.parametrize("stage", MESSAGES)
def test_a_message_fills_its_columns(stage):
    subject, message, keys = MESSAGES[stage]
    data = codec.encode(message)

    row = row_of(data, subject=subject, headers=HEADERS)

    expected = {
        "stream": "PIPELINE",
        "seq": 7,
        "stored_at": STORED_AT,
        "at": AT,
        "subject": subject,
        "stage": stage,
        "service": "ingest",
        "event_id": "event-1",
        "alert_id": UUID(ALERT),
        "route": "demo",
        "account": None,
        "symbol": None,
        "client_order_id": None,
        "intent_id": None,
        "traceparent": HEADERS["traceparent"],
        "made_by": "console:7f",
        "body": data,
        "doc": data.decode(),
    }
    assert {name: getattr(row, name) for name in row.__slots__} == expected | keys


@pytest.mark.parametrize(
    ("data", "doc"),
    [
        (b"", None),
        (b"not json", None),
        (b"\xff\xfe", None),
        (b'{"a":', None),
        (b"[1,2", None),
        (b'{"a":"\x00"}', None),
        (b"[" * 100_000 + b"]" * 100_000, None),
        (b"[1, 2]", "[1, 2]"),
        (b"3", "3"),
        (b'{"n": 1e400000}', '{"n": 1e400000}'),
    ],
)
def test_foreign_bytes_become_a_row_without_keys(data, doc):
    row = row_of(data, subject="alert.received.demo")

    assert (row.body, row.doc, row.alert_id, row.at) == (data, doc, None, STORED_AT)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (r"a\u0000b", "a�b"),
        (r"\ud800", "�"),
        (r"\udc00\ud800", "��"),
        (r"\uD83D\uDE00", r"\uD83D\uDE00"),
        (r"\ud83d\ud83d\ude00", r"�\ud83d\ude00"),
        (r"\\u0000", r"\\u0000"),
        (r"\\\u0000", r"\\�"),
        (r"\n\u0000\"", r"\n�\""),
        (r"\u0001", r"\u0001"),
    ],
)
def test_escapes_that_jsonb_refuses_are_replaced(sent, kept):
    row = row_of(f'{{"x":"{sent}","route":"demo"}}'.encode())

    assert row.doc == f'{{"x":"{kept}","route":"demo"}}'
    assert row.route == "demo"


def test_a_nul_in_an_alert_body_reaches_no_column():
    message = msgspec.structs.replace(make_alert(route="de\0mo"), body='{"x":"\0"}')

    row = row_of(codec.encode(message))

    assert row.route == "de�mo"
    assert "\\u0000" not in row.doc
    assert row.alert_id == UUID(ALERT)


@pytest.mark.parametrize("value", ['"nobody"', "7", "null", '"{}"', "{}", "1e400000"])
def test_what_is_no_uuid_is_no_alert_id(value):
    row = row_of(f'{{"alert_id":{value},"account":"paper"}}'.encode())

    assert row.alert_id is None
    assert row.account == "paper"


def test_a_damaged_body_is_found_by_its_header():
    assert row_of(b"\xff", headers={"Alertwire-Alert": ALERT}).alert_id == UUID(ALERT)


@pytest.mark.parametrize(
    "at", ["", "yesterday", "2026-11-23T12:00:00", "0001-01-01T00:00:00+14:00", "2026-13-01"]
)
def test_a_message_without_a_usable_time_has_the_logs(at):
    assert row_of(f'{{"at":"{at}"}}'.encode()).at == STORED_AT


def test_times_are_utc():
    row = row_of(b'{"at":"2026-11-23T14:00:00+02:00"}')

    assert row.at == AT
    assert row.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("subject", "stage"),
    [
        ("dead.router", "dead"),
        ("dead.=ff", "dead"),
        ("alert.received.=ff", "alert.received"),
        ("alert", "alert"),
    ],
)
def test_stages(subject, stage):
    assert row_of(b"{}", subject=subject).stage == stage


def test_what_is_indexed_is_short():
    row = row_of(b'{"route":"' + b"r" * 5000 + b'"}')

    assert row.route == "r" * TEXT_CHARS_MAX


@given(data=st.binary(max_size=40), header=st.text(max_size=5))
def test_no_bytes_are_refused(data, header):
    row = row_of(data, headers={"Nats-Msg-Id": header})

    assert row.body == data
    assert "\0" not in (row.event_id or "")


def test_less_and_less():
    row = row_of(codec.encode(make_alert()), headers=HEADERS)

    assert without_doc(row).doc is None
    assert without_doc(row).alert_id == row.alert_id
    stripped = bare(row)
    kept = {"stream", "seq", "stored_at", "at", "subject", "stage", "body"}
    assert {name for name in row.__slots__ if getattr(stripped, name) is not None} == kept
    assert stripped.at == row.stored_at
