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
    RATE_EXCEEDED = "rate_exceeded"
    # Denied by us: nothing was sent to the exchange.
    ROUTE_UNKNOWN = "route_unknown"
    ROUTE_PAUSED = "route_paused"
    STALE = "stale"
    ACCOUNT_UNKNOWN = "account_unknown"
    KEY_UNREADABLE = "key_unreadable"
    SYMBOL_UNKNOWN = "symbol_unknown"
    SYMBOL_NOT_ALLOWED = "symbol_not_allowed"
    SYMBOL_NOT_TRADABLE = "symbol_not_tradable"
    SIZE_MISSING = "size_missing"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    NOT_SUPPORTED = "not_supported"
    EXCHANGE_REFUSED_QUERY = "exchange_refused_query"


EXPLANATIONS: dict[Reason, str] = {
    Reason.NOT_A_JSON_OBJECT: "The body is not one JSON object.",
    Reason.FIELD_MISSING: "A field that this action needs is absent or empty.",
    Reason.FIELD_INVALID: "A field holds a value that it cannot have.",
    Reason.PLACEHOLDER_UNREPLACED: "TradingView did not replace a {{placeholder}}.",
    Reason.BODY_TOO_LARGE: "The body is larger than 64 KiB.",
    Reason.BODY_SECRET_WRONG: "The route asks for a secret in the body, and it does not match.",
    Reason.ADDRESS_NOT_ALLOWED: "The sender's address is not in the route's allow list.",
    Reason.RATE_EXCEEDED: "The route received more alerts per second than it may.",
    Reason.ROUTE_UNKNOWN: "The route was deleted between the alert and its handling.",
    Reason.ROUTE_PAUSED: "The route is paused; exits still pass.",
    Reason.STALE: "An entry grew older than the route's max_age_s before it could be sent.",
    Reason.ACCOUNT_UNKNOWN: "The route names an account that does not exist.",
    Reason.KEY_UNREADABLE: "The account's secret key is missing or sealed for another executor.",
    Reason.SYMBOL_UNKNOWN: "The ticker maps to no contract of the exchange.",
    Reason.SYMBOL_NOT_ALLOWED: "The contract is not in the route's allow list.",
    Reason.SYMBOL_NOT_TRADABLE: "The exchange does not let the API trade this contract now.",
    Reason.SIZE_MISSING: "An entry needs a size, and neither alert nor route gives one.",
    Reason.BELOW_MINIMUM: "Rounded down to the step, the size is under the contract's minimum.",
    Reason.ABOVE_MAXIMUM: "The size is over what the exchange takes.",
    Reason.NOT_SUPPORTED: "The alert or route asks for something this version does not do.",
    Reason.EXCHANGE_REFUSED_QUERY: "The exchange refused to tell the position; see its words.",
}
