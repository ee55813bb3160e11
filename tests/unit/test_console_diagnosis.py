"""What the console asks for and shows of a diagnosis, from an alert's rows."""

from datetime import timedelta

import msgspec

from libs.common.contracts.causes import Cause
from libs.common.contracts.reasons import Reason
from libs.common.domain.diagnosis.checklist import CheckName
from services.console.lines import alert_line
from services.console.rendering import alert_document, to_diagnose
from tests.diagnosed import make_checkup, make_finding
from tests.factories import ALERT_ID, make_alert, make_intent, make_leg
from tests.traced import rows_of
from tests.trail_messages import make_denied, make_execution, make_flattening, make_plan

BEFORE = (make_alert(), make_intent(), make_plan(make_leg(client_order_id="o1")))
FORBIDDEN = make_execution("rejected", code=6001, cause=Cause.OTHER, message="Trading is forbidden")


def test_checkups_are_asked_for_only_where_something_went_wrong():
    second = make_denied(Reason.ACCOUNT_UNKNOWN, account="second")
    assert to_diagnose(rows_of(*BEFORE)) == []
    assert to_diagnose(rows_of(*BEFORE, make_execution("filled"))) == []
    assert to_diagnose(rows_of(make_flattening())) == []
    assert to_diagnose(rows_of(*BEFORE, FORBIDDEN)) == ["paper"]
    assert to_diagnose(rows_of(*BEFORE, FORBIDDEN, second)) == ["paper", "second"]
    assert to_diagnose(rows_of(make_alert(), make_denied(Reason.ROUTE_UNKNOWN))) == []


def test_a_document_has_the_lines_as_the_api_promises_them():
    checkup = make_checkup(make_finding("permissions", "ok", "all there"))
    document = alert_document(ALERT_ID, rows_of(*BEFORE, FORBIDDEN), checkups=[checkup])
    lines = msgspec.json.decode(msgspec.json.encode(document["diagnosis"]))
    assert [line["check"] for line in lines] == [name.value for name in CheckName]
    assert {"ok", "wrong", "unknown"} == {line["state"] for line in lines}
    assert all(set(line) == {"check", "state", "evidence", "mend"} for line in lines)
    assert lines[3]["evidence"].startswith("all there (checkup of ")


def test_what_is_looked_at_because_of_an_alert_is_not_its_own_time():
    *rows, checked = rows_of(*BEFORE, FORBIDDEN, make_checkup(alert_id=ALERT_ID))
    alone = alert_line(1, ALERT_ID, rows)
    assert checked.at - rows[-1].at == timedelta(milliseconds=2)
    assert alert_line(1, ALERT_ID, [*rows, checked])["elapsed_ms"] == alone["elapsed_ms"]
