"""Tells which sealing keys this executor has and what its accounts' secret keys are sealed for, and
seals them anew for the current one, so that an older one can go (docs/decisions/0034).

It hands a box to whoever asks, and writes nothing: the executor reads the bucket `secrets` alone.
No question can name a key to seal for, or it could be one of the asker's own.
"""

import structlog

from libs.common.answering import Answers
from libs.common.asking import answer, answering
from libs.common.bus import Bus
from libs.common.contracts import codec, subjects
from libs.common.contracts.sealing import ResealAnswered, SealingTold
from libs.common.contracts.words import AccountId, SecretSource
from libs.common.processes import this_process
from libs.common.sealing import SealError, seal
from services.executor.accounts import Accounts

AT_ONCE = 4
WITHIN_S = 2.0
_QUEUE = "executors"

_log = structlog.get_logger()


class Sealings:
    def __init__(self, bus: Bus, accounts: Accounts, *, shard: int, shards: int) -> None:
        self._bus = bus
        self._accounts = accounts
        self._shard = shard
        self._shards = shards
        self._answers = Answers(
            bus,
            subject=subjects.RESEALS_ASKED,
            on_asked=self._on_asked,
            problem=lambda words: ResealAnswered(problem=words),
            at_once=AT_ONCE,
            within_s=WITHIN_S,
            # Each has all sealed secrets, whatever accounts it trades.
            queue=_QUEUE,
        )

    async def follow(self) -> None:
        """Answer until cancelled, also while this executor stands by or must not work."""

        def tell(_subject: str, reply: str, _payload: bytes) -> None:
            answer(self._bus, reply, codec.encode(self.told()))

        async with answering(self._bus, subjects.SEALING_ASKED, tell):
            await self._answers.follow()

    def told(self) -> SealingTold:
        accounts = self._accounts
        process = this_process()
        return SealingTold(
            instance=f"{process.host}:{process.pid}",
            shard=self._shard,
            shards=self._shards,
            keys=accounts.keys.ids,
            secrets=tuple(
                accounts.held(account)
                for name, account in sorted(accounts.settings.values.items())
                if subjects.shard_of(AccountId(name), shards=self._shards) == self._shard
            ),
            problem=accounts.keys.problem,
        )

    def resealed(self, account_id: AccountId) -> ResealAnswered:
        """The account's secret key, sealed for the current sealing key."""
        accounts = self._accounts
        account, box = accounts.settings.get(account_id), accounts.secrets.get(account_id)
        if account is None:
            return ResealAnswered(problem=f"account {account_id} does not exist")
        if account.secret_source is SecretSource.MOUNTED:
            return ResealAnswered(problem=f"the secret key of account {account_id} is mounted")
        if box is None:
            return ResealAnswered(problem=f"account {account_id} has no secret key")
        current = accounts.keys.current
        try:
            secret, _ = accounts.keys.open(box)
        except SealError as error:
            return ResealAnswered(problem=str(error))
        try:
            fresh = seal(public_key=current.public, secret=secret)
        finally:
            secret.wipe()
        _log.info("secret.resealed", account=account_id, key=current.id)
        return ResealAnswered(
            key=current.id, box=fresh, revision=accounts.secrets.revision(account_id)
        )

    async def _on_asked(self, subject: str, _payload: bytes) -> ResealAnswered:
        return self.resealed(AccountId(subjects.parse(subject).keys[0]))
