"""What the accounts' pages work with, and what several of them look up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from litestar.di import NamedDependency

from libs.common.contracts.checkup import AccountChecked
from libs.common.contracts.route import Account
from libs.common.contracts.words import AccountId
from services.console.changes import change_document
from services.console.checkups import Checkups
from services.console.differences import ChangeKind
from services.console.documents import Document
from services.console.pictures import Pictures
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.sealing import Sealer
from services.console.trail import Trail
from services.console.web.routes.states import changed_in_words

_CHANGES = 20
_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class AccountDesk:
    registry: Registry
    checkups: Checkups
    pictures: Pictures
    trail: Trail
    sealer: Sealer

    async def checked(self, account_id: str) -> AccountChecked | None:
        """The latest checkup; None where there was none, or the log does not tell."""
        try:
            return await self.checkups.latest(AccountId(account_id))
        except Problem:
            return None

    async def all_checked(self, accounts: Sequence[Account]) -> list[AccountChecked | None]:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(account: Account) -> AccountChecked | None:
            async with turn:
                return await self.checked(account.id)

        return list(await asyncio.gather(*(one(each) for each in accounts)))

    async def history(self, account_id: str) -> list[Document] | None:
        """What was changed of the account, its key and its halts, newest first; None while the
        trail cannot be read.
        """
        try:
            found = await self.trail.changes(
                kinds=[ChangeKind.ACCOUNT, ChangeKind.SECRET, ChangeKind.CONTROL],
                name=None,
                route=None,
                account=account_id,
                before=None,
                limit=_CHANGES,
            )
        except Problem:
            return None
        return [changed_in_words(change_document(each)) for each in found]


def account_desk_of(
    *,
    registry: NamedDependency[Registry],
    checkups: NamedDependency[Checkups],
    pictures: NamedDependency[Pictures],
    trail: NamedDependency[Trail],
    sealer: NamedDependency[Sealer],
) -> AccountDesk:
    return AccountDesk(
        registry=registry, checkups=checkups, pictures=pictures, trail=trail, sealer=sealer
    )
