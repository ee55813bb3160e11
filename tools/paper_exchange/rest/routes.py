"""The venue's addresses: which handler answers, which permission and which rate it asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.paper_exchange.rest import holdings, market, orders, spot
from tools.paper_exchange.rest.calls import Call, Permission
from tools.paper_exchange.rest.limits import Rule
from tools.paper_exchange.venue import Venue

Handler = Callable[[Venue, Call], Any]

PRIVATE = "/api/v1/private/"
PUBLIC = "/api/v1/contract/"


@dataclass(frozen=True, kw_only=True)
class Route:
    method: str
    pattern: str
    handler: Handler
    # None: anyone may call, unsigned.
    permission: Permission | None = None
    rule: Rule = Rule.OTHER
    recorded: bool = False


def _public(pattern: str, handler: Handler) -> Route:
    return Route(method="GET", pattern=PUBLIC + pattern, handler=handler)


def _read(pattern: str, handler: Handler, permission: Permission) -> Route:
    return Route(
        method="GET",
        pattern=PRIVATE + pattern,
        handler=handler,
        permission=permission,
        recorded=True,
    )


def _trade(pattern: str, handler: Handler, rule: Rule = Rule.OTHER) -> Route:
    return Route(
        method="POST",
        pattern=PRIVATE + pattern,
        handler=handler,
        permission=Permission.DEAL_WRITE,
        rule=rule,
        recorded=True,
    )


ROUTES = (
    _public("ping", market.ping),
    _public("detail", market.contract_detail),
    _public("detail/country", market.contract_detail),
    _public("ticker", market.ticker),
    _public("fair_price/{symbol}", market.fair_price),
    _public("index_price/{symbol}", market.index_price),
    _trade("order/create", orders.create_order, Rule.ORDER_CREATE),
    _trade("order/submit", orders.submit_order, Rule.ORDER_CREATE),
    _read("order/get/{order_id}", orders.get_order, Permission.DEAL_READ),
    _read(
        "order/external/{symbol}/{external_oid}",
        orders.get_order_by_client_id,
        Permission.DEAL_READ,
    ),
    _read("order/list/open_orders", orders.open_orders, Permission.DEAL_READ),
    _read("order/list/open_orders/{symbol}", orders.open_orders, Permission.DEAL_READ),
    _read("order/list/history_orders", orders.history_orders, Permission.DEAL_READ),
    _read("order/deal_details/{order_id}", orders.deal_details, Permission.DEAL_READ),
    _trade("order/cancel", orders.cancel_orders),
    _trade("order/cancel_with_external", orders.cancel_by_client_ids),
    _trade("order/cancel_all", orders.cancel_all),
    _read("position/open_positions", holdings.open_positions, Permission.DEAL_READ),
    _read("position/leverage", holdings.leverage, Permission.DEAL_READ),
    _read("position/position_mode", holdings.position_mode, Permission.DEAL_READ),
    _trade("position/change_leverage", holdings.change_leverage, Rule.CHANGE_LEVERAGE),
    _trade("position/change_position_mode", holdings.change_position_mode),
    _read("account/assets", holdings.assets, Permission.ACCOUNT_READ),
    _read("account/asset/{currency}", holdings.asset, Permission.ACCOUNT_READ),
    _read("account/tiered_fee_rate/v2", holdings.fee_rate, Permission.DEAL_READ),
    Route(method="GET", pattern="/api/v3/time", handler=spot.server_time),
    Route(method="GET", pattern="/api/v3/apiKeyInfo", handler=spot.api_key_info, recorded=True),
)


class RouteTable:
    """Finds the route of a path: a look-up for plain paths, a walk for others."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        self._plain = {r.pattern: r for r in routes if "{" not in r.pattern}
        self._named = [(r.pattern.split("/"), r) for r in routes if "{" in r.pattern]

    def find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        plain = self._plain.get(path)
        if plain is not None:
            return plain, {}
        parts = path.split("/")
        for pattern, route in self._named:
            if len(pattern) == len(parts):
                named = _matched(pattern, parts)
                if named is not None:
                    return route, named
        return None


def _matched(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    named = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            named[expected[1:-1]] = part
        elif expected != part:
            return None
    return named
