"""`alertwire explain`: what an alert would do, step by step, without sending it."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click

from libs.common.contracts.words import PositionMode, PositionSide
from tools.cli.explaining_drawing import document_of, outcome_of, print_explanation
from tools.cli.explaining_path import (
    Assumed,
    Explanation,
    Held,
    Lack,
    Outcome,
    Unplanned,
    explain,
)
from tools.cli.messaging import message_of, message_options
from tools.cli.numbers import Positive, positive
from tools.cli.place import Place, with_place
from tools.cli.rulebook import accounts_of, route_of
from tools.cli.showing import examples, print_json

_CURES = {
    Lack.PRICE: "give --price P",
    Lack.EQUITY: "give --equity E",
    Lack.ENTRY: "give --holding SIDE:CONTRACTS@ENTRY",
}
_FAILED = frozenset({Outcome.REFUSED, Outcome.DENIED})


class _Holding(click.ParamType[Held]):
    name = "holding"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Held:
        side, colon, rest = str(value).partition(":")
        contracts, at, entry = rest.partition("@")
        if side not in set(PositionSide) or not colon:
            self.fail(f"{value!r} is not like long:10 or short:10@50000", param, ctx)
        try:
            return Held(
                side=PositionSide(side),
                contracts=positive(contracts),
                entry=positive(entry) if at else None,
            )
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


@click.command(
    "explain",
    epilog=examples(
        "alertwire explain demo --ticker BTCUSDT.P --action sell --contracts 0.002",
        'alertwire explain demo --json \'{"ticker":"BTCUSDT.P","order_action":"flat"}\' \\\n'
        "      --holding long:10@50000",
        "alertwire explain demo --ticker BTCUSDT.P --action buy --contracts 0.001 \\\n"
        "      --sl 500 --price 50000 --output json",
    ),
)
@click.argument("route")
@message_options
@click.option(
    "--holding",
    "held",
    type=_Holding(),
    multiple=True,
    metavar="SIDE:CONTRACTS[@ENTRY]",
    help="What is held: long:10, or short:10@50000; once a side.  [default: nothing]",
)
@click.option(
    "--price",
    "live",
    type=Positive(),
    metavar="P",
    help="The market's price: last, mark and index. The alert's own is --field price=P.",
)
@click.option("--equity", type=Positive(), metavar="E", help="The account's equity.")
@click.option(
    "--position-mode",
    type=click.Choice(["hedge", "one-way", "one_way"]),
    metavar="hedge|one-way",
    help="[default: the account's]",
)
@click.option("--account", metavar="A", help="Only this one of the route's accounts.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@with_place
def explain_alert(  # noqa: PLR0913 - one per option
    *,
    route: str,
    body: str | None,
    fields: tuple[str, ...],
    held: tuple[Held, ...],
    live: Decimal | None,
    equity: Decimal | None,
    position_mode: str | None,
    account: str | None,
    output: str,
    place: Place,
    **known: Any,
) -> None:
    """Show what an alert to ROUTE would do on each of its accounts, and send nothing.

    The body becomes an order, the ticker a symbol, the quantity contracts; the route's mode and
    what is held make orders of it, with their prices on the tick. The sentences are those that
    `alertwire trace` would show, if the exchange told what is assumed here.

    --price is what the market's price is assumed to be. The price that the alert itself carries is
    a field of its message like any other: --field price=P (`send` calls it --price).

    Here --json is the message; --output json prints the explanation as JSON. Exit status 1 where
    the alert would be refused, or denied on any account; 0 also where a part would be withheld.
    """
    message = message_of(body, fields=fields, known=known)
    console = place.console()
    found = route_of(console, route)
    names = [part.account for part in found.settings.accounts]
    if account is not None and account not in names:
        raise click.UsageError(f"route {route} trades {', '.join(names)}, not {account}")
    explanation = explain(
        message.encode(),
        route=found,
        accounts=accounts_of(console, names if account is None else [account], route=found.id),
        assumed=Assumed(
            held=held,
            price=live,
            equity=equity,
            position_mode=PositionMode(position_mode.replace("-", "_")) if position_mode else None,
        ),
        now=datetime.now(UTC),
    )
    _check_planned(explanation)
    if output == "json":
        print_json(document_of(explanation))
    else:
        print_explanation(explanation)
    sys.exit(1 if outcome_of(explanation) in _FAILED else 0)


def _check_planned(explanation: Explanation) -> None:
    for account in explanation.accounts:
        if isinstance(account.result, Unplanned):
            cure = account.result.lacking and _CURES[account.result.lacking]
            told = "; ".join(part for part in (account.result.message, cure) if part)
            raise click.UsageError(f"account {account.account}: {told}")
