"""The verdict on a made-up run: nothing where all is right, and each thing that is not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.evidence import Answer, Call, Denial, Entry, Evidence, ExchangeOrder
from chaos.oids import read_oid
from chaos.verifying import verify
from chaos.violations import Breach
from chaos.world import Side, Word, World
from tests.chaos_stage import changed, made_world, perfect


@pytest.fixture
def world() -> World:
    return made_world()


@pytest.fixture
def seen(world) -> Evidence:
    return perfect(world)


def breaches(world: World, seen: Evidence) -> set[Breach]:
    return {violation.breach for violation in verify(world, seen)}


def alert_of(order: ExchangeOrder) -> str:
    name = read_oid(order.oid)
    assert name is not None
    return name.alert_id


def with_two_in_a_lane(seen: Evidence) -> tuple[int, int]:
    """Two orders of one lane that belong to different alerts."""
    for first, order in enumerate(seen.orders):
        for second in range(first + 1, len(seen.orders)):
            other = seen.orders[second]
            same = (order.account, order.symbol) == (other.account, other.symbol)
            if same and alert_of(order) != alert_of(other):
                return first, second
    raise AssertionError("no lane has two alerts with orders")


@given(seed=st.integers(0, 10_000), accounts=st.integers(1, 12), alerts=st.integers(1, 120))
def test_nothing_is_wrong_with_a_perfect_run(seed, accounts, alerts):
    world = made_world(seed=seed, accounts=accounts, alerts=alerts)
    assert verify(world, perfect(world)) == []


def test_the_made_up_run_holds_what_the_tests_take_away(world, seen):
    assert len(seen.orders) > 40
    assert any(signal.again_after_s is not None for signal in world.signals)
    assert any(sum(held.values()) for held in seen.positions.values())


def test_a_doubled_order_is_found(world, seen):
    order = seen.orders[5]
    seen.orders.append(replace(order, order_id=5000))
    held = dict(seen.positions[order.account, order.symbol])
    role = read_oid(order.oid).role
    held[role[1]] += order.filled if role[0] == "open" else -order.filled
    seen.positions[order.account, order.symbol] = held
    assert Breach.DOUBLED in breaches(world, seen)


def test_a_second_attempt_is_a_double_if_both_were_executed(world, seen):
    order = seen.orders[5]
    seen.orders.append(replace(order, oid=f"{order.oid[:-1]}1", order_id=5000))
    assert Breach.DOUBLED in breaches(world, seen)


def test_a_second_attempt_is_none_if_the_first_one_died(world, seen):
    order = seen.orders[-1]
    changed(seen.orders, -1, oid=f"{order.oid[:-1]}1", order_id=5000)
    seen.orders.append(replace(order, state=5, filled=0, error=2))
    found = breaches(world, seen)
    assert Breach.DOUBLED not in found
    assert Breach.WRONG_SIZE not in found


def test_a_missing_order_is_found(world, seen):
    order = seen.orders.pop()
    seen.calls.pop()
    held = dict(seen.positions[order.account, order.symbol])
    effect, side = read_oid(order.oid).role
    held[side] -= order.filled if effect == "open" else -order.filled
    seen.positions[order.account, order.symbol] = held
    assert Breach.MISSING in breaches(world, seen)


def test_orders_in_the_wrong_order_are_found(world, seen):
    first, second = with_two_in_a_lane(seen)
    numbers = seen.orders[first].order_id, seen.orders[second].order_id
    changed(seen.orders, first, order_id=numbers[1])
    changed(seen.orders, second, order_id=numbers[0])
    assert Breach.OUT_OF_ORDER in breaches(world, seen)


def test_requests_in_the_wrong_order_are_found(world, seen):
    first, second = with_two_in_a_lane(seen)
    times = seen.calls[first].received_ns, seen.calls[second].received_ns
    changed(seen.calls, first, received_ns=times[1])
    changed(seen.calls, second, received_ns=times[0])
    assert breaches(world, seen) == {Breach.OUT_OF_ORDER}


def test_a_request_after_the_executed_one_is_found_even_if_it_was_refused(world, seen):
    call = seen.calls[3]
    seen.calls.append(replace(call, received_ns=call.received_ns + 10, code=2042))
    assert breaches(world, seen) == {Breach.REPEATED}


def test_a_request_after_one_that_was_not_executed_is_right(world, seen):
    call = seen.calls[3]
    seen.calls.append(replace(call, received_ns=call.received_ns - 10, code=None))
    assert breaches(world, seen) == set()


def test_a_wrong_position_is_found(world, seen):
    lane = next(iter(seen.positions))
    seen.positions[lane] = {**seen.positions[lane], Side.LONG: 99}
    assert breaches(world, seen) == {Breach.WRONG_POSITION}


def test_a_wrong_size_is_found(world, seen):
    order = seen.orders[-1]
    changed(seen.orders, -1, contracts=order.contracts + 1, filled=order.filled + 1)
    assert Breach.WRONG_SIZE in breaches(world, seen)


def test_too_much_is_not_excused_by_being_filled_in_part(world, seen):
    place = max(p for p, o in enumerate(seen.orders) if read_oid(o.oid).role[0] == "open")
    order = seen.orders[place]
    changed(seen.orders, place, contracts=order.contracts + 1, state=4)
    assert Breach.WRONG_SIZE in breaches(world, seen)


def test_an_order_of_nobodys_is_found(world, seen):
    changed(seen.orders, 2, oid="_m_00000000000000000000000000001")
    assert Breach.STRANGER in breaches(world, seen)


def test_an_order_of_an_alert_that_was_not_stored_is_found(world, seen):
    gone = seen.stored.pop()
    assert {Breach.STRANGER, Breach.LOST} <= breaches(world, seen) | (
        {Breach.STRANGER} if not any(alert_of(o) == gone.alert_id for o in seen.orders) else set()
    )


def flip(world: World, seen: Evidence) -> tuple[int, int]:
    """The places of a closing and an opening order of one alert, the last of their lane."""
    for place in range(len(seen.orders) - 1, 0, -1):
        opening, closing = seen.orders[place], seen.orders[place - 1]
        roles = read_oid(opening.oid).role[0], read_oid(closing.oid).role[0]
        if alert_of(opening) == alert_of(closing) and roles == ("open", "close"):
            lane = opening.account, opening.symbol
            later = [o for o in seen.orders[place + 1 :] if (o.account, o.symbol) == lane]
            if opening.account == closing.account and not later:
                return closing_place(place), place
    raise AssertionError("no lane ends with a flip")


def closing_place(place: int) -> int:
    return place - 1


def test_what_is_opened_behind_an_unfilled_close_is_found(world, seen):
    closing, _ = flip(world, seen)
    order = seen.orders[closing]
    changed(seen.orders, closing, filled=0, state=5, error=2)
    held = dict(seen.positions[order.account, order.symbol])
    held[read_oid(order.oid).role[1]] += order.contracts
    seen.positions[order.account, order.symbol] = held
    assert Breach.OPENED_TOO_SOON in breaches(world, seen)


def test_a_flip_whose_close_died_is_right_if_it_opens_nothing_and_says_so(world, seen):
    closing, opening = flip(world, seen)
    order, left_out = seen.orders[closing], seen.orders[opening]
    changed(seen.orders, closing, filled=0, state=5, error=2)
    del seen.orders[opening], seen.calls[opening]
    lane = order.account, order.symbol
    held = dict(seen.positions[lane])
    held[read_oid(order.oid).role[1]] += order.contracts
    held[read_oid(left_out.oid).role[1]] -= left_out.contracts
    seen.positions[lane] = held
    alert = alert_of(order)
    told = seen.told[alert]
    shown = [
        replace(each, state="rejected", filled=0) if each.oid == order.oid else each
        for each in told.orders
        if each.oid != left_out.oid
    ]
    other_accounts = any(each.filled for each in shown)
    status = "partial" if other_accounts else "rejected"
    seen.told[alert] = replace(told, status=status, reason="2 died", orders=tuple(shown))
    assert breaches(world, seen) == set()


def test_an_entry_denied_as_stale_is_right_only_if_it_was_old_enough(world, seen):
    place = next(
        place
        for place in range(len(seen.orders) - 1, 0, -1)
        if read_oid(seen.orders[place].oid).role[0] == "open"
        and not [
            other
            for other in seen.orders[place + 1 :]
            if (other.account, other.symbol)
            == (seen.orders[place].account, seen.orders[place].symbol)
        ]
        and sum(alert_of(o) == alert_of(seen.orders[place]) for o in seen.orders) == 1
    )
    order = seen.orders.pop(place)
    seen.calls.pop(place)
    lane = order.account, order.symbol
    side = read_oid(order.oid).role[1]
    seen.positions[lane] = {**seen.positions[lane], side: seen.positions[lane][side] - order.filled}
    alert = alert_of(order)
    seen.told[alert] = replace(seen.told[alert], status="denied", reason="stale", orders=())
    stored = next(each for each in seen.stored if each.alert_id == alert)
    age_s = next(route for route in world.routes if route.name == stored.route).max_age_s

    def denied(after_s: float) -> None:
        seen.denials = [
            Denial(
                alert_id=alert,
                account=order.account,
                reason="stale",
                at_s=stored.received_s + after_s,
            )
        ]

    denied(age_s + 1)
    assert breaches(world, seen) == set()
    denied(age_s - 5)
    assert breaches(world, seen) == {Breach.MISSING}


def test_a_rejection_excuses_only_with_the_exchanges_own_word(world, seen):
    order = seen.orders.pop()
    seen.calls.pop()
    alert = alert_of(order)
    assert Breach.MISSING in breaches(world, seen)
    refused = Call(account=order.account, oid=order.oid, received_ns=2 * 10**18, code=2005)
    seen.calls.append(refused)
    assert Breach.MISSING not in breaches(world, seen)
    seen.calls[-1] = replace(refused, code=513)
    assert Breach.MISSING in breaches(world, seen), "a wrong time is to be mended once"
    seen.calls.append(replace(refused, code=513, received_ns=2 * 10**18 + 1))
    assert Breach.MISSING not in breaches(world, seen)
    seen.calls[-2:] = [replace(refused, code=510)]
    assert Breach.MISSING in {v.breach for v in verify(world, seen) if v.alert_id == alert}


@pytest.mark.parametrize("status", ["pending", "unknown", "dead"])
def test_an_alert_that_has_not_ended_is_found(world, seen, status):
    alert = seen.stored[0].alert_id
    seen.told[alert] = replace(seen.told[alert], status=status)
    assert breaches(world, seen) == {Breach.UNENDED}


def test_an_alert_that_the_trail_does_not_know_is_found(world, seen):
    del seen.told[seen.stored[0].alert_id]
    assert breaches(world, seen) == {Breach.UNTOLD}


def test_a_status_that_does_not_fit_is_found(world, seen):
    alert = seen.stored[0].alert_id
    seen.told[alert] = replace(seen.told[alert], status="rejected", reason="510")
    assert breaches(world, seen) == {Breach.WRONGLY_TOLD}


def test_an_end_without_a_reason_is_found(world, seen):
    alert = seen.stored[0].alert_id
    seen.told[alert] = replace(seen.told[alert], status="partial", reason=None)
    assert Breach.UNEXPLAINED in breaches(world, seen)


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "sent"},
        {"filled": 1_000},
        {"exchange_order_id": "7"},
        {"has_request": False},
    ],
)
def test_an_order_that_is_told_wrongly_is_found(world, seen, wrong):
    alert = alert_of(seen.orders[0])
    told = seen.told[alert]
    orders = (replace(told.orders[0], **wrong), *told.orders[1:])
    seen.told[alert] = replace(told, orders=orders)
    assert breaches(world, seen) == {Breach.WRONGLY_TOLD}


def test_a_request_that_was_lost_with_its_process_is_right(world, seen):
    alert, oid = alert_of(seen.orders[0]), seen.orders[0].oid
    told = seen.told[alert]
    shown = [replace(each, has_request=each.oid != oid) for each in told.orders]
    seen.told[alert] = replace(told, orders=tuple(shown))
    seen.sent.remove(oid)
    assert breaches(world, seen) == set()


def test_an_order_that_is_not_told_is_found(world, seen):
    alert = alert_of(seen.orders[0])
    told = seen.told[alert]
    seen.told[alert] = replace(told, orders=told.orders[1:])
    assert breaches(world, seen) == {Breach.UNTOLD}


def test_an_order_that_is_told_and_was_never_made_is_found(world, seen):
    alert = alert_of(seen.orders[0])
    told = seen.told[alert]
    made_up = replace(told.orders[0], oid=f"{told.orders[0].oid[:-1]}9")
    seen.told[alert] = replace(told, orders=(*told.orders, made_up))
    assert breaches(world, seen) == {Breach.WRONGLY_TOLD}


def test_a_row_that_is_missing_is_found(world, seen):
    del seen.rows[4]
    assert breaches(world, seen) == {Breach.TRAIL_GAP}


def test_a_row_that_differs_is_found(world, seen):
    seen.rows[4] = replace(seen.rows[4], digest="another")
    assert breaches(world, seen) == {Breach.TRAIL_GAP}


def test_a_row_that_is_in_no_log_is_found(world, seen):
    seen.rows[9_999] = Entry(subject="alert.received.x", digest="")
    assert breaches(world, seen) == {Breach.TRAIL_GAP}


def test_an_event_that_the_journey_leaves_out_is_found(world, seen):
    alert = seen.stored[0].alert_id
    told = seen.told[alert]
    seen.told[alert] = replace(told, seqs=told.seqs[1:])
    assert breaches(world, seen) == {Breach.TRAIL_GAP}


def test_an_alert_that_was_accepted_and_is_not_in_the_log_is_found(world, seen):
    lost = seen.stored.pop()
    seen.orders = [order for order in seen.orders if alert_of(order) != lost.alert_id]
    assert Breach.LOST in breaches(world, seen)


def test_an_alert_that_is_stored_twice_is_found(world, seen):
    first = seen.stored[0]
    seen.stored.append(replace(first, alert_id="another", seq=9_000))
    assert Breach.STORED_TWICE in breaches(world, seen)


def test_a_resend_that_is_told_another_id_is_found(world, seen):
    key = seen.stored[0].key
    seen.answers[key].append(
        Answer(sent_s=1, answered_s=1.1, status=200, said="duplicate", alert_id="another")
    )
    assert breaches(world, seen) == {Breach.WRONGLY_ANSWERED}


def test_a_refusal_of_a_good_alert_is_found(world, seen):
    key = seen.stored[0].key
    seen.answers[key].append(Answer(sent_s=1, answered_s=1.1, status=429))
    assert breaches(world, seen) == {Breach.WRONGLY_ANSWERED}


def test_nonsense_that_was_stored_is_found(seen, world):
    first = world.signals[0]
    assert first.word is not Word.NONSENSE
    world = replace(world, signals=(replace(first, word=Word.NONSENSE), *world.signals[1:]))
    assert Breach.WRONGLY_ANSWERED in breaches(world, seen)


def test_an_alert_stored_before_one_that_was_answered_earlier_is_found(world, seen):
    signals = {signal.key: signal for signal in world.signals}
    lane = None
    for first, stored in enumerate(seen.stored):
        for second in range(first + 1, len(seen.stored)):
            one, two = signals[stored.key], signals[seen.stored[second].key]
            if (one.route, one.symbol) == (two.route, two.symbol) and two.due_s > one.due_s + 0.1:
                lane = first, second
    assert lane is not None
    seqs = seen.stored[lane[0]].seq, seen.stored[lane[1]].seq
    changed(seen.stored, lane[0], seq=seqs[1])
    changed(seen.stored, lane[1], seq=seqs[0])
    assert Breach.OVERTAKEN in breaches(world, seen)
