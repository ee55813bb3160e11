"""What changes by hand and the router follows: routes, accounts, and the exchanges' contracts."""

from collections.abc import Mapping

import msgspec

from libs.common.contracts import subjects
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.route import Account, Route
from libs.common.contracts.words import VenueSymbol
from libs.common.watching import Watched

Catalogue = dict[VenueSymbol, Instrument]


class Configuration:
    """Live copies of the KV buckets, with the contracts grouped by exchange address."""

    def __init__(self) -> None:
        self.routes = Watched(
            bucket=subjects.BUCKET_ROUTES, decode=msgspec.json.Decoder(Route).decode, on_change=None
        )
        self.accounts = Watched(
            bucket=subjects.BUCKET_ACCOUNTS,
            decode=msgspec.json.Decoder(Account).decode,
            on_change=None,
        )
        self.instruments = Watched(
            bucket=subjects.BUCKET_INSTRUMENTS,
            decode=msgspec.json.Decoder(Instrument).decode,
            on_change=self._stale,
        )
        self._grouped: dict[str, Catalogue] | None = None

    def catalogues(self) -> Mapping[str, Catalogue]:
        """Contracts by the exchange's prefix (`subjects.instrument_prefix`) and symbol."""
        if self._grouped is None:
            # Grouped when asked for: at start hundreds of changes come in a row.
            grouped: dict[str, Catalogue] = {}
            for key, instrument in self.instruments.values.items():
                grouped.setdefault(key.partition(".")[0], {})[instrument.symbol] = instrument
            self._grouped = grouped
        return self._grouped

    def _stale(self) -> None:
        self._grouped = None
