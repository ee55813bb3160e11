"""`/api/accounts/{id}/picture` and `…/addresses`, and `/api/egress`: what an account holds now, and
under which addresses executors are seen, which keys must be linked to. Executors alone know, so
they are asked.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
import structlog
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from libs.common.asking import NobodyAnswers, ask, ask_all
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.account_picture import AccountPicture, EgressTold
from libs.common.contracts.words import AccountId
from services.console.documents import Document, plain
from services.console.problems import Problem
from services.console.registry import Registry

ANSWERED_WITHIN_S = 4.0
"""An executor answers within two, however slow the exchange is."""
ALL_WITHIN_S = 0.4
"""Nobody knows how many executors there are: those that do not answer at once are not there."""

Answer = TypeVar("Answer", AccountPicture, EgressTold)

_log = structlog.get_logger()


class Pictures:
    """Asks executors."""

    def __init__(
        self,
        bus: Bus,
        *,
        timeout_s: float = ANSWERED_WITHIN_S,
        all_within_s: float = ALL_WITHIN_S,
    ) -> None:
        self._bus = bus
        self._timeout_s = timeout_s
        self._all_within_s = all_within_s

    async def ask(self, account: AccountId) -> AccountPicture:
        """As it is now, or a 503."""
        try:
            payload = await ask(
                self._bus, subjects.picture_asked(account), timeout_s=self._timeout_s
            )
        except NobodyAnswers as silence:
            raise Problem(
                503,
                f"No executor has answered for account `{account}` ({silence}): see whether the"
                " executor that owns it runs and is ready.",
            ) from None
        if not payload:
            raise Problem(
                503, f"The executor cannot tell of account `{account}` yet; try again in a second."
            )
        picture = _decoded(payload, AccountPicture)
        if picture is None:
            raise Problem(503, "The executor has answered something else: is it of this release?")
        return picture

    async def egress(self) -> list[EgressTold]:
        """Of every executor that answers, by shard, owners first; or a 503."""
        try:
            payloads = await ask_all(self._bus, subjects.EGRESS_ASKED, within_s=self._all_within_s)
        except NobodyAnswers as silence:
            raise Problem(503, f"The executors could not be asked ({silence}).") from None
        told = [_decoded(payload, EgressTold) for payload in payloads]
        found = [one for one in told if one is not None]
        return sorted(found, key=lambda one: (one.shard, not one.owner, one.seen))


@get("/{account_id:str}/picture")
async def show_picture(
    registry: NamedDependency[Registry],
    pictures: NamedDependency[Pictures],
    account_id: FromPath[str],
) -> Document:
    account = (await registry.accounts.find(account_id)).value
    return shown_picture(await pictures.ask(account.account_id))


@get("/{account_id:str}/addresses")
async def show_addresses(
    registry: NamedDependency[Registry],
    pictures: NamedDependency[Pictures],
    account_id: FromPath[str],
) -> Document:
    """What to link the account's key to: the addresses of every executor that may trade it."""
    account = (await registry.accounts.find(account_id)).value
    told = [
        one
        for one in await pictures.egress()
        if subjects.shard_of(account.account_id, shards=one.shards) == one.shard
    ]
    return {
        "account": account.id,
        "expected": list(account.expected_addresses),
        "seen": addresses_of(told),
        "at": _latest(told),
        "executors": [plain(one) for one in told],
    }


@get("/")
async def show_egress(pictures: NamedDependency[Pictures]) -> Document:
    """Also before there is any account."""
    told = await pictures.egress()
    return {"seen": addresses_of(told), "executors": [plain(one) for one in told]}


def shown_picture(picture: AccountPicture) -> Document:
    document: Document = plain(picture)
    return document


def addresses_of(told: Sequence[EgressTold]) -> list[str]:
    """All of them, each once."""
    return sorted({address for one in told for address in one.seen})


def _latest(told: Sequence[EgressTold]) -> datetime | None:
    return max((one.at for one in told if one.at is not None), default=None)


def _decoded(payload: bytes, kind: type[Answer]) -> Answer | None:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _log.warning("answer.unreadable", kind=kind.__name__, error=str(error))
        return None


picture_router = Router("/accounts", route_handlers=[show_picture, show_addresses])
egress_router = Router("/egress", route_handlers=[show_egress])
