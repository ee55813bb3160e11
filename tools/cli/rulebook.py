"""Today's rules, as the console tells them: a route, its accounts, their contracts and what is
halted.
"""

from collections.abc import Mapping

import msgspec

from libs.common.contracts.control import Control
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.route import Account, Route, RouteSettings
from libs.common.contracts.words import RouteId, VenueSymbol
from libs.common.domain.halting import halted
from tools.cli.calling import NotFound, call
from tools.cli.explaining_path import AccountKnown
from tools.cli.place import Console

# The API shows stars where a route asks for a body secret; its hash stays with the console.
_SOME_HASH = "0" * 64


def route_of(console: Console, name: str) -> Route:
    document = call(console, "GET", f"/routes/{name}")
    secret = document.pop("body_secret", None)
    return Route(
        settings=msgspec.convert(document, RouteSettings),
        tokens=(),
        body_secret_sha256=None if secret is None else _SOME_HASH,
    )


def accounts_of(console: Console, names: list[str], *, route: RouteId) -> dict[str, AccountKnown]:
    controls = _controls(console)
    catalogues: dict[str, Mapping[VenueSymbol, Instrument]] = {}
    found: dict[str, AccountKnown] = {}
    for name in names:
        account = msgspec.convert(call(console, "GET", f"/accounts/{name}"), Account)
        # Accounts of one exchange trade the same contracts.
        if account.base_url not in catalogues:
            catalogues[account.base_url] = _catalogue(console, name)
        found[name] = AccountKnown(
            position_mode=account.position_mode,
            catalogue=catalogues[account.base_url],
            halted=halted(controls, route=route, account=account.account_id),
        )
    return found


def _controls(console: Console) -> dict[str, Control]:
    try:
        document = call(console, "GET", "/halt")
    except NotFound:
        # An older console halts nothing.
        return {}
    found = msgspec.convert(document["halts"], list[Control])
    return {control.halt_id: control for control in found}


def _catalogue(console: Console, account: str) -> dict[VenueSymbol, Instrument]:
    document = call(console, "GET", f"/accounts/{account}/instruments")
    found = msgspec.convert(document["instruments"], list[Instrument])
    return {instrument.symbol: instrument for instrument in found}
