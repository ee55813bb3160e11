import json
from collections import Counter

import pytest

from bench.loading import Load
from bench.matching import OrderCall, match
from bench.report import DIRECT, OURS, complaint, document, tables
from bench.results import AuditorFigures, Result, result
from bench.table import render

ALERT = "018bcfe5-6800-7000-8000-000000000001"


def make_result(*, system=OURS, order_ns=5_000_000, calls=None, refused=None) -> Result:
    load = Load(
        sent_ns={ALERT: 1_000_000},
        ack_ms=[1.0],
        refused=Counter(refused or {}),
        sent=1,
        began_ns=0,
        ended_ns=500_000_000,
    )
    if calls is None:
        calls = [OrderCall(external_oid=_oid(), received_ns=order_ns, code=0)]
    return result(
        phase="20/s",
        system=system,
        load=load,
        matched=match([ALERT], calls),
        cpu_s={"ingest": 0.25},
        rss_mib={"ingest": 40.0},
        auditor=AuditorFigures(lag_when_load_ended=3, caught_up_after_s=0.5),
        others_cores=0.5,
    )


def _oid() -> str:
    from libs.common.contracts.words import AccountId, AlertId, Effect, PositionSide
    from libs.common.domain.identity import client_order_id

    return client_order_id(
        alert=AlertId(ALERT),
        account=AccountId("a"),
        effect=Effect.OPEN,
        side=PositionSide.LONG,
        chunk=0,
        attempt=0,
    )


def test_a_result_holds_times_rates_and_cpu_an_alert():
    found = make_result()
    assert found.order_ms is not None
    assert found.order_ms.p50 == 4
    assert found.acks_rate == 2
    assert found.orders_rate == 200
    assert found.cpu_ms_per_alert("ingest") == 250
    assert found.cpu_ms_per_alert("router") is None


def test_the_document_sets_ours_beside_direct():
    results = [make_result(), make_result(system=DIRECT, order_ns=2_000_000)]
    written = document(results, machine={"cores": 2}, settings={}, restarted=[])
    assert json.loads(json.dumps(written)) == written
    assert written["agrees"] is True
    assert written["ratios"]["20/s"]["alert to order"] == {"p50": 4, "p99": 4, "max": 4}
    assert written["phases"][0]["auditor"]["lag_when_load_ended"] == 3


def test_the_tables_show_times_and_their_ratio_and_the_auditors_lag():
    text = tables([make_result(), make_result(system=DIRECT, order_ns=2_000_000)])
    line = next(line for line in text.splitlines() if line.startswith("20/s: alert to order"))
    assert line.split()[4:] == ["4.00", "4.00", "4.00", "1.00", "1.00", "1.00", "4.0", "4.0"]
    assert "3 messages behind" in text


def test_what_is_wrong_is_said():
    assert complaint(make_result()) is None
    assert "1 orders missing" in str(complaint(make_result(calls=[])))
    assert "1 refused with 503" in str(complaint(make_result(refused={"503": 1})))
    document_ = document([make_result(calls=[])], machine={}, settings={}, restarted=["nats"])
    assert document_["agrees"] is False


def test_a_table_lines_up_and_takes_only_whole_rows():
    text = render(["", "ms"], [["first", 1234.5], ["second", None], ["third", 12.345]])
    assert text.splitlines() == [
        "           ms",
        "------  -----",
        "first   1,234",
        "second      -",
        "third   12.35",
    ]
    with pytest.raises(ValueError, match="headings"):
        render(["a", "b"], [["only one"]])
