"""How `alertwire trace` shows the checklist."""

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckState
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from tests.factories import ALERT_ID, make_alert, make_intent, make_leg
from tests.traced import answered
from tests.trail_messages import make_denied, make_execution, make_plan
from tests.unit.cli_stand import run
from tools.cli.diagnosis import _MARKS, _STYLES, print_diagnosis

BEFORE = (make_alert(), make_intent(), make_plan(make_leg(client_order_id="o1")))
NO_MARGIN = make_execution(
    *("rejected",), code=2005, cause=Cause.MARGIN, message="Balance \x1b[31minsufficient"
)


def shown(document, *, stack, server):
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, document)]
    answer = run("trace", ALERT_ID, stack=stack)
    assert answer.exit_code == 0, answer.output
    return [line.rstrip() for line in answer.output.splitlines()]


def test_the_checklist_stands_below_the_journey(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown(answered(*BEFORE, NO_MARGIN), stack=stack, server=server)
    at = lines.index("    check           evidence, and what to do")
    assert lines[at + 2].startswith("✓   arrived         received 2026-11-23T12:00:00Z")
    assert [line.split()[1] for line in lines[at + 2 :] if line[:1].strip()] == [
        *("arrived", "json", "linked_ip", "permissions", "access_key", "secret_key", "symbol"),
        *("quantity", "margin_mode", "leverage", "position_mode", "balance", "exchange"),
    ]
    wrong = next(at for at, line in enumerate(lines) if line.startswith("✗"))
    assert lines[wrong : wrong + 3] == [
        "✗   balance         open long 10 BTC_USDT: 2005 Balance �[31minsufficient",
        "                    Transfer margin to the Futures account of paper at MEXC, or",
        "                    trade less by `alertwire routes edit demo --multiplier N`.",
    ]
    assert lines[-1] == "·   exchange        what the exchange said stands at balance"


@pytest.mark.parametrize("columns", [20, 40])
def test_a_narrow_terminal_folds_it(stack, server, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    denied = make_denied(
        *(Reason.SYMBOL_UNKNOWN, "paper"),
        denial=Denial(reason=Reason.SYMBOL_UNKNOWN, message="X" * 90),
    )
    output = "\n".join(shown(answered(make_alert(), denied), stack=stack, server=server))
    assert max(len(line) for line in output.splitlines()[1:]) <= columns
    assert output.count("X") >= 90, "nothing is cut off"


def test_what_was_executed_has_none(stack, server):
    filled = make_execution("filled", exchange_order_id="7")
    lines = shown(answered(*BEFORE, filled), stack=stack, server=server)
    assert not any("what to do" in line for line in lines)


def test_colours_say_what_is_wrong(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_diagnosis(answered(*BEFORE, NO_MARGIN)["diagnosis"])
    lines = capsys.readouterr().out.splitlines()
    assert any("\x1b[1;31m" in line and "balance" in line for line in lines)
    assert any("\x1b[2m" in line and "exchange" in line for line in lines)
    assert all("\x1b[1;31m" not in line for line in lines if "Transfer" in line)


def test_a_later_releases_line_is_shown_all_the_same(capsys):
    print_diagnosis([{"check": "moon", "state": "eclipsed", "evidence": "dark"}, {}])
    assert "moon" in capsys.readouterr().out


def test_every_state_has_its_mark():
    assert set(_MARKS) == set(_STYLES) == {*CheckState} - {CheckState.WARNING}
    assert all(plain.isascii() for _, plain in _MARKS.values())
