"""`/api/accounts/{id}/check`: what a checkup of the account finds now, and what the latest one has
found. The executor alone has the keys and the address that the exchange sees, so it is asked.
"""

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from libs.common.asking import NobodyAnswers, ask
from libs.common.bus import Bus, LogUnavailable
from libs.common.contracts import codec, subjects
from libs.common.contracts.checkup import AccountChecked
from libs.common.contracts.words import AccountId
from services.console.documents import Document, plain
from services.console.problems import Problem
from services.console.registry import Registry

ANSWERED_WITHIN_S = 15.0


class Checkups:
    """Asks for them, and finds the latest in the log."""

    def __init__(self, bus: Bus, *, timeout_s: float = ANSWERED_WITHIN_S) -> None:
        self._bus = bus
        self._timeout_s = timeout_s

    async def ask(self, account: AccountId) -> AccountChecked:
        """A new one, or a 503."""
        subject = subjects.checkup_asked(account)
        try:
            payload = await ask(self._bus, subject, timeout_s=self._timeout_s)
        except NobodyAnswers as silence:
            raise Problem(
                503,
                f"No executor has answered for account `{account}` ({silence}): see whether the"
                " executor that owns it runs and is ready.",
            ) from None
        if not payload:
            raise Problem(
                503, f"The executor does not know account `{account}` yet; try again in a second."
            )
        checked = codec.decode(payload)
        if not isinstance(checked, AccountChecked):
            raise Problem(503, f"The executor has answered something else: {type(checked)}.")
        return checked

    async def latest(self, account: AccountId) -> AccountChecked:
        """The log keeps it for fourteen days, the trail for longer."""
        try:
            entry = await self._bus.last(subjects.account_checked(account))
        except LogUnavailable as away:
            raise Problem(503, f"The log does not answer ({away}); try again.") from None
        if entry is None or not isinstance(entry.message, AccountChecked):
            raise Problem(404, f"Account `{account}` was not checked yet.")
        return entry.message


@post("/{account_id:str}/check", status_code=200)
async def check_account(
    registry: NamedDependency[Registry],
    checkups: NamedDependency[Checkups],
    account_id: FromPath[str],
) -> Document:
    account = (await registry.accounts.find(account_id)).value
    return shown_checkup(await checkups.ask(account.account_id))


@get("/{account_id:str}/check")
async def show_checkup(
    registry: NamedDependency[Registry],
    checkups: NamedDependency[Checkups],
    account_id: FromPath[str],
) -> Document:
    account = (await registry.accounts.find(account_id)).value
    return shown_checkup(await checkups.latest(account.account_id))


def shown_checkup(checked: AccountChecked) -> Document:
    """Without the calls: the trail has their bytes."""
    document: Document = plain(checked)
    document.pop("calls")
    return {"account": document.pop("account"), "state": checked.state, **document}


checkup_router = Router("/accounts", route_handlers=[check_account, show_checkup])
