"""One encoder and one decoder per process. Decimals travel as strings, times as RFC 3339."""

import msgspec

from libs.common.contracts.alert import Alert, AlertDuplicate, AlertRefused
from libs.common.contracts.checkup import AccountCalled, AccountChecked
from libs.common.contracts.dead_letter import DeadLetter, DeadReplayed
from libs.common.contracts.drift import PositionDrifted
from libs.common.contracts.execution import Execution
from libs.common.contracts.flattening import Flattening
from libs.common.contracts.intent import Intent, IntentDenied
from libs.common.contracts.messages import Message
from libs.common.contracts.order import Plan

AnyMessage = (
    Alert
    | AlertDuplicate
    | AlertRefused
    | Intent
    | IntentDenied
    | Flattening
    | Plan
    | Execution
    | PositionDrifted
    | DeadLetter
    | DeadReplayed
    | AccountChecked
    | AccountCalled
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyMessage] = msgspec.json.Decoder(AnyMessage)


class UndecodableError(ValueError):
    """The bytes are no message of ours; the text says why."""


def encode(message: Message | msgspec.Struct) -> bytes:
    return _encoder.encode(message)


def decode(data: bytes) -> AnyMessage:
    """Raises `UndecodableError` for anything that is not a message of the log."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UndecodableError(str(error)) from error
