"""Months ahead are counted when Prometheus asks, so that they fall where nobody makes any more."""

from datetime import date

import pytest
from prometheus_client import REGISTRY

from services.auditor.upkeep import tell_partitions


@pytest.mark.parametrize(
    ("today", "months"),
    [
        (date(2026, 11, 29), 3),
        (date(2026, 12, 1), 2),
        (date(2027, 2, 28), 0),
        (date(2027, 6, 1), 0),
    ],
)
def test_months_ahead(today, months):
    tell_partitions(date(2027, 2, 1), today=lambda: today)
    assert REGISTRY.get_sample_value("alertwire_audit_partitions_ahead_months") == months


def test_none_at_all():
    tell_partitions(None)
    assert REGISTRY.get_sample_value("alertwire_audit_partitions_ahead_months") == 0
