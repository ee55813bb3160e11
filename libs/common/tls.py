"""https served by the process itself, with a client certificate asked for where there is a file of
who may vouch for it. Files that change are read again; connections that stand stay as they are.

Each connection is accepted here, since uvicorn's way counts none before its handshake is done: many
handshakes that never end would cost nothing to begin and fill the process.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from libs.common import metrics
from libs.common.seldom import Seldom

HANDSHAKE_TIMEOUT_S = 5.0
HANDSHAKES_MAX = 500
"""At once; of more, the oldest makes place."""
_READ_AGAIN_S = 1.0
_EXHAUSTED_S = 0.1
_TOLD_PER_S = 1.0
_TOLD_BURST = 20.0

_log = structlog.get_logger()

MakeProtocol = Callable[[], asyncio.Protocol]


class TlsError(Exception):
    """The files do not make a server; the message names what is wrong."""


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    cert: Path
    key: Path
    client_ca: Path | None = None


class Tls:
    """What new connections are shaken hands by; raises `TlsError` where the files are wrong."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._seen = _stamp(files)
        self.context = _context(files)

    def read_again(self) -> None:
        """Call about once a second: takes files that have changed, if they fit together."""
        try:
            stamp = _stamp(self._files)
            if stamp == self._seen:
                return
            self._seen = stamp
            self.context = _context(self._files)
        except TlsError as error:
            # A certificate may be there before its key: the next change is looked at again.
            _log.warning("tls.unread", reason=str(error))
        else:
            _log.info("tls.read", cert_file=str(self._files.cert))


class TlsListener:
    """Accepts connections on a bound socket. Has what uvicorn asks of a server."""

    def __init__(self, bound: socket.socket, tls: Tls, make_protocol: MakeProtocol) -> None:
        self._bound = bound
        self._tls = tls
        self._make_protocol = make_protocol
        self._handshakes: dict[asyncio.Task[None], None] = {}
        self._told = Seldom(per_s=_TOLD_PER_S, burst=_TOLD_BURST)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._accept()), loop.create_task(self._read_again())]

    @property
    def is_busy(self) -> bool:
        """Whether hands are being shaken."""
        return bool(self._handshakes)

    async def let_go(self) -> None:
        """Accept nothing more; whose hands are being shaken is served. The socket is closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._bound.close()

    def take(self, connection: socket.socket) -> None:
        """One that was accepted elsewhere."""
        try:
            address = connection.getpeername()[0]
        except OSError:
            # It has gone while it waited.
            connection.close()
            return
        self._begin(connection, address)

    def close(self) -> None:
        """Accept nobody any more; who is shaking hands may go on."""
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        for task in self._handshakes:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._handshakes, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._bound)
            except OSError as error:
                # As many files as may be are open. Those that end make place.
                _log.warning("tls.accept_failed", reason=str(error))
                await asyncio.sleep(_EXHAUSTED_S)
                continue
            self._begin(connection, address[0])

    def _begin(self, connection: socket.socket, address: str) -> None:
        if len(self._handshakes) >= HANDSHAKES_MAX:
            next(iter(self._handshakes)).cancel()
        task = asyncio.get_running_loop().create_task(self._shake_hands(connection, address))
        self._handshakes[task] = None
        task.add_done_callback(self._handshakes.pop)

    async def _shake_hands(self, connection: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                self._make_protocol,
                connection,
                ssl=self._tls.context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S,
            )
        except (OSError, asyncio.CancelledError) as error:
            with contextlib.suppress(OSError):
                connection.close()
            self._note(error, address=address)

    def _note(self, error: BaseException, *, address: str) -> None:
        metrics.http_refused.labels("tls").inc()
        held_back = self._told.take(now_s=time.monotonic())
        if held_back is not None:
            told = {"source_address": address, "untold_before": held_back}
            _log.info("tls.refused", reason=_reason(error), **told)

    async def _read_again(self) -> None:
        while True:
            await asyncio.sleep(_READ_AGAIN_S)
            self._tls.read_again()


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # An encrypted key would ask on the terminal for its password.
        context.load_cert_chain(files.cert, files.key, password=_no_password)
        if files.client_ca is not None:
            context.load_verify_locations(files.client_ca)
            # Health pages are asked by those who have none; the webhook insists.
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ssl.SSLError, ValueError) as error:
        raise TlsError(f"{files.cert}, {files.key}, {files.client_ca}: {error}") from None
    return context


def _no_password() -> str:
    raise ValueError("the private key is encrypted; give it without a password")


def _stamp(files: TlsFiles) -> tuple[tuple[int, int, int], ...]:
    try:
        found = [path.stat() for path in (files.cert, files.key, files.client_ca) if path]
    except OSError as error:
        raise TlsError(f"{error.filename}: {error.strerror}") from None
    return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"client certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return error.reason or "handshake failed"
    if isinstance(error, asyncio.CancelledError):
        return "handshake given up"
    return str(error) or type(error).__name__
