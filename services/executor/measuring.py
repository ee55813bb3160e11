"""What the executor counts and times of its orders, and what it shows of its accounts when
Prometheus asks.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from prometheus_client import Counter, Gauge, Histogram

from libs.common.contracts.causes import Cause
from libs.common.contracts.execution import Execution
from libs.common.contracts.order import Plan
from libs.common.contracts.words import ClientOrderId, ExecutionKind
from libs.common.metrics import LATENCY_BUCKETS_S, Latency, stage_seconds
from services.executor.accounts import Accounts

executions = Counter(
    "alertwire_executions",
    "What became of orders and changes, each step counted: `sent`, `accepted`, `filled`,"
    " `rejected`, `canceled`, `unknown`, `resting`, `changed`",
    ["kind"],
)
rejected = Counter(
    "alertwire_orders_rejected",
    "Orders and changes that the exchange refused, by what its code is about; `other` where it gave"
    " none that is known",
    ["cause"],
)
alert_to_order_seconds = Histogram(
    "alertwire_alert_to_order_seconds",
    "From an alert's arrival at ingest to its first order's leaving, by the clocks of both",
    buckets=LATENCY_BUCKETS_S,
)
unknown_orders = Gauge(
    "alertwire_unknown_orders", "Orders of which it is not known whether the exchange has them"
)
oldest_unknown_seconds = Gauge(
    "alertwire_oldest_unknown_order_seconds", "For how long the oldest of them has been unknown"
)
websockets_open = Gauge(
    "alertwire_websockets_open", "Private connections to exchanges that are open"
)
picture_live = Gauge(
    "alertwire_picture_live",
    "1 where the account's live picture is trusted, 0 where the exchange is asked before each plan",
    ["account"],
)
picture_age_seconds = Gauge(
    "alertwire_picture_age_seconds",
    "Time since the exchange last confirmed what the account holds",
    ["account"],
)
budget_left = Gauge(
    "alertwire_budget_left_calls",
    "Order calls that the account may make at once; 0 also while the exchange says `too many`",
    ["account"],
)
budget_waiting = Gauge(
    "alertwire_budget_waiting_calls",
    "Order calls of the account that wait for its budget",
    ["account"],
)

_sent_in = Latency(stage_seconds.labels("sent"))
_acknowledged_in = Latency(stage_seconds.labels("acknowledged"))
_final_in = Latency(stage_seconds.labels("final"))
_ordered_in = Latency(alert_to_order_seconds)
# Begun at 0: a rate is not told of a count that begins at 1.
_rejections = {cause: rejected.labels(cause.value) for cause in Cause}
_counts = {kind: executions.labels(kind.value) for kind in ExecutionKind}
_ENDS = frozenset({ExecutionKind.FILLED, ExecutionKind.CANCELED, ExecutionKind.REJECTED})


class UnknownOrders:
    """Since when each order is unknown. One that was given up on stays here for as long as this
    process is the owner: nobody knows any better.
    """

    def __init__(self) -> None:
        self._since: dict[ClientOrderId, datetime] = {}

    def note(self, order: ClientOrderId, kind: ExecutionKind, *, at: datetime) -> None:
        if kind is ExecutionKind.UNKNOWN:
            self._since.setdefault(order, at)
        else:
            self._since.pop(order, None)

    def clear(self) -> None:
        """Another process is the owner now, and reads the log for them."""
        self._since.clear()

    def __len__(self) -> int:
        return len(self._since)

    def oldest_s(self, now: datetime) -> float:
        oldest = min(self._since.values(), default=now)
        return max(0.0, (now - oldest).total_seconds())


unknown = UnknownOrders()


def restore(known: Iterable[Execution]) -> None:
    """What an earlier try or process has told of a plan, in its order."""
    for execution in known:
        unknown.note(execution.client_order_id, execution.kind, at=execution.at)


def count(order: ClientOrderId, kind: ExecutionKind, *, at: datetime, cause: Cause | None) -> None:
    """One step of an order or change."""
    _counts[kind].inc()
    unknown.note(order, kind, at=at)
    if kind is ExecutionKind.REJECTED:
        _rejections[cause or Cause.OTHER].inc()


class PlanTimes:
    """Times one plan's way from its making to the end of each of its orders."""

    def __init__(self, plan: Plan, *, received_at: datetime, was_sent: bool) -> None:
        """`was_sent`: its first order had left before."""
        self._plan = plan
        self._received_at = received_at
        self._is_first = not was_sent
        self._sent_at: dict[ClientOrderId, datetime] = {}

    def note(self, order: ClientOrderId, kind: ExecutionKind, *, at: datetime) -> None:
        if kind is ExecutionKind.SENT:
            self._sent_at.setdefault(order, at)
            if self._is_first:
                self._is_first = False
                self._observe(_sent_in, since=self._plan.at, at=at)
                self._observe(_ordered_in, since=self._received_at, at=at)
        elif (sent_at := self._sent_at.get(order)) is None:
            return
        elif kind is ExecutionKind.ACCEPTED:
            self._observe(_acknowledged_in, since=sent_at, at=at)
        elif kind in _ENDS:
            self._observe(_final_in, since=sent_at, at=at)

    def _observe(self, latency: Latency, *, since: datetime, at: datetime) -> None:
        latency.observe((at - since).total_seconds(), self._plan.alert_id)


def showing(accounts: Accounts) -> Callable[[], None]:
    """What sets the metrics of accounts as they are now; those of an account that went go too."""

    def show() -> None:
        current = accounts.current()
        for gauge in (picture_live, picture_age_seconds, budget_left, budget_waiting):
            gauge.clear()
        for connected in current:
            account, book, budget = connected.account.id, connected.book, connected.budget
            picture_live.labels(account).set(book.is_live)
            picture_age_seconds.labels(account).set(book.confirmed_s_ago)
            budget_left.labels(account).set(budget.left)
            budget_waiting.labels(account).set(budget.waiting)
        websockets_open.set(sum(connected.book.is_open for connected in current))
        unknown_orders.set(len(unknown))
        oldest_unknown_seconds.set(unknown.oldest_s(datetime.now(UTC)))

    return show
