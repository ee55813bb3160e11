"""Every kind of reply means one thing for an order, and only a certain refusal is a refusal."""

from decimal import Decimal

import msgspec
import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import ClientOrderId
from services.executor.exchange import (
    Accepted,
    Duplicate,
    Failed,
    Found,
    NotFound,
    NotSent,
    QueryFailed,
    RateLimited,
    Rejected,
    Unknown,
)
from services.executor.mexc.replies import data_of, judge_order, judge_submission
from tests.recorded import reply
from tests.unit.mexc_calls import make_transfer

HTML_403 = b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD></HTML>"
OID = ClientOrderId("_m_903a9f81cc1148be99ac9ece15981374")


def refusal(code, message="no"):
    return msgspec.json.encode({"success": False, "code": code, "message": message})


@pytest.mark.parametrize(
    ("name", "order_id"),
    [
        ("order_created", "739113577038255616"),
        ("order_created_bare_id", "102057569836905984"),
    ],
)
def test_accepted(name, order_id):
    transfer = make_transfer(reply(name))
    submitted = judge_submission(transfer)
    assert submitted == Accepted(exchange_order_id=order_id, call=transfer.call)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2011, Cause.QUANTITY),
        (2005, Cause.MARGIN),
        (406, Cause.IP),
        (602, Cause.SIGNATURE),
        (513, Cause.TIMESTAMP),
        (704, Cause.PERMISSION),
        (7002, Cause.POSITION_MODE),
        (6022, Cause.SYSTEM),
        (31337, Cause.OTHER),
    ],
)
def test_rejected_keeps_code_and_words(code, kind):
    transfer = make_transfer(refusal(code, "签名验证失败!"))
    assert judge_submission(transfer) == Rejected(
        code=code, message="签名验证失败!", kind=kind, call=transfer.call
    )


def test_rejected_without_words():
    submitted = judge_submission(make_transfer(b'{"success":false,"code":2005,"data":null}'))
    assert isinstance(submitted, Rejected)
    assert submitted.message == ""


def test_business_reply_counts_under_any_status_of_the_api():
    submitted = judge_submission(make_transfer(refusal(406), status=403))
    assert isinstance(submitted, Rejected)


@pytest.mark.parametrize("code", [510, 2037])
def test_rate_limited_by_code(code):
    submitted = judge_submission(make_transfer(refusal(code)))
    assert isinstance(submitted, RateLimited)
    assert submitted.code == code


@pytest.mark.parametrize("body", [b"", b"<html>slow down</html>", refusal(0)])
def test_rate_limited_by_status(body):
    submitted = judge_submission(make_transfer(body, status=429))
    assert isinstance(submitted, RateLimited)
    assert submitted.code == 429


@pytest.mark.parametrize("code", [603, 2042])
def test_duplicate(code):
    submitted = judge_submission(make_transfer(refusal(code)))
    assert isinstance(submitted, Duplicate)
    assert submitted.code == code


@pytest.mark.parametrize("code", [500, 501, 3016, 9999])
def test_code_that_leaves_the_outcome_open(code):
    submitted = judge_submission(make_transfer(refusal(code)))
    assert isinstance(submitted, Unknown)
    assert str(code) in submitted.why


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (HTML_403, 403),
        (b"<html>Bad Gateway</html>", 502),
        (refusal(2011), 503),
        (reply("order_created"), 504),
        (reply("order_created"), 400),
        (b"", 302),
        (b"", 200),
        (b'{"success":true', 200),
        (b"\xff\xfe", 200),
        (b'{"success":true,"code":0}', 200),
        (b'{"success":true,"code":0,"data":{"orderId":null}}', 200),
        (b'{"success":true,"code":0,"data":{"orderId":"1\xff"}}', 200),
        (b'{"success":true,"code":0,"data":{"orderId":"\\ud800"}}', 200),
        (b'{"success":true,"code":0,"data":"\xff"}', 200),
        (b'{"success":true,"code":0,"data":' + b"[" * 50_000, 200),
    ],
)
def test_reply_that_proves_nothing_is_unknown(body, status):
    transfer = make_transfer(b"", status=status)
    transfer = type(transfer)(call=transfer.call, left=True, body=body)
    assert isinstance(judge_submission(transfer), Unknown)


def test_no_reply_is_unknown_once_sent():
    submitted = judge_submission(make_transfer(error="ServerDisconnectedError"))
    assert isinstance(submitted, Unknown)
    assert submitted.why == "ServerDisconnectedError"


def test_no_connection_is_not_sent():
    submitted = judge_submission(make_transfer(left=False, error="ClientConnectorError: refused"))
    assert isinstance(submitted, NotSent)
    assert submitted.why == "ClientConnectorError: refused"


def test_order_found():
    found = judge_order(make_transfer(reply("order_filled")), client_order_id=OID)
    assert isinstance(found, Found)
    assert found.average_price == Decimal("109777.5")


@pytest.mark.parametrize("body", [reply("order_unknown"), refusal(2040)])
def test_order_not_found(body):
    transfer = make_transfer(body)
    assert judge_order(transfer, client_order_id=OID) == NotFound(call=transfer.call)


@pytest.mark.parametrize("error_code", [22, 23])
def test_the_end_of_a_duplicate_is_not_that_of_the_order(error_code):
    """The first of that id is there, and its fate is the one that matters."""
    died = f'{{"orderId":"2","state":5,"dealVol":0,"errorCode":{error_code}}}'
    body = f'{{"success":true,"code":0,"data":{died}}}'.encode()
    query = judge_order(make_transfer(body), client_order_id=OID)
    assert isinstance(query, Failed)
    assert query.retryable
    assert "DUPLICATE" in query.message
    asked_by_its_own_id = judge_order(make_transfer(body), client_order_id=None)
    assert isinstance(asked_by_its_own_id, Found)


def test_another_order_is_no_answer():
    query = judge_order(make_transfer(reply("order_filled")), client_order_id=ClientOrderId("mine"))
    assert isinstance(query, Failed)
    assert query.retryable


@pytest.mark.parametrize(
    ("body", "status", "retryable", "code"),
    [
        (refusal(510), 200, True, 510),
        (refusal(513), 200, True, 513),
        (refusal(604), 200, True, 604),
        (refusal(406), 200, False, 406),
        (refusal(402), 200, False, 402),
        (HTML_403, 403, True, None),
        (b"", 502, True, None),
        (b'{"success":true,"code":0,"data":{"orderId":1,"state":9,"dealVol":0}}', 200, True, None),
        (b'{"success":true,"code":0,"data":{"orderId":1}}', 200, True, None),
        (None, 200, True, None),
    ],
)
def test_order_query_failed(body, status, retryable, code):
    query = judge_order(make_transfer(body, status=status), client_order_id=OID)
    assert isinstance(query, Failed)
    assert (query.retryable, query.code) == (retryable, code)


def test_question_answered():
    assert bytes(data_of(make_transfer(reply("position_mode")))) == b"1"


def test_question_refused():
    with pytest.raises(QueryFailed) as caught:
        data_of(make_transfer(reply("address_not_linked")))
    assert (caught.value.kind, caught.value.code) == (Cause.IP, 406)
    assert caught.value.message == "Accessing IP is not in the whitelist"
    assert not caught.value.retryable


def test_question_lost():
    with pytest.raises(QueryFailed) as caught:
        data_of(make_transfer(error="TimeoutError"))
    assert (caught.value.kind, caught.value.code) == (Cause.SYSTEM, None)
    assert caught.value.retryable
