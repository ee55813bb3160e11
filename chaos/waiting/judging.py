"""Walks each account and symbol whose orders wait, alert by alert, and says what does not fit.
Pure.

What an order should be follows from its own alert alone; what should have become of it in the end,
from what that account and symbol tries.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from chaos.evidence import Call, Evidence, ExchangeOrder, ExchangeStop, LaneKey, StoredAlert
from chaos.lanes import Judged, refused_for_good, sent_again
from chaos.oids import OrderName, read_oid
from chaos.reference import FLAT, Held
from chaos.violations import Breach, Violation
from chaos.world import Purpose, Side, Step, StepWord, World

_OPEN = frozenset({1, 2})
_CANCELED, _DIED = 4, 5
_WAITS, _DONE = 1, 3
_Prices = tuple[Decimal, Decimal]
"""Of a stop and a target; zero is none."""


@dataclass(kw_only=True)
class WaitingLane:
    key: LaneKey
    steps: list[tuple[StoredAlert, Step]] = field(default_factory=list)
    """In the order of the log."""
    placed: dict[str, list[tuple[OrderName, ExchangeOrder]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By the alert's id."""
    calls: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    """By the alert's id, as they came."""
    stops: list[ExchangeStop] = field(default_factory=list)
    position: Held = field(default_factory=lambda: FLAT)
    _held: Counter[Side] = field(default_factory=Counter)
    _covered: Counter[_Prices] = field(default_factory=Counter)
    """Contracts by the prices that should protect them."""

    def judge(self) -> tuple[list[Judged], list[Violation]]:
        judged: list[Judged] = []
        found: list[Violation] = []
        for place, (stored, step) in enumerate(self.steps):
            match step.word:
                case StepWord.REST | StepWord.ENTER:
                    told = self._opening(stored.alert_id, step)
                    found += self._wrong_orders(stored.alert_id, step)
                    found += self._wrong_end(place)
                case StepWord.CANCEL:
                    told = self._cancel(place)
                case StepWord.MODIFY:
                    told = self._modify(stored.alert_id, step)
            if step.word in {StepWord.CANCEL, StepWord.MODIFY}:
                found += [
                    self._wrong(Breach.UNEXPECTED, _shown(order), stored.alert_id)
                    for _, order in self.placed.get(stored.alert_id, [])
                ]
            judged.append(told)
        return judged, [*found, *self._out_of_order(), *self._wrong_position()]

    def _opening(self, alert_id: str, step: Step) -> Judged:
        order = self._living(alert_id)
        filled = order.filled if order is not None else 0
        self._held[step.side] += filled
        if step.word is StepWord.ENTER and filled:
            self._covered[step.stop, step.target] += filled
        waits = order is not None and order.state in _OPEN
        return Judged(
            alert_id=alert_id,
            complete=filled >= step.contracts,
            filled=filled > 0,
            fitting=frozenset({"pending"} if waits else ()),
        )

    def _wrong_orders(self, alert_id: str, step: Step) -> Iterator[Violation]:
        placed = self.placed.get(alert_id, [])
        calls = self.calls.get(alert_id, [])
        living = [order for _, order in placed if order.state != _DIED]
        if len(living) > 1:
            numbers = ", ".join(str(order.order_id) for order in living)
            text = f"{_shown(living[0])}; orders {numbers}"
            yield self._wrong(Breach.DOUBLED, text, alert_id)
        for breach, text in sent_again(calls):
            yield self._wrong(breach, text, alert_id)
        if not placed and not refused_for_good(calls):
            asked = f"{step.word.value} {step.side.value} {step.contracts}"
            yield self._wrong(Breach.MISSING, f"{asked}: no order was made", alert_id)
        for name, order in placed:
            if name.role != ("open", step.side):
                yield self._wrong(Breach.UNEXPECTED, _shown(order), alert_id)
            if order.contracts != step.contracts:
                text = f"{_shown(order)}, and {step.contracts} was asked"
                yield self._wrong(Breach.WRONG_SIZE, text, alert_id)
            price = order.price if step.word is StepWord.REST else Decimal(0)
            if (price, order.stop, order.target) != (step.price, step.stop, step.target):
                text = f"{_shown(order)}, and {_prices(step)} was asked"
                yield self._wrong(Breach.WRONG_PRICE, text, alert_id)

    def _wrong_end(self, place: int) -> Iterator[Violation]:
        stored, step = self.steps[place]
        order = self._living(stored.alert_id)
        if order is None or step.word is not StepWord.REST:
            return
        to_be_canceled = any(
            later.word is StepWord.CANCEL and later.label == step.label
            for _, later in self.steps[place + 1 :]
        )
        if to_be_canceled and order.state in _OPEN:
            yield self._wrong(Breach.NOT_CANCELED, _shown(order), stored.alert_id)
        elif not to_be_canceled and order.state == _CANCELED and not order.filled:
            yield self._wrong(Breach.CANCELED_UNASKED, _shown(order), stored.alert_id)

    def _cancel(self, place: int) -> Judged:
        stored, step = self.steps[place]
        ends = [
            self._living(earlier.alert_id)
            for earlier, made in self.steps[:place]
            if made.label == step.label
        ]
        # What was filled in part may have ended by itself before; what died has.
        did = any(order is not None and not order.filled for order in ends)
        return Judged(
            alert_id=stored.alert_id,
            complete=True,
            filled=False,
            fitting=frozenset({"executed"} if did else {"executed", "denied"}),
        )

    def _modify(self, alert_id: str, step: Step) -> Judged:
        moved: Counter[_Prices] = Counter()
        for (stop, target), contracts in self._covered.items():
            moved[step.stop or stop, step.target or target] += contracts
        self._covered = moved
        holds = self._held[step.side] > 0
        return Judged(
            alert_id=alert_id,
            complete=holds,
            filled=False,
            fitting=frozenset({"executed" if holds else "denied"}),
        )

    def _wrong_position(self) -> Iterator[Violation]:
        purposes = {step.purpose for _, step in self.steps}
        waiting = _covered(self.stops, state=_WAITS)
        if Purpose.FIRE in purposes:
            # Each has fired by the last sweep, and so nothing is held.
            held, protecting, fired = Counter[Side](), Counter[_Prices](), self._covered
        else:
            held, protecting, fired = self._held, self._covered, Counter[_Prices]()
        if any(held[side] != self.position[side] for side in FLAT):
            text = f"{dict(self.position)}, and its orders lead to {dict(held)}"
            yield self._wrong(Breach.WRONG_POSITION, text, self._latest)
        for what, found, wanted in (
            ("wait", waiting, protecting),
            ("have fired", _covered(self.stops, state=_DONE), fired),
        ):
            if found != wanted:
                text = f"{_told(found)} {what}, and it should be {_told(wanted)}"
                yield self._wrong(Breach.WRONG_STOP, text, self._latest)

    @property
    def _latest(self) -> str:
        return self.steps[-1][0].alert_id if self.steps else ""

    def _out_of_order(self) -> Iterator[Violation]:
        latest, latest_alert = 0, ""
        for stored, _ in self.steps:
            numbers = [order.order_id for _, order in self.placed.get(stored.alert_id, [])]
            if numbers and min(numbers) < latest:
                text = f"order {min(numbers)} was made before order {latest} of {latest_alert}"
                yield self._wrong(Breach.OUT_OF_ORDER, text, stored.alert_id)
            if numbers and max(numbers) > latest:
                latest, latest_alert = max(numbers), stored.alert_id

    def _living(self, alert_id: str) -> ExchangeOrder | None:
        # Of several the one that was filled; that there are several is told elsewhere.
        orders = [order for _, order in self.placed.get(alert_id, []) if order.state != _DIED]
        return max(orders, key=lambda order: order.filled, default=None)

    def _wrong(self, breach: Breach, text: str, alert_id: str) -> Violation:
        return Violation(breach=breach, text=text, alert_id=alert_id, lane=" ".join(self.key))


