"""The accounts of this executor: their settings and keys, followed live, and for each a client of
its exchange and a live picture. The only place where a sealed key is opened.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import msgspec
import structlog

from libs.common.contracts import subjects
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Account
from libs.common.contracts.words import AccountId
from libs.common.sealing import SealError, unseal
from libs.common.secret import Secret
from libs.common.watching import Watched
from services.executor.book import Book
from services.executor.budget import Budget
from services.executor.exchange import Exchange, QueryFailed
from services.executor.pushes import Feed
from services.executor.settings import Timing

MakeExchange = Callable[[Account, Secret], tuple[Exchange, Feed]]
"""The account's client, and its private pushes."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, eq=False)
class Connected:
    """An account that can trade."""

    account: Account
    exchange: Exchange
    feed: Feed
    book: Book
    budget: Budget


class Accounts:
    """Looks accounts up by id; a changed account or key gets a new client at its next use."""

    def __init__(
        self,
        *,
        private_key: Secret,
        make_exchange: MakeExchange,
        on_change: Callable[[], None],
        timing: Timing,
    ) -> None:
        self.changed = asyncio.Event()
        """Set when an account came, changed or went; whoever waits for it clears it."""

        def tell() -> None:
            self.changed.set()
            on_change()

        self.settings = Watched(
            bucket=subjects.BUCKET_ACCOUNTS,
            decode=msgspec.json.Decoder(Account).decode,
            on_change=tell,
        )
        self.secrets = Watched(bucket=subjects.BUCKET_SECRETS, decode=bytes, on_change=tell)
        self._private_key = private_key
        self._make_exchange = make_exchange
        self._timing = timing
        self._connected: dict[AccountId, tuple[bytes, Connected]] = {}
        self._warmed: set[int] = set()
        self._retired: list[Connected] = []

    def find(self, account_id: AccountId) -> Connected | Denial:
        """The account with its client, or why it cannot trade."""
        account = self.settings.get(account_id)
        sealed = self.secrets.get(account_id)
        if account is None:
            return Denial(
                reason=Reason.ACCOUNT_UNKNOWN,
                message=f"account {account_id} does not exist",
                context={"account": account_id},
            )
        if sealed is None:
            return _unreadable(account_id, "it was never entered")
        known = self._connected.get(account_id)
        if known is not None and known[0] == sealed and known[1].account == account:
            return known[1]
        try:
            secret = unseal(private_key=self._private_key, sealed=sealed)
        except SealError as error:
            return _unreadable(account_id, str(error))
        if known is not None:
            # A call may still be under way on it, so it is closed at the end, not here.
            self._retired.append(known[1])
        exchange, feed = self._make_exchange(account, secret)
        connected = Connected(
            account=account,
            exchange=exchange,
            feed=feed,
            book=Book(account_id, timing=self._timing, heard_at=lambda: feed.heard_at),
            budget=Budget(account.order_calls_per_2s, clock=monotonic),
        )
        self._connected[account_id] = (sealed, connected)
        self.changed.set()
        _log.info("account.connected", account=account_id, base_url=account.base_url)
        return connected

    def current(self) -> list[Connected]:
        """Every account that can trade."""
        found = [self.find(AccountId(account_id)) for account_id in list(self.settings.values)]
        return [each for each in found if isinstance(each, Connected)]

    async def warm(self, *, everything: bool) -> None:
        """Connect the accounts and measure their exchange's clock before the first order; of those
        that are connected already only if `everything`.
        """
        for account_id in list(self.settings.values):
            found = self.find(AccountId(account_id))
            if isinstance(found, Denial):
                _log.warning("account.not_connected", account=account_id, reason=found.message)
                continue
            if id(found) in self._warmed and not everything:
                continue
            try:
                offset_ms = await found.exchange.sync_clock()
            except QueryFailed as error:
                _log.warning("account.unreachable", account=account_id, error=str(error))
            else:
                self._warmed.add(id(found))
                _log.info("account.ready", account=account_id, clock_offset_ms=offset_ms)

    async def close(self) -> None:
        current = [connected for _, connected in self._connected.values()]
        for connected in [*self._retired, *current]:
            await connected.exchange.close()


def _unreadable(account_id: AccountId, why: str) -> Denial:
    return Denial(
        reason=Reason.KEY_UNREADABLE,
        message=f"the secret key of account {account_id} cannot be used: {why}; enter it again",
        context={"account": account_id},
    )
