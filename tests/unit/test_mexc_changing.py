"""What the reply to a change means: a success may hide refusals, and only what was confirmed is
done.
"""

import msgspec
import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Change
from libs.common.contracts.words import ChangeKind, ClientOrderId, VenueSymbol
from services.executor.exchange import Done, NotSent, RateLimited, Rejected, Unknown
from services.executor.mexc import changing
from services.executor.mexc.changing import judge_cancel, judge_changing, judge_items, judge_making
from tests.factories import D
from tests.recorded import reply
from tests.unit.mexc_calls import make_transfer

BTC = VenueSymbol("BTC_USDT")
RECORDED_IDS = ("101716841474621953", "108885377779302912", "108886241042563584")
DONE = b'{"success":true,"code":0}'
HTML = b"<html>denied</html>"


def refusal(code, message="no"):
    return make_transfer(msgspec.json.encode({"success": False, "code": code, "message": message}))


def items(*outcomes):
    data = [{"orderId": id_, "errorCode": code, "errorMsg": text} for id_, code, text in outcomes]
    return make_transfer(msgspec.json.encode({"success": True, "code": 0, "data": data}))


def steps(kind, *ids, **fields):
    change = Change(
        change_id=ClientOrderId("ch"), kind=ChangeKind(kind), exchange_ids=ids, **fields
    )
    return changing.steps(change, symbol=BTC)


EVERY_JUDGE = [
    judge_making,
    judge_changing,
    lambda transfer: judge_cancel(transfer, id_="7"),
    lambda transfer: judge_items(transfer, ids=["7"]),
]


@pytest.mark.parametrize("judge", EVERY_JUDGE)
class TestEveryChange:
    @pytest.mark.parametrize("code", [510, 2037])
    def test_too_frequent(self, judge, code):
        limited = judge(refusal(code))
        assert isinstance(limited, RateLimited)
        assert limited.code == code

    @pytest.mark.parametrize("code", [500, 501, 3016, 9999, 603, 2042])
    def test_code_that_leaves_the_outcome_open(self, judge, code):
        unknown = judge(refusal(code))
        assert isinstance(unknown, Unknown)
        assert str(code) in unknown.why

    @pytest.mark.parametrize(
        ("code", "cause"),
        [(406, Cause.IP), (5003, Cause.TRIGGER), (2009, Cause.POSITION), (31337, Cause.OTHER)],
    )
    def test_refused(self, judge, code, cause):
        transfer = refusal(code, "签名验证失败!")
        assert judge(transfer) == Rejected(
            code=code, message="签名验证失败!", kind=cause, call=transfer.call
        )

    @pytest.mark.parametrize(("body", "status"), [(HTML, 403), (b"", 502), (DONE, 504)])
    def test_reply_that_proves_nothing(self, judge, body, status):
        assert isinstance(judge(make_transfer(body, status=status)), Unknown)

    def test_no_reply(self, judge):
        unknown = judge(make_transfer(error="ServerDisconnectedError"))
        assert isinstance(unknown, Unknown)
        assert unknown.why == "ServerDisconnectedError"

    def test_no_connection(self, judge):
        assert isinstance(judge(make_transfer(left=False, error="refused")), NotSent)


@pytest.mark.parametrize(
    ("data", "made"),
    [
        ('"739218627261666816"', "739218627261666816"),
        ("9007199254740993", "9007199254740993"),
        ('{"id":9007199254740993}', "9007199254740993"),
        ("null", None),
        ('""', None),
        ('[{"symbol":"BTC_USDT"}]', None),
        ('"\udcff"', None),
    ],
)
def test_what_was_made_is_done_whatever_form_its_id_takes(data, made):
    body = f'{{"success":true,"code":0,"data":{data}}}'.encode(errors="surrogateescape")
    done = judge_making(make_transfer(body))
    assert isinstance(done, Done)
    assert done.exchange_id == made


def test_changed_without_data_is_done():
    assert isinstance(judge_changing(make_transfer(DONE)), Done)


@pytest.mark.parametrize("code", [2040, 2041, 5002])
def test_canceling_what_is_gone_is_done_and_said(code):
    done = judge_cancel(refusal(code, "order not exist"), id_="7")
    assert isinstance(done, Done)
    assert done.message == "7: order not exist"


def test_gone_without_words_is_said_by_its_code():
    done = judge_cancel(refusal(2040, ""), id_="7")
    assert isinstance(done, Done)
    assert done.message == "7: 2040"


@pytest.mark.parametrize("code", [2040, 2041, 5002])
def test_changing_what_is_gone_is_rejected(code):
    assert isinstance(judge_changing(refusal(code)), Rejected)


def test_recorded_cancel_hides_two_that_were_gone():
    done = judge_items(make_transfer(reply("cancel")), ids=RECORDED_IDS)
    assert isinstance(done, Done)
    assert done.message == (
        "101716841474621953: order not exist; 108885377779302912: order state cannot be cancelled"
    )


def test_item_with_any_other_error_is_a_rejection():
    rejected = judge_items(items((7, 0, "success"), (8, 704, "no permission")), ids=["7", "8"])
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.kind) == (704, Cause.PERMISSION)
    assert rejected.message == "8: no permission"


def test_item_that_was_too_frequent_and_one_that_is_open():
    assert isinstance(judge_items(items((7, 510, "too frequent")), ids=["7"]), RateLimited)
    assert isinstance(judge_items(items((7, 500, "error")), ids=["7"]), Unknown)


@pytest.mark.parametrize("transfer", [items((8, 0, "success")), items(), make_transfer(DONE)])
def test_item_that_is_missing_is_unknown(transfer):
    unknown = judge_items(transfer, ids=["7"])
    assert isinstance(unknown, Unknown)
    assert "7" in unknown.why


@pytest.mark.parametrize("data", ['"done"', "[{}]", '[{"orderId":7}]', '["\udcff"]'])
def test_items_that_cannot_be_read_are_unknown(data):
    body = f'{{"success":true,"code":0,"data":{data}}}'.encode(errors="surrogateescape")
    assert isinstance(judge_items(make_transfer(body), ids=["7"]), Unknown)


def test_items_with_text_ids_and_text_codes():
    assert isinstance(judge_items(items(("7", "0", None)), ids=["7"]), Done)


def test_orders_are_canceled_fifty_at_a_time():
    ids = [str(number) for number in range(101)]
    bodies = [msgspec.json.decode(step.body) for step in steps("cancel_orders", *ids)]
    assert [len(body) for body in bodies] == [50, 50, 1]
    assert [str(id_) for body in bodies for id_ in body] == ids


@pytest.mark.parametrize(
    ("kind", "path"),
    [("cancel_triggers", changing.PLAN_CANCEL), ("cancel_trails", changing.TRACK_CANCEL)],
)
def test_others_are_canceled_one_at_a_time(kind, path):
    """Their replies do not tell what became of each of several."""
    asked = steps(kind, "7", "8")
    assert [step.path for step in asked] == [path, path]
    assert ["8" in step.body for step in asked] == [False, True]


def test_moving_protection_to_nothing_cancels_it():
    [step] = steps("move_protection", "7")
    assert step.path == changing.STOP_CANCEL
    [step] = steps("move_protection", "7", target_price=D(1))
    assert step.path == changing.STOP_CHANGE


@pytest.mark.parametrize("kind", sorted(set(ChangeKind) - {ChangeKind.TRAIL}))
def test_change_that_names_nothing_is_an_error(kind):
    with pytest.raises(ValueError, match="names nothing"):
        steps(kind)
