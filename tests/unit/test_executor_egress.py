"""The watch of our own address: what it makes of answers and of silence, and whom it asks."""

import asyncio
import math
import socket
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from libs.common.secret import Secret
from libs.common.settings import SettingsError, from_env
from services.executor import metrics
from services.executor.addresses import EgressState
from services.executor.echoing import Echo, ask_echoes
from services.executor.egress import EgressTiming, EgressWatch, egress_watch
from services.executor.outgoing import connector
from services.executor.settings import Settings
from tests.unit.mexc_stub import stub_server

EXECUTOR = Path(__file__).parents[2] / "services" / "executor"
OURS, OTHER = "198.51.100.7", "203.0.113.9"


class Services:
    """Two echo services, and the time."""

    def __init__(self, *, expected=(OURS,), **timing):
        self.told = [OURS, OURS]
        self.now = 0.0
        self.asked = 0
        self.watch = EgressWatch(
            urls=("https://one/", "https://two/"),
            expected=expected,
            timing=EgressTiming(**timing),
            ask=self._ask,
            clock=lambda: self.now,
        )

    async def _ask(self, urls):
        self.asked += 1
        pairs = zip(urls, self.told, strict=True)
        return [Echo(service=url, address=told, why="TimeoutError") for url, told in pairs]

    async def tell(self, *told):
        """Have them answer so once; returns what was logged."""
        self.told = list(told)
        with capture_logs() as logged:
            await self.watch.check()
        return [one["event"] for one in logged]


def gauges():
    return (metrics.egress_ok._value.get(), metrics.egress_answers._value.get())


async def test_what_the_accounts_expect_together_counts_where_nothing_else_is_said():
    services = Services(expected=())
    await services.tell(OURS, OURS)
    accounts = [OTHER]
    services.watch.expected_by_accounts = lambda: accounts
    assert services.watch.expected == (OTHER,)
    services.watch.rejudge()
    assert OTHER in services.watch.problem
    assert gauges()[0] == 0
    accounts.append(OURS)
    services.watch.rejudge()
    assert services.watch.problem is None
    assert gauges()[0] == 1


async def test_what_is_expected_of_the_executor_goes_before_what_its_accounts_expect():
    services = Services(expected=(OURS,))
    services.watch.expected_by_accounts = lambda: [OTHER]
    await services.tell(OURS, OURS)
    assert services.watch.expected == (OURS,)
    assert services.watch.problem is None


async def test_where_nobody_is_asked_no_account_can_hold_the_executor_back():
    watch = EgressWatch(urls=(), expected_by_accounts=lambda: [OTHER])
    assert watch.problem is None


async def test_who_waits_for_the_right_address_hears_of_what_is_expected_now():
    services = Services(expected=())
    accounts = [OTHER]
    services.watch.expected_by_accounts = lambda: accounts
    await services.tell(OURS, OURS)
    waiting = asyncio.create_task(services.watch.fit(asyncio.Event()))
    await asyncio.sleep(0)
    accounts.clear()
    services.watch.rejudge()
    assert await asyncio.wait_for(waiting, 5)


async def test_our_address_is_learnt_where_none_is_expected():
    services = Services(expected=())
    assert services.watch.problem is None
    await services.tell(OTHER, OURS)
    assert services.watch.addresses == (OURS, OTHER)
    assert services.watch.problem is None
    assert gauges() == (1, 2)


async def test_nothing_is_done_before_the_first_answer_and_all_after_the_right_one():
    services = Services()
    assert "198.51.100.7" in services.watch.problem
    assert gauges() == (0, 0)
    assert await services.tell(OURS, None) == [
        "egress.unanswered",
        "egress.seen",
        "egress.expected",
    ]
    assert services.watch.problem is None
    assert gauges() == (1, 1)


async def test_another_address_is_a_problem_until_it_is_right_again():
    services = Services()
    changes = []
    services.watch.on_change = lambda: changes.append(services.watch.addresses)
    await services.tell(OURS, OURS)
    assert await services.tell(OURS, OTHER) == ["egress.seen", "egress.unexpected"]
    assert OTHER in services.watch.problem
    assert gauges() == (0, 2)
    assert await services.tell(OURS, OTHER) == [], "once"
    assert await services.tell(OURS, OURS) == ["egress.seen", "egress.expected"]
    assert services.watch.problem is None
    assert changes == [(OURS,), (OURS, OTHER), (OURS,)]


async def test_the_first_answer_is_waited_for_and_then_the_work_begins_without_it():
    services = Services(hold_s=30)
    services.now = 1_000
    assert services.watch.problem is not None, "the wait begins with the first question"
    await services.tell(None, None)
    services.now += 29
    assert await services.tell(None, None) == []
    assert services.watch.problem is not None
    services.now += 1
    assert await services.tell(None, None) == ["egress.unverified"]
    assert services.watch.problem is None
    assert gauges() == (1, 0)
    await services.tell(None, OTHER)
    assert services.watch.problem is not None


async def test_a_strict_executor_begins_nothing_until_it_is_told():
    strict = {"ALERTWIRE_EXPECTED_ADDRESSES": OURS, "ALERTWIRE_EGRESS_STRICT": "true"}
    watch, services = egress_watch(settings(**strict)), Services()
    watch._ask, watch._clock = services._ask, lambda: services.now
    services.watch = watch
    await services.tell(None, None)
    services.now += 10 * 86_400
    await services.tell(None, None)
    assert "no echo service" in watch.problem
    assert gauges() == (0, 0)
    await services.tell(None, OURS)
    assert watch.problem is None
    services.now += 10 * 86_400
    await services.tell(None, None)
    assert watch.problem is None, "silence is no news"


