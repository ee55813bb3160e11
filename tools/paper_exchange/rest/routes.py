"""The venue's addresses: which handler answers, which permission and which rate it asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from tools.paper_exchange.rest import (
    assets,
    funding,
    klines,
    leverage,
    market,
    order_queries,
    orders,
    positions,
    spot,
    stops,
    triggers,
)
from tools.paper_exchange.rest.calls import Call, Permission
from tools.paper_exchange.rest.limits import Rate, Rule, documented_rate
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
    # A second method that clients use for it.
    also: str = ""

    def takes(self, method: str) -> bool:
        return method in {self.method, self.also}

    @property
    def has_own_rule(self) -> bool:
        """Whether the control side sets its rate by name."""
        return self.rule is not Rule.OTHER

    @cached_property
    def rate(self) -> Rate | None:
        """What the venue documents; see `limits` for what is in force."""
        return documented_rate(self.pattern)


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


def _ask(pattern: str, handler: Handler, *, also: str = "") -> Route:
    # A question that is posted.
    return Route(
        method="POST",
        pattern=PRIVATE + pattern,
        handler=handler,
        permission=Permission.DEAL_READ,
        recorded=True,
        also=also,
    )


ROUTES = (
    _public("ping", market.ping),
    _public("detail", market.contract_detail),
    _public("detail/country", market.contract_detail),
    _public("ticker", market.ticker),
    _public("fair_price/{symbol}", market.fair_price),
    _public("index_price/{symbol}", market.index_price),
    _public("support_currencies", market.support_currencies),
    _public("depth/{symbol}", market.depth),
    _public("depth_commits/{symbol}/{limit}", market.depth_commits),
    _public("deals/{symbol}", market.deals),
    _public("kline/{symbol}", klines.klines),
    _public("kline/index_price/{symbol}", klines.index_klines),
    _public("kline/fair_price/{symbol}", klines.fair_klines),
    _public("funding_rate", funding.funding_rates),
    _public("funding_rate/history", funding.funding_history),
    _public("funding_rate/{symbol}", funding.funding_rate),
    _public("risk_reverse", market.risk_reverse),
    _public("risk_reverse/history", market.risk_reverse_history),
    _trade("order/create", orders.create_order, Rule.ORDER_CREATE),
    _trade("order/submit", orders.submit_order, Rule.ORDER_CREATE),
    _trade("order/submit_batch", orders.submit_batch),
    _trade("order/change_limit_order", orders.change_limit_order),
    _trade("order/chase_limit_order", orders.chase_limit_order),
    _read("order/get/{order_id}", order_queries.get_order, Permission.DEAL_READ),
    _read(
        "order/external/{symbol}/{external_oid}",
        order_queries.get_order_by_client_id,
        Permission.DEAL_READ,
    ),
    _read("order/batch_query", order_queries.batch_query, Permission.DEAL_READ),
    _ask("order/batch_query_with_external", order_queries.batch_query_by_client_ids),
    _read("order/list/open_orders", order_queries.open_orders, Permission.DEAL_READ),
    _read("order/list/open_orders/{symbol}", order_queries.open_orders, Permission.DEAL_READ),
    _read("order/list/history_orders", order_queries.history_orders, Permission.DEAL_READ),
    _read("order/list/close_orders", order_queries.close_orders, Permission.DEAL_READ),
    _read("order/list/order_deals", order_queries.order_deals, Permission.DEAL_READ),
    _read("order/list/order_deals/v3", order_queries.order_deals, Permission.DEAL_READ),
    _read("order/deal_details/{order_id}", order_queries.deal_details, Permission.DEAL_READ),
    _read("order/fee_details", order_queries.fee_details, Permission.DEAL_READ),
    _ask("order/open_order_total_count", order_queries.open_order_count, also="GET"),
    _trade("order/cancel", orders.cancel_orders),
    _trade("order/cancel_with_external", orders.cancel_by_client_ids),
    _trade("order/batch_cancel_with_external", orders.cancel_by_client_ids),
    _trade("order/cancel_all", orders.cancel_all),
    _trade("planorder/place", triggers.place_plan),
    _trade("planorder/place/v2", triggers.place_plan),
    _trade("planorder/change_price", triggers.change_plan_price),
    _trade("planorder/change_stop_order", triggers.change_plan_attached),
    _trade("planorder/cancel", triggers.cancel_plans),
    _trade("planorder/cancel_all", triggers.cancel_all_plans),
    _read("planorder/list/orders", triggers.list_plans, Permission.DEAL_READ),
    _trade("stoporder/place", stops.place_stop),
    _trade("stoporder/change_price", stops.change_order_attached),
    _trade("stoporder/change_plan_price", stops.change_stop),
    _trade("stoporder/cancel", stops.cancel_stops),
    _trade("stoporder/cancel_all", stops.cancel_all_stops),
    _read("stoporder/list/orders", stops.list_stops, Permission.DEAL_READ),
    _read("stoporder/open_orders", stops.open_stops, Permission.DEAL_READ),
    _read("stoporder/order_details/{stop_order_id}", stops.stop_details, Permission.DEAL_READ),
    _trade("trackorder/place", triggers.place_track),
    _trade("trackorder/change_order", triggers.change_track),
    _trade("trackorder/cancel", triggers.cancel_tracks),
    _read("trackorder/list/orders", triggers.list_tracks, Permission.DEAL_READ),
    _read("position/open_positions", positions.open_positions, Permission.DEAL_READ),
    _read("position/list/history_positions", positions.history_positions, Permission.DEAL_READ),
    _read("position/funding_records", positions.funding_records, Permission.DEAL_READ),
    _trade("position/change_margin", positions.change_margin),
    _trade("position/change_auto_add_im", positions.change_auto_add),
    _trade("position/close_all", positions.close_all),
    _trade("position/reverse", positions.reverse),
    _read("position/position_mode", positions.position_mode, Permission.DEAL_READ),
    _trade("position/change_position_mode", positions.change_position_mode),
    _read("position/leverage", leverage.leverage, Permission.DEAL_READ),
    _trade("position/change_leverage", leverage.change_leverage, Rule.CHANGE_LEVERAGE),
    _read("account/risk_limit", leverage.risk_limit, Permission.DEAL_READ),
    _trade("account/change_risk_level", leverage.change_risk_level),
    _read("account/assets", assets.assets, Permission.ACCOUNT_READ),
    _read("account/asset/{currency}", assets.asset, Permission.ACCOUNT_READ),
    _read("account/transfer_record", assets.transfers, Permission.ACCOUNT_READ),
    _read("account/tiered_fee_rate", assets.old_fee_rate, Permission.DEAL_READ),
    _read("account/tiered_fee_rate/v2", assets.fee_rate, Permission.DEAL_READ),
    Route(method="GET", pattern="/api/v3/ping", handler=spot.ping),
    Route(method="GET", pattern="/api/v3/time", handler=spot.server_time),
    Route(method="GET", pattern="/api/v3/exchangeInfo", handler=spot.exchange_info),
    Route(method="GET", pattern="/api/v3/capital/config/getall", handler=spot.currencies),
    Route(method="GET", pattern="/api/v3/account", handler=spot.account),
    Route(method="GET", pattern="/api/v3/apiKeyInfo", handler=spot.api_key_info, recorded=True),
)


class RouteTable:
    """Finds the route of a path: a look-up for plain paths, a walk for others."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        self._plain = {r.pattern: r for r in routes if "{" not in r.pattern}
        self._named = [(r.pattern.split("/"), r) for r in routes if "{" in r.pattern]

    def find(self, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """By the path as it was sent: only there is a slash within a part told from one between."""
        plain = self._plain.get(unquote(raw_path))
        if plain is not None:
            return plain, {}
        parts = [unquote(part) for part in raw_path.split("/")]
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
