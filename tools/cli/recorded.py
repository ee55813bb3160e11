"""What became of an alert then, read from the trail's document: pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from libs.common.contracts import codec
from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.intent import Denial, Intent, IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.words import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountThen:
    """What was decided for one account; nothing of it where that was not reached."""

    intent: Intent | None = None
    plan: Plan | None = None
    denial: Denial | None = None
    denied_at: datetime | None = None

    @property
    def denied_by_router(self) -> bool:
        return self.denial is not None and self.intent is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    arrived: Alert | AlertRefused
    accounts: Mapping[AccountId, AccountThen]
    denied: Denial | None
    """Why no account was reached at all: the route was gone."""
    dead: tuple[str, ...]
    """Why services gave up on it."""
    unreadable: int
    """Events that this release cannot decode."""


class NoAlert(Exception):  # noqa: N818 - what it is
    """The trail has no message that somebody sent under this id."""


def recorded(document: Mapping[str, Any]) -> Recorded:
    """Raises `NoAlert`. Of several decisions about one account the first is what was done."""
    messages = [_message(event.get("data")) for event in document.get("events") or ()]
    arrived = next((each for each in messages if isinstance(each, Alert | AlertRefused)), None)
    if arrived is None:
        raise NoAlert
    accounts: dict[AccountId, AccountThen] = {}
    denied: Denial | None = None
    for message in messages:
        match message:
            case IntentDenied(account=None):
                denied = denied or message.denial
            case Intent() | IntentDenied() | Plan():
                assert message.account is not None  # noqa: S101 - the case above
                before = accounts.get(message.account, AccountThen())
                accounts[message.account] = _with(before, message)
    return Recorded(
        arrived=arrived,
        accounts=accounts,
        denied=denied,
        dead=tuple(
            f"{each.service} gave up: {each.reason}"
            for each in messages
            if isinstance(each, DeadLetter)
        ),
        unreadable=messages.count(None),
    )


def _with(before: AccountThen, message: Intent | IntentDenied | Plan) -> AccountThen:
    intent, plan = before.intent, before.plan
    denial, denied_at = before.denial, before.denied_at
    match message:
        case Intent():
            intent = intent or message
        case Plan():
            plan = plan or message
        case IntentDenied() if denial is None:
            denial, denied_at = message.denial, message.at
    return AccountThen(intent=intent, plan=plan, denial=denial, denied_at=denied_at)


def _message(data: object) -> AnyMessage | None:
    try:
        return codec.decode(json.dumps(data).encode())
    except codec.UndecodableError:
        return None
