"""Both HTTP APIs under requests made from their descriptions: each is answered as described, none
is a failure of ours, and nobody without the token is told anything.
"""

import asyncio
import json
import re
from pathlib import Path

import pytest
import schemathesis

from fuzz.apis import AWAY, Api, drive
from libs.common.topology import ensure_topology
from tests.api_bodies import ACCOUNT, ROUTE
from tests.console_server import TOKEN, running
from tests.integration.ingest_stand import stand_on

pytestmark = pytest.mark.integration

DESCRIPTIONS = Path(__file__).parent.parent.parent / "docs" / "openapi"
CONSOLE = json.loads((DESCRIPTIONS / "console.json").read_text())
INGEST = json.loads((DESCRIPTIONS / "ingest.json").read_text())
HEALTH = {"/health/live", "/health/ready"}
EXAMPLES = 8
ROUTE_TOKEN = "t" * 32


@pytest.fixture
async def console(js, nats_url, reader_dsn):
    await ensure_topology(js)
    short = {"checkup_s": 0.1, "picture_s": 0.1, "test_s": 0.1}
    async with running(nats_url, reader_dsn, **short) as found:
        assert (await found.call("POST", "/api/accounts", ACCOUNT))[0] == 201
        assert (await found.call("POST", "/api/routes", ROUTE))[0] == 201
        yield found


@pytest.fixture
async def ingest(nats_url):
    async with stand_on(nats_url) as stand:
        await stand.put_route({}, token=ROUTE_TOKEN)
        yield await stand.start()
        await stand.stop()


@pytest.fixture
def console_routes(console):
    """What the running console answers, pages apart."""
    found = set()
    for route in console.site.routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        if path.startswith("/api/") or path in HEALTH:
            found |= {(method, path) for method in route.methods if method != "OPTIONS"}
    return found


def told(driven):
    return "\n".join(driven.findings[:10])


@pytest.mark.timeout(180)
async def test_the_console_answers_as_described(console):
    named = {"account_id": "main", "route_id": "btc"}
    api = Api(url=console.url, description=CONSOLE, token=TOKEN, named=named, away=AWAY)
    driven = await asyncio.to_thread(drive, api, examples=EXAMPLES)
    assert not driven.findings, told(driven)
    assert driven.calls > 300
    assert {200, 204, 400, 404, 415, 422} <= set(driven.statuses), driven.statuses


async def test_what_is_made_is_answered_as_described(console):
    schema = schemathesis.openapi.from_dict(CONSOLE)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    made = {
        "/api/accounts": ACCOUNT | {"id": "other"},
        "/api/routes": ROUTE | {"id": "other"},
        "/api/halt": {"scope": "route", "id": "other", "reason": "a look"},
        "/api/resume": {"scope": "route", "id": "other"},
    }
    for path, body in made.items():
        case = schema[path]["POST"].Case(body=body, media_type="application/json")
        answer = await asyncio.to_thread(
            case.call_and_validate, base_url=console.url, headers=headers
        )
        assert answer.status_code in {200, 201}, path


async def test_without_the_token_no_operation_is_done(console):
    for path, methods in CONSOLE["paths"].items():
        if not path.startswith("/api"):
            continue
        for method in methods:
            there = path.replace("{route_id}", "btc").replace("{account_id}", "main")
            there = there.replace("{seq}", "1").replace("{alert_id}", "x")
            status, problem = await console.call(method, there, {}, Authorization="Bearer no")
            assert (status, problem["status"]) == (401, 401), (method, path)
    assert (await console.call("GET", "/api/routes/btc"))[0] == 200


@pytest.mark.timeout(120)
async def test_ingest_answers_as_described(ingest):
    api = Api(url=ingest, description=INGEST, named={"token": ROUTE_TOKEN})
    driven = await asyncio.to_thread(drive, api, examples=40)
    assert not driven.findings, told(driven)
    assert {200, 404, 415, 422} <= set(driven.statuses), driven.statuses


NUMBER, FAR = str(10**30), str(2**63)
QUESTIONS = {
    "nul": "/api/alerts?text=%00&route=a%00b",
    "nul in a name": "/api/changes?account=%00&by=%00",
    "nul in a path": "/api/routes/%00",
    "nul in an account": "/api/accounts/%00/instruments?symbol=%00",
    "beyond the largest place": f"/api/alerts?before={FAR}",
    "a number of thirty digits": f"/api/dead?before={NUMBER}",
    "a letter of thirty digits": f"/api/dead/{NUMBER}",
    "a letter of five thousand digits": f"/api/dead/{'1' * 5000}",
    "a letter below nothing": "/api/dead/-1",
    "a limit of five thousand digits": f"/api/alerts?limit={'1' * 5000}",
    "the first year": "/api/statistics?since=0001-01-01T00:00:00%2B14:00&until=0001-01-02",
    "the last year": "/api/statistics?since=9999-12-31T00:00:00Z&until=9999-12-31T23:59:59-14:00",
    "before there were alerts": "/api/statistics?until=0001-01-01T00:00:00Z",
    "half a character": "/api/alerts?text=%ED%A0%80&symbol=%FF",
    "a change of another age": "/api/changes?before=999999999999999999-ALERTS-999999999999999999",
    "an alert that is none": "/api/alerts/%00",
    "the first year of events": "/api/events?since=0001-01-01T00:00:00%2B14:00",
    "the last year of events": "/api/events?since=9999-12-31T23:59:59-14:00",
    "nul among events": "/api/events?route=%00&alert_id=x",
}


PLACES = ("1" * 5000, str(2**63), "-1", "\u00b2")


async def test_odd_questions_are_no_failure(console):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    failed = {}
    for name, path in QUESTIONS.items():
        async with asyncio.timeout(20):
            async with console.http.get(console.url + path, headers=headers) as answer:
                if answer.status >= 500:
                    failed[name] = await answer.text()
                elif "/events" not in path:
                    await answer.json(content_type=None)
    assert failed == {}


async def test_an_odd_place_to_go_on_from_is_refused(console):
    for place in PLACES:
        status, problem = await console.call("GET", "/api/events", **{"Last-Event-ID": place})
        assert (status, problem["field"]) == (422, "Last-Event-ID"), place[:20]


async def test_a_body_of_brackets_is_refused(console):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for body in (b"[" * 100_000, b'{"a":' * 40_000, b'{"id":' + b"[" * 9_000 + b"]" * 9_000 + b"}"):
        for path in ("/api/routes", "/api/accounts", "/api/halt", "/api/routes/btc/test"):
            async with console.http.post(console.url + path, data=body, headers=headers) as answer:
                assert answer.status in {415, 422}, await answer.text()


def test_every_operation_is_described(console_routes):
    described = {
        (method.upper(), path) for path, methods in CONSOLE["paths"].items() for method in methods
    }
    assert described == console_routes
