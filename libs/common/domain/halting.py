"""Whether something is halted by hand. Pure: opening is denied then, closing always passes."""

from collections.abc import Mapping
from datetime import UTC

from libs.common.contracts.control import Control, Scope
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import AccountId, RouteId


def halt_of(
    controls: Mapping[str, Control], *, route: RouteId, account: AccountId
) -> Control | None:
    """What halts a route on an account, the broadest first; None where nothing does."""
    wanted = {Scope.ALL: None, Scope.ACCOUNT: account, Scope.ROUTE: route}
    for scope, name in wanted.items():
        for control in controls.values():
            if control.scope is scope and control.id == name:
                return control
    return None


def halted(controls: Mapping[str, Control], *, route: RouteId, account: AccountId) -> Denial | None:
    """Why nothing must be opened, where that is so."""
    control = halt_of(controls, route=route, account=account)
    if control is None:
        return None
    by = f" by {control.by}" if control.by else ""
    why = f": {control.reason}" if control.reason else ""
    at = f"{control.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return Denial(
        reason=Reason.HALTED,
        message=f"{control.what} was halted at {at}{by}{why}",
        context={"scope": control.scope.value, "id": control.id or ""},
    )
