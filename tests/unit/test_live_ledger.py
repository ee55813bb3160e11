"""What the live page remembers of the log: told once and a moment later, in order, bounded."""

from datetime import timedelta

import pytest

from libs.common.bus import HEADER_REPLAY_OF
from libs.common.contracts import codec
from libs.common.contracts.flattening import FlatLane
from libs.common.domain.identity import alert_id
from services.console.log_events import LogEvent
from services.console.web.live.ledger import Ledger
from tests.factories import NOW, make_alert, make_intent, make_leg
from tests.trail_messages import make_denied, make_execution, make_flattening, make_plan

DEBOUNCE_S = 0.1


def make_id(number):
    return alert_id(unix_ms=number, random_bits=number)


def event(seq, message, subject="alert.received.demo", **headers):
    return LogEvent(
        seq=seq,
        subject=subject,
        stored_at=NOW + timedelta(milliseconds=seq),
        headers=headers,
        data=codec.encode(message),
    )


def received(number, **changes):
    return make_alert(alert_id=make_id(number), **changes)


def denied(number):
    return make_denied(alert=make_id(number))


def hear(ledger, seq, message, *, now=0.0, subject=None, **headers):
    subjects = {"IntentDenied": "intent.denied.demo", "Intent": "intent.accepted.0.paper.BTC_USDT"}
    named = subject or subjects.get(type(message).__name__, "alert.received.demo")
    ledger.hear(event(seq, message, named, **headers), alert=message.alert_id, now=now)


@pytest.fixture
def ledger():
    return Ledger(debounce_s=DEBOUNCE_S)


def test_what_happens_within_a_moment_is_told_once(ledger):
    hear(ledger, 1, received(1), now=10.0)
    hear(ledger, 2, denied(1), now=10.05)
    assert ledger.due(10.09) == []
    assert ledger.next_due() == 10.1
    assert ledger.due(10.1) == [make_id(1)]
    change = ledger.settle(make_id(1))
    assert (change.line["status"], change.last_seq) == ("denied", 2)
    assert ledger.due(20.0) == []
    assert ledger.next_due() is None


def test_an_alert_that_never_rests_is_told_all_the_same(ledger):
    hear(ledger, 1, received(1), now=0.0)
    for seq in range(2, 12):
        hear(ledger, seq, make_intent(alert_id=make_id(1)), now=seq * 0.04)
    assert ledger.due(0.1) == [make_id(1)]


def test_the_place_to_come_back_to_leaves_out_nothing_that_was_not_told(ledger):
    hear(ledger, 1, received(1), now=0.0)
    hear(ledger, 2, received(2), now=0.05)
    hear(ledger, 3, denied(1), now=0.06)
    assert ledger.told == 0
    ledger.settle(make_id(1))
    assert ledger.told == 1, "the second alert's place is still to be told"
    ledger.settle(make_id(2))
    assert ledger.told == 3
    ledger.reached(9)
    assert ledger.told == 9


def test_who_comes_back_is_told_what_has_changed_since(ledger):
    for number in (1, 2, 3):
        hear(ledger, number, received(number))
        ledger.settle(make_id(number))
    hear(ledger, 4, denied(1))
    ledger.settle(make_id(1))
    assert [change.alert for change in ledger.changed_after(2)] == [make_id(3), make_id(1)]
    assert ledger.changed_after(4) == []


def test_it_forgets_those_that_were_quiet_for_longest_and_covers_less():
    ledger = Ledger(alerts_max=10)
    for number in range(1, 11):
        hear(ledger, number, received(number))
    hear(ledger, 11, denied(1))
    assert (len(ledger), ledger.since) == (10, 0)
    hear(ledger, 12, received(12))
    assert len(ledger) == 9
    assert ledger.since == 3, "alerts two and three are forgotten; the first one has changed"
    assert ledger.settle(make_id(1)) is not None
    assert ledger.settle(make_id(2)) is None


def test_it_holds_so_many_bytes_and_no_more():
    ledger = Ledger(bytes_max=300_000)
    for number in range(1, 101):
        hear(ledger, number, received(number, body="x" * 60_000))
        assert len(ledger) <= 5
    assert ledger.since >= 95
    assert len(ledger.due(1.0)) == len(ledger), "what is forgotten is not told either"


def test_what_was_read_from_further_back_is_put_in_its_order(ledger):
    ledger.begin(5)
    hear(ledger, 6, denied(1))
    assert ledger.missing(make_id(1)) == [make_id(1)]
    ledger.lower(0)
    hear(ledger, 3, received(1))
    change = ledger.settle(make_id(1))
    assert (change.line["seq"], change.line["status"]) == (3, "denied")
    assert ledger.place == 6
    assert ledger.missing(make_id(1)) == []


def test_what_began_before_is_shown_as_far_as_it_is_known(ledger):
    ledger.begin(5)
    hear(ledger, 6, denied(1))
    change = ledger.settle(make_id(1))
    assert (change.line["status"], change.line["symbol"]) == ("denied", None)
    assert ledger.unfinished() == [make_id(1)]
    earlier = Ledger()
    hear(earlier, 3, received(1))
    ledger.complete(make_id(1), earlier.settle(make_id(1)).rows)
    assert ledger.unfinished() == []
    assert ledger.settle(make_id(1)).line["symbol"] == "BTCUSDT.P"


def test_an_alert_that_was_put_into_the_log_again_began_before(ledger):
    ledger.begin(5)
    hear(ledger, 6, received(1), **{HEADER_REPLAY_OF: "2"})
    assert ledger.missing(make_id(1)) == [make_id(1)]


def test_what_a_halt_has_closed_changes_the_halt(ledger):
    halt, close = make_id(1), make_id(2)
    flattening = make_flattening(FlatLane(symbol="BTC_USDT", close=close), halt=halt)
    hear(ledger, 1, flattening, subject="intent.flattened.paper")
    assert ledger.settle(halt).line["status"] == "pending"
    hear(ledger, 2, make_intent(alert_id=close), now=1.0)
    plan = make_plan(make_leg("close", client_order_id="o1"), alert=close)
    hear(ledger, 3, plan, subject="order.planned.paper.BTC_USDT", now=1.0)
    filled = make_execution("filled", "o1", alert=close)
    hear(ledger, 4, filled, subject="execution.filled.paper.BTC_USDT", now=1.0)
    assert set(ledger.due(2.0)) == {halt, close}
    assert ledger.settle(close) is None, "it stands in the halt's journey"
    change = ledger.settle(halt)
    assert (change.line["status"], change.last_seq) == ("executed", 4)


def test_a_message_of_a_newer_release_spoils_nothing(ledger):
    hear(ledger, 1, received(1))
    strange = LogEvent(
        seq=2, subject="alert.folded.demo", stored_at=NOW, headers={}, data=b'{"type":"new"}'
    )
    ledger.hear(strange, alert=make_id(1), now=0.0)
    assert ledger.settle(make_id(1)).line["status"] == "pending"
    ledger.hear(strange, alert=None, now=0.0)
    assert len(ledger) == 1
