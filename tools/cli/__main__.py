"""The command `alertwire`. Each command is loaded when it is used, so that `send` starts fast."""

import importlib
from importlib.metadata import PackageNotFoundError, version

import click

_COMMANDS = {
    "up": "tools.cli.starting:up",
    "send": "tools.cli.sending:send",
    "explain": "tools.cli.explaining:explain_alert",
    "trace": "tools.cli.tracing:trace",
    "tail": "tools.cli.tailing:tail",
    "replay": "tools.cli.replaying:replay_alert",
    "routes": "tools.cli.routes:routes",
    "accounts": "tools.cli.accounts:accounts",
    "doctor": "tools.cli.doctor:doctor",
    "health": "tools.cli.health:health",
    "halt": "tools.cli.halting:halt",
    "resume": "tools.cli.halting:resume",
    "halts": "tools.cli.halting:halts",
    "changes": "tools.cli.changes:changes",
    "dead": "tools.cli.dead:dead",
    "users": "tools.cli.users:users",
    "audit": "tools.cli.audit:audit",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found


def _version() -> str:
    try:
        return version("alertwire")
    except PackageNotFoundError:
        return "not installed"


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="alertwire")
def main() -> None:
    """Carry TradingView alerts to MEXC Futures, and see what became of each.

    Commands find the stack in a folder (--dir, by default .alertwire, where `alertwire up` keeps
    its state), or in the environment: ALERTWIRE_CONSOLE_URL and ALERTWIRE_CONSOLE_TOKEN for the
    console, ALERTWIRE_INGEST_URL for the webhook, ALERTWIRE_POSTGRES_URL and ALERTWIRE_NATS_URL for
    the trail and the log.

    Exit status: 0 done, 1 failed, 2 wrong use.
    """


if __name__ == "__main__":
    main(prog_name="alertwire")