def judge_waiting(world: World, evidence: Evidence) -> tuple[list[Judged], list[Violation]]:
    judged: list[Judged] = []
    found: list[Violation] = []
    for lane in _lanes(world, evidence).values():
        outcomes, wrong = lane.judge()
        judged += outcomes
        found += wrong
    return judged, found


def fired_orders(evidence: Evidence) -> set[tuple[str, int]]:
    """By account and number, the orders that stops and targets have made."""
    return {(stop.account, stop.placed_id) for stop in evidence.stops if stop.placed_id}


def _lanes(world: World, evidence: Evidence) -> dict[LaneKey, WaitingLane]:
    steps = {step.key: step for step in world.steps}
    lanes = {
        (route.name, symbol): WaitingLane(key=(route.name, symbol))
        for route in world.waiting
        for symbol in route.symbols
    }
    for stored in sorted(evidence.stored, key=lambda stored: stored.seq):
        step = steps.get(stored.key)
        if step is not None:
            lanes[step.route, step.symbol].steps.append((stored, step))
    _share(evidence, lanes=lanes)
    for stop in evidence.stops:
        lanes[stop.account, stop.symbol].stops.append(stop)
    for key, lane in lanes.items():
        lane.position = evidence.positions.get(key, FLAT)
    return lanes


def _share(evidence: Evidence, *, lanes: dict[LaneKey, WaitingLane]) -> None:
    for order in sorted(evidence.orders, key=lambda order: order.order_id):
        name, lane = read_oid(order.oid), lanes.get((order.account, order.symbol))
        if name is not None and lane is not None:
            lane.placed[name.alert_id].append((name, order))
    of_account: dict[str, list[WaitingLane]] = defaultdict(list)
    for lane in lanes.values():
        of_account[lane.key[0]].append(lane)
    for call in sorted(evidence.calls, key=lambda call: call.received_ns):
        name = read_oid(call.oid)
        if name is not None:
            for lane in of_account.get(call.account, ()):
                lane.calls[name.alert_id].append(call)


def _covered(stops: Sequence[ExchangeStop], *, state: int) -> Counter[_Prices]:
    found: Counter[_Prices] = Counter()
    for stop in stops:
        if stop.state == state:
            found[stop.stop, stop.target] += stop.contracts
    return found


def _told(covered: Counter[_Prices]) -> str:
    return (
        ", ".join(
            f"{contracts} by {stop:f} and {target:f}"
            for (stop, target), contracts in sorted(covered.items())
        )
        or "none"
    )


def _prices(step: Step) -> str:
    return f"{step.price:f}, stop {step.stop:f}, target {step.target:f}"


def _shown(order: ExchangeOrder) -> str:
    return (
        f"{order.contracts} at {order.price:f}, stop {order.stop:f}, target {order.target:f},"
        f" {order.filled} filled, state {order.state}, {order.oid}"
    )
