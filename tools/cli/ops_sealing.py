"""`alertwire ops sealing-key`: the executor's sealing key, from the first one to its rotation. What
works on the file needs no console; what asks who needs which key asks the console, which asks the
executors.
"""

import base64
from pathlib import Path
from typing import Any

import click

from libs.common.sealing import SealError, SealingKey, new_sealing_key, read_sealing_keys
from libs.common.secret import overwrite
from tools.cli.calling import call
from tools.cli.place import Place, with_place
from tools.cli.showing import examples, json_option, print_json, table, terminal
from tools.devstack.private_files import write_private

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group("sealing-key")
def sealing_key() -> None:
    """Make, rotate and look after the key that the accounts' secret keys are sealed for.

    Its file holds one key a line, the current one first; older ones still open what was sealed for
    them. Only the executor may read it (ALERTWIRE_SEALING_KEY_FILE); it follows the file while it
    runs. The console has the public half (ALERTWIRE_SEALING_PUBLIC_KEY, or …_FILE).
    """


@sealing_key.command("new", epilog=examples("alertwire ops sealing-key new sealing.key"))
@_FILE
def new(file: Path) -> None:
    """Make a file with a first key, and print its public half."""
    if file.exists():
        raise click.ClickException(f"{file} is there already: see `rotate`")
    _write(file, _line(new_sealing_key()))
    click.echo(_read(file)[0].public)


@sealing_key.command("public", epilog=examples("alertwire ops sealing-key public K > sealing.pub"))
@_FILE
def public(file: Path) -> None:
    """Print the public half of the current key, as the console takes it."""
    click.echo(_read(file)[0].public)


@sealing_key.command("rotate", epilog=examples("alertwire ops sealing-key rotate sealing.key"))
@_FILE
def rotate(file: Path) -> None:
    """Put a new key before the others, and print its public half.

    Everything that was sealed before can still be opened. What follows: see docs/credentials.md.
    """
    before = _text(file)
    fresh = _line(new_sealing_key())
    _write(file, fresh + before)
    click.echo(_read(file)[0].public)
    click.echo(
        "give it to the console once every executor has it: alertwire ops sealing-key status",
        err=True,
    )


@sealing_key.command("retire", epilog=examples("alertwire ops sealing-key retire sealing.key"))
@_FILE
@click.option("--unasked", is_flag=True, help="Do not ask the console whether a key is needed.")
@with_place
def retire(*, file: Path, unasked: bool, place: Place) -> None:
    """Take the older keys out of the file; refused while a secret key is sealed for one of them."""
    keys = _read(file)
    if not unasked:
        needed = _still_needed(call(place.console(), "GET", "/sealing"), current=keys[0].id)
        if needed:
            raise click.ClickException("; ".join(needed))
    if len(keys) == 1:
        click.echo(f"{keys[0].id} is the only key")
        return
    private = keys[0].private.buffer()
    _write(file, _line(base64.b64encode(private)))
    gone = ", ".join(key.id for key in keys[1:])
    click.echo(f"{keys[0].id} is left; {gone} can open nothing any more, in backups either")


@sealing_key.command("status")
@json_option
@with_place
def status(*, as_json: bool, place: Place) -> None:
    """Show which keys the executors have, and what each account's secret key is sealed for.

    Exit status 1 where an executor does not have the key that the console seals for, or an account
    has no usable secret key.
    """
    document = call(place.console(), "GET", "/sealing")
    if as_json:
        print_json(document)
    else:
        _show(document)
    if _troubles(document):
        raise SystemExit(1)


@sealing_key.command("reseal")
@json_option
@with_place
def reseal(*, as_json: bool, place: Place) -> None:
    """Seal every secret key anew for the console's current sealing key; trading goes on meanwhile.

    Exit status 1 where one was left as it was.
    """
    document = call(place.console(), "POST", "/sealing/reseal", timeout_s=120)
    if as_json:
        print_json(document)
    else:
        for account in document["resealed"]:
            click.echo(f"{account}: sealed for {document['console_key']}")
        for one in document["left"]:
            click.echo(f"{one['account']}: left as it is: {one['why']}")
        if not document["resealed"] and not document["left"]:
            click.echo(f"everything is sealed for {document['console_key']} already")
    if document["left"]:
        raise SystemExit(1)


def _show(document: dict[str, Any]) -> None:
    screen = terminal()
    click.echo(f"the console seals for {document['console_key']}")
    executors = table("executor", "shard", "has keys, the current one first")
    for one in document["executors"]:
        executors.add_row(one["instance"], str(one["shard"]), ", ".join(one["keys"]))
    screen.print(executors)
    accounts = table("account", "secret key", "sealed for")
    for one in document["accounts"]:
        accounts.add_row(one["account"], one["state"], one["key"])
    screen.print(accounts)
    for trouble in _troubles(document):
        click.echo(trouble)
    old = sorted({key for one in document["executors"] for key in one["keys"][1:]})
    needed = {one["key"] for one in document["accounts"]}
    for key in old:
        if key in needed:
            click.echo(f"{key} is still needed: alertwire ops sealing-key reseal")
        elif not document["unheard_shards"]:
            click.echo(f"{key} opens nothing that an account needs: it may go")


def _troubles(document: dict[str, Any]) -> list[str]:
    wanted = document["console_key"]
    found = [
        f"executor {one['instance']} does not have {wanted}, which the console seals for"
        for one in document["executors"]
        if wanted not in one["keys"]
    ]
    found += [
        f"executor {one['instance']} cannot use its key file as it is now: {one['problem']}"
        for one in document["executors"]
        if one.get("problem")
    ]
    found += [
        f"{one['account']}: {one['why']}"
        for one in document["accounts"]
        if one["state"] == "unusable"
    ]
    return found + [
        f"no executor of shard {shard} has answered" for shard in document["unheard_shards"]
    ]


def _still_needed(document: dict[str, Any], *, current: str) -> list[str]:
    """Why no key but the current one of the file may stay alone."""
    needed = [
        f"account {one['account']} is sealed for {one['key']}"
        for one in document["accounts"]
        if one["key"] not in {"", current}
    ]
    if document["console_key"] != current:
        needed.append(f"the console still seals for {document['console_key']}")
    return needed + [
        f"no executor of shard {shard} has answered" for shard in document["unheard_shards"]
    ]


def _read(file: Path) -> tuple[SealingKey, ...]:
    try:
        return read_sealing_keys(bytearray(_text(file)))
    except SealError as error:
        raise click.ClickException(f"{file}: {error}") from None


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None


def _line(key: bytes) -> bytes:
    return key + b"\n"


def _write(file: Path, text: bytes) -> None:
    # Read as an executor will, before it replaces anything.
    memory = bytearray(text)
    try:
        read_sealing_keys(memory)
        write_private(file, text.decode("ascii"))
    except UnicodeDecodeError:
        raise click.ClickException(f"{file}: it holds what is no text") from None
    except SealError as error:
        raise click.ClickException(f"{file}: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    finally:
        overwrite(memory)
