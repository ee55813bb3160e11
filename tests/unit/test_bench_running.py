"""What a run is made of beside its phases: the collector, and making accounts a few at a time."""

import asyncio

import aiohttp
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.bridges import running_collector, tracing
from bench.collector import SPANS
from bench.errors import BenchError
from bench.exchange import Metrics
from bench.stack import a_few_at_a_time
from tools.devstack.ports import SPAN, free_port


async def test_the_collector_counts_spans(tmp_path):
    batch = ExportTraceServiceRequest()
    scope = batch.resource_spans.add().scope_spans.add()
    for name in ("one", "two"):
        scope.spans.add(name=name)
    port_base = free_port() - SPAN + 3
    collecting = running_collector(port_base=port_base, folder=tmp_path)
    async with collecting as address, aiohttp.ClientSession() as session:
        url = f"{tracing(address, ratio=0.1)['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/traces"
        for _ in range(2):
            async with session.post(url, data=batch.SerializeToString()) as answer:
                assert answer.status == 200
        assert await Metrics(session=session, url=address).total(SPANS) == 4


async def test_a_few_are_made_at_once_and_keep_their_order():
    running = most = 0

    async def make(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(40 - number):
            await asyncio.sleep(0)
        running -= 1
        return number

    assert await a_few_at_a_time(make, 40) == list(range(40))
    assert 1 < most <= 8
    assert await a_few_at_a_time(make, 0) == []


async def test_what_cannot_be_made_ends_it_with_its_own_error():
    async def make(number):
        await asyncio.sleep(0)
        if number >= 3:
            raise BenchError(f"no {number}")

    with pytest.raises(BenchError, match="no 3"):
        await a_few_at_a_time(make, 20)
