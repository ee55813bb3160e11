"""The live page's HTML over a real trail: filters, pages, hostile alerts, its size, its roles."""

import html
import re
from datetime import timedelta

import aiohttp
import pytest

from libs.common.contracts.reasons import Reason
from libs.common.topology import ensure_topology
from services.console.web.access.viewers import Role
from services.console.web.live.lists import counts_of, midnight
from tests.console_server import running
from tests.factories import NOW, make_alert
from tests.integration.test_console_alerts import (
    denied,
    executed,
    make_id,
    put_trail,
    received,
)
from tests.live_stand import rows_of, state_of, users_of, visitor
from tests.trail_messages import make_denied
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

__all__ = ["put_trail"]

FIRST_PAGE_MAX = 100_000


@pytest.fixture
async def viewer(js, nats_url, reader_dsn, tmp_path):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn, users=users_of(tmp_path)) as console:
        yield await visitor(console)


FRAGMENT = {"HX-Request": "true"}


async def test_alerts_are_listed_newest_first(viewer, put_trail):
    await put_trail(*executed(1), *denied(2), received(3))
    status, page = await viewer.get("/")
    assert status == 200
    rows = rows_of(page)
    assert list(rows) == [make_id(3), make_id(2), make_id(1)]
    assert [state_of(row) for row in rows.values()] == ["pending", "denied", "executed"]
    for part in ("BTC_USDT", "50000.5", ">10<", "0.001", f'href="/alerts/{make_id(1)}"'):
        assert part in rows[make_id(1)]
    _, part = await viewer.get("/", **FRAGMENT)
    assert list(rows_of(part)) == list(rows)
    assert "<html" not in part


async def test_filters_stand_in_the_address_and_in_the_form(viewer, put_trail):
    await put_trail(*executed(1), *denied(2), *denied(3, route="other"))
    _, page = await viewer.get("/?route=other&status=denied&account=&symbol=&text=")
    assert list(rows_of(page)) == [make_id(3)]
    assert "<option selected>other</option>" in page
    assert "<option selected>denied</option>" in page
    stream = await viewer.stream_address("/?route=other&status=denied")
    assert stream == "/alerts/events?route=other&status=denied&after=9"
    for query, wanted in (
        ("account=paper", [1]),
        ("account=none", []),
        ("symbol=BTC_USDT", [1]),
        ("status=nonsense", [3, 2, 1]),
        (f"text={make_id(2)}", [2]),
        ("text=%20", [3, 2, 1]),
    ):
        _, page = await viewer.get(f"/?{query}")
        assert list(rows_of(page)) == [make_id(number) for number in wanted], query
    assert "Nothing matches" in (await viewer.get("/?account=none"))[1]


async def test_a_text_is_looked_for_and_how_far_is_told(viewer, put_trail):
    alerts = [received(number) for number in range(2, 1_202)]
    hidden = received(1, comment="needle")
    await put_trail(hidden, *alerts)
    _, page = await viewer.get("/?text=needle")
    assert rows_of(page) == {}
    assert "newest 1,000 alerts" in page
    more = html.unescape(re.search(r'hx-get="([^"]*before=[^"]*)"', page)[1])
    _, older = await viewer.get(more, **FRAGMENT)
    assert list(rows_of(older)) == [make_id(1)]
    _, answer = await viewer.console.call("GET", "/api/alerts?text=needle")
    assert answer["searched"]["alerts"] == 1_000
    assert answer["next"] is not None


async def test_older_pages_follow_without_gap_or_double(viewer, put_trail):
    await put_trail(*(received(number) for number in range(1, 301)))
    _, page = await viewer.get("/")
    found = list(rows_of(page))
    while following := re.search(r'hx-get="(/\?before=[^"]*)"', page):
        _, page = await viewer.get(html.unescape(following[1]), **FRAGMENT)
        found += rows_of(page)
    assert found == [make_id(number) for number in range(300, 0, -1)]
    # The same by a plain link, which is a page of its own and follows nothing.
    _, page = await viewer.get("/?before=251")
    assert next(iter(rows_of(page))) == make_id(250)
    assert "data-stream" not in page


RTL = "\u202egnp.exe\u2066"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    RTL,
    "x" * 64_000,
    "]]><!--",
]


