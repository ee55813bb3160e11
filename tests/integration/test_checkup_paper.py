"""Each line of a checkup provoked at the paper exchange, by the client that trades."""

import asyncio
import contextlib

import pytest

from libs.common.clock import SystemClock
from libs.common.contracts import codec
from libs.common.contracts.checkup import CheckState, CheckupLine, CheckupReason
from libs.common.contracts.route import Symbols
from libs.common.secret import Secret
from services.executor.budget import Urgency
from services.executor.checkup.addresses import SeenAddress
from services.executor.checkup.checker import Checker, Request
from services.executor.mexc.connecting import connect_account
from services.executor.route_terms import RouteTerms
from tests.factories import make_account, make_route
from tests.fake_bus import FakeBus
from tests.paper_client import CREATE, PaperClient
from tests.paper_server import address_fixture  # noqa: F401 - a fixture
from tests.unit.executor_desk import OneAccount
from tests.unit.leverage_desk import Values

pytestmark = pytest.mark.integration

NEEDED = ["CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ", "CONTRACT_DEAL_WRITE"]
ORDERLY = {"permissions": NEEDED, "ip_whitelist": ["127.0.0.1"]}
HERE = ("127.0.0.1",)
KEY_INFO = "/api/v3/apiKeyInfo"
LEVERAGE = "/api/v1/private/position/change_leverage"
NO_INFO = [{"path": KEY_INFO, "kind": "html_403", "count": None}]


class Impatient(SystemClock):
    async def sleep(self, seconds):
        await asyncio.sleep(0)


class CountingBudget:
    def __init__(self):
        self.taken = []

    async def take(self, urgency, *, since):
        assert since.tzinfo
        self.taken.append(urgency)


class Accounts(OneAccount):
    def __init__(self, exchange, **changes):
        super().__init__(exchange, **changes)
        self.settings = Values({"paper": self.find("paper").account})


class Stand:
    """An account at the paper exchange, and its checkups."""

    def __init__(self, address, client):
        self.address, self.client = address, client
        self.terms = RouteTerms()
        self.own = SeenAddress(addresses=HERE)
        self.account = {"expected_addresses": HERE}
        self.secret_key = client._secret_key
        self.access_key = client._access_key
        self.budget = CountingBudget()
        self.route(symbols=Symbols(allow=("BTC_USDT",)))

    def route(self, **changes):
        self.terms.routes._copy.values["demo"] = make_route(**changes)
        self.terms.routes._changed()

    async def control(self, *call):
        return await self.client.control(*call)

    async def check(self, *, reason=CheckupReason.ASKED):
        account = make_account(base_url=self.address, access_key=self.access_key, **self.account)
        exchange, _ = connect_account(account, Secret(self.secret_key))
        accounts = Accounts(
            exchange, base_url=self.address, access_key=self.access_key, **self.account
        )
        accounts.budget(self.budget)
        checker = Checker(
            bus=FakeBus(),
            accounts=accounts,
            terms=self.terms,
            own=self.own,
            is_stopped=lambda _account: False,
            clock=Impatient(),
        )
        try:
            return await checker.check(Request(account="paper", reason=reason))
        finally:
            await exchange.close()


@contextlib.asynccontextmanager
async def opened(address, **account):
    async with PaperClient(address) as anyone:
        keys = await anyone.control("POST", "accounts", {**ORDERLY, **account})
    async with PaperClient(address, keys["access_key"], keys["secret_key"]) as client:
        await client.control("PUT", "prices/BTC_USDT", {"last": "50000"})
        stand = Stand(address, client)
        for side in (1, 2):
            body = {"symbol": "BTC_USDT", "openType": 2, "positionType": side, "leverage": 10}
            await client.post(LEVERAGE, body)
        yield stand


def told(checked, line):
    (found,) = (one for one in checked.findings if one.line.value == line)
    return found


def differing(checked):
    return {
        one.line.value: one.state.value
        for one in checked.findings
        if one.state is not CheckState.OK
    }


