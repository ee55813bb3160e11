"""The accounts of this executor: their settings and keys, followed live, and for each a client of
its exchange and a live picture. The only place where a secret key is opened; it is overwritten
once no client of it can be at work any more.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

import msgspec
import structlog

from libs.common.contracts import subjects
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Account
from libs.common.contracts.sealing import SecretHeld, SecretState
from libs.common.contracts.words import AccountId, SecretSource
from libs.common.sealing import SealError
from libs.common.secret import Secret, WipedError
from libs.common.watching import Watched
from services.executor.book import Book
from services.executor.budget import Budget
from services.executor.exchange import Exchange, QueryFailed
from services.executor.mounted import MountedSecrets
from services.executor.pushes import Feed
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Timing

RETIRED_FOR_S = 300.0
"""How long a client that was replaced is kept: one try of a message ends within a minute or two,
and until then it may send, ask and sign with it."""
_TEND_S = 5.0

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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Entry:
    """A client, and what it was made of."""

    connected: Connected
    secret: Secret
    """Its own: overwritten when the client is closed."""
    made_of: bytes | Secret
    """The sealed box, or the mounted key."""
    sealed_for: str
    """The id of the sealing key that the box was opened with; empty where there is no box."""


class Accounts:
    """Looks accounts up by id; a changed account or key gets a new client at its next use."""

    def __init__(
        self,
        *,
        keys: SealingKeys,
        make_exchange: MakeExchange,
        on_change: Callable[[], None],
        timing: Timing,
        mounted: MountedSecrets | None = None,
        clock: Callable[[], float] = monotonic,
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
        self.keys = keys
        self.mounted = mounted if mounted is not None else MountedSecrets(None)
        self._tell = tell
        self._make_exchange = make_exchange
        self._timing = timing
        self._clock = clock
        self._entries: dict[AccountId, _Entry] = {}
        self._warmed: set[int] = set()
        self._retired: list[tuple[float, _Entry]] = []

    def find(self, account_id: AccountId) -> Connected | Denial:
        """The account with its client, or why it cannot trade."""
        account = self.settings.get(account_id)
        if account is None:
            return Denial(
                reason=Reason.ACCOUNT_UNKNOWN,
                message=f"account {account_id} does not exist",
                context={"account": account_id},
            )
        found = self._proof(account)
        if isinstance(found, str):
            return _unreadable(account_id, found)
        known = self._entries.get(account_id)
        if known is not None and known.made_of == found and known.connected.account == account:
            return known.connected
        try:
            secret, sealed_for = self._opened(found)
        except SealError as error:
            return _unreadable(account_id, f"{error}; enter it again")
        except WipedError:
            return _unreadable(account_id, "this process ends")
        if known is not None and known.connected.account == account and known.secret == secret:
            # Sealed anew for another sealing key: what is connected goes on.
            self._entries[account_id] = replace(known, made_of=found, sealed_for=sealed_for)
            return known.connected
        connected = self._connect(account, secret)
        self._entries[account_id] = _Entry(
            connected=connected, secret=secret, made_of=found, sealed_for=sealed_for
        )
        self.changed.set()
        return connected

    def held(self, account: Account) -> SecretHeld:
        """What is to be told of its secret key."""
        account_id = account.account_id
        found = self.find(account_id)
        if isinstance(found, Denial):
            return SecretHeld(account=account_id, state=SecretState.UNUSABLE, why=found.message)
        if account.secret_source is SecretSource.MOUNTED:
            return SecretHeld(account=account_id, state=SecretState.MOUNTED)
        key = self._entries[account_id].sealed_for
        if key not in self.keys.ids:
            # What is connected goes on, until this process ends.
            why = f"it was sealed for sealing key {key}, which is gone from the key file"
            return SecretHeld(account=account_id, state=SecretState.UNUSABLE, key=key, why=why)
        return SecretHeld(account=account_id, state=SecretState.SEALED, key=key)

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

    async def tend(self) -> None:
        """Follow keys and mounted files, and let go of what nobody uses; until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.keys.follow(self._keys_changed))
            group.create_task(self.mounted.follow(self._tell))
            while True:
                await asyncio.sleep(_TEND_S)
                await self.let_go()

    async def let_go(self) -> None:
        """Close the clients of accounts that are gone or were changed, and overwrite their keys,
        once nothing can be under way with them.
        """
        for gone in self._entries.keys() - self.settings.values.keys():
            self._retire(self._entries.pop(gone))
        now = self._clock()
        due = [entry for since, entry in self._retired if now - since >= RETIRED_FOR_S]
        self._retired = [one for one in self._retired if one[1] not in due]
        for entry in due:
            await _close(entry)

    async def close(self) -> None:
        """Close all of them; no key is left."""
        for entry in [*(entry for _, entry in self._retired), *self._entries.values()]:
            await _close(entry)
        self.keys.wipe()
        self.mounted.wipe()

    def _proof(self, account: Account) -> bytes | Secret | str:
        """What its key is made of, or why there is none."""
        if account.secret_source is SecretSource.MOUNTED:
            return self.mounted.get(account.id) or self.mounted.why_not(account.id)
        sealed = self.secrets.get(account.id)
        return "it was never entered; enter it again" if sealed is None else sealed

    def _opened(self, proof: bytes | Secret) -> tuple[Secret, str]:
        if isinstance(proof, Secret):
            # A copy of its own: that of the file is overwritten when the file changes.
            return Secret(bytearray(proof.buffer())), ""
        return self.keys.open(proof)

    def _connect(self, account: Account, secret: Secret) -> Connected:
        account_id = account.account_id
        known = self._entries.get(account_id)
        if known is not None:
            self._retire(known)
        exchange, feed = self._make_exchange(account, secret)
        connected = Connected(
            account=account,
            exchange=exchange,
            feed=feed,
            book=Book(account_id, timing=self._timing, heard_at=lambda: feed.heard_at),
            budget=Budget(account.order_calls_per_2s, clock=monotonic),
        )
        _log.info("account.connected", account=account_id, base_url=account.base_url)
        return connected

    def _retire(self, entry: _Entry) -> None:
        # A call may still be under way on it, so it is closed later, not here.
        self._retired.append((self._clock(), entry))
        self._warmed.discard(id(entry.connected))

    def _keys_changed(self) -> None:
        lost = [
            account
            for account, box in self.secrets.values.items()
            if account in self.settings.values and self.keys.id_of(box) is None
        ]
        if lost:
            # What is connected goes on; a process that begins could not open them.
            _log.error("sealing_keys.missing", accounts=lost)
        self._tell()


async def _close(entry: _Entry) -> None:
    await entry.connected.exchange.close()
    entry.secret.wipe()


def _unreadable(account_id: AccountId, why: str) -> Denial:
    return Denial(
        reason=Reason.KEY_UNREADABLE,
        message=f"the secret key of account {account_id} cannot be used: {why}",
        context={"account": account_id},
    )
