"""What the routes' pages know beside the routes: accounts, contracts, the latest checkups. The
contracts are read from the log once a minute, since a form is checked with every few letters.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.route import Account, RouteSettings
from libs.common.contracts.words import AccountId, VenueSymbol
from services.console.checkups import Checkups
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.web.routes.warning import Known, KnownAccount

_FRESH_S = 60.0
_EXCHANGES_MAX = 16

Instruments = Mapping[VenueSymbol, Instrument]


class Catalogues:
    """The contracts of each exchange, as they were within the last minute."""

    def __init__(self, registry: Registry, *, now: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._now = now
        self._found: dict[str, tuple[float, Instruments]] = {}
        self._lock = asyncio.Lock()

    async def of(self, base_url: str) -> Instruments:
        """Empty where none were read yet."""
        async with self._lock:
            at, found = self._found.get(base_url, (-_FRESH_S, {}))
            if not found or self._now() - at >= _FRESH_S:
                found = {one.symbol: one for one in await self._registry.instruments(base_url)}
                if len(self._found) >= _EXCHANGES_MAX:
                    self._found.clear()
                self._found[base_url] = (self._now(), found)
            return found


async def known_of(
    settings: RouteSettings,
    *,
    registry: Registry,
    catalogues: Catalogues,
    checkups: Checkups,
    new: Account | None = None,
    has_body_secret: bool,
) -> Known:
    """For the warnings of one route; `new`: an account that is about to be created with it."""
    accounts = {each.id: each for each in await registry.accounts.list()}
    if new is not None and new.id not in accounts:
        accounts[new.id] = new
    wanted = [accounts[part.account] for part in settings.accounts if part.account in accounts]
    found = await asyncio.gather(
        *(_known(each, new=new, catalogues=catalogues, checkups=checkups) for each in wanted)
    )
    routes = await registry.routes.list()
    return Known(
        accounts={each.account.id: each for each in found},
        has_body_secret=has_body_secret,
        others=tuple(route.settings for route in routes if route.id != settings.id),
    )


async def symbols_of(
    accounts: Iterable[Account], *, catalogues: Catalogues, allow: Iterable[str] = ()
) -> list[str]:
    """What may be traded on any of the accounts, for people to choose from; the allowed first."""
    urls = dict.fromkeys(each.base_url for each in accounts)
    found = {
        symbol
        for url in urls
        for symbol, instrument in (await catalogues.of(url)).items()
        if instrument.tradable
    }
    first = [each for each in allow if each]
    return [*first, *sorted(found - set(first))]


async def _known(
    account: Account, *, new: Account | None, catalogues: Catalogues, checkups: Checkups
) -> KnownAccount:
    is_new = new is not None and account.id == new.id
    checkup = None
    if not is_new:
        try:
            checkup = await checkups.latest(AccountId(account.id))
        except Problem:
            checkup = None
    return KnownAccount(
        account=account,
        instruments=await catalogues.of(account.base_url),
        checkup=checkup,
        is_new=is_new,
    )