async def test_hostile_alerts_are_shown_harmlessly(viewer, put_trail):
    await put_trail(
        *(received(number, ticker=text, comment=text) for number, text in enumerate(HOSTILE, 1)),
        (
            "intent.denied.demo",
            "router",
            make_denied(Reason.SYMBOL_UNKNOWN, alert=make_id(1)),
        ),
    )
    _, page = await viewer.get("/")
    rows = rows_of(page)
    assert len(rows) == len(HOSTILE)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "49" not in rows[make_id(3)].partition("c-symbol")[2].partition("</span>")[0]
    # Whatever turns the direction of the letters does so within its own element.
    symbol = rows[make_id(4)].partition("c-symbol")[2].partition("</div>")[0]
    assert f'<span class="foreign">{RTL}</span>' in symbol
    # What is long is cut, with a part of it on hover.
    assert len(rows[make_id(5)]) < 3_000
    assert 'title="xxx' in rows[make_id(5)]
    for text in HOSTILE[:3]:
        _, page = await viewer.get("/?" + aiohttp.helpers.quote(f"text={text}", safe="="))
        assert "<script>alert" not in page
        assert "<img src=x" not in page


async def test_the_first_page_is_light(viewer, put_trail):
    """All that a browser fetches with an empty cache, over the wire."""
    reasons = (
        "a reason that is told in a sentence of a hundred and some letters, as most are of"
        " ours when they tell numbers, too"
    )
    for number in range(1, 60):
        await put_trail(*executed(number * 2))
        at = "intent.denied.demo"
        denial = make_denied(Reason.STALE, alert=make_id(number * 2 + 1))
        denial = type(denial)(
            alert_id=denial.alert_id,
            route=denial.route,
            at=denial.at,
            denial=type(denial.denial)(reason=Reason.STALE, message=reasons),
        )
        await put_trail(received(number * 2 + 1), (at, "router", denial))
    _, page = await viewer.get("/")
    assert len(rows_of(page)) == 40
    size = await transferred(viewer, "/")
    found = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    assert len(found) >= 5
    for address in found:
        size += await transferred(viewer, address)
    assert size < FIRST_PAGE_MAX, f"the first page takes {size:,} bytes"


async def transferred(viewer, path):
    """Bytes of the answer, with its headers, as they go over the wire."""
    headers = {"Accept-Encoding": "gzip"}
    async with aiohttp.ClientSession(auto_decompress=False) as web:
        async with web.get(
            viewer.console.url + path, headers=headers, cookies=viewer.cookies
        ) as answer:
            assert answer.status == 200
            body = await answer.read()
            return len(body) + sum(len(k) + len(v) + 4 for k, v in answer.raw_headers)


async def test_without_the_trail_the_page_says_so_and_follows_the_log(js, nats_url, tmp_path):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere, users=users_of(tmp_path)) as console:
        viewer = await visitor(console)
        await console.bus.publish(subject="alert.received.demo", message=make_alert(), event_id="1")
        status, page = await viewer.get("/")
        assert status == 200
        assert "The trail cannot be read now" in page
        async with viewer.following(await viewer.stream_address()) as stream:
            assert len((await stream.until("rows")).rows) == 1


async def test_a_viewer_sees_the_list_and_a_stranger_does_not(viewer, put_trail):
    await put_trail(*executed(1))
    other = await visitor(viewer.console, role=Role.VIEWER)
    status, page = await other.get("/")
    assert (status, len(rows_of(page))) == (200, 1)
    stranger = type(viewer)(console=viewer.console, cookies={}, session_id="")
    assert (await stranger.get("/"))[0] == 303
    assert (await stranger.get("/alerts/counts"))[0] == 303


async def test_the_day_is_counted_with_links_to_what_was_counted(viewer):
    status, part = await viewer.get("/alerts/counts?offset=60")
    assert status == 200
    assert 'href="/?status=denied"' in part
    assert (await viewer.get("/alerts/counts?offset=9999"))[0] == 400


@pytest.mark.parametrize(
    ("offset", "hours"),
    [(0, 12), (60, 13), (-12 * 60, 0), (13 * 60, 1), (330, 17.5)],
    ids=["utc", "east", "west", "tomorrow", "half"],
)
def test_a_day_begins_at_the_viewers_midnight(offset, hours):
    assert midnight(NOW, offset_minutes=offset) == NOW - timedelta(hours=hours)


def test_counts_that_are_not_whole_say_so():
    statuses = dict.fromkeys(
        ("pending", "executed", "partial", "refused", "denied", "rejected", "unknown", "dead"), 7
    )
    found = {"sampled": True, "received": 12_000, "duplicates": 3, "statuses": statuses}
    told = {name: value for name, value, _ in counts_of(found)}
    assert told["received"] == "12,000"
    assert told["executed"] == "~7"
    assert told["refused"] == "7"
