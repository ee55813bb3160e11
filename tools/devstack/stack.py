"""`stack.json`: where everything is, for commands, tests and benchmarks. It is there while the
stack runs, and always whole.
"""

import importlib.metadata
from pathlib import Path
from typing import Any

from tools.devstack.credentials import Credentials
from tools.devstack.demo import Demo
from tools.devstack.ports import HOST, Ports
from tools.devstack.private_files import read_json, write_json

HEALTH_SERVICES = ("ingest", "router", "executor", "auditor", "console")


def stack_file(directory: Path) -> Path:
    return directory / "stack.json"


def describe_stack(
    *, ports: Ports, nats_url: str, postgres_url: str, credentials: Credentials, demo: Demo
) -> dict[str, Any]:
    """Everything that `stack.json` holds but the processes, which change."""
    return {
        "version": _version(),
        "ingest": ports.url("ingest"),
        "console": ports.url("console"),
        "paper_exchange": ports.url("paper_exchange"),
        "paper_exchange_ws": paper_exchange_ws(ports),
        "nats": nats_url,
        "postgres": postgres_url,
        "console_token": credentials.console_token,
        "console_users": credentials.console_users,
        "demo": {
            "route": demo.route,
            "webhook": f"{ports.url('ingest')}/hook/{demo.token}",
            "account": demo.account,
            "access_key": demo.access_key,
            "secret_key": demo.secret_key,
        },
        "health": {service: ports.health_url(service) for service in HEALTH_SERVICES},
    }


def describe_servers(*, nats_url: str, postgres_url: str) -> dict[str, Any]:
    """Of a stack of which the servers alone run."""
    return {"version": _version(), "nats": nats_url, "postgres": postgres_url}


def write_stack(directory: Path, described: dict[str, Any], *, processes: dict[str, int]) -> None:
    write_json(stack_file(directory), described | {"processes": processes})


def read_stack(directory: Path) -> dict[str, Any] | None:
    """What runs from `directory`, or None when nothing does."""
    return read_json(stack_file(directory))


def paper_exchange_ws(ports: Ports) -> str:
    return f"ws://{HOST}:{ports.of('paper_exchange')}/edge"


def _version() -> str:
    try:
        return importlib.metadata.version("alertwire")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
