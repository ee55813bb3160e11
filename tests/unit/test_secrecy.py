"""The helper that looks for secrets in pages finds them: one that cannot fail is a defect."""

import base64

import pytest

from tests.secrecy import assert_no_secrets

SECRET = "s3cret/<key>&more"


@pytest.mark.parametrize(
    "page",
    [
        f"<p>{SECRET}</p>",
        "<p>s3cret/&lt;key&gt;&amp;more</p>",
        "<a href='/x?s3cret/%3Ckey%3E%26more'>",
        f"<p>{SECRET[:13]}***</p>",
        f"<p>***{SECRET[-13:]}</p>",
        f"<p>{base64.b64encode(SECRET.encode()).decode()}</p>",
        f"<p>{'ab' * 32}</p>",
        "<p>$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA</p>",
    ],
    ids=["plain", "escaped", "quoted", "begin", "end", "base64", "sha256", "argon2"],
)
def test_a_secret_is_found_in_every_spelling(page):
    with pytest.raises(AssertionError):
        assert_no_secrets(page, SECRET)


def test_a_page_without_is_fine():
    assert_no_secrets("<p>***1234 is halted</p>", SECRET)
