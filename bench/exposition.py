"""The one thing needed of Prometheus' text: the sum of a metric's samples. Pure."""

import re

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)(?: \d+)?\Z")


def total(text: str, name: str) -> float | None:
    """Over all labels of the metric; None where there is no sample of this name."""
    values = [
        float(found[3])
        for line in text.splitlines()
        if (found := _SAMPLE.match(line)) and found[1] == name
    ]
    return sum(values) if values else None
