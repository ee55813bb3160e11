"""The verdict on orders that wait, and on stops and targets, by tables made by hand: nothing where
all is right, and each thing that is not.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from chaos.evidence import Call, Evidence, ExchangeOrder, ExchangeStop, StoredAlert, Told, ToldOrder
from chaos.trail import judge_trail
from chaos.verifying import verify
from chaos.violations import Breach
from chaos.waiting.judging import judge_waiting
from chaos.waiting.planning import waiting_routes
from chaos.world import Purpose, Side, Step, StepWord, World
from libs.common.contracts.words import AccountId, AlertId, Effect, PositionSide
from libs.common.domain.identity import alert_id, client_order_id
from tests.chaos_stage import made_world

ACCOUNT, SYMBOL = "waiting-000", "ONE_USDT"
LANE = ACCOUNT, SYMBOL
L, S = Side.LONG, Side.SHORT
D = Decimal


class Table:
    """One account and symbol: alerts in the order of the log, with what was seen of them."""

    def __init__(self, purpose: Purpose) -> None:
        self.purpose = purpose
        self.steps: list[Step] = []
        self.seen = Evidence(positions={LANE: {L: 0, S: 0}})

    def alert(self, word: StepWord, **fields) -> AlertId:
        number = len(self.steps)
        step = Step(
            key=f"k{number}",
            route=ACCOUNT,
            symbol=SYMBOL,
            purpose=self.purpose,
            word=word,
            due_s=number,
            **fields,
        )
        made = alert_id(unix_ms=1_790_000_000_000 + number, random_bits=number)
        self.steps.append(step)
        self.seen.stored.append(
            StoredAlert(
                alert_id=made, key=step.key, route=ACCOUNT, seq=number + 1, received_s=number
            )
        )
        return made

    def order(self, alert: AlertId, side: Side = L, **fields) -> None:
        oid = client_order_id(
            alert=alert,
            account=AccountId(ACCOUNT),
            effect=Effect.OPEN,
            side=PositionSide(side.value),
            chunk=0,
            attempt=0,
        )
        number = len(self.seen.orders)
        made = {"oid": oid, "order_id": 100 + number, "contracts": 2, "filled": 0} | fields
        self.seen.orders.append(ExchangeOrder(account=ACCOUNT, symbol=SYMBOL, **made))
        self.seen.calls.append(Call(account=ACCOUNT, oid=oid, received_ns=number, code=0))

    def stop(self, contracts: int, stop: str, target: str, state: int, **fields) -> None:
        self.seen.stops.append(
            ExchangeStop(
                account=ACCOUNT,
                symbol=SYMBOL,
                stop_id=len(self.seen.stops) + 1,
                contracts=contracts,
                stop=D(stop),
                target=D(target),
                state=state,
                **fields,
            )
        )

    def hold(self, contracts: int) -> None:
        self.seen.positions[LANE] = {L: contracts, S: 0}

    @property
    def world(self) -> World:
        world = made_world(alerts=1, accounts=1)
        return replace(
            world, signals=(), waiting=waiting_routes(1), steps=tuple(self.steps), acts=()
        )

    def breaches(self) -> set[Breach]:
        return {violation.breach for violation in judge_waiting(self.world, self.seen)[1]}

    def fitting(self, place: int) -> set[str]:
        return set(judge_waiting(self.world, self.seen)[0][place].fitting)


def filled_limit() -> Table:
    table = Table(Purpose.FILL)
    alert = table.alert(StepWord.REST, contracts=2, price=D("0.000995"), label="a")
    table.order(alert, price=D("0.000995"), filled=2, state=3)
    table.hold(2)
    return table


def resting_limit(*, cancel: bool, state: int = 2) -> Table:
    table = Table(Purpose.CANCEL)
    alert = table.alert(StepWord.REST, contracts=2, price=D("0.0009"), label="a")
    table.order(alert, price=D("0.0009"), state=state)
    if cancel:
        table.alert(StepWord.CANCEL, label="a")
    return table


def fired_entry() -> Table:
    table = Table(Purpose.FIRE)
    alert = table.alert(StepWord.ENTER, contracts=2, stop=D("0.000995"), target=D("0.001005"))
    prices = {"stop": D("0.000995"), "target": D("0.001005")}
    table.order(alert, price=D("0.001"), filled=2, state=3, **prices)
    table.stop(2, "0.000995", "0.001005", 3, placed_id=777)
    return table


def modified_entries() -> Table:
    """Two entries, and between them a change of the target alone."""
    table = Table(Purpose.MODIFY)
    first = table.alert(StepWord.ENTER, contracts=2, stop=D("0.0009"), target=D("0.0011"))
    table.order(first, filled=2, state=3, stop=D("0.0009"), target=D("0.0011"))
    table.alert(StepWord.MODIFY, target=D("0.00108"))
    second = table.alert(StepWord.ENTER, contracts=3, stop=D("0.00095"), target=D("0.00105"))
    table.order(second, contracts=3, filled=3, state=3, stop=D("0.00095"), target=D("0.00105"))
    table.stop(2, "0.0009", "0.00108", 1)
    table.stop(3, "0.00095", "0.00105", 1)
    table.hold(5)
    return table


@pytest.mark.parametrize(
    "table",
    [
        filled_limit(),
        resting_limit(cancel=False),
        resting_limit(cancel=True, state=4),
        fired_entry(),
        modified_entries(),
    ],
)
def test_nothing_is_wrong_where_all_is_right(table):
    assert table.breaches() == set()


@pytest.mark.parametrize("make", [filled_limit, lambda: resting_limit(cancel=False)])
def test_a_second_order_of_one_alert_is_found_also_while_it_waits(make):
    table = make()
    table.seen.orders.append(replace(table.seen.orders[0], order_id=900, state=2, filled=0))
    assert table.breaches() == {Breach.DOUBLED}


def test_a_second_order_is_none_where_the_first_one_died():
    table = filled_limit()
    table.seen.orders.insert(0, replace(table.seen.orders[0], order_id=50, state=5, filled=0))
    assert table.breaches() == set()


def test_a_request_after_the_executed_one_is_found():
    table = filled_limit()
    table.seen.calls.append(replace(table.seen.calls[0], received_ns=9, code=2042))
    assert table.breaches() == {Breach.REPEATED}


def test_a_missing_order_is_found_unless_the_exchange_refused_it():
    table = filled_limit()
    table.hold(0)
    table.seen.orders.clear()
    table.seen.calls = [replace(table.seen.calls[0], code=510)]
    assert table.breaches() == {Breach.MISSING}
    table.seen.calls = [replace(table.seen.calls[0], code=2005)]
    assert table.breaches() == set()


@pytest.mark.parametrize(
    ("wrong", "breach"),
    [
        ({"contracts": 3}, Breach.WRONG_SIZE),
        ({"price": D("0.00099")}, Breach.WRONG_PRICE),
        ({"stop": D("0.0009")}, Breach.WRONG_PRICE),
    ],
)
def test_another_order_than_asked_is_found(wrong, breach):
    table = filled_limit()
    table.seen.orders[0] = replace(table.seen.orders[0], **wrong)
    assert table.breaches() == {breach}


def test_an_entry_without_its_target_is_found():
    table = fired_entry()
    table.seen.orders[0] = replace(table.seen.orders[0], target=D(0))
    assert table.breaches() == {Breach.WRONG_PRICE}


def test_an_order_of_the_other_side_is_found():
    table = resting_limit(cancel=False)
    table.seen.orders.clear()
    table.order(table.seen.stored[0].alert_id, S, price=D("0.0009"), state=2)
    assert Breach.UNEXPECTED in table.breaches()


def test_an_order_of_an_alert_that_asks_for_none_is_found():
    table = resting_limit(cancel=True, state=4)
    table.order(table.seen.stored[1].alert_id, state=2)
    assert table.breaches() == {Breach.UNEXPECTED}


def test_an_order_that_waits_although_it_was_to_be_canceled_is_found():
    assert resting_limit(cancel=True).breaches() == {Breach.NOT_CANCELED}


def test_a_cancel_that_came_before_its_order_cancels_nothing():
    table = resting_limit(cancel=True)
    table.seen.stored[0] = replace(table.seen.stored[0], seq=9)
    assert table.breaches() == set()
    assert table.fitting(0) == {"executed", "denied"}
    table = resting_limit(cancel=True, state=4)
    assert table.fitting(1) == {"executed"}


def test_a_cancel_of_another_label_is_no_reason():
    table = resting_limit(cancel=True, state=4)
    table.steps[1] = replace(table.steps[1], label="b")
    assert table.breaches() == {Breach.CANCELED_UNASKED}


def test_what_the_exchange_took_back_after_a_part_was_filled_is_right():
    table = resting_limit(cancel=False, state=4)
    assert table.breaches() == {Breach.CANCELED_UNASKED}
    table.seen.orders[0] = replace(table.seen.orders[0], filled=1)
    table.hold(1)
    assert table.breaches() == set()


def test_orders_in_the_wrong_order_are_found():
    table = modified_entries()
    table.seen.orders[1] = replace(table.seen.orders[1], order_id=5)
    assert table.breaches() == {Breach.OUT_OF_ORDER}


def test_a_position_that_the_orders_do_not_lead_to_is_found():
    table = filled_limit()
    table.hold(4)
    assert table.breaches() == {Breach.WRONG_POSITION}


def test_a_position_that_its_stop_should_have_closed_is_found():
    table = fired_entry()
    table.hold(2)
    assert table.breaches() == {Breach.WRONG_POSITION}


@pytest.mark.parametrize(
    "wrong", [{"contracts": 1}, {"target": D("0.0011")}, {"state": 1}, {"state": 5}]
)
def test_a_stop_that_did_not_fire_as_asked_is_found(wrong):
    table = fired_entry()
    table.seen.stops[0] = replace(table.seen.stops[0], **wrong)
    assert table.breaches() == {Breach.WRONG_STOP}


def test_a_change_that_was_not_made_is_found():
    table = modified_entries()
    table.seen.stops[0] = replace(table.seen.stops[0], target=D("0.0011"))
    assert table.breaches() == {Breach.WRONG_STOP}


def test_a_change_that_was_made_too_late_is_found():
    """It would hold for what was opened after it as well."""
    table = modified_entries()
    table.seen.stops[1] = replace(table.seen.stops[1], target=D("0.00108"))
    assert table.breaches() == {Breach.WRONG_STOP}


def test_a_stop_that_was_put_on_twice_is_found():
    table = modified_entries()
    table.seen.stops.append(replace(table.seen.stops[0], stop_id=9))
    assert table.breaches() == {Breach.WRONG_STOP}


def test_a_change_is_denied_where_nothing_is_held():
    table = modified_entries()
    assert table.fitting(1) == {"executed"}
    table.seen.orders[0] = replace(table.seen.orders[0], filled=0, state=5)
    assert table.fitting(1) == {"denied"}


def told_trail(table: Table, *, status: str, state: str, filled: int = 0, reason=None) -> set:
    order = table.seen.orders[0]
    shown = ToldOrder(
        oid=order.oid,
        state=state,
        filled=filled,
        exchange_order_id=str(order.order_id),
        has_request=True,
    )
    alert = table.seen.stored[0].alert_id
    told = Told(status=status, reason=reason, seqs=(), orders=(shown,))
    judged = {alert: judge_waiting(table.world, table.seen)[0][:1]}
    seen = replace(table.seen, told={alert: told})
    return {violation.breach for violation in judge_trail(seen, judged=judged)}


def test_an_order_that_waits_is_told_as_pending_and_resting():
    table = resting_limit(cancel=False)
    assert told_trail(table, status="pending", state="resting") == set()
    assert told_trail(table, status="pending", state="accepted") == {Breach.WRONGLY_TOLD}
    assert told_trail(table, status="executed", state="resting") == {Breach.WRONGLY_TOLD}


def test_an_order_that_ended_must_not_be_told_as_waiting():
    table = filled_limit()
    assert told_trail(table, status="executed", state="filled", filled=2) == set()
    assert Breach.UNENDED in told_trail(table, status="pending", state="resting")
    canceled = resting_limit(cancel=False, state=4)
    assert Breach.UNENDED in told_trail(canceled, status="pending", state="resting")
    assert told_trail(canceled, status="rejected", state="canceled", reason="canceled") == set()


def test_what_a_stop_closed_is_no_strangers_order():
    table = fired_entry()
    fired = ExchangeOrder(
        account=ACCOUNT,
        symbol=SYMBOL,
        oid="stoporder_1_0",
        order_id=777,
        contracts=2,
        filled=2,
        state=3,
    )
    table.seen.orders.append(fired)
    assert Breach.STRANGER not in {each.breach for each in verify(table.world, table.seen)}
    table.seen.orders.append(replace(fired, order_id=778))
    assert Breach.STRANGER in {each.breach for each in verify(table.world, table.seen)}
