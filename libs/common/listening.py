"""The socket that a server takes connections from: its own, one that shares the port with others,
or one that it was handed (docs/decisions/0039).

A socket that was handed on is never closed while a process starts and another ends, so nothing that
waits in its queue is lost. Sockets that merely share a port have a queue each, and the kernel
throws away what waits in one that is closed.
"""

import os
import socket
from collections.abc import Mapping

from libs.common.families import family_of

BACKLOG = 2048
_FIRST_HANDED = 3
"""By systemd's convention (sd_listen_fds): descriptors from 3 on, LISTEN_FDS of them, for the
process LISTEN_PID."""


def listening(
    *, host: str, port: int, share: bool = False, environ: Mapping[str, str] = os.environ
) -> tuple[socket.socket, bool]:
    """The socket, and whether it was handed to us; raises `OSError` where the port is taken."""
    found = _handed(port, environ=environ)
    bound = found or socket.create_server(
        (host, port), family=family_of(host), backlog=BACKLOG, reuse_port=share
    )
    bound.setblocking(False)
    # asyncio sets it only on sockets that it makes itself; connections take it from here. Without
    # it an answer's body waits for the other side to have confirmed its head, which takes 40 ms.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound, found is not None


def is_shared(*, port: int, share: bool, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether others may take connections at the port, too: then nobody has to who is not ready."""
    found = _handed(port, environ=environ)
    if found is not None:
        found.close()
    return share or found is not None


def queued(listener: socket.socket) -> list[socket.socket]:
    """Close a listening socket, and take what still waits in its queue. Nothing happens between the
    last look and the closing, but what is just being greeted by the kernel is lost all the same.
    """
    taken = []
    with listener:
        while True:
            try:
                accepted, _ = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                break
            accepted.setblocking(False)
            taken.append(accepted)
    return taken


def _handed(port: int, *, environ: Mapping[str, str]) -> socket.socket | None:
    if not port or environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    handed = range(_FIRST_HANDED, _FIRST_HANDED + int(environ.get("LISTEN_FDS") or 0))
    for descriptor in handed:
        # Of a copy: the one that was handed to us stays open, whoever closes this.
        found = socket.socket(fileno=os.dup(descriptor))
        if found.family in {socket.AF_INET, socket.AF_INET6} and found.getsockname()[1] == port:
            os.set_inheritable(descriptor, False)
            return found
        found.close()
    return None
