"""The account's form: what is typed becomes what the API takes, and what it refuses stands beside
the field that it is about.
"""

from base64 import b64encode

import pytest

from libs.common.contracts.words import PositionMode
from services.console.drafting import BOX_OVERHEAD, changed_account, new_account
from services.console.problems import Problem
from services.console.web.accounts.typed import FIELDS, fault_of, fresh, judged, typed_of
from services.console.web.routes.typed import NO_KEY_CAME, Typed
from tests.factories import make_account

BOX = b64encode(bytes(BOX_OVERHEAD + 8)).decode()
NEW = {
    "id": "main",
    "access_key": " mx0vglABCD1234\n",
    "sealed_secret_key": BOX,
    "base_url": "https://api.mexc.com/",
    "ws_url": "wss://contract.mexc.com/edge",
    "position_mode": "one_way",
    "order_calls_per_2s": "3",
    "expected_addresses": "203.0.113.9, 203.0.113.10\n198.51.100.0/24",
}


def typed(**changes):
    return Typed({**NEW, **changes}.items())


def test_what_is_typed_becomes_an_account():
    document, faults = judged(typed())
    assert faults == []
    draft = new_account(document)
    assert (draft.sealed, draft.secret_key) == (bytes(BOX_OVERHEAD + 8), None)
    account = draft.account
    assert (account.id, account.access_key) == ("main", "mx0vglABCD1234")
    assert account.base_url == "https://api.mexc.com"
    assert (account.position_mode, account.order_calls_per_2s) == (PositionMode.ONE_WAY, 3)
    assert account.expected_addresses == ("203.0.113.9", "203.0.113.10", "198.51.100.0/24")


def test_a_fresh_form_is_mexcs_and_lacks_name_and_key_alone():
    _, faults = judged(fresh())
    assert {each.field for each in faults} == {"id", "access_key", "secret_key"}
    assert fresh().one("base_url") == "https://api.mexc.com"


def test_a_secret_as_it_is_typed_is_taken_where_there_is_no_script():
    document, faults = judged(typed(sealed_secret_key="", secret_key=" s3 "))
    assert faults == []
    secret = new_account(document).secret_key
    assert secret is not None
    assert secret.reveal() == "s3"


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        pytest.param({"id": "Main"}, "id", "Small letters", id="name"),
        pytest.param({"id": "new"}, "id", "A page has this name", id="a-pages-name"),
        pytest.param({"access_key": ""}, "access_key", "as MEXC shows it", id="no-access-key"),
        pytest.param({"sealed_secret_key": ""}, "secret_key", NO_KEY_CAME, id="no-secret"),
        pytest.param({"sealed_secret_key": "eA=="}, "secret_key", NO_KEY_CAME, id="no-box"),
        pytest.param({"secret_key": "too"}, "secret_key", NO_KEY_CAME, id="both"),
        pytest.param({"position_mode": "both"}, "position_mode", "one-way", id="mode"),
        pytest.param({"order_calls_per_2s": "few"}, "order_calls_per_2s", "whole", id="calls"),
        pytest.param({"order_calls_per_2s": "0"}, "order_calls_per_2s", "whole", id="no-calls"),
        pytest.param({"order_calls_per_2s": "9" * 5000}, "order_calls_per_2s", "", id="digits"),
        pytest.param({"expected_addresses": "here"}, "expected_addresses", "here", id="address"),
        pytest.param({"base_url": "api.mexc.com"}, "base_url", "https://", id="rest"),
        pytest.param({"ws_url": "https://x"}, "ws_url", "wss://", id="socket"),
    ],
)
def test_what_can_never_work_is_said_at_its_field(change, field, text):
    _, faults = judged(typed(**change))
    assert [each.field for each in faults] == [field]
    assert text in faults[0].text


def test_all_that_is_wrong_is_said_at_once():
    _, faults = judged(Typed([("id", "A b"), ("order_calls_per_2s", "x")]))
    assert {each.field for each in faults} == {
        *("id", "access_key", "secret_key", "base_url", "ws_url"),
        *("position_mode", "order_calls_per_2s"),
    }


def test_the_form_of_an_account_changes_nothing_by_itself():
    account = make_account(expected_addresses=("203.0.113.9",), access_key="mx0vglABCD1234")
    form = typed_of(account)
    assert not any(form.one(name) for name in ("access_key", "secret_key", "sealed_secret_key"))
    document, faults = judged(form, account=account)
    assert faults == []
    draft = changed_account(account, document)
    assert (draft.account, draft.secret_key, draft.sealed) == (account, None, None)


def test_a_cleared_field_takes_its_default_and_the_id_stays():
    account = make_account(order_calls_per_2s=7, expected_addresses=("203.0.113.9",))
    form = Typed([("id", "other"), ("base_url", account.base_url), ("ws_url", account.ws_url)])
    document, faults = judged(form, account=account)
    assert [each.field for each in faults] == ["position_mode"]
    changed = changed_account(account, {**document, "position_mode": "hedge"}).account
    assert (changed.id, changed.order_calls_per_2s, changed.expected_addresses) == ("paper", 4, ())


def test_a_refusal_that_belongs_to_no_field_stands_above_them():
    fault = fault_of(Problem(503, "The log does not answer (`x`)."))
    assert fault.field not in FIELDS
    assert fault.text == "The log does not answer (x)."
    assert fault_of(Problem(409, "There is one.", field="id")).text == "There is one."
