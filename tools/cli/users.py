"""`alertwire users`: who signs in to the console's pages by password. Works on the file itself, so
that it needs no console, and none of its rights.
"""

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from services.console.web.access.user_file import (
    PASSWORD_CHARS_MAX,
    PASSWORD_CHARS_MIN,
    User,
    UsersFile,
    decode_users,
    hash_password,
)
from services.console.web.access.viewers import Role
from tools.cli.place import Place, with_place
from tools.cli.showing import counted, examples, json_option, print_json, table, terminal
from tools.devstack.console_users import users_file
from tools.devstack.private_files import write_private

_ROLES = click.Choice([role.value for role in Role])


def _with_file(command: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "--file",
        "path",
        envvar="ALERTWIRE_USERS_FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="F",
        help="The file.  [default: the stack's]",
    )
    return option(with_place(command))


def _with_password(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--password-stdin",
        "from_stdin",
        is_flag=True,
        help="Read the password from standard input instead of asking twice.",
    )(command)


@click.group()
def users() -> None:
    """List, add and remove those who sign in to the console's pages by password.

    They stand in one file, which the console reads again whenever it was changed
    (ALERTWIRE_USERS_FILE). It holds hashes (argon2id), never passwords. Whoever is removed, or
    given another password, is signed out at once.
    """


@users.command("list")
@json_option
@_with_file
def list_users(*, path: Path | None, as_json: bool, place: Place) -> None:
    """List names and roles."""
    found = _read(_chosen(path, place))
    if as_json:
        print_json({"users": [_shown(user) for user in found]})
    elif not found:
        click.echo("nobody signs in by password")
    else:
        rows = table("name", "role")
        for user in found:
            rows.add_row(user.name, user.role.value)
        terminal().print(rows)


@users.command(
    "add",
    epilog=examples(
        "alertwire users add anna --role operator",
        "alertwire users add ben --file users.json --password-stdin < password.txt",
    ),
)
@click.argument("name")
@click.option("--role", type=_ROLES, default=Role.VIEWER.value, show_default=True)
@_with_password
@json_option
@_with_file
def add_user(
    *, name: str, role: str, from_stdin: bool, path: Path | None, as_json: bool, place: Place
) -> None:
    """Add somebody: a viewer looks, an operator changes, sends and halts.

    The password has 12 characters or more. It is no option, since others can read a command line.
    """
    chosen = _chosen(path, place)
    if any(user.name == name for user in _read(chosen)):
        raise click.ClickException(f"there is a user {name} already: see `alertwire users passwd`")
    # Named before a password is asked for.
    _user(name, role=Role(role), password_hash="")
    user = _user(name, role=Role(role), password_hash=hash_password(_password(from_stdin)))
    with _changing(chosen) as found:
        if any(each.name == name for each in found):
            raise click.ClickException(f"there is a user {name} already")
        found.append(user)
    _tell(user, f"{name} may sign in as {role}", as_json=as_json)


@users.command("remove")
@click.argument("name")
@json_option
@_with_file
def remove_user(*, name: str, path: Path | None, as_json: bool, place: Place) -> None:
    """Remove somebody; their sessions end at once."""
    with _changing(_chosen(path, place)) as found:
        user = _find(found, name)
        found.remove(user)
    _tell(user, f"{name} is removed, and signed out", as_json=as_json)


@users.command("passwd")
@click.argument("name")
@_with_password
@json_option
@_with_file
def change_password(
    *, name: str, from_stdin: bool, path: Path | None, as_json: bool, place: Place
) -> None:
    """Give somebody another password; their sessions end at once."""
    chosen = _chosen(path, place)
    _find(_read(chosen), name)
    hashed = hash_password(_password(from_stdin))
    with _changing(chosen) as found:
        before = _find(found, name)
        user = msgspec.structs.replace(before, password_hash=hashed)
        found[found.index(before)] = user
    _tell(user, f"{name} has a new password, and is signed out", as_json=as_json)


@users.command("role")
@click.argument("name")
@click.argument("role", type=_ROLES)
@json_option
@_with_file
def change_role(*, name: str, role: str, path: Path | None, as_json: bool, place: Place) -> None:
    """Make somebody a viewer or an operator; it applies at once."""
    with _changing(_chosen(path, place)) as found:
        before = _find(found, name)
        user = msgspec.structs.replace(before, role=Role(role))
        found[found.index(before)] = user
    _tell(user, f"{name} is {role}", as_json=as_json)


def _chosen(path: Path | None, place: Place) -> Path:
    return path if path is not None else users_file(place.directory)


def _read(path: Path) -> list[User]:
    try:
        return list(decode_users(path.read_bytes()).users)
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path} cannot be read: {error}") from None


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[list[User]]:
    """The file's users, written back where the block has succeeded; one command at a time."""
    if not path.parent.is_dir():
        raise click.ClickException(f"there is no folder {path.parent}: start a stack, or --file F")
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        found = _read(path)
        yield found
        ordered = tuple(sorted(found, key=lambda user: user.name))
        document = msgspec.json.format(msgspec.json.encode(UsersFile(users=ordered)))
        write_private(path, document.decode() + "\n")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error}") from None
    finally:
        os.close(descriptor)


def _find(found: Sequence[User], name: str) -> User:
    for user in found:
        if user.name == name:
            return user
    known = ", ".join(user.name for user in found) or "nobody"
    raise click.ClickException(f"there is no user {name!r}; known: {known}")


def _user(name: str, *, role: Role, password_hash: str) -> User:
    document = {"name": name, "role": role.value, "password_hash": password_hash}
    try:
        return msgspec.convert(document, User)
    except msgspec.ValidationError:
        raise click.UsageError(
            "a name has up to 64 of A-Z, a-z, 0-9, `.`, `_`, `@` and `-`, and begins with a letter"
            " or digit"
        ) from None


def _password(from_stdin: bool) -> str:  # noqa: FBT001 - the option, passed on
    if from_stdin:
        password = sys.stdin.read().rstrip("\r\n")
    elif _is_terminal():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise click.UsageError("no terminal to ask for the password: give --password-stdin")
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise click.ClickException(
            f"a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters; it had"
            f" {counted(len(password), 'character')}"
        )
    return password


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _shown(user: User) -> dict[str, str]:
    """Without its hash."""
    return {"name": user.name, "role": user.role.value}


def _tell(user: User, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"user": _shown(user)})
    else:
        click.echo(text)
