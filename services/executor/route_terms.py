"""What leverage is wanted where: the routes as they stand, and which contracts each is known to
trade, since most routes name none.
"""

from collections.abc import Mapping

import msgspec

from libs.common.contracts import subjects
from libs.common.contracts.intent import Intent
from libs.common.contracts.route import Route, RouteSettings
from libs.common.contracts.words import (
    AccountId,
    MarketPosition,
    RouteId,
    RouteState,
    VenueSymbol,
)
from libs.common.domain.leverages import Lane, Terms, Wish, contracts_of, terms_of, wishes
from libs.common.watching import Watched
from services.executor.withholding import ENTRIES


class RouteTerms:
    def __init__(self) -> None:
        self.routes = Watched(
            bucket=subjects.BUCKET_ROUTES,
            decode=msgspec.json.Decoder(Route).decode,
            on_change=self._changed,
        )
        self.version = 0
        """Counts what may have changed the wishes."""
        self._traded: dict[Lane, dict[RouteId, bool]] = {}
        self._latest: dict[RouteId, tuple[Terms, ...]] = {}
        """What each route says, and before that what it said last: an edit may come between an
        alert and the end of its orders."""

    def note(self, intent: Intent) -> None:
        """An intent that was carried out. What only closes says nothing of leverage."""
        if intent.action not in ENTRIES or intent.wanted is MarketPosition.FLAT:
            return
        terms = Terms(leverage=intent.leverage, margin_mode=intent.margin_mode)
        own = terms not in self._latest.get(intent.route, (terms,))
        self._put((intent.account, intent.symbol), route=intent.route, own=own)

    def know(self, lane: Lane, *, route: RouteId) -> None:
        """The log tells that the route has traded there."""
        if route not in self._traded.get(lane, {}):
            self._put(lane, route=route, own=False)

    def accounts(self) -> set[AccountId]:
        """Those that live routes trade on."""
        return {
            AccountId(trading.account)
            for route in self.routes.values.values()
            if route.settings.state is RouteState.LIVE
            for trading in route.settings.accounts
        }

    def trading_on(
        self, account: AccountId, *, known: Mapping[VenueSymbol, RouteId]
    ) -> list[tuple[RouteSettings, frozenset[VenueSymbol]]]:
        """The live routes of an account, each with its contracts as far as they are known here.
        `known`: what else is known to be traded there, and by whom.
        """
        live = {
            route_id: route.settings
            for route_id, route in sorted(self.routes.values.items())
            if route.settings.state is RouteState.LIVE
            and any(part.account == account for part in route.settings.accounts)
        }
        traded: dict[str, set[VenueSymbol]] = {route_id: set() for route_id in live}
        for symbol, route_id in known.items():
            traded.get(route_id, set()).add(symbol)
        for (trading, symbol), by_route in self._traded.items():
            for route_id in by_route if trading == account else ():
                traded.get(route_id, set()).add(symbol)
        return [
            (route, contracts_of(route, account=account, traded=traded[route_id]))
            for route_id, route in live.items()
        ]

    def wishes(self) -> dict[Lane, Wish]:
        settings = [route.settings for route in self.routes.values.values()]
        return wishes(settings, traded=self._traded)

    def _put(self, lane: Lane, *, route: RouteId, own: bool) -> None:
        known = self._traded.setdefault(lane, {})
        if known.get(route) is not own:
            known[route] = own
            self._tell()

    def _changed(self) -> None:
        for route in self.routes.values.values():
            terms = terms_of(route.settings)
            before = self._latest.get(route.id, ())
            if before[:1] != (terms,):
                self._latest[route.id] = (terms, *before[:1])
        self._tell()

    def _tell(self) -> None:
        self.version += 1
