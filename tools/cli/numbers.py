"""Numbers that people give as options. They stay decimals, as they are written."""

from decimal import Decimal, InvalidOperation
from typing import Any

import click

from libs.common.contracts.messages import guard


class Number(click.ParamType[Decimal]):
    """Any finite number; what it may be is for whoever it is sent to."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            number = Decimal(value)
        except (InvalidOperation, TypeError):
            self.fail(f"{value!r} is not a number", param, ctx)
        if not number.is_finite():
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class Positive(click.ParamType[Decimal]):
    """A number above 0 that can be traded with."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            return positive(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def positive(text: str) -> Decimal:
    """Raises `ValueError` for what nobody could trade with."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    guard("the number", number)
    if number <= 0:
        raise ValueError(f"{text} is not above 0")
    return number
