"""What a halt's page tells of a flatten, and of the trail's being behind."""

from datetime import UTC, datetime, timedelta

import msgspec

from libs.common.contracts.control import Control, Scope
from libs.common.contracts.flattening import FlatLane, Flattening
from libs.common.contracts.words import AccountId, AlertId, RouteId, VenueSymbol
from services.console.differences import Revision
from services.console.trail import ChangeRow, Place, Row
from services.console.web.halting.telling import flat_of, history, is_behind

AT = datetime(2026, 11, 29, 14, 0, tzinfo=UTC)
HALT = AlertId("019ab0a2-0700-7000-8000-000000000001")
CLOSE = AlertId("019ab0a2-0700-7000-8000-000000000002")


def control(**changes):
    chosen = {"scope": Scope.ALL, "halt_id": HALT, "at": AT, "reason": "enough", "by": "anna"}
    return Control(**{**chosen, **changes})


def change(now, before=None, *, seq=1, deleted=False):
    body = b"" if deleted else msgspec.json.encode(now)
    return ChangeRow(
        place=Place(stored_at=AT + timedelta(seconds=seq), stream="KV_controls", seq=seq),
        stage="control.deleted" if deleted else "control.changed",
        subject="$KV.controls.all",
        made_by="anna from 192.0.2.7",
        now=Revision(body=body, deleted=deleted),
        before=None
        if before is None
        else Revision(body=msgspec.json.encode(before), deleted=False),
    )


def flattened(account, *symbols, unlisted=()):
    message = Flattening(
        alert_id=HALT,
        account=AccountId(account),
        route=RouteId("halt"),
        at=AT,
        halted_at=AT,
        scope=Scope.ALL,
        lanes=tuple(FlatLane(symbol=VenueSymbol(symbol), close=CLOSE) for symbol in symbols),
        unlisted=tuple(map(VenueSymbol, unlisted)),
    )
    return Row(
        seq=1,
        stage="intent.flattened",
        service="executor",
        at=AT,
        stored_at=AT,
        body=b"",
        message=message,
    )


def test_a_flatten_tells_of_each_account():
    halted = control(flatten=True, accounts=("a", "b", "c", "d"))
    rows = [
        flattened("a", "BTC_USDT"),
        flattened("b"),
        flattened("c", unlisted=["OLD_USDT"]),
    ]
    flat = flat_of(halted, rows, {})
    assert [(line.account, line.symbol, line.deed, line.status) for line in flat.lines] == [
        ("a", "BTC_USDT", "close what is held", "pending")
    ]
    assert (flat.empty, flat.awaited, flat.unlisted) == (("b",), ("d",), ("OLD_USDT on c",))
    assert (flat.is_under_way, flat.upshot) == (True, "closing")


def test_a_flatten_that_left_something_never_says_that_all_is_closed():
    halted = control(flatten=True, accounts=("c",))
    flat = flat_of(halted, [flattened("c", unlisted=["OLD_USDT"])], {})
    assert flat.upshot == "not all closed"
    assert flat_of(halted, [flattened("c")], {}).upshot == "nothing was held"
    assert flat_of(halted, [], {}).upshot == "closing"


def test_history_says_who_halted_and_who_resumed():
    halted = control()
    rows = [change(None, halted, seq=2, deleted=True), change(halted)]
    resumed, began = history(rows, journeys={}, closed={})
    assert (resumed.how, resumed.what, resumed.reason) == ("resumed", "everything", "")
    assert (began.how, began.what, began.reason) == ("halted", "everything", "enough")
    assert began.made_by == "anna from 192.0.2.7"


def test_what_nobody_can_read_is_told_by_its_key():
    row = change(control())
    broken = ChangeRow(
        place=row.place,
        stage=row.stage,
        subject=row.subject,
        made_by=None,
        now=Revision(body=b"{", deleted=False),
        before=None,
    )
    [event] = history([broken], journeys={}, closed={})
    assert (event.what, event.made_by) == ("$KV.controls.all", "")


def test_the_trail_is_behind_until_it_tells_what_the_log_does():
    began = history([change(control())], journeys={}, closed={})
    ended = history([change(None, control(), deleted=True)], journeys={}, closed={})
    now = AT + timedelta(seconds=5)
    assert not is_behind(began, [control()], now=now)
    assert is_behind(began, [], now=now)
    assert is_behind(ended, [control()], now=now)
    assert not is_behind(ended, [], now=now)
    assert is_behind([], [control()], now=now)
    # What is older than the history goes back is no reason to ask for ever.
    assert not is_behind([], [control()], now=AT + timedelta(hours=1))
