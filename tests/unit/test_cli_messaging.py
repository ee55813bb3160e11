"""The options of `send` and `explain` that make a message."""

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from libs.common.contracts.alert import Order
from libs.common.contracts.words import (
    Action,
    DistanceUnit,
    MarginMode,
    MarketPosition,
    OrderType,
    PositionSide,
    TradeMode,
    TriggerSource,
)
from services.ingest.parsing import Parsed, parse_alert
from tests.factories import D, make_route
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


@pytest.mark.parametrize(
    ("option", "field"),
    [
        ("--contracts", "order_contracts"),
        ("--market-position-size", "market_position_size"),
        ("--position-size", "position_size"),
    ],
)
def test_a_part_in_percent_is_a_string(option, field):
    assert f'"{field}":"50%"' in message(option, "50%")


def test_ingest_reads_every_option():
    """All that a person can say at once is understood, field by field."""
    sent = message(
        *("--ticker", "BTCUSDT.P", "--action", "buy", "--contracts", "0.002"),
        *("--order-type", "limit", "--field", "price=50000", "--prev-market-position", "long"),
        *("--sl", "1", "--tp", "2", "--sltp-type", "percent", "--sl-price", "49000"),
        *("--tp-price", "52000", "--trailing", "50", "--trigger", "mark"),
        *("--trade-type", "opposite", "--close-side", "long", "--leverage", "3"),
        *("--margin-mode", "isolated", "--order-id", "7", "--comment", "hi", "--alert-id", "one"),
    )
    found = parse_alert(sent.encode(), route=make_route())
    assert isinstance(found, Parsed), found
    assert found.explicit_id == "one"
    assert found.order == Order(
        ticker="BTCUSDT.P",
        action=Action.BUY,
        quantity=D("0.002"),
        previous=MarketPosition.LONG,
        order_type=OrderType.LIMIT,
        price=D(50000),
        stop_distance=D(1),
        target_distance=D(2),
        stop_price=D(49000),
        target_price=D(52000),
        distance_unit=DistanceUnit.PERCENT,
        trailing_ticks=D(50),
        trigger=TriggerSource.MARK,
        trade_mode=TradeMode.OPPOSITE,
        close_side=PositionSide.LONG,
        leverage=3,
        margin_mode=MarginMode.ISOLATED,
        order_id="7",
        comment="hi",
    )


@pytest.mark.parametrize(
    "target",
    [
        ["--market-position", "short", "--market-position-size", "0.002"],
        ["--position-size", "-0.002"],
    ],
)
def test_ingest_reads_a_target(target):
    found = parse_alert(message("--ticker", "BTCUSDT.P", *target).encode(), route=make_route())
    assert isinstance(found, Parsed), found
    told = (found.order.action, found.order.wanted, found.order.quantity)
    assert told == (Action.TARGET, MarketPosition.SHORT, D("0.002"))


@pytest.mark.parametrize("size", ["NaN", "half", "%", "inf%"])
def test_what_is_no_size_is_wrong_use(size):
    assert CliRunner().invoke(command, ["--contracts", size]).exit_code == 2
