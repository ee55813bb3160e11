"""The NATS client library with an express way for what somebody waits for: a message that was asked
for is handed to its listener as soon as its bytes are there, and one that leaves does so with
everything else of the same moment.

The library itself takes each message through a queue and two tasks, and each publish through a
third; at hundreds of alerts a second that is a third of all work (docs/decisions/0013). Connecting,
authentication, TLS, reconnecting, and every message without a listener stay its own affair.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import nats.errors
from nats.aio.client import DEFAULT_BUFFER_SIZE, Client
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.errors import ProtocolError
from nats.js import JetStreamContext, JetStreamManager, api
from nats.protocol.parser import PERMISSIONS_ERR, Parser

from libs.common.nkeys import NKey

OnMessage = Callable[[str, str, bytes, bytes | None], None]
"""Called with subject, reply subject (or nothing), payload and raw headers; must not raise."""

NO_RESPONDERS = "503"
_CLOSE_WITHIN_S = 1.0
_CRLF = b"\r\n"
_VERSION = "NATS/1.0"
_VERSION_BYTES = len(_VERSION)
_WITH_HEADERS = b"HMSG"
_MESSAGES = frozenset({b"MSG", _WITH_HEADERS})


class ExpressClient(Client):
    """A client whose messages need no task each; `connect` it as the library's own."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: dict[int, OnMessage] = {}
        self.needs_tls = False
        """Where it does, nothing is said to a server without it."""
        self._ps = _ExpressParser(self)
        self._is_write_due = False
        self._sign: Callable[[str], bytes] | None = None

    def use_key(self, key: NKey) -> None:
        """Before `connect`: prove with it who we are."""
        # As the library's own option does, which takes another package for it.
        self._public_nkey = key.public
        self._sign = key.signature

    async def connect(self, *args: Any, **options: Any) -> None:
        if self._sign is not None:
            options["signature_cb"] = self._sign
            self._auth_configured = True
        await super().connect(*args, **options)

    def jetstream(self, **options: Any) -> JetStreamContext:
        """As the library's; consumers that were given no name get one of ours."""
        return _NamingContext(self, **options)

    async def _connect_to_server(self, s: Any) -> None:
        s.last_attempt = time.monotonic()
        if not isinstance(self._transport, _Transport):
            self._transport = _Transport()  # type: ignore[no-untyped-call] # it is so
        await self._transport.connect(
            s.uri,
            buffer_size=DEFAULT_BUFFER_SIZE,
            connect_timeout=self.options["connect_timeout"],
        )

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:  # noqa: FBT001, FBT002 - the library's own
        if initial_connection and self.needs_tls and not info.get("tls_required"):
            raise nats.errors.Error("nats: the server offers no TLS, and nothing is said to it")
        await super()._process_info(info, initial_connection)

    async def _process_err(self, err_msg: str) -> None:
        # The library would close for good what the server has ended, for instance because its
        # users were changed: a service would never come back.
        if PERMISSIONS_ERR in err_msg or self.is_closed:
            await super()._process_err(err_msg)
            return
        error = nats.errors.Error(f"nats: {err_msg}")
        await self._error_cb(error)
        await self._process_op_err(error)

    async def listen(self, subject: str, on_message: OnMessage, *, queue: str = "") -> Subscription:
        """Subscribe; the library keeps the subscription across reconnects. Of those that listen
        under the same `queue` one gets each message.
        """
        subscription = await self.subscribe(subject, queue=queue)
        self.listeners[subscription._id] = on_message  # noqa: SLF001 - the library's key for it
        return subscription

    async def forget(self, subscription: Subscription) -> None:
        """End what `listen` began."""
        self.listeners.pop(subscription._id, None)  # noqa: SLF001
        if not self.is_closed:
            await subscription.unsubscribe()

    def post(self, subject: str, payload: bytes, *, reply: str = "", headers: bytes = b"") -> None:
        """Hand a message to the connection; it is written before the loop turns again.

        `headers` as `encoded_headers` makes them; the subjects are taken as they are. Raises
        `nats.errors.Error` where it cannot leave, and then it never will.
        """
        if not self.is_connected:
            # Nothing is buffered for a later connection.
            raise nats.errors.OutboundBufferLimitError
        size = len(payload)
        if size > self.max_payload:
            raise nats.errors.MaxPayloadError
        words = f"{subject} {reply}" if reply else subject
        if headers:
            start = f"HPUB {words} {len(headers)} {len(headers) + size}\r\n".encode()
        else:
            start = f"PUB {words} {size}\r\n".encode()
        command = b"".join((start, headers, payload, _CRLF))
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += size
        self._pending.append(command)
        self._pending_data_size += len(command)
        if not self._is_write_due:
            self._is_write_due = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._is_write_due = False
        # The library's own flusher may have been faster, or the connection is gone: what was lost
        # with it is found missing by its confirmation.
        if self._pending_data_size > 0 and self._transport and self.is_connected:
            self._transport.writelines(self._pending)
            self._pending = []
            self._pending_data_size = 0


