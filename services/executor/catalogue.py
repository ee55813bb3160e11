"""Feeds the `instruments` bucket from the exchanges, so that the router knows every contract.
Only what changed is written.
"""

import asyncio

import msgspec
import nats.errors
import nats.js.errors
import structlog

from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.words import AccountId
from libs.common.watching import Watched
from services.executor.accounts import Accounts
from services.executor.exchange import Exchange, QueryFailed

_RETRY_S = 5.0

_log = structlog.get_logger()


class Catalogue:
    """Keeps the bucket in step with every exchange address that an account names."""

    def __init__(
        self, *, bus: Bus, accounts: Accounts, changed: asyncio.Event, refresh_s: float
    ) -> None:
        self.stored = Watched(
            bucket=subjects.BUCKET_INSTRUMENTS,
            decode=msgspec.json.Decoder(Instrument).decode,
            on_change=None,
        )
        self._bus = bus
        self._accounts = accounts
        self._refresh_s = refresh_s
        self._changed = changed
        self._read: set[str] = set()
        self.tried = asyncio.Event()
        """Set once each exchange was asked, whatever it answered."""

    def missing(self) -> str | None:
        """A readiness check."""
        return None if self.tried.is_set() else "contracts were not read yet"

    async def feed(self) -> None:
        """Read all on a timer, and what is new when an account has changed, until cancelled."""
        everything = True
        while True:
            self._changed.clear()
            await self._accounts.warm(everything=everything)
            await self._refresh(everything=everything)
            self.tried.set()
            try:
                async with asyncio.timeout(_RETRY_S if self._unread() else self._refresh_s):
                    await self._changed.wait()
                everything = False
            except TimeoutError:
                everything = True

    async def _refresh(self, *, everything: bool) -> None:
        exchanges = self._exchanges()
        for base_url in exchanges if everything else self._unread():
            try:
                await self._write(base_url, await exchanges[base_url].instruments())
            except (QueryFailed, nats.errors.Error, nats.js.errors.Error, OSError) as error:
                _log.warning("catalogue.failed", base_url=base_url, error=str(error))
            else:
                self._read.add(base_url)

    def _unread(self) -> list[str]:
        return [base_url for base_url in self._exchanges() if base_url not in self._read]

    def _exchanges(self) -> dict[str, Exchange]:
        found: dict[str, Exchange] = {}
        for account_id, account in self._accounts.settings.values.items():
            connected = self._accounts.find(AccountId(account_id))
            if not isinstance(connected, Denial):
                found.setdefault(account.base_url, connected.exchange)
        return found

    async def _write(self, base_url: str, instruments: list[Instrument]) -> None:
        bucket = await self._bus.js.key_value(subjects.BUCKET_INSTRUMENTS)
        listed: set[str] = set()
        written = 0
        for instrument in instruments:
            key = subjects.instrument_key(base_url=base_url, symbol=instrument.symbol)
            listed.add(key)
            if self.stored.get(key) != instrument:
                await bucket.put(key, msgspec.json.encode(instrument))
                written += 1
        prefix = subjects.instrument_prefix(base_url) + "."
        known = [key for key in self.stored.values if key.startswith(prefix)]
        # An empty answer is a fault of the exchange, not the end of all its contracts.
        gone = [key for key in known if key not in listed] if listed else []
        for key in gone:
            await bucket.delete(key)
        _log.info(
            "catalogue.read",
            base_url=base_url,
            contracts=len(listed),
            written=written,
            removed=len(gone),
        )
