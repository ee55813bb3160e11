"""Which line a refusal of the exchange belongs to, what mends it, and what it proves: MEXC checks
in an order of its own, so that a refusal for one thing says that those before it were right. Pure.
"""

from libs.common.contracts.causes import Cause
from libs.common.domain.diagnosis.checklist import CheckName
from libs.common.domain.diagnosis.failure import Verdict

_EDIT = "`alertwire accounts edit {account} "

CAUSE_CHECKS: dict[Cause, Verdict] = {
    Cause.IP: Verdict(
        check=CheckName.LINKED_IP,
        mend="Add the address that MEXC sees under API Management → Link IP Address; `alertwire"
        " doctor {account}` shows it.",
    ),
    Cause.KEY: Verdict(
        check=CheckName.ACCESS_KEY,
        mend="Compare the Access Key with API Management; where it is gone or has expired, create a"
        " new key with a linked IP address (one without lives 90 days) and enter it by"
        f" {_EDIT}--access-key KEY --secret-key-file -`.",
    ),
    Cause.PERMISSION: Verdict(
        check=CheckName.PERMISSIONS,
        mend="Give this key Order Placing, View Order Details and View Account Details of Futures"
        " under API Management.",
    ),
    Cause.SIGNATURE: Verdict(
        check=CheckName.SECRET_KEY,
        mend=f"Enter the Secret Key again by {_EDIT}--secret-key-file -`; MEXC shows it once, so"
        " where it is lost create a new key under API Management.",
    ),
    Cause.TIMESTAMP: Verdict(
        check=CheckName.EXCHANGE, mend="Set the clock of the executor's machine by NTP."
    ),
    Cause.RATE_LIMIT: Verdict(
        check=CheckName.EXCHANGE,
        mend="Send fewer alerts at once, and let no other program use account {account}: MEXC"
        " counts the requests of all of them.",
    ),
    Cause.SYSTEM: Verdict(
        check=CheckName.EXCHANGE,
        mend="Wait until MEXC answers again, look there at what the account holds, and send the"
        " alert anew if it is still wanted.",
    ),
    Cause.MAINTENANCE: Verdict(
        check=CheckName.EXCHANGE,
        mend="Wait until MEXC's maintenance is over, and send the alert anew if it is still"
        " wanted.",
    ),
    Cause.PARAMS: Verdict(
        check=CheckName.EXCHANGE,
        mend="Report it with this evidence: the request was built in a way that MEXC does not take,"
        " and no setting mends that.",
    ),
    Cause.SYMBOL: Verdict(
        check=CheckName.SYMBOL,
        mend="Trade a contract that MEXC has open for its API now (`alertwire routes edit {route}"
        " --override TICKER=SYMBOL` maps a ticker to it), or wait until MEXC opens {symbol}.",
    ),
    Cause.QUANTITY: Verdict(
        check=CheckName.QUANTITY,
        mend="Send a size that the contract takes in order_contracts, or scale it by `alertwire"
        " routes edit {route} --multiplier N`.",
    ),
    Cause.PRICE: Verdict(
        check=CheckName.EXCHANGE,
        mend="Send a price (price, sl_price, tp_price) nearer to the market's, or order_type"
        " market.",
    ),
    Cause.LIQUIDITY: Verdict(
        check=CheckName.EXCHANGE,
        mend="Send a smaller size, or order_type limit, which waits for its price: at that moment"
        " nobody traded so much there.",
    ),
    Cause.MARGIN: Verdict(
        check=CheckName.BALANCE,
        mend="Transfer margin to the Futures account of {account} at MEXC, or trade less by"
        " `alertwire routes edit {route} --multiplier N`.",
    ),
    Cause.LEVERAGE: Verdict(
        check=CheckName.LEVERAGE,
        mend="Use a leverage that MEXC takes for {symbol} (`alertwire routes edit {route}"
        " --leverage N`), the same as that of a position or order which is there already.",
    ),
    Cause.POSITION_MODE: Verdict(
        check=CheckName.POSITION_MODE,
        mend="Make MEXC's Position Mode and that of account {account} here the same: change it at"
        f" MEXC, or by {_EDIT}--position-mode MODE`.",
    ),
    Cause.MARGIN_MODE: Verdict(
        check=CheckName.MARGIN_MODE,
        mend="Use the margin mode that {symbol} has at MEXC (`alertwire routes edit {route}"
        " --margin-mode cross` or `isolated`), or close what is held and waits there first.",
    ),
    Cause.POSITION: Verdict(
        check=CheckName.EXCHANGE,
        mend="Look at MEXC what account {account} holds of {symbol} and what waits there: a stop, a"
        " hand or another program has closed or frozen it.",
    ),
    Cause.RISK_LIMIT: Verdict(
        check=CheckName.EXCHANGE,
        mend="Trade less (`alertwire routes edit {route} --multiplier N`) or with less leverage:"
        " the position would be over what MEXC lets this account hold.",
    ),
    Cause.ORDER_COUNT: Verdict(
        check=CheckName.EXCHANGE,
        mend="Cancel orders of {symbol} that wait at MEXC (order_action cancel), and send it"
        " again.",
    ),
    Cause.CLIENT_ID: Verdict(
        check=CheckName.EXCHANGE,
        mend="Look for the order in MEXC's order history before you send anything again: one of its"
        " id was there already.",
    ),
    Cause.ORDER_STATE: Verdict(
        check=CheckName.EXCHANGE,
        mend="Look at the order in MEXC's order history: it had ended, or may not be changed any"
        " more.",
    ),
    Cause.TRIGGER: Verdict(
        check=CheckName.EXCHANGE,
        mend="Correct the stop, the target or the trailing distance in the alert (sl_price,"
        " tp_price, trailing_pips), or remove the one that is on the position already.",
    ),
    Cause.REGION: Verdict(
        check=CheckName.EXCHANGE,
        mend="Complete the KYC verification at MEXC, or ask MEXC's Customer Service whether Futures"
        " may be traded from your region.",
    ),
    Cause.OTHER: Verdict(
        check=CheckName.EXCHANGE,
        mend="Ask MEXC's Customer Service with this code and these words: MEXC does not let the"
        " account do that.",
    ),
}

