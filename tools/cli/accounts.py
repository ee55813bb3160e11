"""`alertwire accounts`: whose orders are sent where."""

import sys
from typing import IO, Any

import click

from libs.common.contracts.words import PositionMode, SecretSource
from tools.cli.account_editing import edit_account, read_secret
from tools.cli.calling import call
from tools.cli.place import Place, with_place
from tools.cli.showing import examples, json_option, print_fields, print_json, table, terminal


@click.group()
def accounts() -> None:
    """List, show, create, edit and delete accounts."""


@accounts.command("list")
@json_option
@with_place
def list_accounts(*, as_json: bool, place: Place) -> None:
    """List all accounts; secret keys are never shown."""
    document = call(place.console(), "GET", "/accounts")
    if as_json:
        print_json(document)
        return
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    rows = table("account", "exchange", "access key", "position mode")
    for account in document["accounts"]:
        names = ("id", "base_url", "access_key", "position_mode")
        rows.add_row(*(Text(str(account[name])) for name in names))
    terminal().print(rows)


@accounts.command("show")
@click.argument("account")
@click.option(
    "--picture",
    "wants_picture",
    is_flag=True,
    help="What it holds now: balance, positions and what waits, as its executor tells it.",
)
@json_option
@with_place
def show_account(*, account: str, wants_picture: bool, as_json: bool, place: Place) -> None:
    """Show one account; its secret key is never shown."""
    path = f"/accounts/{account}/picture" if wants_picture else f"/accounts/{account}"
    document = call(place.console(), "GET", path)
    if as_json:
        print_json(document)
    elif wants_picture:
        from tools.cli.picture_drawing import draw  # noqa: PLC0415 - see showing.terminal

        draw(document)
    else:
        print_fields({name: value for name, value in document.items() if name != "secret_key"})


@accounts.command(
    "create",
    epilog=examples(
        "alertwire accounts create --id main --access-key mx0vgl…",
        "alertwire accounts create --id main --access-key mx0vgl… --secret-key-file key.txt",
    ),
)
@click.option("--id", "account_id", required=True, metavar="NAME", help="a-z, 0-9, - and _.")
@click.option(
    "--base-url", default="https://api.mexc.com", show_default=True, help="The exchange's REST."
)
@click.option(
    "--ws-url",
    default="wss://contract.mexc.com/edge",
    show_default=True,
    help="The exchange's WebSocket.",
)
@click.option("--access-key", required=True, help="The key's public half.")
@click.option(
    "--position-mode",
    type=click.Choice([mode.value for mode in PositionMode]),
    default=PositionMode.HEDGE.value,
    show_default=True,
    help="As it is set at the exchange.",
)
@click.option("--order-calls-per-2s", type=click.IntRange(1), help="[default: 4]")
@click.option(
    "--expected-address",
    "expected_addresses",
    multiple=True,
    metavar="IP",
    help="Address that the exchange should see; may be repeated.",
)
@click.option(
    "--secret-key-file",
    type=click.File(),
    help="File with the secret key; `-` for stdin. Without it the key is asked for.",
)
@click.option(
    "--secret-mounted",
    is_flag=True,
    help="The secret key is a file that is mounted at the executor (ALERTWIRE_SECRETS_DIR).",
)
@json_option
@with_place
def create_account(  # noqa: PLR0913 - its options
    *,
    account_id: str,
    secret_key_file: IO[str] | None,
    secret_mounted: bool,
    expected_addresses: tuple[str, ...],
    order_calls_per_2s: int | None,
    as_json: bool,
    place: Place,
    **known: Any,
) -> None:
    """Create an account. Its secret key is sealed at once: only the executor can open it.

    The secret key is asked for, or read from a file or stdin. It is no option, since others can
    read a command line.
    """
    if secret_mounted and secret_key_file is not None:
        raise click.UsageError("the secret key is mounted, or it is in a file here: not both")
    if not secret_mounted and secret_key_file is None and not sys.stdin.isatty():
        raise click.UsageError("no terminal to ask for the secret key: give --secret-key-file -")
    console = place.console()
    body: dict[str, Any] = {"id": account_id, **known}
    if secret_mounted:
        body["secret_source"] = SecretSource.MOUNTED.value
    else:
        body["secret_key"] = read_secret(secret_key_file)
    if expected_addresses:
        body["expected_addresses"] = expected_addresses
    if order_calls_per_2s is not None:
        body["order_calls_per_2s"] = order_calls_per_2s
    answer = call(console, "POST", "/accounts", body=body)
    if as_json:
        print_json(answer)
    else:
        kept = "mounted at the executor" if secret_mounted else "sealed"
        click.echo(f"account {account_id} created; its secret key is {kept}")


@accounts.command("delete")
@click.argument("account")
@json_option
@with_place
def delete_account(*, account: str, as_json: bool, place: Place) -> None:
    """Delete an account and its sealed key; refused while a route trades it."""
    call(place.console(), "DELETE", f"/accounts/{account}")
    if as_json:
        print_json({"deleted": account})
    else:
        click.echo(f"account {account} deleted")


accounts.add_command(edit_account)
