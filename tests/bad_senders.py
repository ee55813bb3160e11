"""Senders who mean no good, each over and over until they are told to stop: they dribble, flood,
send garbage and hang up in between. What they are answered is kept.
"""

import asyncio
import contextlib
import random

from tests.raw_http import HOST, Raw

HOOK = b"POST /hook/%s HTTP/1.1\r\nHost: a\r\n"
ODD_TICKER = '\\u202e\\n{\\"event\\":\\"forged\\"}\\u001b[2J'
_DRIBBLE_S = 0.2
_AGAIN_AFTER_S = 0.5


class BadSenders:
    """`token` is a right one: somebody who has got hold of it is the worst of them."""

    def __init__(self, port, *, token):
        self._port = port
        self._token = token.encode()
        self._random = random.Random(8)
        self._over = False
        self.connections = 0
        self.statuses = []

    @contextlib.asynccontextmanager
    async def at_work(self, *, of_each):
        kinds = (
            *(self._slow_head, self._slow_body, self._silent, self._oversized),
            *(self._flood_of_headers, self._garbage, self._half_closed, self._wrong_token),
            *(self._odd_texts, self._endless_chunks),
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._again_and_again(kind)) for kind in kinds * of_each]
            yield
            self._over = True
            for task in tasks:
                task.cancel()

    async def _again_and_again(self, kind):
        while not self._over:
            try:
                async with asyncio.timeout(30):
                    reader, writer = await asyncio.open_connection(HOST, self._port)
            except OSError:
                await asyncio.sleep(_DRIBBLE_S)
                continue
            self.connections += 1
            hearing = asyncio.ensure_future(self._hear(reader))
            try:
                with contextlib.suppress(ConnectionError):
                    await kind(writer, hearing)
            finally:
                hearing.cancel()
                writer.transport.abort()
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _hear(self, reader):
        found = b""
        try:
            with contextlib.suppress(ConnectionError):
                while chunk := await reader.read(65_536):
                    found += chunk
        finally:
            self.statuses += Raw(text=found).statuses

    async def _dribble(self, writer, hearing, drops):
        for drop in drops:
            if hearing.done():
                return
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(_DRIBBLE_S)

    async def _slow_head(self, writer, hearing):
        writer.write(HOOK % self._token)
        await self._dribble(writer, hearing, (b"X-%d: 1\r\n" % n for n in range(10_000)))

    async def _slow_body(self, writer, hearing):
        writer.write(HOOK % self._token + b"Content-Length: 60000\r\n\r\n{")
        await self._dribble(writer, hearing, [b" "] * 10_000)

    async def _silent(self, _writer, hearing):
        await hearing

    async def _oversized(self, writer, hearing):
        writer.write(HOOK % self._token + b"Content-Length: 9999999999\r\n\r\n")
        await asyncio.sleep(_DRIBBLE_S)  # The answer is there by now; they do not care.
        for _ in range(50):
            if hearing.done():
                return
            writer.write(b"x" * 65_536)
            await writer.drain()

    async def _endless_chunks(self, writer, hearing):
        writer.write(HOOK % self._token + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(50):
            if hearing.done():
                return
            writer.write(b"8000\r\n" + b" " * 32_768 + b"\r\n")
            await writer.drain()

    async def _flood_of_headers(self, writer, hearing):
        writer.write(HOOK % self._token)
        for _ in range(50):
            if hearing.done():
                return
            writer.write(b"X: " + b"y" * 20_000 + b"\r\n")
            await writer.drain()
        await asyncio.wait({hearing}, timeout=3)

    async def _garbage(self, writer, hearing):
        noise = self._random.randbytes(2_000)
        begins = (b"", HOOK % noise[:20], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n" + noise[:9])
        writer.write(self._random.choice(begins) + noise + b"\r\n\r\n")
        await writer.drain()
        await asyncio.wait({hearing}, timeout=3)

    async def _half_closed(self, writer, hearing):
        body = b'{"ticker":"BTCUSDT.P"'
        writer.write(HOOK % self._token + b"Content-Length: 500\r\n\r\n" + body)
        writer.write_eof()
        await asyncio.wait({hearing}, timeout=3)

    async def _wrong_token(self, writer, hearing):
        head = HOOK % b"%0a%1b[2J%ff%e2%80%ae" + b"Connection: close\r\nContent-Length: 2\r\n"
        writer.write(head + b"Content-Type: \x9b31m\xe2\x80\xae\r\n\r\n{}")
        await asyncio.wait({hearing}, timeout=3)

    async def _odd_texts(self, writer, hearing):
        body = b'{"ticker":"%s","order_action":"buy","order_contracts":1}' % ODD_TICKER.encode()
        head = HOOK % self._token + b"Connection: close\r\n"
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await asyncio.wait({hearing}, timeout=3)
