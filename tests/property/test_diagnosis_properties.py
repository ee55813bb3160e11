"""A diagnosis is total: whatever part of a trail is there, it is empty or a whole checklist; and
what is proven once stays so, whatever comes later of the same order.
"""

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckState, CheckupLine
from libs.common.contracts.dead_letter import DeadReplayed
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import AlertStatus, ChangeKind, ExecutionKind
from libs.common.domain.diagnosis.checklist import CheckName
from libs.common.domain.diagnosis.diagnosing import diagnose
from libs.common.domain.journey import journey
from tests.diagnosed import diagnosed, events_of, in_state, make_checkup, make_finding
from tests.factories import D, make_alert, make_intent, make_leg
from tests.trail_messages import (
    common,
    make_dead,
    make_denied,
    make_execution,
    make_flattening,
    make_plan,
)

ACCOUNTS = ("paper", "second")
LEGS = (make_leg("close", "short", client_order_id="o1"), make_leg(client_order_id="o2"))
CHANGE = Change(change_id="c1", kind=ChangeKind.CANCEL_TRAILS, exchange_ids=("5",))
accounts = st.sampled_from(ACCOUNTS)
causes = st.sampled_from([None, *Cause])
reasons = st.sampled_from(Reason)


@st.composite
def denials(draw):
    context = draw(st.sampled_from([{}, {"cause": "ip", "code": "406"}, {"cause": "new"}]))
    return Denial(reason=draw(reasons), message="no", context=context)


@st.composite
def executions(draw):
    filled = draw(st.sampled_from([None, D(0), D(4), D(10)]))
    return make_execution(
        draw(st.sampled_from(ExecutionKind)),
        draw(st.sampled_from(["o1", "o2", "c1", "strange"])),
        account=draw(accounts),
        code=draw(st.sampled_from([None, 1, 2005])),
        cause=draw(causes),
        message=draw(st.sampled_from(["", "no"])),
        exchange_order_id=draw(st.sampled_from([None, "77"])),
        filled_contracts=filled,
        average_price=D(50_000) if filled else None,
    )


checkups = st.builds(
    lambda account, line, state: make_checkup(
        make_finding(line, state, "seen", mend="Do."), account=account, clock_offset_ms=3
    ),
    accounts,
    st.sampled_from(CheckupLine),
    st.sampled_from(CheckState),
)
messages = st.one_of(
    st.just(make_alert()),
    st.just(make_flattening()),
    st.just(make_dead("router", "alert.received.demo")),
    st.just(DeadReplayed(service="executor", letter_seq=3, origin_seq=1, seq=9, at=common()["at"])),
    reasons.map(lambda why: AlertRefused(status=422, reason=why, message="no", **common())),
    accounts.map(lambda account: make_intent(account=account)),
    accounts.map(lambda account: make_dead("executor", f"intent.accepted.0.{account}.BTC_USDT")),
    st.builds(
        lambda account, withheld: make_plan(
            *LEGS, account=account, withheld=withheld, changes=(CHANGE,)
        ),
        accounts,
        st.none() | denials(),
    ),
    st.builds(
        lambda account, denial, intent: make_denied(
            account=account, denial=denial, intent_id=intent
        ),
        st.none() | accounts,
        denials(),
        st.sampled_from([None, "i"]),
    ),
    executions(),
    executions(),
    checkups,
)
trails = st.lists(messages, max_size=12)


@given(trails, st.lists(checkups, max_size=3))
def test_any_part_of_any_trail_gives_nothing_or_a_whole_checklist(trail, known):
    events = events_of(*trail)
    found = diagnose(events, checkups=known)
    status = journey(events).status
    if status is AlertStatus.EXECUTED:
        assert found == ()
    elif status is not AlertStatus.PENDING:
        assert found
    if not found:
        return
    assert [line.check for line in found] == list(CheckName)
    states = [line.state for line in found]
    assert CheckState.WARNING not in states
    assert {CheckState.WRONG, CheckState.UNKNOWN} & set(states), "it says what is the matter"
    for line in found:
        assert line.evidence
        if line.state is CheckState.WRONG:
            assert line.mend
        if line.state in {CheckState.OK, CheckState.NOT_REACHED}:
            assert not line.mend


BEFORE = (make_alert(), make_intent(), make_plan(make_leg(client_order_id="o1")))


@given(st.sampled_from(Cause), st.integers(min_value=1, max_value=3))
def test_less_of_the_trail_never_proves_more(cause, kept):
    """Nothing is right because something is missing."""
    no = make_execution("rejected", code=1, cause=cause, message="no")
    whole = diagnosed(*BEFORE, no)
    part = diagnosed(*BEFORE[:kept])
    denied = make_denied(Reason.STALE, account="paper", intent_id="i")
    less = diagnosed(*BEFORE[:kept], denied)
    assert part == {}
    wrong = in_state(whole, "wrong")
    assert in_state(less, "ok") - wrong <= in_state(whole, "ok")


@given(trails, st.lists(checkups, max_size=3))
def test_a_checkup_changes_no_line_that_the_alert_itself_decides(trail, known):
    apart = [one for one in trail if type(one).__name__ != "AccountChecked"]
    without = {line.check: line for line in diagnose(events_of(*apart))}
    beside = {line.check: line for line in diagnose(events_of(*apart), checkups=known)}
    assert without.keys() == beside.keys()
    for name, line in without.items():
        if line.state in {CheckState.OK, CheckState.WRONG}:
            assert beside[name].state is line.state or (
                len(known)
                and (
                    # Another account of the same alert may not have come so far, and be known.
                    line.state is CheckState.OK and beside[name].state is CheckState.UNKNOWN
                )
            )
