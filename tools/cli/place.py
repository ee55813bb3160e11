"""Where the stack is: a folder with `stack.json`, or addresses from the environment; and the
webhooks that this command was shown, since the console shows each of them once.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from libs.common.connecting import Access
from libs.common.secret import Secret
from tools.devstack.ports import Ports
from tools.devstack.private_files import read_json, write_json

DEFAULT_DIRECTORY = ".alertwire"
_CONSOLE_URL, _CONSOLE_TOKEN = "ALERTWIRE_CONSOLE_URL", "ALERTWIRE_CONSOLE_TOKEN"
_INGEST_URL = "ALERTWIRE_INGEST_URL"
_POSTGRES_URL, _NATS_URL = "ALERTWIRE_POSTGRES_URL", "ALERTWIRE_NATS_URL"
_NATS_NKEY_FILE, _NATS_CA_FILE = "ALERTWIRE_NATS_NKEY_FILE", "ALERTWIRE_NATS_CA_FILE"
_SERVICES = ("ingest", "router", "executor", "auditor")


@dataclass(frozen=True, kw_only=True)
class Console:
    url: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder that was named on the command line counts before the environment, and that before
    the default folder: nobody who set an address shall reach another stack by accident.
    """

    directory: Path
    named: bool

    def console(self) -> Console:
        url, token = _given(_CONSOLE_URL), _given(_CONSOLE_TOKEN)
        if url and not self.named:
            if not token:
                raise click.ClickException(f"{_CONSOLE_URL} is set and {_CONSOLE_TOKEN} is not")
            return Console(url=url.rstrip("/"), token=token)
        stack = self._stack()
        if stack is None or "console" not in stack:  # its servers alone run
            raise self._nothing_here(f"set {_CONSOLE_URL} and {_CONSOLE_TOKEN}")
        return Console(url=str(stack["console"]), token=str(stack["console_token"]))

    def postgres_url(self) -> Secret:
        """Of the trail, as a login that owns it."""
        return self._backend("postgres", variable=_POSTGRES_URL)

    def nats(self) -> Access:
        """How to get to the log: as the services have it, or by the stack's password."""
        url = self._backend("nats", variable=_NATS_URL)
        if self.named or not _given(_NATS_URL):
            return Access(url=url)
        key, ca = (os.environ.get(name) for name in (_NATS_NKEY_FILE, _NATS_CA_FILE))
        return Access(
            url=url, nkey_file=Path(key) if key else None, ca_file=Path(ca) if ca else None
        )

    def _backend(self, name: str, *, variable: str) -> Secret:
        url = None if self.named else _given(variable)
        stack = None if url else self._stack()
        if url is None and stack is None:
            raise self._nothing_here(f"set {variable}")
        return Secret(url or str((stack or {})[name]))

    def health_urls(self) -> dict[str, str]:
        """Of the services that run from this folder; none where the console's address is given."""
        if os.environ.get(_CONSOLE_URL) and not self.named:
            return {}
        stack = self._stack() or {}
        base = urlsplit(str(stack.get("ingest", ""))).port
        if base is None or "processes" not in stack:
            return {}
        ports = Ports(base)
        return {name: ports.health_url(name) for name in _SERVICES}

    def webhook(self, route: str) -> str:
        """The address to post a route's alerts to."""
        ingest = None if self.named else os.environ.get(_INGEST_URL)
        stack = None if ingest else self._stack()
        # A remembered one is newer than the stack's: the demo route may have been rotated.
        remembered: str | None = (read_json(self._webhooks) or {}).get(route)
        if remembered is not None:
            base = ingest or (stack or {}).get("ingest")
            return f"{base.rstrip('/')}{urlsplit(remembered).path}" if base else remembered
        if stack is not None and "demo" in stack and stack["demo"]["route"] == route:
            return str(stack["demo"]["webhook"])
        if stack is None and not ingest:
            raise self._nothing_here("give --webhook URL")
        raise click.ClickException(
            f"the webhook of route {route} is not known here: give --webhook URL, or make a "
            f"new one with `alertwire routes rotate {route}`"
        )

    def remember_webhook(self, route: str, webhook: str | None) -> None:
        """Keep a webhook for `send`, readable by the owner alone; None forgets it."""
        known: dict[str, Any] = read_json(self._webhooks) or {}
        if webhook is None and route not in known:
            return
        known.pop(route, None)
        if webhook is not None:
            known[route] = webhook
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_json(self._webhooks, known)
        except OSError as error:
            click.echo(f"note: the webhook is not remembered for `send`: {error}", err=True)

    @property
    def _webhooks(self) -> Path:
        return self.directory / "webhooks.json"

    def _stack(self) -> dict[str, Any] | None:
        return read_json(self.directory / "stack.json")

    def _nothing_here(self, otherwise: str) -> click.ClickException:
        return click.ClickException(
            f"no stack is running under {self.directory}: start one with `make up`, or {otherwise}"
        )


def _given(variable: str) -> str | None:
    """From the environment, or from the file that it names: an environment is seen by more."""
    file = os.environ.get(f"{variable}_FILE")
    if not file:
        return os.environ.get(variable)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{variable}_FILE: {file}: {error}") from None


def with_place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--dir`; the command is given a `Place` as `place`."""
    return click.option(
        "--dir",
        "place",
        envvar="ALERTWIRE_DIR",
        default=DEFAULT_DIRECTORY,
        show_default=True,
        metavar="D",
        callback=_make_place,
        help="Folder of the stack.",
    )(command)


def _make_place(ctx: click.Context, option: click.Parameter, value: str) -> Place:
    source = ctx.get_parameter_source(option.name or "")
    return Place(directory=Path(value), named=source is not ParameterSource.DEFAULT)
