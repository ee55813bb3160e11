"""What is typed into the forms of accounts in tests, and a checkup of the account it makes."""

from libs.common.contracts.checkup import AccountChecked, CheckupReason
from libs.common.contracts.words import AccountId
from tests.diagnosed import make_finding
from tests.factories import NOW

SECRET = "the-secret-key-itself"
KEY = "mx0vglABCD1234"
NEW = {
    "id": "main",
    "access_key": KEY,
    "secret_key": SECRET,
    "base_url": "http://127.0.0.1:2",
    "ws_url": "ws://127.0.0.1:2/edge",
    "position_mode": "hedge",
    "order_calls_per_2s": "4",
    "expected_addresses": "203.0.113.9",
}
EDIT = {name: text for name, text in NEW.items() if name not in {"id", "access_key", "secret_key"}}
HOSTILE = "<script>alert(1)</script>\"'\u202e"
CHECKED = AccountChecked(
    account=AccountId("main"),
    at=NOW,
    reason=CheckupReason.ASKED,
    findings=(
        make_finding("exchange", evidence="it answers"),
        make_finding("access_key", "wrong", evidence=f"code 402: {HOSTILE}", mend="run `x edit`"),
        make_finding("secret_key", "not_reached"),
    ),
    linked_addresses=("203.0.113.8",),
    key_days_left=61,
)
