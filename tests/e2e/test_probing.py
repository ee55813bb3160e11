"""`alertwire ops probe` on the running stack: what `helm test` runs."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.e2e.running_stack import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def probe(stack, tmp_path):
    """Runs it as in the cluster: the webhook and the token in files, no folder of a stack."""
    found = stack.description
    webhook, token = tmp_path / "webhook", tmp_path / "token"
    webhook.write_text(found["demo"]["webhook"] + "\n")
    token.write_text(found["console_token"] + "\n")
    paper = urlsplit(found["paper_exchange"]).netloc

    def run(*arguments, at=paper, by=("--webhook-file", str(webhook))):
        environ = {name: text for name, text in os.environ.items() if "ALERTWIRE" not in name}
        places = {
            "ALERTWIRE_CONSOLE_URL": found["console"],
            "ALERTWIRE_CONSOLE_TOKEN_FILE": str(token),
        }
        done = subprocess.run(
            [
                sys.executable,
                *("-m", "tools.cli", "ops", "probe", *by),
                f"--account-must-be-at={at}",
                *arguments,
            ],
            cwd=ROOT,
            env=environ | places,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        shown = done.stdout + done.stderr
        assert urlsplit(found["demo"]["webhook"]).path.rsplit("/", 1)[-1] not in shown
        assert found["console_token"] not in shown
        return done

    return run


async def test_an_alert_is_executed_and_what_it_opened_is_closed(trader, probe):
    before = len(await trader.orders_received())
    done = probe()
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "the webhook is of route demo"
    assert [line for line in lines if line == "executed"] == ["executed"] * 2
    stages = [line.split()[-1] for line in lines if " ms  " in line]
    assert stages[:2] == ["alert.received", "intent.accepted"]
    assert stages.count("execution.filled") == 2
    assert await trader.holdings() == {}
    assert len(await trader.orders_received()) == before + 2


async def test_what_it_opened_may_stay(trader, probe):
    assert probe("--keep", "--contracts", "0.002").returncode == 0
    assert await trader.holdings() == {"long": 20}


async def test_where_only_tradingview_is_let_in_the_console_sends(trader, probe):
    done = probe("--keep", by=("--route", "demo"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert await trader.holdings() == {"long": 10}


@pytest.mark.parametrize("by", ["webhook", "console"])
async def test_nothing_is_sent_where_an_account_is_elsewhere(trader, probe, by):
    how = {"by": ("--route", "demo")} if by == "console" else {}
    before = await trader.orders_received()
    done = probe(at="paper.example.org", **how)
    assert done.returncode == 1
    assert "nothing was sent" in done.stderr
    assert await trader.orders_received() == before


async def test_what_is_not_executed_fails(trader, probe):
    before = await trader.orders_received()
    done = probe("--ticker", "NOSUCHUSDT.P")
    assert done.returncode == 1
    assert "denied" in done.stdout
    assert await trader.orders_received() == before


async def test_an_unknown_webhook_fails_before_anything_else(trader, probe, tmp_path):
    file = tmp_path / "other"
    file.write_text(trader.demo["webhook"] + "x")
    done = probe(by=("--webhook-file", str(file)))
    assert done.returncode == 1
    assert "404" in done.stderr
