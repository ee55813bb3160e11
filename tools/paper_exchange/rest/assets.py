"""Private endpoints about an account's money and what trading costs it."""

from typing import Any

from tools.paper_exchange.engine.checking import known_contract
from tools.paper_exchange.engine.state import ZERO
from tools.paper_exchange.numbers import number
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.pages import page_shape
from tools.paper_exchange.rest.shapes import asset_shape, fee_shape
from tools.paper_exchange.venue import Venue

_FEES_OF_OLD = ("makerFee", "takerFee", "makerFeeDiscount", "takerFeeDiscount")


def assets(venue: Venue, call: Call) -> list[dict[str, Any]]:
    return [asset_shape(venue, call.account, currency) for currency in call.account.wallets]


def asset(venue: Venue, call: Call) -> dict[str, Any]:
    return asset_shape(venue, call.account, call.params["currency"])


def fee_rate(venue: Venue, call: Call) -> dict[str, Any]:
    symbol = call.params.get("symbol", "")
    return fee_shape(call.account, known_contract(venue.contracts, symbol).symbol)


def old_fee_rate(venue: Venue, call: Call) -> dict[str, Any]:
    """The first version of the call, which names no fees on the real venue either."""
    shape = fee_rate(venue, call)
    none = {name: 0 for name in shape if name.endswith(("MakerFee", "TakerFee"))}
    return shape | none | dict.fromkeys(_FEES_OF_OLD, 0)


def transfers(_venue: Venue, call: Call) -> dict[str, Any]:
    """What the account was given at the start is its only transfer in a currency."""
    given = [
        (currency, wallet.deposit)
        for currency, wallet in call.account.wallets.items()
        if wallet.deposit > ZERO
    ]
    created_ms = call.key.created_ms
    return page_shape(
        call,
        given,
        shape=lambda transfer: {
            "id": call.account.id,
            "txid": f"paper{call.account.id}{transfer[0].lower()}",
            "currency": transfer[0],
            "amount": number(transfer[1]),
            "type": "IN",
            "state": "SUCCESS",
            "createTime": created_ms,
            "updateTime": created_ms,
        },
    )
