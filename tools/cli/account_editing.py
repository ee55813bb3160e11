"""`alertwire accounts edit`: what is named is changed, everything else stays."""

import sys
from typing import IO, Any

import click

from libs.common.contracts.words import PositionMode, SecretSource
from tools.cli.calling import call
from tools.cli.place import Place, with_place
from tools.cli.showing import examples, json_option, print_json


@click.command(
    "edit",
    epilog=examples(
        "alertwire accounts edit main --position-mode one_way",
        "alertwire accounts edit main --access-key mx0vgl… --secret-key-file -",
    ),
)
@click.argument("account")
@click.option("--access-key", help="The key's public half.")
@click.option(
    "--secret-key-file",
    type=click.File(),
    help="File with the secret key; `-` for stdin, or to be asked for it at a terminal.",
)
@click.option(
    "--secret-source",
    type=click.Choice([source.value for source in SecretSource]),
    help="`mounted`: the secret key is a file at the executor; `sealed`: give it here.",
)
@click.option("--base-url", help="The exchange's REST.")
@click.option("--ws-url", help="The exchange's WebSocket.")
@click.option(
    "--position-mode",
    type=click.Choice([mode.value for mode in PositionMode]),
    help="As it is set at the exchange.",
)
@click.option("--order-calls-per-2s", type=click.IntRange(1), help="What the exchange grants.")
@click.option(
    "--expected-address",
    "expected_addresses",
    multiple=True,
    metavar="IP",
    help="Address that the exchange should see; all of them, since they replace the list.",
)
@click.option("--any-address", is_flag=True, help="Expect no address in particular any more.")
@json_option
@with_place
def edit_account(
    *,
    account: str,
    secret_key_file: IO[str] | None,
    expected_addresses: tuple[str, ...],
    any_address: bool,
    as_json: bool,
    place: Place,
    **named: Any,
) -> None:
    """Change an account: what is not named stays. A new secret key is sealed at once."""
    body = {name: value for name, value in named.items() if value is not None}
    if expected_addresses and any_address:
        raise click.UsageError("an address is expected, or any is: not both")
    if expected_addresses or any_address:
        body["expected_addresses"] = expected_addresses
    if secret_key_file is not None:
        asks = secret_key_file is sys.stdin and sys.stdin.isatty()
        body["secret_key"] = read_secret(None if asks else secret_key_file)
    if not body:
        raise click.UsageError("name what to change: see --help")
    answer = call(place.console(), "PATCH", f"/accounts/{account}", body=body)
    if as_json:
        print_json(answer)
        return
    click.echo(f"account {account} changed: {', '.join(sorted(body))}")
    click.echo(f"look at it before it trades: alertwire doctor {account}")


def read_secret(file: IO[str] | None) -> str:
    """From a file, or asked for without an echo."""
    secret = file.read() if file is not None else click.prompt("Secret key", hide_input=True)
    if not secret.strip():
        raise click.UsageError("the secret key is empty")
    return str(secret.strip())
