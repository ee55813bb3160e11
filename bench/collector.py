"""Receives spans as a collector of OpenTelemetry does (OTLP over HTTP, protobuf), reads them and
counts them: where the services' traces go during the benchmark, as they would in operation.
"""

import asyncio
import os
import signal

import uvloop
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from bench.direct import HOST

PORT = "BENCH_COLLECTOR_PORT"
SPANS = "bench_spans_total"
_BODY_MAX = 64 * 1024 * 1024


class Collector:
    def __init__(self) -> None:
        self.spans = 0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_BODY_MAX)
        app.router.add_post("/v1/traces", self._take)
        app.router.add_get("/metrics", self._count)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        sent = ExportTraceServiceRequest.FromString(await request.read())
        self.spans += sum(
            len(scope.spans) for resource in sent.resource_spans for scope in resource.scope_spans
        )
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")

    async def _count(self, _request: web.Request) -> web.Response:
        return web.Response(text=f"{SPANS} {self.spans}\n")


async def main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(Collector().app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, int(os.environ[PORT])).start()
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(main())
