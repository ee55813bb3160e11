"""What the executor counts, times and shows, by a whole alert at the fake exchange."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import ExecutionKind
from services.executor import measuring
from services.executor.budget import Budget
from services.executor.measuring import UnknownOrders, showing
from services.executor.recording import Recorder
from tests.factories import NOW, make_intent
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.unit.executor_desk import Desk


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def since():
    """How much a sample has grown since the test began."""
    before = {}

    def grown(name, **labels):
        key = (name, tuple(sorted(labels.items())))
        if key not in before:
            before[key] = value(name, **labels)
            return 0.0
        return value(name, **labels) - before[key]

    return grown


@pytest.fixture(autouse=True)
def nothing_unknown():
    measuring.unknown.clear()
    yield
    measuring.unknown.clear()


STAGES = ("planned", "sent", "acknowledged", "final")


async def test_an_alert_is_timed_once_from_stage_to_stage(since):
    counted = [("alertwire_stage_seconds_count", {"stage": stage}) for stage in STAGES]
    counted += [("alertwire_alert_to_order_seconds_count", {})]
    counted += [("alertwire_executions_total", {"kind": kind}) for kind in ("sent", "filled")]
    for name, labels in counted:
        since(name, **labels)
    await Desk().handle(make_intent())
    assert {(name, *labels.values()): since(name, **labels) for name, labels in counted} == {
        (name, *labels.values()): 1 for name, labels in counted
    }


async def plan_of(desk):
    await desk.handle(make_intent())
    (plan,) = desk.bus.messages("order.planned")
    return plan


async def test_times_are_those_of_the_orders(since):
    plan = await plan_of(Desk())
    clock = FakeClock()
    received_at = plan.at - timedelta(seconds=3)
    recorder = Recorder(bus=FakeBus(), origin=plan, clock=clock, received_at=received_at)
    names = {
        "sent": "alertwire_stage_seconds_sum",
        "acknowledged": "alertwire_stage_seconds_sum",
        "final": "alertwire_stage_seconds_sum",
    }
    for stage, name in names.items():
        since(name, stage=stage)
    since("alertwire_alert_to_order_seconds_sum")
    (leg,) = plan.legs
    for kind, after_s in (
        (ExecutionKind.SENT, 1),
        (ExecutionKind.SENT, 2),
        (ExecutionKind.ACCEPTED, 4),
        (ExecutionKind.FILLED, 8),
    ):
        recorder.record(leg, kind, at=plan.at + timedelta(seconds=after_s))
    assert since("alertwire_alert_to_order_seconds_sum") == pytest.approx(4)
    took = {stage: since(name, stage=stage) for stage, name in names.items()}
    assert took == pytest.approx({"sent": 1, "acknowledged": 3, "final": 7}), "from the first try"
    await recorder.stored()


async def test_a_resumed_plan_whose_order_has_left_is_not_timed_again(since):
    desk = Desk()
    plan = await plan_of(desk)
    known = desk.bus.messages("execution.sent")
    recorder = Recorder(
        bus=FakeBus(), origin=plan, clock=FakeClock(), known=known, received_at=plan.at
    )
    since("alertwire_alert_to_order_seconds_count")
    recorder.record(plan.legs[0], ExecutionKind.SENT)
    assert since("alertwire_alert_to_order_seconds_count") == 0
    await recorder.stored()


async def test_a_rejection_counts_under_its_cause(since):
    plan = await plan_of(Desk())
    recorder = Recorder(bus=FakeBus(), origin=plan, clock=FakeClock())
    for cause in ("margin", "other"):
        since("alertwire_orders_rejected_total", cause=cause)
    recorder.record(plan.legs[0], ExecutionKind.REJECTED, code=2005, cause=Cause.MARGIN)
    recorder.record(plan.legs[0], ExecutionKind.REJECTED)
    assert since("alertwire_orders_rejected_total", cause="margin") == 1
    assert since("alertwire_orders_rejected_total", cause="other") == 1
    await recorder.stored()


def test_every_cause_begins_at_zero():
    """A rule sees no increase of a series that begins at 1."""
    for cause in Cause:
        found = REGISTRY.get_sample_value("alertwire_orders_rejected_total", {"cause": cause})
        assert found is not None, cause


async def test_a_denial_counts_under_its_reason(since):
    labels = {"service": "test", "reason": "stale"}
    desk = Desk()
    desk.clock.advance(3_600)
    since("alertwire_intents_denied_total", **labels)
    await desk.handle(make_intent())
    (denied,) = desk.bus.messages("intent.denied")
    assert denied.denial.reason.value == labels["reason"]
    assert since("alertwire_intents_denied_total", **labels) == 1


class TestUnknown:
    def test_the_oldest_counts_from_when_it_began(self):
        unknown = UnknownOrders()
        assert unknown.oldest_s(NOW) == 0
        unknown.note("a", ExecutionKind.UNKNOWN, at=NOW)
        unknown.note("b", ExecutionKind.UNKNOWN, at=NOW + timedelta(seconds=5))
        unknown.note("a", ExecutionKind.UNKNOWN, at=NOW + timedelta(seconds=9))
        assert (len(unknown), unknown.oldest_s(NOW + timedelta(seconds=10))) == (2, 10)

    @pytest.mark.parametrize("kind", [kind for kind in ExecutionKind if kind != "unknown"])
    def test_whatever_comes_next_ends_it(self, kind):
        """Also `sent`: an order goes again only once the last one is proven dead."""
        unknown = UnknownOrders()
        unknown.note("a", ExecutionKind.UNKNOWN, at=NOW)
        unknown.note("a", kind, at=NOW)
        assert len(unknown) == 0

    async def test_another_process_learns_of_it_from_the_log(self):
        desk = Desk()
        plan = await plan_of(desk)
        recorder = Recorder(bus=desk.bus, origin=plan, clock=FakeClock())
        told = recorder.record(plan.legs[0], ExecutionKind.UNKNOWN)
        await recorder.stored()
        measuring.unknown.clear()
        Recorder(bus=desk.bus, origin=plan, clock=FakeClock(), known=[told])
        assert len(measuring.unknown) == 1


async def test_accounts_show_their_picture_and_budget_while_they_are_there():
    desk = Desk()
    await desk.handle(make_intent())
    desk.count_budget(Budget(4, clock=lambda: 0.0))
    connected = desk._accounts.find("paper")
    connected.book.opened()

    class Some:
        found = [connected]

        def current(self):
            return self.found

    some = Some()
    show = showing(some)
    show()
    account = connected.account.id
    assert value("alertwire_websockets_open") == 1
    assert REGISTRY.get_sample_value("alertwire_picture_live", {"account": account}) == 0
    assert value("alertwire_picture_age_seconds", account=account) >= 0
    assert REGISTRY.get_sample_value("alertwire_budget_left_calls", {"account": account}) == 4
    some.found = []
    show()
    assert value("alertwire_websockets_open") == 0
    assert REGISTRY.get_sample_value("alertwire_picture_live", {"account": account}) is None