async def test_an_account_in_order_is_ok(address):
    async with opened(address) as stand:
        checked = await stand.check()
        assert differing(checked) == {}, checked.findings
        assert [one.line for one in checked.findings] == list(CheckupLine)
        assert checked.state is CheckState.OK
        assert checked.permissions == tuple(NEEDED)
        assert checked.linked_addresses == HERE
        assert (checked.key_days_left, abs(checked.clock_offset_ms) < 1_000) == (None, True)
        assert 0 < checked.latency_p50_ms <= checked.latency_p99_ms
        assert await stand.control("GET", f"requests?path={CREATE}") == []
        assert stand.budget.taken == []


async def test_every_call_is_kept_and_no_secret_is_in_it(address):
    async with opened(address) as stand:
        checked = await stand.check()
        paths = {call.path for call in checked.calls}
        assert KEY_INFO in paths
        assert len(paths) == 8
        assert all(call.response_body for call in checked.calls)
        text = codec.encode(checked).decode()
        for secret in (stand.secret_key, stand.access_key, "signature="):
            assert secret not in text


KEYS = [
    (
        "days",
        {"ip_whitelist": [], "days_left": 5},
        {"key_days": "warning"},
        "key_days",
        "5 days left",
    ),
    (
        "unlinked",
        {"ip_whitelist": ["198.51.100.7"]},
        None,
        "linked_ip",
        "IP [127.0.0.1] not in the ip white list",
    ),
    (
        "no placing",
        {"permissions": NEEDED[:2]},
        {"permissions": "wrong", "leverage": "warning"},
        "permissions",
        "missing: Order Placing",
    ),
    (
        "no orders",
        {"permissions": [NEEDED[0], NEEDED[2]]},
        None,
        "permissions",
        "missing: View Order Details",
    ),
    (
        "no account",
        {"permissions": NEEDED[1:]},
        {"permissions": "wrong", "balance": "not_reached"},
        "permissions",
        "missing: View Account Details",
    ),
    (
        "withdraw",
        {"permissions": [*NEEDED, "SPOT_WITHDRAW_WRITE"]},
        {"permissions": "warning"},
        "permissions",
        "WITHDRAW MONEY",
    ),
    ("mode", {"position_mode": 2}, {"position_mode": "wrong"}, "position_mode", "one_way mode"),
    ("poor", {"balance": "0.4"}, {"balance": "wrong"}, "balance", "0.4 USDT available"),
]


@pytest.mark.parametrize(
    ("account", "expected", "line", "says"), [row[1:] for row in KEYS], ids=[row[0] for row in KEYS]
)
async def test_what_an_account_lacks_is_told(address, account, expected, line, says):
    async with opened(address, **account) as stand:
        checked = await stand.check()
        found = told(checked, line)
        assert says in found.evidence
        assert found.mend
        if expected is not None:
            assert differing(checked) == expected
        else:
            assert checked.state is CheckState.WRONG


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        ({"access_key": "mx0vglUNKNOWN"}, "access_key", "code 401"),
        ({"secret_key": "0" * 64}, "secret_key", "code 602"),
        ({"address": "http://127.0.0.1:1"}, "exchange", "ClientConnectorError"),
    ],
)
async def test_what_we_have_wrong_is_told(address, change, line, says):
    async with opened(address) as stand:
        for name, value in change.items():
            setattr(stand, name, value)
        checked = await stand.check()
        found = told(checked, line)
        assert (found.state, says in found.evidence) == (CheckState.WRONG, True), found
        assert differing(checked)["balance"] == "not_reached"
        assert stand.budget.taken == []


async def test_an_expired_key_is_told_as_such(address):
    async with opened(address, ip_whitelist=[], days_left=0) as stand:
        found = told(await stand.check(), "access_key")
        assert (found.state, "code 402" in found.evidence) == (CheckState.WRONG, True)


@pytest.mark.parametrize(("offset_ms", "state"), [(2_000, "warning"), (-12_000, "wrong")])
async def test_a_clock_that_is_off_is_told_and_measured(address, offset_ms, state):
    async with opened(address) as stand:
        await stand.control("PUT", "clock", {"offset_ms": offset_ms})
        checked = await stand.check()
        assert differing(checked) == {"clock": state}, "requests are signed with its time"
        assert abs(checked.clock_offset_ms - offset_ms) < 500


