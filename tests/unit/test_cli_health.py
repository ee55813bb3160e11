"""`alertwire health` against a scripted console; its table is in docs/command-line.md."""

import json
from dataclasses import replace

import pytest

from services.console.troubles import TrailState
from services.console.vitals import document
from tests.unit.cli_stand import run
from tests.vital_signs import WELL, ago, process, without
from tools.cli.health import span


def lay_down(server, seen):
    found = json.loads(json.dumps(document(seen)))
    server.answers["GET /api/health"] = [(200, found)]
    return found


def test_where_all_is_well_it_ends_with_0(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    lay_down(server, WELL)
    answer = run("health", stack=stack)
    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines()[-1] == "all is well"
    assert "ready, owner of executor-0" in answer.output


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "json"])
def test_what_is_wrong_ends_with_1(options, stack, server):
    lay_down(server, replace(WELL, presences=without("router")))
    answer = run("health", *options, stack=stack)
    assert answer.exit_code == 1
    assert "silent" in answer.output
    assert "alertwireservicedown" in answer.output


def test_a_warning_is_shown_and_ends_with_0(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    behind = TrailState(seq=3, stored_at=ago(0), behind_messages=14, oldest_missing_at=ago(600))
    lay_down(server, replace(WELL, trail=behind))
    answer = run("health", stack=stack)
    assert answer.exit_code == 0
    assert "the trail is 14 messages behind the log, 10 min" in answer.output
    assert "warning" in answer.output


def test_what_is_away_is_told(stack, server):
    away = "not connected"
    lay_down(
        server,
        replace(
            WELL,
            presences=(),
            presences_problem=away,
            log=None,
            log_problem=away,
            lags=(),
            lags_problem=away,
            trail=TrailState(problem="refused"),
            accounts=(),
            accounts_problem=away,
        ),
    )
    answer = run("health", stack=stack)
    assert answer.exit_code == 1
    assert "the log does not answer: not connected" in answer.output
    assert "the trail cannot be read: refused" in answer.output


def test_json_is_the_consoles_answer(stack, server):
    found = lay_down(server, WELL)
    assert json.loads(run("health", "--json", stack=stack).output) == found


def test_what_a_terminal_would_obey_is_not_printed(stack, server):
    hostile = process("ingest", instance="\x1b[2Jnode", version="\u202e1")
    lay_down(server, replace(WELL, presences=[*without("ingest"), hostile]))
    output = run("health", stack=stack).output
    assert "\x1b[2J" not in output
    assert "\u202e" not in output


def test_wrong_use_ends_with_2(stack):
    assert run("health", "--nonsense", stack=stack).exit_code == 2


def test_a_console_that_does_not_answer_ends_with_1(stack):
    answer = run("health", stack=stack)
    assert answer.exit_code == 1
    assert "no GET /api/health" in answer.output


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (14 * 86_400, "14 d")],
)
def test_a_length_of_time_in_its_largest_unit(seconds, told):
    assert span(seconds) == told
