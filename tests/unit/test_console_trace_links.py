"""The link from an alert to its trace."""

import pytest

from libs.common.settings import SettingsError
from services.console.trace_links import TraceLinks


def test_without_a_template_there_is_no_link():
    assert TraceLinks().link("ab" * 16) is None


@pytest.mark.parametrize(
    "template",
    [
        "https://jaeger.example.org/trace/{trace_id}",
        'http://grafana.example.org/explore?panes={"a":{"query":"{trace_id}"}}',
    ],
    ids=["path", "other braces"],
)
def test_the_trace_id_takes_its_place(template):
    assert TraceLinks(template).link("ab" * 16) == template.replace("{trace_id}", "ab" * 16)


@pytest.mark.parametrize(
    "template",
    [
        "https://jaeger.example.org/trace/",
        "javascript:alert('{trace_id}')",
        "jaeger.example.org/{trace_id}",
        "https:///{trace_id}",
        "https://{trace_id}.example.org/",
        "https://reader:word@jaeger.example.org/{trace_id}",
        "https://jaeger.example.org/ {trace_id}",
        "https://[jaeger/{trace_id}",
    ],
    ids=["no id", "script", "no scheme", "no host", "as host", "password", "blank", "no address"],
)
def test_what_leads_nowhere_is_told_at_the_start(template):
    with pytest.raises(SettingsError, match="ALERTWIRE_TRACE_URL"):
        TraceLinks(template)
