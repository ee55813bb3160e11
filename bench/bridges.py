"""The processes beside the stack: the two baselines, and the collector of the traces."""

import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import collector, direct
from bench.processes import running, until
from bench.report import DIRECT, USUAL
from bench.stack import Keys
from tools.devstack.ports import SPAN

BRIDGES = (DIRECT, USUAL)
# The last ports of the span, which the stack leaves free.
_PORTS = {DIRECT: SPAN - 1, USUAL: SPAN - 2, "collector": SPAN - 3}
_READY_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A baseline that runs."""

    webhooks: list[str]
    pid: int


@contextlib.asynccontextmanager
async def running_bridge(
    name: str, *, port_base: int, keys: Sequence[Keys], exchange: str, folder: Path
) -> AsyncIterator[Bridge]:
    named = {
        f"{name}-{number:03}": (each.access_key, each.secret_key)
        for number, each in enumerate(keys)
    }
    port = port_base + _PORTS[name]
    config = direct.Config(exchange=exchange, port=port, keys=named)
    environ = {direct.CONFIG: msgspec.json.encode(config).decode()}
    async with _serving(name, port=port, folder=folder, environ=environ) as pid:
        webhooks = [f"http://{direct.HOST}:{port}/hook/{token}" for token in named]
        yield Bridge(webhooks=webhooks, pid=pid)


@contextlib.asynccontextmanager
async def running_collector(*, port_base: int, folder: Path) -> AsyncIterator[str]:
    """Its address."""
    port = port_base + _PORTS["collector"]
    environ = {collector.PORT: str(port)}
    async with _serving("collector", port=port, folder=folder, environ=environ):
        yield f"http://{direct.HOST}:{port}"


def tracing(address: str, *, ratio: float) -> dict[str, str]:
    """The environment that makes services send this share of their traces there."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_TRACES_SAMPLER_ARG": f"{ratio:g}"}


@contextlib.asynccontextmanager
async def _serving(
    name: str, *, port: int, folder: Path, environ: dict[str, str]
) -> AsyncIterator[int]:
    log_file = folder / f"the {name}.log"
    async with running(name, (f"bench.{name}",), log_file=log_file, environ=environ) as process:
        await until(lambda: _listens(port), process=process, log_file=log_file, timeout_s=_READY_S)
        yield process.pid


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((direct.HOST, port)) == 0
