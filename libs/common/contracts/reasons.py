"""The closed list of reasons why an alert was refused (by ingest) or denied (by router or
executor). The exchange's own words are never in this list: a rejection passes them through.
"""

from enum import StrEnum


class Reason(StrEnum):
    # Refused by ingest: the sender gets a 4xx that says the same.
    NOT_A_JSON_OBJECT = "not_a_json_object"
    FIELD_MISSING = "field_missing"
    FIELD_INVALID = "field_invalid"
    PLACEHOLDER_UNREPLACED = "placeholder_unreplaced"
    BODY_TOO_LARGE = "body_too_large"
    BODY_SECRET_WRONG = "body_secret_wrong"  # noqa: S105 - a reason's name
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    CLIENT_CERTIFICATE_WRONG = "client_certificate_wrong"
    RATE_EXCEEDED = "rate_exceeded"
    # Denied by us: nothing was sent to the exchange.
    ROUTE_UNKNOWN = "route_unknown"
    ROUTE_PAUSED = "route_paused"
    HALTED = "halted"
    STALE = "stale"
    ACCOUNT_UNKNOWN = "account_unknown"
    KEY_UNREADABLE = "key_unreadable"
    SYMBOL_UNKNOWN = "symbol_unknown"
    SYMBOL_NOT_ALLOWED = "symbol_not_allowed"
    SYMBOL_NOT_TRADABLE = "symbol_not_tradable"
    SIZE_MISSING = "size_missing"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    ORDER_NOTIONAL = "order_notional"
    POSITION_NOTIONAL = "position_notional"
    ORDERS_PER_MINUTE = "orders_per_minute"
    OUTSIDE_WINDOWS = "outside_windows"
    PYRAMIDING = "pyramiding"
    LEVERAGE_ABOVE_MAXIMUM = "leverage_above_maximum"
    LEVERAGE_DIFFERS = "leverage_differs"
    MARGIN_MODE_DIFFERS = "margin_mode_differs"
    POSITION_MODE_DIFFERS = "position_mode_differs"
    HEDGE_NEEDS_HEDGE_MODE = "hedge_needs_hedge_mode"
    FLIP_NEEDS_MARKET = "flip_needs_market"
    NOTHING_HELD = "nothing_held"
    NOTHING_PENDING = "nothing_pending"
    POSITION_FROZEN = "position_frozen"
    SIDE_AMBIGUOUS = "side_ambiguous"
    TARGET_MISSING = "target_missing"
    STOP_MISSING = "stop_missing"
    PRICE_INVALID = "price_invalid"
    PROTECTION_WRONG_SIDE = "protection_wrong_side"
    CONTRACTS_UNKNOWN = "contracts_unknown"
    NOT_SUPPORTED = "not_supported"
    EXCHANGE_REFUSED_QUERY = "exchange_refused_query"
    ADDRESS_NOT_LINKED = "address_not_linked"
    ADDRESS_UNEXPECTED = "address_unexpected"


EXPLANATIONS: dict[Reason, str] = {
    Reason.NOT_A_JSON_OBJECT: "The body is not one JSON object.",
    Reason.FIELD_MISSING: "A field that this action needs is absent or empty.",
    Reason.FIELD_INVALID: "A field holds a value that it cannot have.",
    Reason.PLACEHOLDER_UNREPLACED: "TradingView did not replace a {{placeholder}}.",
    Reason.BODY_TOO_LARGE: "The body is larger than 64 KiB.",
    Reason.BODY_SECRET_WRONG: "The route asks for a secret in the body, and it does not match.",
    Reason.ADDRESS_NOT_ALLOWED: "The sender's address is not in the allow list of ingest or route.",
    Reason.CLIENT_CERTIFICATE_WRONG: (
        "The sender has shown no client certificate, or one that is not TradingView's."
    ),
    Reason.RATE_EXCEEDED: "The route received, or its sender sent, more per second than they may.",
    Reason.ROUTE_UNKNOWN: "The route was deleted between the alert and its handling.",
    Reason.ROUTE_PAUSED: "The route is paused; exits still pass.",
    Reason.HALTED: "Everything, the account or the route was halted by hand; exits still pass.",
    Reason.STALE: "An entry grew older than the route's max_age_s before it could be sent.",
    Reason.ACCOUNT_UNKNOWN: "The route names an account that does not exist.",
    Reason.KEY_UNREADABLE: "The account's secret key is missing or sealed for another executor.",
    Reason.SYMBOL_UNKNOWN: "The ticker maps to no contract of the exchange.",
    Reason.SYMBOL_NOT_ALLOWED: "The contract is not in the route's allow list.",
    Reason.SYMBOL_NOT_TRADABLE: "The exchange does not let the API trade this contract now.",
    Reason.SIZE_MISSING: "An entry needs a size, and neither alert nor route gives one.",
    Reason.BELOW_MINIMUM: "Rounded down to the step, the size is under the contract's minimum.",
    Reason.ABOVE_MAXIMUM: "The size is over what the exchange takes.",
    Reason.ORDER_NOTIONAL: "The order's value is over the route's max_order_notional.",
    Reason.POSITION_NOTIONAL: "The position would be over the route's max_position_notional.",
    Reason.ORDERS_PER_MINUTE: "The route has opened as often in this minute as it may.",
    Reason.OUTSIDE_WINDOWS: "It is outside the route's trading windows; exits still pass.",
    Reason.PYRAMIDING: "The position is held already, and the route does not add to it.",
    Reason.LEVERAGE_ABOVE_MAXIMUM: "The leverage is over what the contract allows.",
    Reason.LEVERAGE_DIFFERS: "The position that would be added to has another leverage.",
    Reason.MARGIN_MODE_DIFFERS: "The contract is held with another margin mode.",
    Reason.POSITION_MODE_DIFFERS: (
        "The exchange has the account in another position mode than it is set up for here."
    ),
    Reason.HEDGE_NEEDS_HEDGE_MODE: (
        "Trade mode hedge would hold both sides, and the account is in one-way mode."
    ),
    Reason.FLIP_NEEDS_MARKET: (
        "An order that may rest cannot close one side and open the other: the second order could"
        " only leave once the first is filled."
    ),
    Reason.NOTHING_HELD: "The action changes a position, and none is held.",
    Reason.NOTHING_PENDING: "No pending order has this order_id or comment.",
    Reason.POSITION_FROZEN: (
        "Orders that rest at the exchange have a part of the position frozen: it cannot be closed."
    ),
    Reason.SIDE_AMBIGUOUS: "Long and short are held; close_side must say which one is meant.",
    Reason.TARGET_MISSING: (
        "Trade mode target moves to a position, and the alert carries none; it needs the target"
        " template."
    ),
    Reason.STOP_MISSING: "Sizing by risk needs a stop, and the alert has none.",
    Reason.PRICE_INVALID: "A price or distance comes to nothing on the contract's tick.",
    Reason.PROTECTION_WRONG_SIDE: (
        "A stop or target is on the wrong side of the price, or not apart from it."
    ),
    Reason.CONTRACTS_UNKNOWN: "The account's exchange has not told its contracts yet.",
    Reason.NOT_SUPPORTED: "The alert or route asks for something this version does not do.",
    Reason.EXCHANGE_REFUSED_QUERY: "The exchange refused to tell the position; see its words.",
    Reason.ADDRESS_NOT_LINKED: (
        "The exchange refuses our address for this account's key; nothing is opened on the account"
        " until that is mended."
    ),
    Reason.ADDRESS_UNEXPECTED: (
        "Our own address is not among the account's expected ones; nothing is opened on it."
    ),
}
