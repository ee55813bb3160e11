"""`alertwire accounts show --picture` and docs/account-picture.md: the example prints what stands
there, what may be said is explained, and what is not known is never a number.
"""

import json
import re
import shlex
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from libs.common.contracts.account_picture import (
    Balance,
    Doubt,
    EgressMatch,
    EgressSeen,
    Missing,
    PictureState,
    WaitingKind,
)
from libs.common.contracts.words import Effect, MarginMode, OrderType, PositionSide
from services.console.pictures import shown_picture
from tests.documented_commands import examples_of
from tests.factories import NOW, D
from tests.pictured import make_picture, make_position, make_waiting
from tests.unit.cli_stand import run

PAGE = Path(__file__).parents[2] / "docs" / "account-picture.md"
(EXAMPLE,) = examples_of(PAGE)
ASKED = "GET /api/accounts/main/picture"

LIVE = make_picture(
    state=PictureState.LIVE,
    doubt=None,
    why="",
    positions=(
        make_position(),
        make_position(
            symbol="ETH_USDT",
            side=PositionSide.SHORT,
            contracts=D(150),
            base_quantity=D("1.50"),
            average_price=D("3000.25"),
            margin_mode=MarginMode.CROSS,
            leverage=5,
            mark_price=None,
            unrealised_profit=None,
            liquidation_price=None,
        ),
    ),
    orders=(
        make_waiting(),
        make_waiting(
            kind=WaitingKind.TRIGGER,
            order_type=OrderType.MARKET,
            contracts=D(4),
            filled_contracts=None,
            price=None,
            trigger_price=D(51_000),
            stop_price=None,
            target_price=None,
            order_id=None,
            since=NOW - timedelta(minutes=3),
        ),
        make_waiting(
            kind=WaitingKind.PROTECTION,
            effect=Effect.CLOSE,
            order_type=None,
            contracts=None,
            filled_contracts=None,
            price=None,
            since=NOW - timedelta(minutes=2),
            alert_id=None,
            route=None,
            client_order_id=None,
            exchange_id="350000001",
        ),
    ),
    balances=(Balance(currency="USDT", equity=D("1000.50"), available=D("994.2500")),),
    stops=(),
    order_calls_waiting=0,
    order_calls_left=4,
    egress=EgressSeen(
        seen=("203.0.113.9",), expected=("203.0.113.9",), state=EgressMatch.MATCHING, at=NOW
    ),
    missing=(
        Missing(
            what="mark_price",
            symbol="ETH_USDT",
            why="GET /api/v1/contract/fair_price/ETH_USDT: HTTP 502",
        ),
    ),
)


def shown(picture):
    return json.loads(msgspec.json.encode(shown_picture(picture)))


@pytest.fixture
def printed(server, stack, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def answered(picture, *more):
        server.answers[ASKED] = [(200, shown(picture))]
        answer = run("accounts", "show", "main", "--picture", *more, stack=stack)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    return answered


def test_the_example_prints_what_is_shown(printed, server, stack):
    printed(LIVE)
    answer = run(*shlex.split(EXAMPLE.command)[1:], stack=stack)
    lines = "".join(f"{line.rstrip()}\n" for line in answer.stdout.splitlines())
    assert (lines, answer.exit_code) == (EXAMPLE.printed, EXAMPLE.status)


def test_json_is_what_the_api_says(printed):
    assert json.loads(printed(LIVE, "--json")) == shown(LIVE)


def test_what_is_not_known_is_no_number(printed):
    unknown = replace(
        LIVE,
        state=PictureState.UNTRUSTED,
        doubt=Doubt.SOCKET_DOWN,
        why="the private connection is down: nothing is pushed",
        age_ms=None,
        positions=None,
        balances=None,
        orders=None,
        position_mode=None,
    )
    text = printed(unknown)
    assert "positions: not known" in text
    assert "orders: not known" in text
    assert re.search(r"^balance +- *$", text, re.MULTILINE)
    assert re.search(r"^position mode +-, set up here for hedge *$", text, re.MULTILINE)
    assert "socket_down: the private connection is down" in text
    assert "no positions" not in text
    assert "ago" not in text.splitlines()[0]


def test_of_nothing_it_says_so(printed):
    text = printed(replace(LIVE, positions=(), orders=()))
    assert "no positions" in text
    assert "no orders wait" in text


def test_a_mode_that_differs_and_a_stop_are_said(printed):
    text = printed(make_picture(expected_position_mode="one_way"))
    assert "hedge at the exchange, set up here for one_way" in text
    assert "address_not_linked" in text
    assert "different" in text


def test_words_from_outside_cannot_move_the_cursor(printed):
    odd = make_waiting(route=None, client_order_id="a\x1b[2Jb\nc", alert_id=None)
    text = printed(replace(LIVE, orders=(odd,)))
    assert "\x1b" not in text
    assert "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c" in text


def test_where_nobody_answers_it_fails_with_the_consoles_words(server, stack):
    server.answers[ASKED] = [(503, {"detail": "No executor has answered for account `main`."})]
    answer = run("accounts", "show", "main", "--picture", stack=stack)
    assert answer.exit_code == 1
    assert "No executor has answered" in answer.output


@pytest.mark.parametrize("words", [PictureState, Doubt], ids=lambda words: words.__name__)
def test_every_word_is_explained(words):
    told = re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert {word.value for word in words} <= set(told)


@pytest.mark.parametrize("words", [WaitingKind, EgressMatch], ids=lambda words: words.__name__)
def test_every_other_word_is_told(words):
    for word in words:
        assert f"`{word.value}`" in PAGE.read_text()
