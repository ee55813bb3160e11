"""HTTP as somebody writes it who keeps to no rule: bytes out, and whatever comes back."""

import asyncio
import contextlib
import re
from dataclasses import dataclass

import msgspec

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Raw:
    """What a server said before it ended the connection; nothing: status 0."""

    text: bytes

    @property
    def status(self):
        return int(self.text.split()[1]) if self.text else 0

    @property
    def statuses(self):
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.text)]

    @property
    def problem(self):
        return msgspec.json.decode(self.text.partition(b"\r\n\r\n")[2])


async def raw(port, *parts, ssl=None, name=None):
    """Send the parts and read until the other side has nothing more to say."""
    reader, writer = await asyncio.open_connection(HOST, port, ssl=ssl, server_hostname=name)
    try:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                writer.write(part)
                await writer.drain()
        return Raw(text=await read_all(reader))
    finally:
        await hang_up(writer)


async def read_all(reader):
    found = b""
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                found += chunk
    return found


async def hang_up(writer):
    writer.close()
    with contextlib.suppress(ConnectionError, OSError):
        await writer.wait_closed()