async def test_a_strict_executor_that_expects_nothing_waits_for_nothing():
    watch = egress_watch(settings(ALERTWIRE_EGRESS_STRICT="true"))
    assert watch.problem is None


@pytest.mark.parametrize(("told", "is_problem"), [(OURS, False), (OTHER, True)])
async def test_where_nobody_answers_any_more_what_was_told_last_counts(told, is_problem):
    services = Services()
    await services.tell(told, told)
    services.now += 9_999
    assert await services.tell(None, None) == ["egress.unanswered", "egress.unanswered"]
    assert await services.tell(None, None) == []
    assert services.watch.addresses == (told,)
    assert (services.watch.problem is not None) is is_problem


async def test_it_is_asked_often_while_it_is_wrong_and_at_once_when_it_is_wanted():
    services = Services(check_s=3_600, again_s=0.01)
    services.told = [OTHER, OTHER]
    following = asyncio.create_task(services.watch.follow())
    async with asyncio.timeout(5):
        stop = asyncio.Event()
        fit = asyncio.create_task(services.watch.fit(stop))
        while services.asked < 3:
            await asyncio.sleep(0.005)
        assert not fit.done()
        services.told = [OURS, OURS]
        assert await fit
        asked = services.asked
        await asyncio.sleep(0.05)
        assert services.asked == asked
        services.watch.recheck()
        while services.asked == asked:
            await asyncio.sleep(0.005)
    following.cancel()


async def test_who_waits_for_the_right_address_can_be_stopped():
    stop = asyncio.Event()
    fit = asyncio.create_task(Services().watch.fit(stop))
    await asyncio.sleep(0.01)
    stop.set()
    assert await fit is False


async def test_what_services_answer_and_how_they_fail():
    async with stub_server() as stub:
        answers = {
            "/text": web.Response(text=f"{OURS}\n"),
            "/json": web.json_response({"ip": OURS}),
            "/moved": web.Response(status=302, headers={"Location": f"{stub.url}/text"}),
            "/wrong": web.Response(status=500, text=OURS),
            "/page": web.Response(text="<html>" + "x" * 100_000),
        }

        async def answer(request, _body):
            if request.path == "/never":
                return await stub.never(request, "")
            return answers[request.path]

        stub.handler = answer
        urls = [f"{stub.url}{path}" for path in (*answers, "/never")]
        echoes = await ask_echoes([*urls, "http://127.0.0.1:1/key-in-here"], timeout_s=0.5)
    assert [echo.address for echo in echoes] == [OURS, OURS, *[None] * 5]
    assert [echo.why for echo in echoes[2:]] == [
        "HTTP 302, not an address",
        "HTTP 500, not an address",
        "HTTP 200, not an address",
        "TimeoutError",
        "ClientConnectorError",
    ]
    assert {echo.service for echo in echoes} == {"127.0.0.1"}, "nothing of the address but its host"


def settings(**variables):
    required = {
        "ALERTWIRE_NATS_URL": "nats://u:p@h:1",
        "ALERTWIRE_HEALTH_PORT": "1",
        "ALERTWIRE_SEALING_KEY_FILE": "/none",
    }
    return from_env(Settings, {**required, **variables})


async def test_unless_told_otherwise_two_parties_are_asked_and_nothing_is_expected():
    assert isinstance(settings().nats_url, Secret)
    watch = egress_watch(settings())
    assert len({url.split("/")[2].rsplit(".", 2)[-2] for url in watch._urls}) == 2
    assert watch.expected == ()
    assert watch.problem is None


async def test_empty_asks_nobody():
    watch = egress_watch(settings(ALERTWIRE_ECHO_URLS=""))
    await asyncio.wait_for(watch.follow(), 1)
    assert (watch.addresses, watch.problem) == ((), None)
    assert math.isnan(metrics.egress_answers._value.get())
    assert watch._state is EgressState.UNCHECKED


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ECHO_URLS": "checkip.example"}, "ECHO_URLS"),
        ({"ECHO_URLS": "https://one.example,ftp://two.example"}, "ftp://two.example"),
        ({"EXPECTED_ADDRESSES": "198.51.100.7,here"}, "'here'"),
        ({"EXPECTED_ADDRESSES": OURS, "ECHO_URLS": ""}, "needs ALERTWIRE_ECHO_URLS"),
        ({"EGRESS_STRICT": "true", "ECHO_URLS": ""}, "EGRESS_STRICT needs ALERTWIRE_ECHO_URLS"),
        ({"EGRESS_CHECK_S": "0"}, "EGRESS_CHECK_S"),
        ({"EGRESS_CHECK_S": "nan"}, "EGRESS_CHECK_S"),
    ],
)
async def test_what_makes_no_sense_is_refused_at_the_start(variables, words):
    made = settings(**{f"ALERTWIRE_{name}": value for name, value in variables.items()})
    with pytest.raises(SettingsError, match=words):
        egress_watch(made)


def test_every_connection_to_the_outside_is_made_alike():
    """Or an echo service would see another address than the exchange."""
    sources = {path.name: path.read_text() for path in EXECUTOR.rglob("*.py")}
    sessions = [name for name, text in sources.items() if "aiohttp.ClientSession(" in text]
    assert {"transport.py", "stream.py", "echoing.py"} <= set(sessions)
    for name in sessions:
        made = sources[name].count("aiohttp.ClientSession(\n")
        assert made == sources[name].count("connector=connector("), name
    assert [name for name, text in sources.items() if "TCPConnector(" in text] == ["outgoing.py"]
    assert not any("trust_env" in text for text in sources.values())


async def test_they_leave_by_ipv4():
    made = connector()
    assert made._family is socket.AF_INET
    await made.close()
