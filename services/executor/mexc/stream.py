"""MEXC's WebSocket as a `Feed`: login, signs of life, and the private pushes in the house's words.

A push that cannot be read ends the connection: it may have said what nobody will say again, and
after a reconnect the whole picture is asked for.
"""

import asyncio
import contextlib
import gzip
import io
import time
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import msgspec
import structlog

from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.words import ClientOrderId, VenueSymbol
from libs.common.secret import Secret
from services.executor.mexc import errors, mapping, signing, wire
from services.executor.mexc.numbers import POSITION_TYPES, word_of
from services.executor.mexc.transport import CONNECT_TIMEOUT_S, KEPT_BODY_BYTES
from services.executor.outgoing import connector
from services.executor.pushes import (
    FeedLost,
    OrderPushed,
    PositionModePushed,
    PositionPushed,
    Pushed,
)

ORDER = "push.personal.order"
POSITION = "push.personal.position"
POSITION_MODE = "push.personal.position.mode"
_LOGIN = "rs.login"
_SUCCESS = b'"success"'
_ERROR = "rs.error"
_GZIP = b"\x1f\x8b"
_PING = '{"method":"ping"}'
_FRAME_MAX_BYTES = 4 * 1024 * 1024
_CLOSING_S = 1.0
_SAID_BYTES = 200
_NEVER = float("-inf")

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Tests shorten it, nothing else changes it."""

    ping_s: float = 5.0
    """After so much silence a sign of life is asked for."""
    keep_alive_s: float = 20.0
    """And after so long in any case: MEXC closes after a minute without a ping."""
    silence_s: float = 12.0
    login_s: float = 5.0
    """From the first attempt to connect until the login is answered."""

    def ping_due_at(self, *, heard_at: float, pinged_at: float) -> float:
        """In monotonic seconds, as both of its arguments. Hundreds of accounts that are heard all
        the time need no ping every few seconds each.
        """
        return min(max(heard_at, pinged_at) + self.ping_s, pinged_at + self.keep_alive_s)


class _Frame(msgspec.Struct, frozen=True):
    channel: str
    data: msgspec.Raw = wire.NOTHING


_decode = msgspec.json.Decoder(_Frame).decode


class MexcFeed:
    """The private pushes of one account; each `listen` is a connection of its own."""

    def __init__(
        self,
        *,
        url: str,
        access_key: str,
        secret: Secret,
        clock_offset_ms: Callable[[], int],
        patience: Patience | None = None,
    ) -> None:
        self.heard_at = _NEVER
        self._url = url
        self._access_key = access_key
        self._secret = secret
        self._clock_offset_ms = clock_offset_ms
        self._patience = patience or Patience()

    async def listen(
        self, *, on_open: Callable[[], None], on_push: Callable[[Pushed], None]
    ) -> None:
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with asyncio.timeout(self._patience.login_s) as deadline:
                    socket = await stack.enter_async_context(self._connection())
                    await self._log_in(socket)
                on_open()
                await self._follow(socket, on_push=on_push)
        except (aiohttp.ClientError, OSError) as error:
            if deadline.expired():
                why = f"no answer to the login within {self._patience.login_s:g} s"
                raise FeedLost(why) from error
            raise FeedLost(f"{type(error).__name__}: {error}".rstrip(": ")) from error

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(connect=CONNECT_TIMEOUT_S),
            connector=connector(),
        ) as session:
            socket = await session.ws_connect(self._url, max_msg_size=_FRAME_MAX_BYTES)
            try:
                yield socket
            finally:
                # Said before the goodbye, which takes a moment: nothing is read any more.
                self.heard_at = _NEVER
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_CLOSING_S):
                        await socket.close()

    async def _follow(
        self, socket: aiohttp.ClientWebSocketResponse, *, on_push: Callable[[Pushed], None]
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ping(socket))
                while True:
                    push = _pushed(self._text_of(await socket.receive()))
                    if push is not None:
                        on_push(push)
        except* (FeedLost, aiohttp.ClientError, OSError) as losses:
            lost = losses.exceptions[0]
        # Outside of the block, or it would be raised as one of a group.
        raise lost

    async def _log_in(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        at_ms = time.time_ns() // 1_000_000 + self._clock_offset_ms()
        signature = signing.sign(
            access_key=self._access_key, secret=self._secret, request_time_ms=at_ms, payload=""
        )
        param = {"apiKey": self._access_key, "reqTime": str(at_ms), "signature": signature}
        await socket.send_str(msgspec.json.encode({"method": "login", "param": param}).decode())
        while True:
            text = self._text_of(await socket.receive())
            frame = _frame(text)
            if frame.channel == _LOGIN and bytes(frame.data) == _SUCCESS:
                return
            if frame.channel in {_LOGIN, _ERROR}:
                raise FeedLost(f"the login was refused: {_said(frame)}", refused=True)

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        pinged_at = time.monotonic()
        while True:
            due_at = self._patience.ping_due_at(heard_at=self.heard_at, pinged_at=pinged_at)
            now = time.monotonic()
            if now < due_at:
                await asyncio.sleep(due_at - now)
                continue
            silent_s = now - self.heard_at
            if silent_s > self._patience.silence_s:
                raise FeedLost(f"nothing was heard for {silent_s:.0f} s")
            pinged_at = now
            await socket.send_str(_PING)

    def _text_of(self, message: aiohttp.WSMessage) -> bytes:
        """The frame's text. Raises `FeedLost` where the connection has ended."""
        if message.type is aiohttp.WSMsgType.TEXT:
            text = str(message.data).encode()
        elif message.type is aiohttp.WSMsgType.BINARY:
            text = _unpacked(bytes(message.data))
        else:
            raise FeedLost(f"the connection has ended: {message.type.name} {message.data or ''}")
        self.heard_at = time.monotonic()
        return text


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            text = packed.read(_FRAME_MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FeedLost(f"a frame that cannot be unpacked: {error}") from error
    if len(text) > _FRAME_MAX_BYTES:
        # A kilobyte can stand for a megabyte, so what is inside is measured too.
        raise FeedLost(f"a frame with more than {_FRAME_MAX_BYTES} bytes in it")
    return text


def _frame(text: bytes) -> _Frame:
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FeedLost(f"a frame that cannot be read: {error}") from error


def _pushed(text: bytes) -> Pushed | None:
    frame = _frame(text)
    read = _PUSHES.get(frame.channel)
    if read is None:
        if frame.channel == _ERROR:
            _log.warning("stream.error", said=_said(frame))
        return None
    try:
        return read(frame, text)
    except ValueError as error:
        _log.warning("stream.unreadable", channel=frame.channel, said=_said(frame))
        raise FeedLost(f"a push of {frame.channel} cannot be read: {error}") from error


def _said(frame: _Frame) -> str:
    return bytes(frame.data)[:_SAID_BYTES].decode(errors="replace")


def _order(frame: _Frame, text: bytes) -> Pushed | None:
    order = wire.row(frame.data, wire.PushedOrder)
    if order.error_code in errors.ORDER_DUPLICATE:
        # It is about the second order of an id, and would be taken for the first one's end.
        return None
    client_order_id = ClientOrderId(order.external_oid) if order.external_oid else None
    return OrderPushed(
        symbol=VenueSymbol(order.symbol),
        client_order_id=client_order_id,
        found=mapping.to_found(order, call=_call(frame, text)),
    )


def _position(frame: _Frame, text: bytes) -> Pushed:
    position = wire.row(frame.data, wire.Position)
    return PositionPushed(
        symbol=VenueSymbol(position.symbol),
        side=word_of(POSITION_TYPES, position.position_type, "position type"),
        position_id=str(position.position_id),
        holding=mapping.to_holding(position),
        version=position.version,
        call=_call(frame, text),
    )


def _position_mode(frame: _Frame, _text: bytes) -> Pushed:
    return PositionModePushed(mode=mapping.to_position_mode(wire.position_mode(frame.data)))


_PUSHES: dict[str, Callable[[_Frame, bytes], Pushed | None]] = {
    ORDER: _order,
    POSITION: _position,
    POSITION_MODE: _position_mode,
}
"""Other channels tell nothing that is used, and are not decoded."""


def _call(frame: _Frame, text: bytes) -> ExchangeCall:
    return ExchangeCall(
        method="PUSH",
        path=frame.channel,
        sent_at=datetime.now(UTC),
        response_body=text[:KEPT_BODY_BYTES].decode(errors="replace"),
    )
