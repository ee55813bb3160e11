"""Alerts through the router's decision, and a router with its log, as tests of the router ask for
them.
"""

from datetime import timedelta

from libs.common.consuming import Delivery
from libs.common.contracts import subjects
from libs.common.contracts.intent import Intent
from libs.common.contracts.route import RouteAccount, Sizing
from services.router.deciding import decide_intent
from services.router.handler import Router
from tests.factories import (
    NOW,
    D,
    make_account,
    make_alert,
    make_instrument,
    make_order,
    make_route,
    make_settings,
)
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.fake_halts import FakeHalts

ACCEPTED, DENIED = "intent.accepted", "intent.denied"
TWO = (RouteAccount(account="first"), RouteAccount(account="second", multiplier=D(2)))
CATALOGUE = {
    "BTC_USDT": make_instrument(),
    "PEPE_USDT": make_instrument(
        symbol="PEPE_USDT",
        base="PEPE",
        contract_size=D(10_000_000),
        maximum_contracts=D(24_000),
        tick_price=D("0.0000000001"),
        leverage_maximum=300,
    ),
    "1000BONK_USDT": make_instrument(
        symbol="1000BONK_USDT", base="1000BONK", contract_size=D(10_000), tick_price=D("0.000001")
    ),
}


def decide(*, order=None, route=None, account=None, age_s=0.0):
    return decide_intent(
        make_alert(order=order or make_order()),
        route=route or make_settings(),
        account=account or RouteAccount(account="paper"),
        catalogue=CATALOGUE,
        now=NOW + timedelta(seconds=age_s),
    )


def intent_of(*, route=None, account=None, age_s=0.0, **order):
    found = decide(order=make_order(**order), route=route, account=account, age_s=age_s)
    assert isinstance(found, Intent), found
    return found


def sized(mode, value=None, **changes):
    return make_settings(
        sizing=Sizing(mode=mode, value=None if value is None else D(value)), **changes
    )


class Desk:
    """A router with its log, and what it knows as plain dictionaries."""

    def __init__(self, *, accounts=("first", "second"), shards=1, **route):
        self.bus, self.clock, self.halts = FakeBus(), FakeClock(), FakeHalts()
        self.routes = {"demo": make_route(**{"accounts": TWO, **route})}
        self.accounts = {name: make_account(id=name) for name in accounts}
        instrument = make_instrument()
        prefix = subjects.instrument_prefix(make_account().base_url)
        self.catalogues = {prefix: {instrument.symbol: instrument}}
        self.router = Router(
            bus=self.bus,
            routes=self.routes,
            accounts=self.accounts,
            catalogues=lambda: self.catalogues,
            halts=self.halts,
            shards=shards,
            clock=self.clock,
            is_owner=lambda: True,
        )

    async def handle(self, message=None, *, fresh=True, seq=0, origin_seq=0):
        await self.router.handle(
            Delivery(
                seq=seq,
                subject="alert.received.demo",
                stored_at=self.clock.now(),
                message=message or make_alert(),
                headers={},
                data=b"",
                came=None,
                origin_seq=origin_seq,
                fresh=fresh,
            )
        )

    async def again(self):
        """The same alert comes again, after the log has forgotten its event ids."""
        self.bus.forget_event_ids()
        await self.handle(fresh=False)

    @property
    def intents(self):
        return {intent.account: intent for intent in self.bus.messages(ACCEPTED)}

    @property
    def denials(self):
        return {denied.account: denied.denial for denied in self.bus.messages(DENIED)}
