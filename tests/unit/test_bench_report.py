import json
from collections import Counter

import pytest

from bench.loading import Load
from bench.matching import OrderCall, match
from bench.report import DIRECT, OURS, USUAL, complaint, document
from bench.results import AuditorFigures, Result, result
from bench.table import render
from bench.tables import tables

ALERT = "018bcfe5-6800-7000-8000-000000000001"


def make_result(*, system=OURS, order_ns=5_000_000, calls=None, refused=None, **changes) -> Result:
    load = Load(
        sent_ns={ALERT: 1_000_000},
        ack_ms=changes.get("ack_ms", [1.0]),
        refused=Counter(refused or {}),
        sent=1,
        began_ns=0,
        ended_ns=500_000_000,
    )
    if calls is None:
        calls = [OrderCall(external_oid=_oid(), received_ns=order_ns, code=0)]
    return result(
        phase=changes.get("phase", "20/s"),
        system=system,
        load=load,
        matched=match([ALERT], calls),
        cpu_s={"ingest": 0.25, "router": 0.5, "nats": 1.0} if system == OURS else {system: 0.125},
        rss_mib={"ingest": 40.0, "router": 30.0, "nats": 99.0} if system == OURS else {system: 9.0},
        auditor=AuditorFigures(
            lag_when_load_ended=3,
            caught_up_after_s=0.5,
            rows=4,
            rows_rate=8,
            rows_rate_storing=40,
        ),
        others_cores=0.5,
        one_way_ms=changes.get("one_way_ms", 0),
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
    assert found.cpu_ms_per_alert("auditor") is None
    assert found.services_mib == 70


def test_the_way_to_a_far_exchange_is_taken_off():
    found = make_result(one_way_ms=3)
    assert found.order_ms is not None
    assert found.beyond_way_ms is not None
    assert (found.order_ms.p50, found.beyond_way_ms.p50) == (4, 1)


def test_answers_over_half_of_the_senders_patience_are_counted():
    assert make_result(ack_ms=[1500.0, 1500.1, 2000.0]).slow_answers == 2


def test_the_document_sets_ours_beside_direct():
    results = [make_result(), make_result(system=DIRECT, order_ns=2_000_000)]
    written = document(results, machine={"cores": 2}, settings={}, restarted=[])
    assert json.loads(json.dumps(written)) == written
    assert written["agrees"] is True
    assert written["ratios"]["20/s"]["alert to order"] == {"p50": 4, "p99": 4, "max": 4}
    assert written["ratios"]["20/s"]["orders a second"] == 0.4
    assert written["phases"][0]["services_mib"] == 70
    assert written["phases"][0]["cpu_ms_per_alert"]["router"] == 500
    assert written["phases"][0]["auditor"]["lag_when_load_ended"] == 3


def test_the_tables_show_times_and_their_ratio_and_the_auditors_lag():
    text = tables([make_result(), make_result(system=DIRECT, order_ns=2_000_000)])
    line = next(line for line in text.splitlines() if line.startswith("20/s"))
    times = [*["4.00"] * 3, *["1.00"] * 3, *["-"] * 3]
    assert line.split()[1:] == [*times, "4.0", "4.0", "-", "-"]
    assert "3 messages behind" in text
    assert "8 rows/s, 40/s of the time it was storing" in text


def test_usual_is_set_over_ours():
    results = [make_result(), make_result(system=USUAL, order_ns=13_000_000)]
    written = document(results, machine={}, settings={}, restarted=[])
    assert written["ratios_of_usual"]["20/s"]["alert to order"]["p99"] == 3
    line = next(line for line in tables(results).splitlines() if line.startswith("20/s"))
    assert line.split()[-2:] == ["3.0", "3.0"]


def test_what_a_far_exchange_adds_is_told_beside_the_near_one():
    far = make_result(phase="20/s, exchange 2 ms away", order_ns=8_000_000, one_way_ms=2)
    text = tables([make_result(), far])
    line = next(line for line in text.splitlines() if line.startswith("20/s, exchange 2 ms away: "))
    assert line.split()[6:] == [*["5.00"] * 3, *["4.00"] * 3, "1.00", "1.00"]
    assert "less the way" not in tables([make_result()])


def test_processes_are_told_by_alert_and_the_services_together():
    text = tables([make_result(), make_result(system=DIRECT)])
    lines = {line.split("  ")[0]: line.split()[-2:] for line in text.splitlines()}
    assert lines["router"] == ["500.0", "30.00"]
    assert lines["the five services"] == ["750.0", "70.00"]
    assert lines["direct"] == ["125.0", "9.00"]


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
