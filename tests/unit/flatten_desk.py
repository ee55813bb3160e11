"""A desk whose account may hold two contracts, and the flattener beside it."""

import asyncio

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.subjects import instrument_key
from libs.common.contracts.words import Action
from libs.common.domain.identity import alert_id
from services.executor.flattening import Flattener
from tests.factories import D, make_account, make_instrument, make_intent
from tests.fake_halts import FakeHalts, make_control
from tests.unit.executor_desk import Desk

BTC = make_instrument()
ETH = make_instrument(symbol="ETH_USDT", base="ETH", contract_size=D("0.01"))
ACCOUNT = make_account()


class Accounts:
    def __init__(self, desk):
        self.settings = {"paper": ACCOUNT}
        self.unreadable = 0
        """So often its key cannot be opened."""
        self._desk = desk

    def find(self, account_id):
        if self.unreadable:
            self.unreadable -= 1
            return Denial(reason=Reason.KEY_UNREADABLE, message="it was never entered")
        return self._desk._accounts.find(account_id)


class Contracts(dict):
    @property
    def values(self):
        return self


class Halted:
    def __init__(self):
        self.desk = Desk()
        self.bus, self.exchange = self.desk.bus, self.desk.exchange
        self.exchange.instruments_ = {one.symbol: one for one in (BTC, ETH)}
        self.exchange.move("3000", symbol="ETH_USDT")
        self.accounts = Accounts(self.desk)
        self.contracts = Contracts(
            {
                instrument_key(base_url=ACCOUNT.base_url, symbol=one.symbol): one
                for one in (BTC, ETH)
            }
        )
        self.halts = FakeHalts()
        self.handled = 0
        self.start()

    def start(self):
        """Another process, which knows nothing yet."""
        self.flattener = Flattener(
            bus=self.bus,
            accounts=self.accounts,
            halts=self.halts,
            contracts=self.contracts,
            durable="executor-0",
            shard_of=lambda account: 0 if account == "paper" else None,
            clock=self.desk.clock,
        )

    def halt(self, scope="all", id_=None, **changes):
        control = make_control(
            scope, id_, **{"flatten": True, "accounts": ("paper",), "at": self.now, **changes}
        )
        self.halts.halt(control)
        return control

    @property
    def now(self):
        return self.desk.clock.now()

    async def open(self, contracts, side, *, number, **changes):
        """By an intent that was carried out."""
        action = Action.BUY if side == "long" else Action.SELL
        intent = make_intent(
            action=action,
            contracts=D(contracts),
            alert_id=alert_id(unix_ms=number, random_bits=number),
            received_at=self.now,
            trade_mode="hedge",
            **changes,
        )
        await self.desk.handle(intent)

    async def flatten(self, control):
        await self.flattener.carry_out(control, "paper")

    async def carry_out_intents(self):
        """What the consumer does with what was published since."""
        for intent in self.bus.messages("intent.accepted")[self.handled :]:
            self.handled += 1
            await self.desk.handle(intent)

    @property
    def intents(self):
        return [(one.symbol, one.action.value) for one in self.bus.messages("intent.accepted")]

    @property
    def lists(self):
        return self.bus.messages("intent.flattened")

    async def held(self):
        told = await self.exchange.positions()
        return {(symbol, one.side.value): one.contracts for symbol, one in told.value}


class Following:
    """The flattener as it runs in the executor."""

    def __init__(self, halted):
        self._halted = halted

    async def __aenter__(self):
        self._task = asyncio.create_task(self._halted.flattener.follow())

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def hold_both(halted):
    await halted.open(10, "long", number=1)
    await halted.open(3, "short", number=2)
    await halted.open(5, "short", number=3, symbol="ETH_USDT", instrument=ETH)
    assert len(await halted.held()) == 3


def numbered(number):
    return alert_id(unix_ms=number, random_bits=number)


async def publish(halted, intent):
    await halted.bus.publish(
        subject=f"intent.accepted.0.paper.{intent.symbol}",
        message=intent,
        event_id=f"intent:{intent.intent_id}",
    )


def replaced(entry, **changes):
    return type(entry)(**{**vars(entry), **changes})
