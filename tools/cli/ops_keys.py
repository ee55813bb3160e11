"""`alertwire ops keys` and `ops nats-config`: who may come in to NATS, and as whom."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from libs.common.nats_accounts import as_text, server
from libs.common.nkeys import is_public_user, new_key
from libs.common.permissions import User
from tools.cli.showing import examples
from tools.devstack.private_files import write_json, write_private

PUBLIC = "public.json"
_PLACE = re.compile(r"[^\s,]+:[0-9]{1,5}")


@click.command(
    epilog=examples(
        "alertwire ops keys keys/",
        "alertwire ops keys keys/ --rotate ingest",
        "alertwire ops keys keys/ --retire ingest",
    )
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option(
    "--rotate",
    type=click.Choice([*map(str, User)]),
    help="Give this user a new seed; its older public keys stay valid beside the new one.",
)
@click.option(
    "--retire",
    type=click.Choice([*map(str, User)]),
    help="Let no key of this user in but its newest.",
)
def keys(*, directory: Path, rotate: str | None, retire: str | None) -> None:
    """Make an NKey for each user that has none in DIR.

    A file of the user's name holds the seed, readable by its owner alone: it goes to the process
    as ALERTWIRE_NATS_NKEY_FILE. `public.json` holds the public keys, for `alertwire ops
    nats-config`, and is no secret.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = public_keys(directory / PUBLIC) if (directory / PUBLIC).exists() else {}
    for user in User:
        if user not in known and (directory / user).exists():
            raise click.ClickException(
                f"{directory / user} is there, and {PUBLIC} does not know it"
            )
        if user in known and user != rotate:
            continue
        key = new_key()
        # The public key first: a seed that NATS does not know would keep its service out.
        known[user] = [key.public, *known.get(user, ())]
        _keep(directory, known)
        write_private(directory / user, key.seed + "\n")
        click.echo(f"made a key for {user}")
    if retire is not None:
        known[User(retire)] = known[User(retire)][:1]
        _keep(directory, known)
        click.echo(f"{retire} has one key")


def _keep(directory: Path, known: Mapping[User, list[str]]) -> None:
    write_json(directory / PUBLIC, {str(user): listed for user, listed in known.items()})


@click.command(
    "nats-config",
    epilog=examples(
        "alertwire ops nats-config keys/public.json --store /var/lib/nats > nats.conf",
        "alertwire ops nats-config keys/public.json --store /data --tls-cert /tls/tls.crt"
        " --tls-key /tls/tls.key --name n1 --cluster n1:6222 --route n2:6222 --route n3:6222",
    ),
)
@click.argument("public", type=click.Path(dir_okay=False, path_type=Path), metavar="PUBLIC_JSON")
@click.option("--store", required=True, metavar="DIR", help="Where the server keeps the log.")
@click.option("--listen", default="0.0.0.0:4222", show_default=True, metavar="HOST:PORT")
@click.option("--monitoring", metavar="HOST:PORT", help="Where it tells how it is, over HTTP.")
@click.option("--name", "server_name", default="alertwire", show_default=True)
@click.option("--tag", "tags", multiple=True, help="For `alertwire ops setup --placement`.")
@click.option("--tls-cert", metavar="FILE", help="Certificate, for clients and within the cluster.")
@click.option("--tls-key", metavar="FILE")
@click.option("--tls-ca", metavar="FILE", help="Who vouches for the other servers of the cluster.")
@click.option("--cluster", "cluster_listen", metavar="HOST:PORT", help="Where other servers come.")
@click.option("--route", "routes", multiple=True, metavar="HOST:PORT", help="Each other server.")
@click.option("--shards", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--router-shards", type=click.IntRange(1, 16), default=1, show_default=True)
def nats_config(*, public: Path, tls_cert: str | None, tls_key: str | None, **options: Any) -> None:
    """Print a NATS server's whole configuration: users, permissions, storage, TLS, cluster.

    What is published is on the disk before it is confirmed. Permissions follow `--shards` and
    `--router-shards`: give at least as many as `alertwire ops setup`.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    if options["routes"] and options["cluster_listen"] is None:
        raise click.UsageError("--route needs --cluster")
    places = [options["listen"], options["cluster_listen"], options["monitoring"]]
    for place in [*filter(None, places), *options["routes"]]:
        if _PLACE.fullmatch(place) is None:
            raise click.UsageError(f"{place!r} is no HOST:PORT")
    tls = {"cert_file": tls_cert, "key_file": tls_key} if tls_cert else None
    click.echo(as_text(server(public_keys(public), tls=tls, **options)), nl=False)


def public_keys(path: Path) -> dict[User, list[str]]:
    """As `alertwire ops keys` writes them."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {User(name): [str(key) for key in listed] for name, listed in found.items()}
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None
    except (ValueError, AttributeError, TypeError):
        raise click.ClickException(f"{path} is no list of public keys by user") from None
    for user, listed in known.items():
        for key in listed:
            if not is_public_user(key):
                raise click.ClickException(f"{path}: {user} has a key that is no public key")
    return known
