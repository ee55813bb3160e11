"""What the console's API answers about an alert, made of messages as they stand in the log."""

from datetime import timedelta
from typing import Any

import msgspec

from libs.common.contracts import codec
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.execution import Execution
from services.console.rendering import alert_document
from services.console.trail import Row
from tests.factories import ALERT_ID, NOW

_SERVICES = {"alert": "ingest", "intent": "router", "order": "executor", "execution": "executor"}


def answered(*messages: AnyMessage) -> dict[str, Any]:
    """The document of `GET /api/alerts/{id}`, two milliseconds from message to message."""
    document: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(alert_document(ALERT_ID, rows_of(*messages)))
    )
    return document


def rows_of(*messages: AnyMessage) -> list[Row]:
    return [_row(number, message) for number, message in enumerate(messages)]


def _row(number: int, message: AnyMessage) -> Row:
    stage = stage_of(message)
    at = NOW + timedelta(milliseconds=2 * number)
    return Row(
        seq=number + 1,
        stage=stage,
        service=_SERVICES.get(stage.split(".")[0], stage.rpartition(".")[2]),
        at=at,
        stored_at=at,
        body=codec.encode(message),
        message=message,
    )


def stage_of(message: AnyMessage) -> str:
    match message:
        case Execution(kind=kind):
            return f"execution.{kind.value}"
        case DeadLetter(service=service):
            return f"dead.{service}"
    return str(type(message).__struct_config__.tag)
