"""`/metrics` of every running service: documented, readable, with the alert behind a latency."""

import re
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from services.executor import metrics as checkups
from tools.documenting_metrics import declared, queried

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
DOCUMENTED = set(re.findall(r"^\| `(alertwire_\w+)`", PAGE.read_text(), re.MULTILINE))
ACCEPT = {"Accept": "application/openmetrics-text;version=1.0.0"}
_ADDED = {"counter": "_total", "info": "_info"}


async def families_of(trader, url):
    async with trader.session.get(f"{url}/metrics", headers=ACCEPT) as reply:
        assert reply.content_type == "application/openmetrics-text"
        text = await reply.text()
    return {
        family.name + _ADDED.get(family.type, ""): family
        for family in text_string_to_metric_families(text)
        if family.name.startswith("alertwire_")
    }


async def test_all_that_is_shown_is_documented_and_the_other_way_round(trader, stack):
    await trader.execute()
    shown = {}
    for service, url in stack.description["health"].items():
        if service != "paper_exchange":
            shown[service] = await families_of(trader, url)
            assert shown[service].keys() <= DOCUMENTED, service
            ready = shown[service]["alertwire_ready"].samples
            assert [sample.value for sample in ready] == [1], service
    # Those of keys and addresses come with the first checkup.
    later = {queried(metric) for metric in declared(checkups)}
    assert set().union(*shown.values()) | later == DOCUMENTED


async def test_the_executors_latency_leads_to_an_alert_of_the_trail(trader, stack):
    await trader.execute()
    families = await families_of(trader, stack.description["health"]["executor"])
    samples = families["alertwire_alert_to_order_seconds"].samples
    (exemplar, *_) = [sample.exemplar for sample in samples if sample.exemplar is not None]
    trace_id = exemplar.labels["trace_id"]
    status, journey = await trader.api("GET", f"/api/alerts/{_dashed(trace_id)}")
    assert (status, journey["trace_id"]) == (200, trace_id)


async def test_accounts_and_stages_are_measured(trader, stack):
    await trader.execute()
    families = await families_of(trader, stack.description["health"]["executor"])

    def values(name, **labels):
        samples = families[name].samples
        return [one.value for one in samples if one.labels.items() >= labels.items()]

    for stage in ("planned", "sent", "acknowledged", "final"):
        assert max(values("alertwire_stage_seconds", stage=stage)) > 0, stage
    assert values("alertwire_picture_age_seconds", account="paper")
    assert values("alertwire_budget_left_calls", account="paper")[0] > 0
    assert values("alertwire_unknown_orders") == [0]
    auditor = await families_of(trader, stack.description["health"]["auditor"])
    (ahead,) = auditor["alertwire_audit_partitions_ahead_months"].samples
    assert ahead.value >= 3


def _dashed(trace_id):
    lengths = (8, 4, 4, 4, 12)
    starts = [sum(lengths[:number]) for number in range(5)]
    parts = zip(starts, lengths, strict=True)
    return "-".join(trace_id[start : start + length] for start, length in parts)
