"""A way to Postgres that a test can close, so that it is away, and open again."""

import asyncio
import contextlib


class Gate:
    """A way to Postgres that can be closed and opened: connections break, new ones are refused."""

    def __init__(self, dsn):
        start, _, self._database = dsn.rpartition("/")
        self._login, _, address = start.rpartition("@")
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._server: asyncio.Server | None = None
        self._tasks = set()
        self._listening_port = 0

    @property
    def dsn(self):
        return f"{self._login}@127.0.0.1:{self._listening_port}/{self._database}"

    async def open(self):
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._listening_port)
        self._listening_port = self._server.sockets[0].getsockname()[1]

    async def close(self):
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _pass(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        back, forth = await asyncio.open_connection(self._host, self._port)
        try:
            await asyncio.gather(self._copy(reader, forth), self._copy(back, writer))
        except asyncio.CancelledError:
            pass  # `close` asked; the server's own callback would complain of it
        finally:
            writer.close()
            forth.close()

    async def _copy(self, source, sink):
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
            sink.close()
