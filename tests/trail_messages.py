"""Messages of an alert's later life, with overrides: what journey and console are tested with."""

from typing import Any

from libs.common.contracts.control import Scope
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.execution import Execution
from libs.common.contracts.flattening import FlatLane, Flattening
from libs.common.contracts.intent import Denial, IntentDenied
from libs.common.contracts.order import Leg, Plan
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import AccountId, AlertId, ExecutionKind, VenueSymbol
from libs.common.domain.identity import intent_id
from tests.factories import ALERT_ID, NOW

SYMBOL = VenueSymbol("BTC_USDT")


def common(alert: AlertId = ALERT_ID) -> dict[str, Any]:
    return {"alert_id": alert, "route": "demo", "at": NOW}


def lane(account: str, alert: AlertId) -> dict[str, Any]:
    account_id = AccountId(account)
    return {
        **common(alert),
        "intent_id": intent_id(alert=alert, account=account_id),
        "account": account_id,
        "symbol": SYMBOL,
    }


def make_plan(*legs: Leg, account="paper", alert=ALERT_ID, **changes) -> Plan:
    return Plan(**{**lane(account, alert), "holdings": (), "legs": legs, **changes})


def make_execution(kind, order="o1", account="paper", alert=ALERT_ID, **changes) -> Execution:
    return Execution(
        **{
            **lane(account, alert),
            "client_order_id": order,
            "kind": ExecutionKind(kind),
            **changes,
        }
    )


def make_denied(reason=Reason.STALE, account=None, alert=ALERT_ID, **changes) -> IntentDenied:
    denial = Denial(reason=reason, message="no")
    return IntentDenied(**{**common(alert), "account": account, "denial": denial, **changes})


def make_flattening(*lanes: FlatLane, account="paper", halt=ALERT_ID, **changes) -> Flattening:
    values = {
        "alert_id": halt,
        "account": AccountId(account),
        "route": "halt",
        "at": NOW,
        "halted_at": NOW,
        "scope": Scope.ALL,
        "lanes": lanes,
    }
    return Flattening(**{**values, **changes})


def make_dead(service: str, subject: str, alert=ALERT_ID) -> DeadLetter:
    return DeadLetter(
        service=service,
        at=NOW,
        subject=subject,
        seq=1,
        deliveries=5,
        reason="a bug",
        data=b"",
        alert_id=alert,
    )
