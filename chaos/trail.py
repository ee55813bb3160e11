"""Whether the trail tells what happened, all of it and nothing else: pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from chaos.evidence import Evidence, ExchangeOrder, Told, ToldOrder
from chaos.lanes import Judged
from chaos.oids import read_oid
from chaos.violations import Breach, Violation

_UNENDED = frozenset({"pending", "unknown", "dead"})
_DONE, _CANCELED, _DIED = 3, 4, 5
_SHOWN_AT_MOST = 5


def judge_trail(
    evidence: Evidence, *, judged: Mapping[str, Sequence[Judged]]
) -> Iterator[Violation]:
    """`judged`: by the alert's id what it came to on each account."""
    yield from _strangers(evidence, known=judged.keys())
    yield from _gaps(evidence)
    orders: dict[str, list[ExchangeOrder]] = defaultdict(list)
    for order in evidence.orders:
        orders[order.oid].append(order)
    by_alert: dict[str, list[int]] = defaultdict(list)
    for seq, entry in evidence.log.items():
        by_alert[entry.alert_id].append(seq)
    for alert_id, outcomes in judged.items():
        told = evidence.told.get(alert_id)
        if told is None:
            yield Violation(
                breach=Breach.UNTOLD, text="the console does not know it", alert_id=alert_id
            )
            continue
        yield from _wrong_status(told, outcomes, alert_id=alert_id)
        yield from _wrong_orders(told, orders=orders, sent=evidence.sent, alert_id=alert_id)
        differing = set(by_alert.get(alert_id, ())) ^ set(told.seqs)
        missing = {seq for seq in differing if seq <= evidence.settled}
        if missing:
            text = f"its journey and the log differ at {_first(missing)}"
            yield Violation(breach=Breach.TRAIL_GAP, text=text, alert_id=alert_id)
    yield from _untold_orders(evidence, judged=judged)


def _strangers(evidence: Evidence, *, known: Collection[str]) -> Iterator[Violation]:
    for order in evidence.orders:
        name = read_oid(order.oid)
        if name is None or name.alert_id not in known:
            yield Violation(
                breach=Breach.STRANGER,
                text=f"order {order.order_id}, {order.oid}",
                alert_id=name.alert_id if name else "",
                lane=f"{order.account} {order.symbol}",
            )


def _gaps(evidence: Evidence) -> Iterator[Violation]:
    lost = {seq for seq in evidence.log.keys() - evidence.rows.keys() if seq <= evidence.settled}
    made_up = evidence.rows.keys() - evidence.log.keys()
    changed = [
        seq
        for seq in evidence.log.keys() & evidence.rows.keys()
        if (evidence.log[seq].subject, evidence.log[seq].digest)
        != (evidence.rows[seq].subject, evidence.rows[seq].digest)
    ]
    for what, seqs in (
        ("in the log and not in Postgres", lost),
        ("in Postgres and not in the log", made_up),
        ("not the same in both", changed),
    ):
        if seqs:
            text = f"{len(seqs)} messages are {what}: {_first(seqs)}"
            yield Violation(breach=Breach.TRAIL_GAP, text=text)
    whole = range(1, max(evidence.log, default=0) + 1)
    if holes := set(whole) - evidence.log.keys():
        yield Violation(breach=Breach.TRAIL_GAP, text=f"the log lacks {_first(holes)}")


def _wrong_status(told: Told, outcomes: Sequence[Judged], *, alert_id: str) -> Iterator[Violation]:
    waits = any("pending" in outcome.fitting for outcome in outcomes)
    if told.status in _UNENDED and not waits:
        text = f"{told.status}: {told.reason or 'no reason'}"
        yield Violation(breach=Breach.UNENDED, text=text, alert_id=alert_id)
        return
    fitting = set().union(*(outcome.fitting for outcome in outcomes))
    if fitting:
        pass
    elif all(outcome.complete for outcome in outcomes):
        fitting = {"executed"}
    elif any(outcome.filled for outcome in outcomes):
        fitting = {"partial"}
    elif any(outcome.complete for outcome in outcomes):
        # On one of its accounts there was nothing to do, and that was done.
        fitting = {"partial"}
    else:
        fitting = {"rejected", "denied"}
    if told.status not in fitting:
        text = f"it is told as {told.status}, and is {' or '.join(sorted(fitting))}"
        yield Violation(breach=Breach.WRONGLY_TOLD, text=text, alert_id=alert_id)
    if told.status not in {"executed", "pending"} and not told.reason:
        yield Violation(breach=Breach.UNEXPLAINED, text=told.status, alert_id=alert_id)


def _wrong_orders(
    told: Told,
    *,
    orders: Mapping[str, Sequence[ExchangeOrder]],
    sent: Collection[str],
    alert_id: str,
) -> Iterator[Violation]:
    for each in told.orders:
        wrong = _differs(each, orders.get(each.oid, []))
        # A request is stored while it is under way. Of a process that was killed in that moment
        # the log has none, and whoever went on found the order.
        if wrong is None and each.oid in sent and not each.has_request:
            wrong = "its request is in the log, and is not told"
        if wrong:
            yield Violation(
                breach=Breach.WRONGLY_TOLD, text=f"{each.oid}: {wrong}", alert_id=alert_id
            )


def _differs(told: ToldOrder, made: Sequence[ExchangeOrder]) -> str | None:
    if not made:
        taken = told.state in {"filled", "partly_filled", "accepted", "resting"}
        return f"{told.state}, and the exchange has no such order" if taken else None
    # Of several under one id the executed one counts; that there are several is told elsewhere.
    order = max(made, key=lambda order: order.filled)
    states = {
        _DONE: {"filled"},
        _CANCELED: {"partly_filled"} if order.filled else {"canceled"},
        _DIED: {"partly_filled"} if order.filled else {"rejected", "canceled"},
    }.get(order.state, {"resting"})
    if told.state not in states:
        return f"{told.state}, and the exchange says {' or '.join(sorted(states))}"
    if told.filled != order.filled:
        return f"{told.filled} filled, and the exchange says {order.filled}"
    if told.exchange_order_id != str(order.order_id):
        return f"told as order {told.exchange_order_id}, and it is {order.order_id}"
    return None


def _untold_orders(
    evidence: Evidence, *, judged: Mapping[str, Sequence[Judged]]
) -> Iterator[Violation]:
    for order in evidence.orders:
        name = read_oid(order.oid)
        told = evidence.told.get(name.alert_id) if name else None
        if name is None or told is None or name.alert_id not in judged:
            continue
        if all(each.oid != order.oid for each in told.orders):
            yield Violation(
                breach=Breach.UNTOLD,
                text=f"order {order.order_id}, {order.oid}",
                alert_id=name.alert_id,
                lane=f"{order.account} {order.symbol}",
            )


def _first(seqs: Collection[int]) -> str:
    few = sorted(seqs)[:_SHOWN_AT_MOST]
    more = ", …" if len(seqs) > len(few) else ""
    return ", ".join(str(seq) for seq in few) + more
