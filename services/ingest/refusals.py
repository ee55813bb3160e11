"""A refusal: what the sender is told, and what the log keeps, about a request we do not accept."""

from dataclasses import dataclass

from libs.common.contracts.reasons import Reason

VALUE_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """`message` says what would be right; `value` is what came instead, shortened."""

    status: int
    reason: Reason
    message: str
    field: str | None = None
    value: str | None = None
    retry_after_s: int | None = None


class FieldRefused(Exception):  # noqa: N818 - carries a refusal out of nested field readers
    """Raised and caught inside parsing only; everybody else sees its `refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def invalid(*, field: str, message: str, value: str | None) -> FieldRefused:
    return _field_refused(Reason.FIELD_INVALID, field=field, message=message, value=value)


def missing(*, field: str, message: str) -> FieldRefused:
    return _field_refused(Reason.FIELD_MISSING, field=field, message=message, value=None)


def ambiguous(
    *, field: str, value: str, readings: tuple[str, str], because: str, cure: str
) -> FieldRefused:
    """For a body that could mean two things. `because` names the fields that do not fit."""
    first, second = (shortened(reading) for reading in readings)
    message = f'{because}, so it could mean "{first}" or "{second}": {cure}.'
    return _field_refused(Reason.FIELD_INVALID, field=field, message=message, value=value)


def target_missing(*, field: str, message: str, value: str) -> FieldRefused:
    return _field_refused(Reason.TARGET_MISSING, field=field, message=message, value=value)


def unreplaced(*, field: str, placeholder: str, value: str) -> FieldRefused:
    message = (
        f"{field} holds {shortened(placeholder)}, which TradingView did not replace. Check its"
        " spelling; {{strategy.…}} placeholders are replaced only in alerts of a strategy."
    )
    return _field_refused(Reason.PLACEHOLDER_UNREPLACED, field=field, message=message, value=value)


def shortened(value: str) -> str:
    return value if len(value) <= VALUE_MAX else value[: VALUE_MAX - 1] + "…"


def _field_refused(reason: Reason, *, field: str, message: str, value: str | None) -> FieldRefused:
    return FieldRefused(
        Refusal(
            status=422,
            reason=reason,
            message=message,
            field=field,
            value=None if value is None else shortened(value),
        )
    )