async def test_an_exchange_that_hangs_up_is_told(address):
    async with opened(address) as stand:
        gone = [{"path": "/api", "kind": "drop_before", "count": None}]
        await stand.control("PUT", "faults", gone)
        checked = await stand.check()
        states = differing(checked)
        assert states.pop("exchange") == "wrong"
        assert set(states.values()) == {"not_reached"}


@pytest.mark.parametrize(
    ("contract", "says"), [({"apiAllowed": False}, "apiAllowed"), ({"state": 4}, "paused")]
)
async def test_a_contract_that_is_closed_to_us_is_told(address, contract, says):
    async with opened(address) as stand:
        await stand.control("PUT", "contracts/BTC_USDT", contract)
        checked = await stand.check()
        assert differing(checked) == {"symbol": "wrong"}
        assert says in told(checked, "symbol").evidence


@pytest.mark.parametrize(
    ("route", "line", "says"),
    [
        ({"symbols": Symbols(allow=("NONE_USDT",))}, "symbol", "lists no contract NONE_USDT"),
        ({"leverage": 501}, "leverage", "takes 500x at most"),
        ({"leverage": 50}, "leverage", "the route orders cross 50x"),
    ],
)
async def test_what_a_route_wants_and_cannot_have_is_told(address, route, line, says):
    async with opened(address) as stand:
        stand.route(**{"symbols": Symbols(allow=("BTC_USDT",)), **route})
        assert says in told(await stand.check(), line).evidence


async def test_what_is_held_otherwise_is_told(address):
    async with opened(address) as stand:
        await stand.client.order(openType=1, leverage=20)
        checked = await stand.check()
        assert differing(checked) == {"margin_mode": "wrong", "leverage": "wrong"}
        assert "long 10 held in isolated margin" in told(checked, "margin_mode").evidence
        assert "held with 20x" in told(checked, "leverage").evidence


async def test_a_key_that_tells_nothing_is_asked_by_an_order_of_nothing(address):
    async with opened(address) as stand:
        await stand.control("PUT", "faults", NO_INFO)
        checked = await stand.check()
        assert differing(checked) == {"key_days": "warning"}
        assert "code 2011" in told(checked, "permissions").evidence
        (probe,) = await stand.control("GET", f"requests?path={CREATE}")
        assert (probe["code"], probe["body"]["vol"]) == (2011, 0)
        assert stand.budget.taken == [Urgency.PROBE]
        assert (checked.permissions, checked.linked_addresses) == (None, None)


@pytest.mark.parametrize(
    ("permissions", "missing"),
    [
        (NEEDED[:2], "Order Placing"),
        (NEEDED[1:], "View Account Details"),
        ([NEEDED[0], NEEDED[2]], "View Order Details"),
        ([], "Order Placing, View Order Details, View Account Details"),
    ],
)
async def test_what_such_a_key_lacks_is_told_as_well(address, permissions, missing):
    async with opened(address, permissions=permissions) as stand:
        await stand.control("PUT", "faults", NO_INFO)
        found = told(await stand.check(), "permissions")
        assert (found.state, f"missing: {missing};" in found.evidence) == (CheckState.WRONG, True)


async def test_our_address_is_compared(address):
    async with opened(address) as stand:
        stand.own = SeenAddress(addresses=("198.51.100.7",))
        checked = await stand.check()
        assert differing(checked) == {"egress": "wrong", "linked_ip": "warning"}
        assert (checked.addresses, checked.expected_addresses) == (("198.51.100.7",), HERE)


async def test_a_slow_exchange_is_told_what_is_known_by_then(address, monkeypatch):
    monkeypatch.setattr("services.executor.checkup.checker.ENDS_AFTER_S", 0.3)
    async with opened(address) as stand:
        late = [{"path": "/api/v1/private/account/assets", "kind": "delay_before", "ms": 2_000}]
        await stand.control("PUT", "faults", late)
        checked = await stand.check()
        assert differing(checked) == dict.fromkeys(["balance", "symbol", "leverage"], "unknown")
        assert told(checked, "secret_key").state is CheckState.OK
