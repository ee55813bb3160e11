"""What a halt holds back: by scope, the broadest first."""

import pytest

from libs.common.contracts.reasons import Reason
from tests.factories import NOW
from tests.fake_halts import FakeHalts, make_control

ALL = make_control()
ACCOUNT = make_control("account", "paper")
ROUTE = make_control("route", "demo")


@pytest.mark.parametrize(
    ("controls", "scope"),
    [
        ([], None),
        ([ALL], "all"),
        ([ACCOUNT], "account"),
        ([ROUTE], "route"),
        ([ROUTE, ACCOUNT, ALL], "all"),
        ([ROUTE, ACCOUNT], "account"),
        ([make_control("account", "other"), make_control("route", "other")], None),
        # Neither of them is the other's name.
        ([make_control("account", "demo"), make_control("route", "paper")], None),
    ],
)
def test_the_broadest_halt_is_told(controls, scope):
    denial = FakeHalts(*controls).denial(route="demo", account="paper")
    assert (denial and denial.context["scope"]) == scope


def test_a_denial_tells_when_by_whom_and_why():
    halts = FakeHalts(make_control("route", "demo", reason="enough", by="anna"))
    denial = halts.denial(route="demo", account="paper")
    assert denial.reason is Reason.HALTED
    when = f"{NOW:%Y-%m-%d %H:%M:%S} UTC"
    assert denial.message == f"route demo was halted at {when} by anna: enough"
    assert denial.context == {"scope": "route", "id": "demo"}
    bare = FakeHalts(ALL).denial(route="demo", account="paper")
    assert bare.message == f"everything was halted at {when}"


@pytest.mark.parametrize(("scope", "id_"), [("all", "paper"), ("account", None), ("route", None)])
def test_a_halt_names_what_its_scope_asks_for(scope, id_):
    with pytest.raises(ValueError, match="a halt of"):
        make_control(scope, id_)