class _Transport(TcpTransport):
    async def connect(self, uri: Any, buffer_size: int, connect_timeout: int) -> None:
        # The library forgets a connection on which nobody has greeted, and leaves it open.
        self.close()  # type: ignore[no-untyped-call] # it is so
        await super().connect(uri, buffer_size, connect_timeout)

    async def wait_closed(self) -> None:
        # Where TLS was not agreed upon, nobody tells the stream that it has ended: whoever waited
        # for that would never try again.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await super().wait_closed()  # type: ignore[no-untyped-call] # it is so


class _Naming(JetStreamManager):
    """Names what has no name. Where a consumer's name stands in the subject of the request, the
    server holds it to it: a right to make consumers is none to change another one's
    (docs/decisions/0032).
    """

    async def add_consumer(
        self,
        stream: str,
        config: api.ConsumerConfig | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own
        **params: Any,
    ) -> api.ConsumerInfo:
        wanted = (config or api.ConsumerConfig()).evolve(**params)
        if not wanted.name and not wanted.durable_name:
            wanted = wanted.evolve(name=self._nc._nuid.next().decode())  # noqa: SLF001
        return await super().add_consumer(stream, wanted, timeout)


class _NamingContext(_Naming, JetStreamContext):
    @property
    def _jsm(self) -> JetStreamManager:
        """By which the library makes consumers for subscriptions."""
        return _Naming(self._nc, prefix=self._prefix, timeout=self._timeout)


def encoded_headers(headers: Mapping[str, str]) -> bytes:
    """As they stand on the wire. A line break in a value becomes a space."""
    lines = [_VERSION, *(f"{name}: {_flat(value)}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def decoded_headers(raw: bytes | None) -> dict[str, str]:
    """Of a message that was read; bytes that are no UTF-8 are replaced."""
    if not raw:
        return {}
    _, *lines = raw.decode(errors="replace").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return {name: value.strip() for name, colon, value in pairs if colon}


def status_of(raw: bytes | None) -> str | None:
    """The server's own word: 404 and 408 end a request, 503 says that nobody listens. None in a
    message.
    """
    if raw is None or raw[_VERSION_BYTES : _VERSION_BYTES + 1] != b" ":
        return None
    return raw[_VERSION_BYTES + 1 : _VERSION_BYTES + 4].decode(errors="replace")


def _flat(value: str) -> str:
    return value if value.isprintable() else " ".join(value.split())


class _ExpressParser(Parser):
    """Cuts whole messages out of what was read; all other lines are the library's to understand."""

    def __init__(self, client: ExpressClient) -> None:
        self._client = client
        self._rest = b""
        self._resets = 0
        super().__init__(client)

    def reset(self) -> None:
        super().reset()
        self._rest = b""
        self._resets += 1

    async def parse(self, data: bytes = b"") -> None:
        resets = self._resets
        read = self._rest + data if self._rest else data
        at = 0
        while (line_end := read.find(_CRLF, at)) >= 0:
            words = read[at:line_end].split()
            if words and words[0] in _MESSAGES:
                end = line_end + 2 + _number(words, -1)
                if end + 2 > len(read):
                    break
                await self._message(words, read[line_end + 2 : end])
                at = end + 2
            else:
                self.buf = bytearray(read[at : line_end + 2])
                await super().parse()
                at = line_end + 2
            if self._resets != resets:
                # The connection was lost meanwhile, and what is left of it means nothing.
                return
        self._rest = read[at:]

    async def _message(self, words: list[bytes], content: bytes) -> None:
        with_headers = words[0] == _WITH_HEADERS
        has_reply = len(words) == (6 if with_headers else 5)
        reply = words[3] if has_reply else b""
        cut = _number(words, -2) if with_headers else 0
        headers, payload = (content[:cut], content[cut:]) if with_headers else (None, content)
        number = _number(words, 2)
        listener = self._client.listeners.get(number)
        if listener is not None:
            listener(words[1].decode(), reply.decode(), payload, headers)
        else:
            await self._client._process_msg(  # noqa: SLF001 - the library's own way
                number, words[1], reply, payload, headers or b""
            )


def _number(words: list[bytes], place: int) -> int:
    try:
        return int(words[place])
    except (ValueError, IndexError):
        raise ProtocolError("nats: malformed MSG") from None
