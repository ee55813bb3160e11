"""The options of `send` and `explain` that make a message."""

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tools.cli.messaging import message_of, message_options

PAGE = Path(__file__).parents[2] / "docs" / "alert-format.md"


@click.command()
@message_options
def command(*, body, fields, **known):
    click.echo(message_of(body, fields=fields, known=known))


def message(*arguments):
    answer = CliRunner().invoke(command, arguments)
    assert answer.exit_code == 0, answer.output
    return answer.output.rstrip("\n")


def test_every_option_becomes_a_field_that_ingest_knows():
    options = [one for one in command.params if one.name not in {"body", "fields"}]
    arguments = [part for one in options for part in (one.opts[0], "1")]
    sent = json.loads(message(*arguments))
    assert set(sent) == {"platform_name", *(one.name for one in options)}
    table = PAGE.read_text().partition("## Fields")[2].partition("The names of two")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    known = {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}
    assert set(sent) <= known, set(sent) - known
    # The two commands name the price differently; the other two are for no person's hand.
    assert known - set(sent) == {"price", "prev_market_position_size", "secret"}


def test_numbers_are_sent_as_they_are_written_and_the_wellknown_fields_first():
    assert message(
        *("--sl", "0.50", "--comment", "7", "--contracts", "0.0010", "--ticker", "X"),
        *("--field", "price=5", "--action", "buy"),
    ) == (
        '{"platform_name":"mexc","ticker":"X","order_action":"buy","order_contracts":0.0010,'
        '"price":"5","stop_loss":0.50,"comment":"7"}'
    )


def test_a_negative_position_is_a_number():
    assert '"position_size":-0.002' in message("--position-size", "-0.002")


def test_a_part_in_percent_is_a_string():
    assert '"order_contracts":"50%"' in message("--contracts", "50%")


@pytest.mark.parametrize("size", ["NaN", "half", "%", "inf%"])
def test_what_is_no_size_is_wrong_use(size):
    assert CliRunner().invoke(command, ["--contracts", size]).exit_code == 2