EXCHANGE_ORDER = (
    Cause.KEY,
    Cause.IP,
    Cause.TIMESTAMP,
    Cause.SIGNATURE,
    Cause.RATE_LIMIT,
    Cause.PERMISSION,
    Cause.MAINTENANCE,
    Cause.PARAMS,
    Cause.SYMBOL,
    Cause.POSITION_MODE,
    Cause.MARGIN_MODE,
    Cause.LEVERAGE,
    Cause.QUANTITY,
    Cause.PRICE,
    Cause.CLIENT_ID,
    Cause.POSITION,
    Cause.MARGIN,
)
"""In which MEXC checks a request, as far as its answers show."""

_STANDING: dict[Cause, Cause] = {
    # The account's own rules: whether the key's permissions come before them is not known.
    **dict.fromkeys((Cause.OTHER, Cause.REGION), Cause.PERMISSION),
    # Rules of trading: the key may do what was asked.
    **dict.fromkeys(
        (
            *(Cause.RISK_LIMIT, Cause.LIQUIDITY, Cause.ORDER_COUNT, Cause.ORDER_STATE),
            Cause.TRIGGER,
        ),
        Cause.MAINTENANCE,
    ),
}
"""Where a cause that is not in that order stands at the earliest."""


def passed(cause: Cause) -> frozenset[CheckName]:
    """The lines that were right, since the exchange came to this one."""
    standing = _STANDING.get(cause, cause)
    if standing not in EXCHANGE_ORDER:
        return frozenset()
    before = EXCHANGE_ORDER[: EXCHANGE_ORDER.index(standing)]
    return frozenset(CAUSE_CHECKS[each].check for each in before) - {CheckName.EXCHANGE}
