"""The list of a stream's consumers, of a server whose pages are small to it."""

import json

import pytest

from libs.common import consumers_made as consumers_module
from libs.common.consumers_made import ConsumersUntold, consumers_made
from libs.common.router_shards import router_consumer

ANYBODY = "NmVuY2hhbnRlZHJvdXRlcg"


class Server:
    """Tells its consumers a page at a time, and of those that nobody leads the names alone."""

    _prefix = "$JS.API"

    def __init__(self, *names, unled=(), page=256):
        self._names, self._unled, self._page = names, set(unled), page
        self.asked = []

    async def _api_request(self, subject, request, **_):
        self.asked.append(subject)
        offset = json.loads(request)["offset"]
        page = self._names[offset : offset + self._page]
        told = [each for each in page if each not in self._unled]
        answer = {"consumers": [consumer(each) for each in told], "total": len(self._names)}
        missing = [each for each in page if each in self._unled]
        return answer | ({"missing": missing} if missing else {})


def consumer(name):
    made = {"stream_name": "PIPELINE", "name": name, "created": "2026-11-29T12:00:00Z"}
    return made | {"config": {"durable_name": name}}


async def made(server):
    return sorted(await consumers_made(server, "PIPELINE"))


async def test_all_of_them():
    server = Server("auditor", "executor-0", "router")
    assert await made(server) == ["auditor", "executor-0", "router"]
    assert server.asked == ["$JS.API.CONSUMER.LIST.PIPELINE"]
    assert await made(Server()) == []


@pytest.mark.parametrize("unled", [(), ("b", "e")])
async def test_page_by_page(monkeypatch, unled):
    monkeypatch.setattr(consumers_module, "_LISTED_AT_ONCE", 2)
    server = Server("a", "b", "c", "d", "e", page=2, unled=unled)
    assert await made(server) == sorted({"a", "b", "c", "d", "e"} - set(unled))
    assert len(server.asked) == 3


@pytest.mark.parametrize("name", ["router", router_consumer(1, shards=2), "executor-0", "auditor"])
async def test_one_of_ours_that_nobody_leads_is_not_taken_for_gone(name):
    server = Server("auditor", "executor-0", "router", router_consumer(1, shards=2), unled=[name])
    with pytest.raises(ConsumersUntold, match=f"nobody leads consumer {name} of PIPELINE") as told:
        await consumers_made(server, "PIPELINE")
    assert told.value.missing == (name,)
    assert len(told.value.told) == 3
    # What waits for a log that is silent waits for this, too.
    assert isinstance(told.value, TimeoutError)


async def test_one_of_the_moment_may_be_away_as_long_as_its_server():
    server = Server("executor-0", ANYBODY, unled=[ANYBODY])
    assert await made(server) == ["executor-0"]
