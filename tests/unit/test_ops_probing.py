"""What keeps `alertwire ops probe` from trading real money, and from telling its webhook."""

import pytest

from libs.common.contracts.route import RouteAccount
from tests.cli_console import answering, documents_of, run
from tests.factories import make_account, make_settings
from tools.cli.ops_probing import outside, reached

PAPER, REAL = "http://paper.example.org:8080", "https://api.mexc.com"


@pytest.mark.parametrize(
    ("base_url", "hosts", "is_outside"),
    [
        ("https://paper.example.org", ["paper.example.org"], False),
        (PAPER, ["paper.example.org"], False),
        (PAPER, ["paper.example.org:8080"], False),
        (PAPER, ["paper.example.org:8081"], True),
        (PAPER, ["example.org"], True),
        (PAPER, ["other.example.org", "paper.example.org"], False),
        ("http://127.0.0.1:8402", ["127.0.0.1:8402"], False),
        ("http://[::1]:8402", ["[::1]:8402"], False),
        (REAL, ["paper.example.org"], True),
        (REAL, ["api.mexc.com"], True),
        ("https://API.MEXC.COM", ["api.mexc.com"], True),
        ("https://contract.mexc.co", ["contract.mexc.co"], True),
        ("http://api.mexc.com.example.org", ["api.mexc.com.example.org"], False),
    ],
)
def test_an_account_is_at_a_host_that_was_named_or_it_is_not_traded(base_url, hosts, is_outside):
    account = {"id": "main", "base_url": base_url}
    assert outside([account], hosts=hosts) == ([f"main is at {base_url}"] if is_outside else [])


@pytest.mark.parametrize("host", ["api.mexc.com", "mexc.com:443", "contract.MEXC.com"])
def test_mexc_itself_cannot_be_named(tmp_path, host):
    with answering({}) as console:
        done = run(
            tmp_path, console, "ops", "probe", "--route", "btc", "--account-must-be-at", host
        )
    assert done.exit_code == 2
    assert "MEXC itself" in done.output


def test_one_account_of_the_route_elsewhere_is_enough(tmp_path):
    """The console here knows no POST, so that anything that was sent would be told."""
    accounts = [
        make_account(id="paper", base_url=PAPER),
        make_account(id="real", base_url=REAL),
    ]
    parts = tuple(RouteAccount(account=account.id) for account in accounts)
    route = make_settings(accounts=parts)
    documents = documents_of(route, accounts=accounts, instruments=[])
    with answering(documents) as console:
        done = run(
            tmp_path,
            console,
            *("ops", "probe", "--route", route.id, "--account-must-be-at", "paper.example.org"),
        )
    assert done.exit_code == 1
    assert f"real is at {REAL}" in done.output
    assert "paper is at" not in done.output


@pytest.mark.parametrize("given", [(), ("--route", "btc", "--webhook-file", "FILE")])
def test_it_comes_by_one_way(tmp_path, given):
    file = tmp_path / "webhook"
    file.write_text("http://127.0.0.1:1/hook/t")
    given = [str(file) if one == "FILE" else one for one in given]
    with answering({}) as console:
        done = run(tmp_path, console, "ops", "probe", *given, "--account-must-be-at", "paper")
    assert done.exit_code == 2
    assert "one of the two" in done.output


@pytest.mark.parametrize(
    ("webhook", "through", "url"),
    [
        ("https://hook.example.org/hook/t-_1", None, "https://hook.example.org/hook/t-_1"),
        ("https://hook.example.org/hook/t", "http://in:8080", "http://in:8080/hook/t"),
        ("https://hook.example.org/hook/t?a=b", "http://in:8080/x", "http://in:8080/hook/t?a=b"),
    ],
)
def test_the_webhook_may_be_reached_another_way(webhook, through, url):
    assert reached(webhook, through=through) == url


@pytest.mark.parametrize("text", ["", "t0ken", "hook.example.org/hook/t0ken", "ftp://h/t0ken"])
def test_what_is_no_address_is_not_told(tmp_path, text):
    file = tmp_path / "webhook"
    file.write_text(text)
    with answering({}) as console:
        done = run(
            tmp_path,
            console,
            *("ops", "probe", "--webhook-file", str(file), "--account-must-be-at", "paper"),
        )
    assert done.exit_code == 1
    assert "holds no http(s) address" in done.output
    assert "t0ken" not in done.output
