"""Trailing orders: when they start, how they follow the price, when they fire."""

import pytest

from tests.paper_desk import BTC, NOW, seen
from tests.paper_triggers import TriggerDesk
from tools.paper_exchange.engine.events import TrackChanged
from tools.paper_exchange.engine.triggers.commands import CancelTracks, ChangeTrack

INACTIVE, ACTIVE, EXECUTED, FAILED, CANCELED = range(5)


@pytest.mark.parametrize("trend", [1, 2, 3])
@pytest.mark.parametrize(
    ("side", "back_type", "back", "path", "extreme", "trigger", "waits_at", "fires_at"),
    [
        # 2 % and 1000 back from the highest of 50000, 52000, 51500.
        (4, 1, "0.02", ["52000", "51500"], 52000, 50960, "50960.1", "50960"),
        (4, 2, "1000", ["52000", "51500"], 52000, 51000, "51000.1", "51000"),
        (3, 1, "0.02", ["52000", "51500"], 52000, 50960, "50960.1", "50960"),
        # 2 % and 1000 up from the lowest.
        (2, 1, "0.02", ["48000", "48500"], 48000, 48960, "48959.9", "48960"),
        (2, 2, "1000", ["48000", "48500"], 48000, 49000, "48999.9", "49000"),
        (1, 1, "0.02", ["48000", "48500"], 48000, 48960, "48959.9", "48960"),
    ],
)
def test_it_follows_and_fires(
    *, trend, side, back_type, back, path, extreme, trigger, waits_at, fires_at
):
    desk = TriggerDesk()
    if side in {2, 4}:
        desk.place({4: 1, 2: 3}[side], 10)
    track = desk.track(side=side, trend=trend, back_type=back_type, back_value=back)
    before = desk.holds()
    for price in [*path, waits_at]:
        desk.prices(*(price if each == trend else "50000" for each in (1, 2, 3)))
    assert seen(track, "state extreme trigger_price") == [ACTIVE, extreme, trigger]
    assert desk.holds() == before

    desk.prices(*(fires_at if each == trend else "50000" for each in (1, 2, 3)))
    order = desk.account.order(track.order_id)
    assert track.state == EXECUTED
    assert seen(order, "type state side vol external_oid") == [
        *(5, 3, side, 10),
        f"trackorder_{track.id}_1",
    ]
    assert len(order.external_oid) <= 32
    assert sum(desk.holds().values()) == (0 if side in {2, 4} else 10)


@pytest.mark.parametrize(
    ("side", "active", "early", "starts"),
    [(4, "51000", "50999.9", "51000"), (1, "49000", "49000.1", "49000")],
)
def test_it_starts_at_its_price(side, active, early, starts):
    desk = TriggerDesk()
    desk.place(1, 10)
    track = desk.track(side=side, active_price=active, back_value="0.001")
    for price in ("50000", early):
        desk.price(price)
        assert seen(track, "state extreme trigger_price") == [INACTIVE, 0, 0]
    desk.price(starts)
    assert (track.state, str(track.extreme)) == (ACTIVE, starts)


def test_without_such_a_price_it_starts_at_once():
    desk = TriggerDesk()
    assert seen(desk.track(), "state extreme trigger_price") == [ACTIVE, 50000, 49000]


def test_what_it_follows_is_announced():
    desk = TriggerDesk()
    desk.track()
    command = desk.track_command()
    kinds = [type(event) for event in desk.do(command)]
    assert kinds == [TrackChanged], "made and active: told once"


def test_it_closes_a_one_way_position():
    desk = TriggerDesk(mode=2)
    desk.place(3, 10)
    desk.track(side=1, reduce_only=True, vol="10")
    desk.price("49000")
    desk.price("49980")
    assert desk.holds() == {}


@pytest.mark.parametrize(
    ("changes", "error"), [({}, 2009), ({"side": 3, "vol": "40000", "leverage": 1}, 2005)]
)
def test_what_is_refused_when_it_fires_fails(changes, error):
    desk = TriggerDesk()
    track = desk.track(**changes)
    desk.price("48000")
    assert seen(track, "state error order_id") == [FAILED, error, 0]
    assert (desk.holds(), desk.state.waiting[BTC].tracks) == ({}, {})


def test_a_callback_below_one_tick_does_not_fire_where_it_stands():
    desk = TriggerDesk()
    desk.place(1, 10)
    track = desk.track(back_type=2, back_value="0.01")
    assert (track.state, str(track.trigger_price)) == (ACTIVE, "49999.9")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trend": 0}, 3001),
        ({"trend": 4}, 3001),
        ({"back_type": 0}, 600),
        ({"back_type": 3}, 600),
        ({"back_value": "0"}, 600),
        ({"back_value": "-1"}, 600),
        ({"back_value": "1"}, 600),
        ({"active_price": "-1"}, 3004),
        ({"active_price": "50000.05"}, 3004),
        ({"side": 0}, 2001),
        ({"symbol": "NO_USDT"}, 1001),
        ({"vol": "0"}, 2011),
        ({"side": 3, "leverage": 9999}, 2006),
        ({"position_mode": 2}, 7002),
    ],
)
def test_refusals(changes, code):
    desk = TriggerDesk()
    assert desk.code(desk.track_command(**changes)) == code


def test_as_many_as_the_contract_allows():
    desk = TriggerDesk(mode=2)
    for _ in range(50):
        desk.track()
    assert desk.code(desk.track_command()) == 2016


def change(track, **changes) -> ChangeTrack:
    fields = {
        "track_id": track.id,
        "symbol": BTC,
        "vol": track.vol,
        "trend": track.trend,
        "back_type": track.back_type,
        "back_value": track.back_value,
    }
    return ChangeTrack(at_ms=NOW, account_id=1, **(fields | changes))


def test_changing_it_starts_it_anew():
    desk = TriggerDesk()
    desk.place(1, 10)
    track = desk.track()
    desk.price("52000")
    desk.price("51500")
    desk.made(change(track, back_type=2, back_value=track.vol * 10, vol=track.vol - 4))
    assert seen(track, "state extreme trigger_price vol") == [ACTIVE, 51500, 51400, 6]
    desk.price("51400")
    assert desk.holds() == {1: 4}
    assert desk.code(change(track)) == 3006


def test_refused_changes():
    desk = TriggerDesk()
    track = desk.track()
    assert desk.code(change(track, track_id=1)) == 2040
    assert desk.code(change(track, symbol="ETH_USDT")) == 2040
    assert desk.code(change(track, trend=5)) == 3001
    assert desk.code(change(track, back_type=5)) == 600
    assert desk.code(change(track, vol=track.vol * 0)) == 2011


def test_canceling():
    desk = TriggerDesk()
    desk.place(1, 10)
    track, other = desk.track(), desk.track(back_value="0.5")
    cancel = CancelTracks(at_ms=NOW, account_id=1, track_ids=[track.id])
    assert desk.made(cancel) == 1
    assert (track.state, other.state) == (CANCELED, ACTIVE)
    assert desk.code(cancel) == 2041
    assert desk.code(CancelTracks(at_ms=NOW, account_id=1, track_ids=[1])) == 2040
    desk.price("40000")
    assert desk.holds() == {1: 10}
