"""docs/doctor.md and docs/mexc-setup.md: the example prints what stands there, what the doctor may
say is explained, and every command that is shown can be typed.
"""

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from libs.common.contracts.checkup import CheckState, CheckupLine
from services.console.checkups import shown_checkup
from services.executor.checkup.judging import judge_checkup
from tests.documented_commands import examples_of
from tests.factories import make_account
from tests.golden import MESSAGES
from tests.unit.checkup_desk import OURS, barred, make_lane, make_seen
from tests.unit.cli_stand import run
from tools.cli.__main__ import main
from tools.cli.doctor_drawing import MARKS

DOCS = Path(__file__).parents[2] / "docs"
DOCTOR, SETUP = DOCS / "doctor.md", DOCS / "mexc-setup.md"
(EXAMPLE,) = examples_of(DOCTOR)
TYPED = [
    line
    for page in (DOCTOR, SETUP)
    for line in re.findall(r"(?:^|`)alertwire ([^`\n]+)", page.read_text(), re.MULTILINE)
]


def unlinked():
    """A key that is linked to another address."""
    account = make_account(
        id="main",
        base_url="https://api.mexc.com",
        access_key="mx0vglABCD1234",
        expected_addresses=(OURS,),
    )
    refused = barred("ip", 406, "Accessing IP is not in the whitelist")
    return make_seen(
        **{**refused, "account": account, "lanes": [make_lane(route="btc", leverages=None)]}
    )


def as_answered(seen):
    from msgspec.structs import replace

    checked = replace(MESSAGES["account.checked"], account="main", findings=judge_checkup(seen))
    return json.loads(json.dumps(shown_checkup(checked), default=str))


def test_the_example_prints_what_is_shown(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    server.answers["GET /health/ready"] = [(200, {"missing": {}})]
    server.answers["POST /api/accounts/main/check"] = [(200, as_answered(unlinked()))]
    answer = run(*shlex.split(EXAMPLE.command)[1:], stack=stack)
    printed = "".join(f"{line.rstrip()}\n" for line in answer.stdout.splitlines())
    printed = printed.replace(server.url, "http://127.0.0.1:8401")
    assert (printed, answer.exit_code) == (EXAMPLE.printed, EXAMPLE.status)


def test_every_line_and_state_is_explained():
    text = DOCTOR.read_text()
    told = re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
    assert told == [line.value for line in CheckupLine]
    marks = re.findall(r"^\| `(.)` \| `([a-z_]+)` \|", text, re.MULTILINE)
    assert {state: mark for mark, state in marks} == MARKS
    assert set(MARKS) == {state.value for state in CheckState}


def test_every_option_is_told():
    doctor = main.get_command(click.Context(main), "doctor")
    for parameter in doctor.params:
        if parameter.name not in {"place", "account"}:
            assert f"`{parameter.opts[0]}`" in DOCTOR.read_text(), parameter.name


@pytest.mark.parametrize("command", sorted(set(TYPED)))
def test_a_command_that_is_shown_can_be_typed(command, stack, server):
    """The server knows nothing, so it fails; but not for its use."""
    words = [word.strip("[]") for word in shlex.split(command)]
    if words[:2] == ["accounts", "create"]:
        words += ["--secret-key-file", "-"]
    answer = run(*words, stack=stack, input="a-secret")
    assert answer.exit_code != 2, answer.output


def test_there_are_commands_to_type():
    assert len(set(TYPED)) >= 10


def test_the_setup_has_its_ten_steps():
    steps = re.findall(r"^## (\d+)\. ", SETUP.read_text(), re.MULTILINE)
    assert steps == [str(number) for number in range(1, 11)]
