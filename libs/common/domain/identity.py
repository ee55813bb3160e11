"""Every idempotency key of the house, with its reasons. All are pure functions of what they name,
so that a crash, a redelivery or a second process computes the same key and does the thing once.
"""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from libs.common.contracts.words import (
    AccountId,
    Action,
    AlertId,
    ClientOrderId,
    Effect,
    ExecutionKind,
    IntentId,
    PositionSide,
    RouteId,
    VenueSymbol,
)

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ALERT_DIGITS = 22  # 62**22 > 2**128
_ACCOUNT_DIGITS = 3
CHUNKS_MAX = 36**2
ATTEMPTS_MAX = 36


def alert_id(*, unix_ms: int, random_bits: int) -> AlertId:
    """A UUIDv7 (RFC 9562): 48 bits of time, then 74 random ones, so that ids sort by arrival."""
    value = (unix_ms & (1 << 48) - 1) << 80
    value |= 0x7 << 76
    value |= (random_bits >> 62 & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random_bits & (1 << 62) - 1
    return AlertId(str(UUID(int=value)))


def trace_id(alert: AlertId) -> int:
    """The alert's id as OpenTelemetry's 128 bits."""
    return UUID(alert).int


def body_key(*, route: RouteId, explicit_id: str | None, body: bytes) -> str:
    """What makes two alerts of a route the same: an id that the sender gave, else the bytes.

    TradingView's resends are identical to the byte, and two alerts of one second share
    `{{timenow}}`, so nothing less than the whole body will do.
    """
    what = b"id:" + explicit_id.encode() if explicit_id is not None else b"body:" + body
    return sha256(route.encode() + b"\0" + what).hexdigest()[:32]


def received_event_id(*, key: str, predecessor: AlertId | None) -> str:
    """The log's dedup id of a received alert.

    Two ingests that get the same body at once know the same predecessor, so they make the same id
    and the log keeps one. Once a predecessor has left the window, it makes the next id differ.
    """
    return f"{key}:{predecessor or '-'}"


def intent_id(*, alert: AlertId, account: AccountId) -> IntentId:
    """One intent per alert and account: a router that runs twice makes the same one."""
    return IntentId(f"{alert}.{account}")


def intent_event_id(intent: IntentId) -> str:
    return f"intent:{intent}"


def denial_event_id(*, alert: AlertId, account: AccountId | None) -> str:
    return f"denied:{alert}.{account or '-'}"


def flattening_event_id(*, halt: AlertId, account: AccountId) -> str:
    """One list per halt and account of what it closes, whoever makes it."""
    return f"flattened:{halt}.{account}"


def flatten_alert_id(
    *, halt: AlertId, account: AccountId, symbol: VenueSymbol, action: Action
) -> AlertId:
    """What stands for an alert where a halt closes something.

    An intent's id and its orders' ids are made of alert and account alone, so each symbol needs an
    alert of its own, and so does the cancel before the close. The halt's time is kept, so that it
    sorts as what it came from.
    """
    named = f"{halt}\0{account}\0{symbol}\0{action.value}"
    random_bits = int.from_bytes(sha256(named.encode()).digest()[:10], "big") >> 6
    return alert_id(unix_ms=UUID(halt).int >> 80, random_bits=random_bits)


def plan_event_id(intent: IntentId) -> str:
    """One plan per intent: the log refuses a second one, whoever makes it."""
    return f"plan:{intent}"


def execution_event_id(*, order: ClientOrderId, kind: ExecutionKind, occurrence: int = 0) -> str:
    """`occurrence` tells apart what may happen to an order more than once (`unknown`)."""
    return f"{kind.value}:{order}:{occurrence}"


def drift_event_id(*, intent: IntentId, at: datetime) -> str:
    """A position may drift more than once after a plan."""
    return f"drifted:{intent}:{int(at.timestamp() * 1e6)}"


def called_event_id(*, account: AccountId, at: datetime, number: int) -> str:
    """`number` counts what one process tells: several messages of one moment are no copies."""
    return f"called:{account}:{int(at.timestamp() * 1e6)}:{number}"


def checkup_event_id(*, account: AccountId, at: datetime) -> str:
    """An account is checked once at a time."""
    return f"checked:{account}:{int(at.timestamp() * 1e6)}"


def dead_event_id(*, service: str, seq: int) -> str:
    return f"dead:{service}:{seq}"


def replay_event_id(letter_seq: int) -> str:
    """One dead letter is put back once; where that fails again it makes another letter."""
    return f"replay:{letter_seq}"


def replayed_event_id(letter_seq: int) -> str:
    return f"replayed:{letter_seq}"


def client_order_id(
    *,
    alert: AlertId,
    account: AccountId,
    effect: Effect,
    side: PositionSide,
    chunk: int,
    attempt: int,
) -> ClientOrderId:
    """MEXC's externalOid: 30 characters of [A-Za-z0-9], where MEXC takes 32.

    22 digits of the alert, 3 of the account (two accounts here may be one at the exchange), the
    role (`ol` opens a long, `cs` closes a short), two digits of the chunk (an order above the
    exchange's maximum is split) and one of the attempt (a new one exists only once the log holds
    the proof that the last one is dead).
    """
    if not (0 <= chunk < CHUNKS_MAX and 0 <= attempt < ATTEMPTS_MAX):
        raise ValueError(f"no id for chunk {chunk}, attempt {attempt}")
    role = effect.value[0] + side.value[0]
    return ClientOrderId(
        _of_account(alert=alert, account=account)
        + role
        + _BASE62[chunk // 36]
        + _BASE62[chunk % 36]
        + _BASE62[attempt]
    )


def change_id(*, alert: AlertId, account: AccountId, number: int) -> ClientOrderId:
    """What tells a plan's changes apart in the log: as an order's id, with the role `xx`."""
    if not 0 <= number < CHUNKS_MAX:
        raise ValueError(f"no id for change {number}")
    return ClientOrderId(
        _of_account(alert=alert, account=account)
        + f"xx{_BASE62[number // 36]}{_BASE62[number % 36]}0"
    )


def _of_account(*, alert: AlertId, account: AccountId) -> str:
    account_number = int.from_bytes(sha256(account.encode()).digest()[:8], "big")
    return _base62(UUID(alert).int, digits=_ALERT_DIGITS) + _base62(
        account_number % 62**_ACCOUNT_DIGITS, digits=_ACCOUNT_DIGITS
    )


def _base62(value: int, *, digits: int) -> str:
    out = ""
    for _ in range(digits):
        value, digit = divmod(value, 62)
        out = _BASE62[digit] + out
    return out
