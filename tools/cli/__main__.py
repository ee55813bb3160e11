"""The command `alertwire`. Each command is loaded when it is used, so that `send` starts fast."""

from importlib.metadata import PackageNotFoundError, version

import click

from tools.cli.lazy import LazyGroup

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
    "ops": "tools.cli.ops:ops",
}


def _version() -> str:
    try:
        return version("alertwire")
    except PackageNotFoundError:
        return "not installed"


@click.group(
    cls=LazyGroup, places=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
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
