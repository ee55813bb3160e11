"""Which port belongs to whom: one base number, and everything else follows from it."""

import dataclasses
import socket

from tools.devstack.errors import DevstackError

HOST = "127.0.0.1"
DEFAULT_BASE = 8400
SPAN = 20

_OFFSETS = {"ingest": 0, "console": 1, "paper_exchange": 2, "nats": 3, "postgres": 4}
_HEALTH_OFFSETS = {"ingest": 10, "router": 11, "executor": 12, "auditor": 13, "console": 14}


class PortTakenError(DevstackError):
    """Another process listens on a port that is needed; the message tells the way out."""


@dataclasses.dataclass(frozen=True)
class Ports:
    """The ports `base` to `base + 19`, by the name of who listens."""

    base: int

    def __post_init__(self) -> None:
        if not 1 <= self.base <= 65536 - SPAN:
            raise ValueError(f"the port base must be from 1 to {65536 - SPAN}, not {self.base}")

    def of(self, name: str) -> int:
        return self.base + _OFFSETS[name]

    def health_of(self, service: str) -> int:
        return self.base + _HEALTH_OFFSETS[service]

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self.of(name)}"

    def health_url(self, service: str) -> str:
        return f"http://{HOST}:{self.health_of(service)}"

    def by_name(self) -> dict[str, int]:
        named = {name: self.base + offset for name, offset in _OFFSETS.items()}
        health = {f"{name} health": self.base + at for name, at in _HEALTH_OFFSETS.items()}
        return named | health


def require_free(ports: Ports) -> None:
    """Raise `PortTakenError` for the first port that something already listens on."""
    for name, port in ports.by_name().items():
        with socket.socket() as probe:
            # As servers do: a closed connection still lingering on the port is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                probe.listen(1)
            except OSError as error:
                reason = error.strerror or str(error)
                raise PortTakenError(
                    f"port {port} ({name}) cannot be used: {reason}; choose another range with"
                    f" --port-base N (ports N to N+{SPAN - 1})"
                ) from None


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
