"""Replies are read whatever form their ids, numbers and lists take, and decimals stay exact."""

from decimal import Decimal

import msgspec
import pytest

from services.executor.mexc import wire
from tests.recorded import FOLDER, reply


def raw(text):
    return msgspec.Raw(text.encode())


def data_of(name):
    return wire.envelope(reply(name)).data


def test_envelope_without_data():
    envelope = wire.envelope(reply("order_unknown"))
    assert envelope.success
    assert not envelope.has_data


def test_envelope_with_null_data_has_none():
    assert not wire.envelope(b'{"success":true,"code":0,"data": null }').has_data


def test_envelope_of_a_failure_keeps_code_and_words():
    envelope = wire.envelope(reply("order_quantity_error"))
    assert (envelope.success, envelope.code, envelope.message) == (
        False,
        2011,
        "Order quantity error",
    )


@pytest.mark.parametrize("body", [b"<html></html>", b"", b"[]", b'{"code":0}', b'"ok"', b"\xff"])
def test_envelope_refuses_what_is_not_of_the_api(body):
    with pytest.raises(ValueError, match=r".*"):
        wire.envelope(body)


@pytest.mark.parametrize(
    ("data", "order_id"),
    [
        ('{"orderId":"739113577038255616","ts":1761888808839}', "739113577038255616"),
        ('{"orderId":739113577038255617}', "739113577038255617"),
        ("9007199254740993", "9007199254740993"),
        ('"102057569836905984"', "102057569836905984"),
    ],
)
def test_created_order_id_as_text_or_number_bare_or_inside(data, order_id):
    assert wire.created_order_id(raw(data)) == order_id


@pytest.mark.parametrize(
    "data", ["null", "{}", '{"orderId":null}', "[]", '""', "0", '{"orderId":""}', '{"orderId":"0"}']
)
def test_created_without_an_id_is_an_error(data):
    with pytest.raises(msgspec.ValidationError):
        wire.created_order_id(raw(data))


def test_recorded_order():
    order = wire.order(data_of("order_filled"))
    assert order.order_id == "739106551624717312"
    assert order.deal_avg_price == Decimal("109777.5")
    assert order.deal_vol == 5
    assert order.external_oid == "_m_903a9f81cc1148be99ac9ece15981374"


def test_order_with_nothing_but_what_is_needed():
    order = wire.order(raw('{"orderId":9007199254740993,"state":"3","dealVol":"0.30"}'))
    assert str(order.order_id) == "9007199254740993"
    assert order.state == 3
    assert str(order.deal_vol) == "0.30"
    assert order.taker_fee is None
    assert order.error_code is None


@pytest.mark.parametrize("number", ["0.1", "1e-10", "123456789012345.123456789012345678"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_decimals_are_exact_as_number_and_as_text(number, quote):
    order = wire.order(raw(f'{{"orderId":1,"state":2,"dealVol":{quote}{number}{quote}}}'))
    assert order.deal_vol == Decimal(number)


@pytest.mark.parametrize("number", ['"NaN"', '"Infinity"', '"1e400"', "1e400", "true", '""'])
def test_decimals_that_nobody_can_compare_are_refused(number):
    with pytest.raises(msgspec.ValidationError):
        wire.order(raw(f'{{"orderId":1,"state":2,"dealVol":{number}}}'))


def test_position_row_with_text_numbers():
    position = wire.row(
        raw(
            '{"positionId":"9007199254740993","symbol":"BTC_USDT","positionType":"2","openType":2,'
            '"state":1,"holdVol":"7","holdAvgPrice":"1e-7","leverage":"20","brandNew":{"a":1}}'
        ),
        wire.Position,
    )
    assert (position.position_type, position.leverage, position.frozen_vol) == (2, 20, Decimal(0))
    assert position.hold_avg_price == Decimal("0.0000001")


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ("[]", 0),
        ("null", 0),
        ('[{"a":1},{"a":2}]', 2),
        ('{"pageSize":20,"totalCount":1,"resultList":[{"a":1}]}', 1),
    ],
)
def test_rows_bare_paged_or_absent(data, count):
    assert len(wire.rows(raw(data))) == count


@pytest.mark.parametrize("data", ["2", '"2"', '{"positionMode":2}'])
def test_position_mode_bare_or_inside(data):
    assert wire.position_mode(raw(data)) == 2


def test_catalogue_rows_are_exact():
    detail = wire.envelope((FOLDER / "contract_detail.json").read_bytes())
    contracts = [wire.row(row, wire.ContractDetail) for row in wire.rows(detail.data)]
    ticks = {contract.symbol: contract.price_unit for contract in contracts}
    assert ticks["PEPE_USDT"] == Decimal("0.0000000001")
    assert ticks["BTC_USDT"] == Decimal("0.1")
