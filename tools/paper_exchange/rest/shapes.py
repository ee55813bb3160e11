"""MEXC's objects with MEXC's field names, made from the engine's state."""

from decimal import Decimal
from typing import Any

from tools.paper_exchange.engine.margin import (
    MAKER_RATE,
    TAKER_RATE,
    available,
    average,
    equity,
    held_margin,
    initial_margin,
    liquidation_price,
    margin_ratio,
    position_margin,
)
from tools.paper_exchange.engine.state import ZERO, Account, Deal, Order, Position
from tools.paper_exchange.numbers import number, plain
from tools.paper_exchange.venue import Venue

FEE_CURRENCY_DEFAULT = "USDT"


def order_shape(venue: Venue, order: Order) -> dict[str, Any]:
    price = order.price or average(order.deal_value, order.deal_vol)
    paid = average(order.deal_value, order.deal_vol)
    shape = {
        "orderId": str(order.id),
        "symbol": order.symbol,
        "positionId": order.position_id,
        "price": number(price),
        "priceStr": plain(price),
        "vol": number(order.vol),
        "leverage": order.leverage,
        "side": order.side,
        "category": order.category,
        "orderType": order.type,
        "dealAvgPrice": number(paid),
        "dealAvgPriceStr": plain(paid),
        "dealVol": number(order.deal_vol),
        "orderMargin": number(order.used_margin + order.frozen),
        "takerFee": number(order.taker_fee),
        "makerFee": number(order.maker_fee),
        "profit": number(order.profit),
        "feeCurrency": venue.contracts[order.symbol].settle_coin,
        "openType": order.open_type,
        "state": order.state,
        "externalOid": order.external_oid,
        "errorCode": order.error,
        "usedMargin": number(order.used_margin),
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "positionMode": order.position_mode,
        "reduceOnly": order.reduce_only,
        "version": order.version,
        "showCancelReason": 1 if order.error else 0,
        "showProfitRateShare": 0,
        "bboTypeNum": order.bbo_type,
        "totalFee": number(order.taker_fee + order.maker_fee),
        "zeroSaveTotalFeeBinance": 0,
        "zeroTradeTotalFeeBinance": 0,
    }
    for name, value in order.attached.items():
        shape[name] = number(value) if isinstance(value, Decimal) else value
    return shape


def deal_shapes(venue: Venue, order: Order) -> list[dict[str, Any]]:
    return [deal_shape(venue, order, deal) for deal in order.deals]


def deal_shape(venue: Venue, order: Order, deal: Deal) -> dict[str, Any]:
    return {
        "id": str(deal.id),
        "symbol": order.symbol,
        "side": order.side,
        "vol": number(deal.vol),
        "price": number(deal.price),
        "fee": number(deal.fee),
        "feeCurrency": venue.contracts[order.symbol].settle_coin,
        "profit": number(deal.profit),
        "category": order.category,
        "orderId": str(order.id),
        "timestamp": deal.at_ms,
        "positionMode": order.position_mode,
        "taker": deal.taker,
        "isTaker": deal.taker,
    }


def position_shape(venue: Venue, account: Account, position: Position) -> dict[str, Any]:
    contract = venue.contracts[position.symbol]
    opened = average(position.open_value, position.open_vol)
    held = average(position.cost, position.hold_vol) if position.hold_vol else opened
    closed = average(position.close_value, position.close_vol)
    realised = position.profit - position.fees + position.funding
    committed = position.open_value * contract.contract_size / position.leverage
    return {
        "positionId": position.id,
        "symbol": position.symbol,
        "positionType": position.type,
        "openType": position.open_type,
        "state": 1 if position.hold_vol else 3,
        "holdVol": number(position.hold_vol),
        "frozenVol": number(position.frozen_vol),
        "closeVol": number(position.close_vol),
        "holdAvgPrice": number(held),
        "holdAvgPriceFullyScale": plain(held),
        "openAvgPrice": number(opened),
        "openAvgPriceFullyScale": plain(opened),
        "newOpenAvgPrice": number(opened),
        "closeAvgPrice": number(closed),
        "newCloseAvgPrice": number(closed),
        "liquidatePrice": number(liquidation_price(position, contract)),
        "oim": number(initial_margin(position, contract)),
        "im": number(held_margin(position, contract)),
        "holdFee": number(position.funding),
        "realised": number(realised),
        "leverage": position.leverage,
        "marginRatio": number(round(margin_ratio(venue, account, position=position), 4)),
        "autoAddIm": position.auto_add,
        "version": position.version,
        "profitRatio": number(round(realised / committed, 4) if committed else ZERO),
        "closeProfitLoss": number(position.profit),
        "fee": number(-position.fees),
        "totalFee": number(position.fees),
        "deductFeeList": [],
        "zeroSaveTotalFeeBinance": 0,
        "zeroTradeTotalFeeBinance": 0,
        "createTime": position.created_ms,
        "updateTime": position.updated_ms,
    }


def asset_shape(venue: Venue, account: Account, currency: str) -> dict[str, Any]:
    wallet = account.wallet(currency)
    free = number(max(available(venue, account, currency=currency), ZERO))
    worth = equity(venue, account, currency=currency)
    margin = position_margin(venue, account, currency=currency)
    return {
        "currency": currency,
        "positionMargin": number(margin),
        "availableBalance": free,
        "cashBalance": number(wallet.cash),
        "frozenBalance": number(wallet.frozen),
        "equity": number(worth),
        "unrealized": number(worth - wallet.cash),
        "bonus": 0,
        "availableCash": free,
        "availableOpen": free,
        "debtAmount": 0,
        "contributeMarginAmount": 0,
        "vcoinId": f"paper{currency.lower()}",
    }


def fee_shape(account: Account, symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "originalMakerFee": number(MAKER_RATE),
        "originalTakerFee": number(TAKER_RATE),
        "realMakerFee": number(MAKER_RATE),
        "realTakerFee": number(TAKER_RATE),
        "joinDiscount": False,
        "enjoyDiscount": False,
        "discountRate": 0,
        "joinDeduct": False,
        "enjoyDeduct": False,
        "deductRate": 0,
        "dealAmount": 0,
        "walletBalance": number(account.wallet(FEE_CURRENCY_DEFAULT).cash),
        "inviterKyc": "",
        "level": 0,
        "feeType": 1,
        "agentFee": False,
        "feeRateMode": "NORMAL",
        "leverageFeeRates": [],
        "tieredFeeRates": [],
    }
