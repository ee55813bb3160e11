"""MEXC's objects with MEXC's field names, made from the engine's state."""

from decimal import Decimal
from typing import Any

from tools.paper_exchange.engine.checking import leverage_choice
from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.margin import (
    MAKER_RATE,
    TAKER_RATE,
    available,
    average,
    equity,
    initial_margin,
    liquidation_price,
    position_margin,
    unrealised,
)
from tools.paper_exchange.engine.state import ZERO, Account, Order, Position, Price
from tools.paper_exchange.engine.words import OpenType, PositionType
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
        "category": 1,
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
        "bboTypeNum": 0,
        "totalFee": number(order.taker_fee + order.maker_fee),
        "zeroSaveTotalFeeBinance": 0,
        "zeroTradeTotalFeeBinance": 0,
    }
    for name, value in order.attached.items():
        shape[name] = number(value) if isinstance(value, Decimal) else value
    return shape


def deal_shapes(venue: Venue, order: Order) -> list[dict[str, Any]]:
    return [
        {
            "id": str(deal.id),
            "symbol": order.symbol,
            "side": order.side,
            "vol": number(deal.vol),
            "price": number(deal.price),
            "fee": number(deal.fee),
            "feeCurrency": venue.contracts[order.symbol].settle_coin,
            "profit": number(deal.profit),
            "category": 1,
            "orderId": str(order.id),
            "timestamp": deal.at_ms,
            "positionMode": order.position_mode,
            "taker": deal.taker,
            "isTaker": deal.taker,
        }
        for deal in order.deals
    ]


def position_shape(venue: Venue, account: Account, position: Position) -> dict[str, Any]:
    contract = venue.contracts[position.symbol]
    held = average(position.cost, position.hold_vol)
    opened = average(position.open_value, position.open_vol)
    closed = average(position.close_value, position.close_vol)
    margin = initial_margin(position, contract)
    realised = position.profit - position.fees
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
        "oim": number(margin),
        "im": number(margin),
        "holdFee": 0,
        "realised": number(realised),
        "leverage": position.leverage,
        "marginRatio": number(_margin_ratio(venue, account, position=position)),
        "autoAddIm": False,
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


def leverage_shape(account: Account, contract: Contract, kind: PositionType) -> dict[str, Any]:
    choice = leverage_choice(account, contract, kind)
    return {
        "positionType": kind,
        "openType": choice.open_type,
        "leverage": choice.leverage,
        "level": 1,
        "maxVol": number(contract.max_vol),
        "mmr": number(contract.maintenance_margin_rate),
        "imr": number(contract.initial_margin_rate),
        "currentMmr": number(contract.maintenance_margin_rate),
        "maxLeverageView": contract.max_leverage,
        "limitBySys": False,
    }


def asset_shape(venue: Venue, account: Account, currency: str) -> dict[str, Any]:
    wallet = account.wallet(currency)
    free = number(available(account, venue.contracts, currency))
    worth = equity(account, state=venue.state, contracts=venue.contracts, currency=currency)
    return {
        "currency": currency,
        "positionMargin": number(position_margin(account, venue.contracts, currency)),
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


def ticker_shape(
    contract: Contract, price: Price, *, funding_rate: Decimal, now_ms: int
) -> dict[str, Any]:
    last = number(price.last)
    return {
        "contractId": contract.id,
        "symbol": contract.symbol,
        "lastPrice": last,
        "bid1": last,
        "ask1": last,
        "volume24": 0,
        "amount24": 0,
        "holdVol": 0,
        "lower24Price": last,
        "high24Price": last,
        "riseFallRate": 0,
        "riseFallValue": 0,
        "indexPrice": number(price.index),
        "fairPrice": number(price.fair),
        "fundingRate": number(funding_rate),
        "maxBidPrice": number(contract.max_bid_price(price.index)),
        "minAskPrice": number(contract.min_ask_price(price.index)),
        "timestamp": now_ms,
    }


def _margin_ratio(venue: Venue, account: Account, *, position: Position) -> Decimal:
    # Maintenance margin over what stands behind it; 1 is where the venue would liquidate.
    contract = venue.contracts[position.symbol]
    fair = venue.state.prices[position.symbol].fair
    notional = fair * position.hold_vol * contract.contract_size
    behind = initial_margin(position, contract) + unrealised(position, contract, fair)
    if position.open_type is OpenType.CROSS:
        coin = contract.settle_coin
        behind = equity(account, state=venue.state, contracts=venue.contracts, currency=coin)
    if behind <= 0:
        return Decimal(1)
    return round(min(notional * contract.maintenance_margin_rate / behind, Decimal(1)), 4)
