"""`alertwire up`: the whole system on one machine."""

import asyncio
import sys
from pathlib import Path

import click

from tools.cli.place import DEFAULT_DIRECTORY
from tools.cli.showing import examples


@click.command(
    epilog=examples(
        "alertwire up",
        "alertwire up --dir /var/tmp/second --port-base 9400",
    )
)
@click.option(
    "--dir",
    "directory",
    envvar="ALERTWIRE_DIR",
    default=DEFAULT_DIRECTORY,
    show_default=True,
    metavar="D",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the stack: databases, logs, credentials.",
)
@click.option(
    "--port-base",
    type=click.IntRange(1024, 65_500),
    default=8400,
    show_default=True,
    metavar="N",
    help="First of the twenty ports used, all on loopback.",
)
@click.option(
    "--servers-only",
    is_flag=True,
    help="NATS and Postgres alone, as `alertwire ops restore` needs them.",
)
def up(*, directory: Path, port_base: int, servers_only: bool) -> None:
    """Start everything on loopback and run until Ctrl-C.

    NATS, Postgres, the paper exchange, the four services and the console, with a demo account and
    a demo route. A second `up` on the same folder goes on with the same data.
    """
    # Imported here: the other commands start without what this one needs.
    from libs.common.running import keep_memory_private  # noqa: PLC0415

    try:
        from tools.devstack.up import up as run  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise click.ClickException(
            f"`up` is no part of this installation: it has no {missing.name}"
        ) from None

    # It knows every password; NATS and Postgres inherit that there are no core dumps.
    keep_memory_private()
    running = run(
        directory=directory, port_base=port_base, out=click.echo, servers_only=servers_only
    )
    sys.exit(asyncio.run(running))
