"""Which line a refusal or denial of ours belongs to, and what mends it: one row for each reason of
the closed list. Pure.
"""

from libs.common.contracts.reasons import Reason
from libs.common.domain.diagnosis.checklist import CheckName
from libs.common.domain.diagnosis.failure import Verdict


def _of(check: CheckName, mend: str) -> Verdict:
    return Verdict(check=check, mend=mend)


_ARRIVED, _JSON, _QUANTITY = CheckName.ARRIVED, CheckName.JSON, CheckName.QUANTITY
_OR_RAISE = "or raise the route's limit by `alertwire routes edit {route} "

REASON_CHECKS: dict[Reason, Verdict] = {
    # On the way in.
    Reason.BODY_TOO_LARGE: _of(_ARRIVED, "Shorten the alert's message to less than 64 KiB."),
    Reason.BODY_SECRET_WRONG: _of(
        _ARRIVED,
        "Put the route's body secret into the field secret of the alert's message, or take it off"
        " by `alertwire routes edit {route} --clear body_secret`.",
    ),
    Reason.ADDRESS_NOT_ALLOWED: _of(
        _ARRIVED,
        "Name every address that may post by `alertwire routes edit {route} --allow-address"
        " NETWORK`, or let all in by `alertwire routes edit {route} --clear allow_addresses`; the"
        " list of ingest itself is ALERTWIRE_ALLOW_ADDRESSES, and an address that is a proxy's"
        " belongs into ALERTWIRE_TRUSTED_PROXIES.",
    ),
    Reason.CLIENT_CERTIFICATE_WRONG: _of(
        _ARRIVED,
        "Send it from TradingView, to a URL with https; where TradingView did send it, see in"
        " docs/webhook-door.md what has to hand its certificate on.",
    ),
    Reason.RATE_EXCEEDED: _of(
        _ARRIVED, "Let the alert fire less often: Once Per Bar Close instead of on every tick."
    ),
    Reason.ROUTE_UNKNOWN: _of(
        _ARRIVED, "Create the route again and put its new webhook URL into the TradingView alert."
    ),
    Reason.ROUTE_PAUSED: _of(_ARRIVED, "Let it trade again by `alertwire routes resume {route}`."),
    Reason.HALTED: _of(
        _ARRIVED,
        "See by `alertwire halts` who halted it and why, and end it by `alertwire resume`.",
    ),
    Reason.STALE: _of(
        _ARRIVED,
        "Send it again if it is still wanted; where it is always late, see by `alertwire trace`"
        " which step took the time, or allow more by `alertwire routes edit {route} --max-age S`.",
    ),
    Reason.ORDERS_PER_MINUTE: _of(
        _ARRIVED, f"Let the alert fire less often, {_OR_RAISE}--orders-per-minute N`."
    ),
    Reason.OUTSIDE_WINDOWS: _of(
        _ARRIVED,
        "Change when the route may open by `alertwire routes edit {route} --window WINDOW` (UTC).",
    ),
    # What the message says.
    Reason.NOT_A_JSON_OBJECT: _of(
        _JSON, "Make the alert's message one valid JSON object, in braces and with double quotes."
    ),
    Reason.FIELD_MISSING: _of(_JSON, "Add the field {field} to the alert's message."),
    Reason.FIELD_INVALID: _of(_JSON, "Correct the field {field} in the alert's message."),
    Reason.PLACEHOLDER_UNREPLACED: _of(
        _JSON,
        "Correct the placeholder in {field}, and set the alert on a strategy where it is one of"
        " {{strategy.…}}.",
    ),
    Reason.TARGET_MISSING: _of(
        _JSON,
        "Use the target template for the alert's message, or another mode by `alertwire routes edit"
        " {route} --trade-mode netting`.",
    ),
    Reason.STOP_MISSING: _of(
        _JSON,
        "Send a stop (sl_price or stop_loss) with each entry, or size otherwise by `alertwire"
        " routes edit {route} --sizing base`.",
    ),
    Reason.SIDE_AMBIGUOUS: _of(_JSON, "Say close_side long or short in the alert's message."),
    Reason.FLIP_NEEDS_MARKET: _of(
        _JSON, "Send order_type market, or close first and open by an alert of its own."
    ),
    Reason.NOT_SUPPORTED: _of(
        _JSON, "Leave out what the evidence names: this version does not do it."
    ),
    # The account's key.
    Reason.ACCOUNT_UNKNOWN: _of(
        CheckName.ACCESS_KEY,
        "Create account {account} with its Access Key and Secret Key by `alertwire accounts"
        " create`, or let the route trade another by `alertwire routes edit {route} --account"
        " NAME`.",
    ),
    Reason.KEY_UNREADABLE: _of(
        CheckName.SECRET_KEY,
        "Enter the Secret Key again by `alertwire accounts edit {account} --secret-key-file -`; of"
        " an account whose key is mounted, change its file at the executor.",
    ),
    Reason.ADDRESS_NOT_LINKED: _of(
        CheckName.LINKED_IP,
        "Add the address that MEXC sees under API Management → Link IP Address; `alertwire doctor"
        " {account}` shows it, and lets the account trade again once it is right.",
    ),
    Reason.ADDRESS_UNEXPECTED: _of(
        CheckName.LINKED_IP,
        "Bring the executor back to an expected egress address, or link the new one to the key"
        " under API Management → Link IP Address and name all of them by `alertwire accounts edit"
        " {account} --expected-address IP`.",
    ),
    # The contract.
    Reason.SYMBOL_UNKNOWN: _of(
        CheckName.SYMBOL,
        "Send {{ticker}} of a perpetual of MEXC (BTCUSDT.P), or map it by `alertwire routes edit"
        " {route} --override TICKER=SYMBOL`.",
    ),
    Reason.SYMBOL_NOT_ALLOWED: _of(
        CheckName.SYMBOL,
        "Add the contract to the route's list by `alertwire routes edit {route} --allow SYMBOL`,"
        " naming all of them.",
    ),
    Reason.SYMBOL_NOT_TRADABLE: _of(
        CheckName.SYMBOL,
        "Trade a contract that MEXC opens to its API, or wait until it does: only exits pass here.",
    ),
    # Sizes and prices.
    Reason.SIZE_MISSING: _of(
        _QUANTITY,
        "Send order_contracts, or give the route a size by `alertwire routes edit {route} --sizing"
        " fixed --sizing-value N`.",
    ),
    Reason.BELOW_MINIMUM: _of(
        _QUANTITY,
        "Send a larger order_contracts, or scale it by `alertwire routes edit {route} --multiplier"
        " N`.",
    ),
    Reason.ABOVE_MAXIMUM: _of(
        _QUANTITY,
        "Send a smaller order_contracts, and check its unit: base units, unless the route's sizing"
        " says otherwise.",
    ),
    Reason.ORDER_NOTIONAL: _of(
        _QUANTITY, f"Send a smaller order_contracts, {_OR_RAISE}--max-order-notional N`."
    ),
    Reason.POSITION_NOTIONAL: _of(
        _QUANTITY, f"Send a smaller order_contracts, {_OR_RAISE}--max-position-notional N`."
    ),
    Reason.PYRAMIDING: _of(
        _QUANTITY,
        "Close the position first, or let the route add to it by `alertwire routes edit {route}"
        " --pyramiding`.",
    ),
    Reason.NOTHING_HELD: _of(
        _QUANTITY,
        "Look whether the entry before it was done: there is no position that this could change.",
    ),
    Reason.NOTHING_PENDING: _of(
        _QUANTITY,
        "Use the order_id or comment of an order that still waits: it may be filled or canceled.",
    ),
    Reason.POSITION_FROZEN: _of(
        _QUANTITY, "Cancel the closing orders that wait at MEXC (order_action cancel) first."
    ),
    Reason.PRICE_INVALID: _of(
        _QUANTITY,
        "Correct the price or distance that the evidence names, and its unit (sltp_type, or the"
        " route's by `alertwire routes edit {route} --sltp-unit UNIT`).",
    ),
    Reason.PROTECTION_WRONG_SIDE: _of(
        _QUANTITY,
        "Put the stop below the price of a long and the target above it, of a short the other way"
        " round (sl_price, tp_price).",
    ),
    # What the exchange has the account set to.
    Reason.LEVERAGE_ABOVE_MAXIMUM: _of(
        CheckName.LEVERAGE,
        "Use less: the field leverage of the alert, or `alertwire routes edit {route} --leverage"
        " N`.",
    ),
    Reason.LEVERAGE_DIFFERS: _of(
        CheckName.LEVERAGE,
        "Use the leverage that is held (`alertwire routes edit {route} --leverage N`, or the"
        " alert's field leverage), or close the position first.",
    ),
    Reason.MARGIN_MODE_DIFFERS: _of(
        CheckName.MARGIN_MODE,
        "Use the margin mode that is held (`alertwire routes edit {route} --margin-mode cross` or"
        " `isolated`, or the alert's field margin_mode), or close the position first.",
    ),
    Reason.POSITION_MODE_DIFFERS: _of(
        CheckName.POSITION_MODE,
        "Change the one that is wrong: Position Mode at MEXC, or that of the account here by"
        " `alertwire accounts edit {account} --position-mode MODE`.",
    ),
    Reason.HEDGE_NEEDS_HEDGE_MODE: _of(
        CheckName.POSITION_MODE,
        "Set Position Mode to hedge at MEXC and by `alertwire accounts edit {account}"
        " --position-mode hedge`, or use another mode by `alertwire routes edit {route}"
        " --trade-mode netting`.",
    ),
    # The exchange.
    Reason.CONTRACTS_UNKNOWN: _of(
        CheckName.EXCHANGE,
        "See by `alertwire doctor {account}` whether the executor runs and reaches the exchange.",
    ),
    Reason.EXCHANGE_REFUSED_QUERY: _of(
        CheckName.EXCHANGE, "See by `alertwire doctor {account}` what the exchange refuses."
    ),
}
"""A refused query belongs to the line of its cause, where it names one."""
