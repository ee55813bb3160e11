"""What a verdict finds wrong. Values only."""

from dataclasses import dataclass
from enum import StrEnum


class Breach(StrEnum):
    """The ways in which a promise can be broken."""

    LOST = "an accepted alert is not in the log"
    STORED_TWICE = "one alert is in the log twice"
    WRONGLY_ANSWERED = "the answer does not fit what was stored"
    OVERTAKEN = "stored before an alert that was answered before it was sent"
    UNENDED = "the alert has not ended"
    MISSING = "an order is missing, and nothing excuses it"
    DOUBLED = "an order was executed twice"
    REPEATED = "sent again after it had been executed"
    UNEXPECTED = "an order that the signal does not ask for"
    WRONG_SIZE = "an order of another size than the signal and the position ask for"
    OPENED_TOO_SOON = "opened although what had to be closed was not closed whole"
    OUT_OF_ORDER = "executed before an earlier alert of its lane"
    WRONG_POSITION = "the position is another than the executed orders lead to"
    WRONG_PRICE = "an order at another price, or with another stop or target, than asked"
    NOT_CANCELED = "an order waits that was to be canceled"
    CANCELED_UNASKED = "an order was canceled that nothing asked to cancel"
    WRONG_STOP = "stops and targets are others than the alerts lead to"
    STRANGER = "an order that belongs to no alert"
    UNTOLD = "the trail does not tell what the exchange did"
    WRONGLY_TOLD = "the trail tells it otherwise than the exchange"
    UNEXPLAINED = "not executed whole, and no reason is told"
    TRAIL_GAP = "log and trail differ"
    BROKEN_CHAIN = "the trail's hash chain does not hold"
    UNANCHORED = "the end of the trail's hash chain is not anchored"


@dataclass(frozen=True, kw_only=True)
class Violation:
    breach: Breach
    text: str
    alert_id: str = ""
    lane: str = ""
