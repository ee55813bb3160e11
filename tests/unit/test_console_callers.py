"""Who makes a change, as the console reads it from the request."""

import pytest
from litestar.testing import RequestFactory

from libs.common.bus import HEADER_MADE_BY
from services.console.callers import HEADER, NAME_CHARS_MAX, caller_of
from tools.cli.calling import BY_HEADER


def test_one_name_for_the_header_on_all_its_ways():
    assert HEADER == BY_HEADER == HEADER_MADE_BY


@pytest.mark.parametrize(
    ("sent", "made_by"),
    [
        (None, "console"),
        ("", "console"),
        ("  ", "console"),
        ("anna", "anna"),
        ("Jürgen", "Jürgen"),
        ("a\tb\x1b[31m", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[31m"),
        ("x" * 500, "x" * NAME_CHARS_MAX),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_one(sent, made_by):
    # A server hands the header's bytes on as latin-1.
    headers = {} if sent is None else {HEADER: sent.encode().decode("latin-1")}
    request = RequestFactory().get("/", headers=headers)
    request.scope["client"] = ("192.0.2.7", 4711)
    assert caller_of(request).made_by == f"{made_by} from 192.0.2.7"


def test_bytes_that_are_no_text_are_no_error():
    request = RequestFactory().get("/", headers={HEADER: "\xff\xfe"})
    assert "\N{REPLACEMENT CHARACTER}" in caller_of(request).name
