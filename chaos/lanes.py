"""One account and symbol: walks its alerts in the order of the log, with the position that the
executed orders lead to, and says what does not fit. Pure.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chaos.evidence import Call, Denial, Evidence, ExchangeOrder, LaneKey, StoredAlert
from chaos.oids import OrderName, Role, read_oid
from chaos.reference import FLAT, Held, Move, after, moves
from chaos.violations import Breach, Violation
from chaos.world import Route, Signal

_SAYS_NOTHING_FINAL = frozenset({0, 500, 501, 510, 603, 2037, 2042, 3016, 9999})
"""Codes after which the exchange still has to be asked, or the call made again."""
_WRONG_TIME = 513
_LEAST_EXCUSE_S = -0.5
"""Clocks of one machine, read in two processes."""


@dataclass(frozen=True, kw_only=True)
class LaneAlert:
    """An alert on one account."""

    stored: StoredAlert
    signal: Signal
    route: Route
    multiplier: int


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An order at the exchange with its id taken apart."""

    order: ExchangeOrder
    name: OrderName


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What one alert came to on one account."""

    alert_id: str
    complete: bool
    """All that was asked for was filled."""
    filled: bool
    fitting: frozenset[str] = frozenset()
    """How it may be told, where that does not follow from the fills."""


@dataclass(kw_only=True)
class Lane:
    key: LaneKey
    one_way: bool = False
    alerts: list[LaneAlert] = field(default_factory=list)
    """In the order of the log."""
    placed: dict[str, list[Placed]] = field(default_factory=lambda: defaultdict(list))
    """By the alert's id, in the order in which the exchange made them."""
    denials: dict[str, list[Denial]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    """By the alert's id."""
    plans: dict[str, str] = field(default_factory=dict)
    """By the alert's id."""
    position: Held = field(default_factory=lambda: FLAT)
    """At the end, as the exchange tells it."""

    @property
    def name(self) -> str:
        return " ".join(self.key)

    def judge(self) -> tuple[list[Judged], list[Violation]]:
        held: Held = FLAT
        judged: list[Judged] = []
        found: list[Violation] = []
        for alert in self.alerts:
            told, held, wrong = self._judge_one(alert, held)
            judged.append(told)
            found += wrong
        if any(held[side] != self.position[side] for side in FLAT):
            text = f"{_words(self.position)}, and its orders lead to {_words(held)}"
            found.append(Violation(breach=Breach.WRONG_POSITION, text=text, lane=self.name))
        return judged, [*found, *self._out_of_order()]

    def _judge_one(self, alert: LaneAlert, held: Held) -> tuple[Judged, Held, list[Violation]]:
        alert_id = alert.stored.alert_id
        placed = self.placed.get(alert_id, [])
        found = [self._wrong(*told, alert_id) for told in _executed_twice(placed)]
        found += [self._wrong(*told, alert_id) for told in sent_again(self.calls.get(alert_id, []))]
        expected = moves(alert.signal, alert.route, multiplier=alert.multiplier, held=held)
        roles = {move.role for move in expected}
        for each in placed:
            if each.name.role not in roles:
                found.append(self._wrong(Breach.UNEXPECTED, _shown(each), alert_id))
        short_before = False
        complete = True
        before = held
        for move in expected:
            legs = [each for each in placed if each.name.role == move.role]
            opens = move.role[0] == "open"
            if short_before and opens:
                complete = False
                if legs:
                    found.append(self._wrong(Breach.OPENED_TOO_SOON, _shown(legs[0]), alert_id))
            else:
                wrong = self._wrong_size(alert, move, legs, held=before)
                found += [self._wrong(*wrong, alert_id)] if wrong else []
            filled = sum(each.order.filled for each in legs)
            short_before |= filled < move.contracts
            complete &= filled >= move.contracts
        for each in placed:
            held = after(held, each.name.role, each.order.filled, one_way=self.one_way)
        told = Judged(
            alert_id=alert_id,
            complete=complete,
            filled=any(each.order.filled for each in placed),
        )
        return told, held, found

    def _wrong_size(
        self, alert: LaneAlert, move: Move, legs: Sequence[Placed], *, held: Held
    ) -> tuple[Breach, str] | None:
        # An order that died may have been sent once more: its leg counts once.
        sizes = {each.name.leg: each.order.contracts for each in legs}
        total = sum(sizes.values())
        effect, side = move.role
        asked = f"{effect} {side.value} {move.contracts} while holding {_words(held)}"
        if total == move.contracts:
            return None
        if total > move.contracts:
            return Breach.WRONG_SIZE, f"{asked}: orders for {total} were made"
        if effect == "open" and any(each.order.filled < each.order.contracts for each in legs):
            return None  # Nothing more is opened behind an order that was not filled whole.
        if self._excused(alert, move.role):
            return None
        breach = Breach.WRONG_SIZE if total else Breach.MISSING
        return breach, f"{asked}: orders for {total} were made"

    def _excused(self, alert: LaneAlert, role: Role) -> bool:
        alert_id = alert.stored.alert_id
        for denial in self.denials.get(alert_id, []):
            age_s = denial.at_s - alert.stored.received_s
            late = age_s - alert.route.max_age_s >= _LEAST_EXCUSE_S
            if denial.reason == "stale" and role[0] == "open" and late:
                return True
        calls = [
            call
            for call in self.calls.get(alert_id, [])
            if (name := read_oid(call.oid)) is not None and name.role == role
        ]
        return refused_for_good(calls)

    def _out_of_order(self) -> Iterator[Violation]:
        latest, latest_alert = 0, ""
        received, received_alert = 0, ""
        for alert in self.alerts:
            alert_id = alert.stored.alert_id
            numbers = [each.order.order_id for each in self.placed.get(alert_id, [])]
            if numbers and min(numbers) < latest:
                yield self._wrong(
                    Breach.OUT_OF_ORDER,
                    f"order {min(numbers)} was made before order {latest} of {latest_alert}",
                    alert_id,
                )
            if numbers and max(numbers) > latest:
                latest, latest_alert = max(numbers), alert_id
            first = next((call for call in self.calls.get(alert_id, []) if call.code == 0), None)
            if first is None:
                continue
            if first.received_ns < received:
                behind_ms = (received - first.received_ns) / 1e6
                yield self._wrong(
                    Breach.OUT_OF_ORDER,
                    f"its request came {behind_ms:.0f} ms before that of {received_alert}",
                    alert_id,
                )
            else:
                received, received_alert = first.received_ns, alert_id

    def _wrong(self, breach: Breach, text: str, alert_id: str) -> Violation:
        planned = self.plans.get(alert_id)
        text = f"{text}; {planned}" if planned else text
        return Violation(breach=breach, text=text, alert_id=alert_id, lane=self.name)


def lanes_of(
    evidence: Evidence,
    *,
    alerts: Mapping[LaneKey, Iterable[LaneAlert]],
    one_way: Collection[str],
) -> dict[LaneKey, Lane]:
    """Each lane with what was seen of it; orders of nobody's are in none. `one_way`: the accounts
    in that mode.
    """
    lanes = {
        key: Lane(
            key=key,
            one_way=key[0] in one_way,
            alerts=sorted(each, key=lambda alert: alert.stored.seq),
            position=evidence.positions.get(key, FLAT),
            plans={
                alert_id: plan
                for (alert_id, account), plan in evidence.plans.items()
                if account == key[0]
            },
        )
        for key, each in alerts.items()
    }
    for order in sorted(evidence.orders, key=lambda order: order.order_id):
        name = read_oid(order.oid)
        lane = lanes.get((order.account, order.symbol))
        if name is not None and lane is not None:
            lane.placed[name.alert_id].append(Placed(order=order, name=name))
    for denial in evidence.denials:
        for lane in lanes.values():
            if denial.account in {None, lane.key[0]}:
                lane.denials[denial.alert_id].append(denial)
    _share_calls(evidence, lanes=lanes.values())
    return lanes


def _share_calls(evidence: Evidence, *, lanes: Iterable[Lane]) -> None:
    by_alert: dict[str, list[Call]] = defaultdict(list)
    for call in sorted(evidence.calls, key=lambda call: call.received_ns):
        name = read_oid(call.oid)
        if name is not None:
            by_alert[name.alert_id].append(call)
    for lane in lanes:
        for alert in lane.alerts:
            lane.calls[alert.stored.alert_id] = [
                call
                for call in by_alert.get(alert.stored.alert_id, [])
                if call.account == lane.key[0]
            ]


def _executed_twice(placed: Sequence[Placed]) -> Iterator[tuple[Breach, str]]:
    legs: dict[str, list[Placed]] = defaultdict(list)
    for each in placed:
        if each.order.filled or each.order.state == _DONE:
            legs[each.name.leg].append(each)
    for executed in legs.values():
        if len(executed) > 1:
            numbers = ", ".join(str(each.order.order_id) for each in executed)
            yield Breach.DOUBLED, f"{_shown(executed[0])}; orders {numbers}"


def refused_for_good(calls: Sequence[Call]) -> bool:
    """Whether an order that is missing after these calls has the exchange's own no."""
    if not calls or calls[-1].code in _SAYS_NOTHING_FINAL | {None}:
        return False
    # A wrong time is mended once, and only a second one is an answer.
    return calls[-1].code != _WRONG_TIME or sum(call.code == _WRONG_TIME for call in calls) > 1


def sent_again(calls: Sequence[Call]) -> Iterator[tuple[Breach, str]]:
    executed: dict[str, Call] = {}
    for call in calls:
        first = executed.get(call.oid)
        if first is not None:
            later_ms = (call.received_ns - first.received_ns) / 1e6
            yield Breach.REPEATED, f"{call.oid}, {later_ms:.0f} ms later (code {call.code})"
        elif call.code == 0:
            executed[call.oid] = call


_DONE = 3


def _shown(placed: Placed) -> str:
    effect, side = placed.name.role
    order = placed.order
    return (
        f"{effect} {side.value} {order.contracts}, {order.filled} filled, state {order.state},"
        f" {order.oid}"
    )


def _words(held: Held) -> str:
    return " and ".join(f"{side.value} {held[side]}" for side in FLAT if held[side]) or "flat"
