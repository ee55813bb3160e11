"""The command `alertwire explain` on a console that answers what a test lays down."""

import json

import pytest

from libs.common.contracts.route import RouteAccount, RouteState, Sizing
from libs.common.contracts.words import PositionMode, SizingMode
from services.console.documents import plain
from tests.cli_console import BODY_SECRET, answering, documents_of, run
from tests.factories import NOW, D, make_account, make_instrument, make_settings
from tests.fake_halts import make_control

SELL = ("--ticker", "BTCUSDT.P", "--action", "sell", "--contracts", "0.002")
AT = {"at": NOW.isoformat()}
TWO = (RouteAccount(account="one"), RouteAccount(account="two", multiplier=D(2)))


@pytest.fixture
def explain(tmp_path, monkeypatch):
    """The command's answer, on a route of these settings."""
    for name in ("ALERTWIRE_DIR", "ALERTWIRE_CONSOLE_URL", "ALERTWIRE_INGEST_URL", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def explain(
        *arguments, stdin=None, settings=None, instruments=None, body_secret=None, halts=None
    ):
        settings = settings or make_settings()
        documents = documents_of(
            settings,
            accounts=[make_account(id=part.account) for part in settings.accounts],
            instruments=[make_instrument()] if instruments is None else instruments,
            body_secret=body_secret,
        )
        if halts is not None:
            documents["/api/halt"] = {"halts": [plain(control) | AT for control in halts]}
        with answering(documents) as console:
            return run(tmp_path, console, "explain", "demo", *arguments, stdin=stdin)

    return explain


def document(answer):
    return json.loads(answer.stdout)


def rows(answer):
    """What stands behind each step's name, by the lines of the tables."""
    return [line.rstrip() for line in answer.stdout.splitlines()]


def test_text_shows_each_step_within_80_columns(explain):
    answer = explain(*SELL, "--holding", "long:10")
    assert answer.exit_code == 0, answer.output
    assert max(map(len, rows(answer))) <= 80
    assert rows(answer)[0] == "route demo  planned"
    for expected in (
        "assumed    held: long 10 contracts, cross 10x, all of it free",
        "router     ticker BTCUSDT.P is BTC_USDT by its name",
        "intent     sell 20 contracts of BTC_USDT (netting, cross 10x)",
        "executor   holding long 10: close long 10, then open short 10",
        "order      close long 10 market, cross 10x",
        "           open short 10 market, cross 10x",
        "nothing was sent",
    ):
        assert expected in rows(answer)
    assert "\x1b" not in answer.output


@pytest.mark.parametrize(
    ("halts", "outcome"),
    [
        ([], "planned"),
        ([make_control(reason="enough")], "partial"),
        ([make_control("route", "demo", reason="enough")], "partial"),
        ([make_control("account", "second")], "planned"),
    ],
)
def test_what_is_halted_now_is_withheld(explain, halts, outcome):
    answer = explain(*SELL, "--holding", "long:10", "--output", "json", halts=halts)
    found = document(answer)
    assert found["outcome"] == outcome
    assert ("enough" in answer.stdout) is (outcome == "partial")


def test_a_split_order_is_told_once(explain):
    small = make_instrument(maximum_contracts=D(5))
    answer = explain(*SELL, instruments=[small])
    assert "order      4 x open short 5 market, cross 10x" in rows(answer)


def test_what_a_terminal_would_obey_is_shown_as_a_sign(explain):
    answer = explain("--json", '{"ticker": "BTCUSDT.P", "order_action": "fl\x1b[2Jat"}')
    assert "\x1b" not in answer.output
    assert answer.exit_code == 1


def test_json_is_one_document_of_trail_fields(explain):
    answer = explain(*SELL, "--holding", "long:10", "--output", "json")
    assert answer.exit_code == 0
    found = document(answer)
    assert (found["route"], found["outcome"], found["sent"]) == ("demo", "planned", False)
    assert found["order"]["quantity"] == "0.002"
    [account] = found["accounts"]
    assert account["intent"]["contracts"] == "20"
    assert account["plan"]["steps"][-1] == account["plan"]["summary"]
    legs = [
        (leg["effect"], leg["position_side"], leg["contracts"]) for leg in account["plan"]["legs"]
    ]
    assert legs == [("close", "long", "10"), ("open", "short", "10")]
    # Ids that no log and no exchange has ever seen would only mislead.
    assert not {"client_order_id", "position_id"} & set(account["plan"]["legs"][0])
    assert not {"intent_id", "alert_id", "at"} & set(account["intent"])


@pytest.mark.parametrize("stdin", [None, '{"ticker":"BTCUSDT.P","order_action":"flat"}'])
def test_the_message_is_given_as_to_send(explain, stdin):
    body = '{"ticker":"BTCUSDT.P","order_action":"flat"}'
    answer = explain("--json", "-" if stdin else body, "--output", "json", stdin=stdin)
    assert document(answer)["body"] == body
    assert document(answer)["order"]["action"] == "flat"


def test_a_refusal_shows_field_value_and_cure_and_is_1(explain):
    arguments = ("--ticker", "BTCUSDT.P", "--action", "jump")
    answer = explain(*arguments)
    assert answer.exit_code == 1
    assert rows(answer)[0] == "route demo  refused"
    assert "refused    422 field_invalid" in rows(answer)
    assert "field      order_action" in rows(answer)
    assert "value      jump" in rows(answer)
    assert any(row.startswith("cure       order_action must be one of buy") for row in rows(answer))
    found = document(explain(*arguments, "--output", "json"))
    assert (found["outcome"], found["order"], found["accounts"]) == ("refused", None, [])
    assert found["refusal"]["field"] == "order_action"


def test_a_denial_shows_its_numbers_and_is_1(explain):
    arguments = ("--ticker", "BTCUSDT.P", "--action", "buy", "--contracts", "0.00001")
    answer = explain(*arguments)
    assert answer.exit_code == 1
    assert "denied     below_minimum: 0.00001 BTC / 0.0001 BTC per contract is 0.1" in answer.stdout
    assert "minimum_contracts 1" in " ".join(answer.stdout.split())
    [account] = document(explain(*arguments, "--output", "json"))["accounts"]
    assert account["denial"]["context"]["minimum_contracts"] == "1"
    assert account["plan"] is None


def test_what_is_withheld_is_shown_and_what_is_closed_too(explain):
    paused = make_settings(state=RouteState.PAUSED)
    answer = explain(*SELL, "--holding", "long:10", settings=paused)
    assert (answer.exit_code, rows(answer)[0]) == (0, "route demo  partial")
    assert "order      close long 10 market, cross 10x" in rows(answer)
    assert any(row.startswith("withheld   route_paused: ") for row in rows(answer))
    found = document(explain(*SELL, "--holding", "long:10", "--output", "json", settings=paused))
    assert found["accounts"][0]["plan"]["withheld"]["reason"] == "route_paused"


def test_a_change_is_shown_with_its_prices(explain):
    answer = explain(
        *("--ticker", "BTCUSDT.P", "--action", "breakeven"),
        *("--holding", "long:10@50000.03", "--price", "51000"),
    )
    assert "change     protect long 10, stop 50000.1" in rows(answer)


def test_every_account_of_the_route_is_shown_or_the_one_asked_for(explain):
    both = make_settings(accounts=TWO)
    found = document(explain(*SELL, "--output", "json", settings=both))
    sizes = {each["account"]: each["intent"]["contracts"] for each in found["accounts"]}
    assert sizes == {"one": "20", "two": "40"}
    found = document(explain(*SELL, "--account", "two", "--output", "json", settings=both))
    assert [each["account"] for each in found["accounts"]] == ["two"]


def test_one_denied_account_of_two_is_1(explain):
    half = (RouteAccount(account="one"), RouteAccount(account="two", multiplier=D("0.01")))
    answer = explain(*SELL, settings=make_settings(accounts=half))
    assert (answer.exit_code, rows(answer)[0]) == (1, "route demo  denied")
    assert "account one  planned" in rows(answer)
    assert "account two  denied" in rows(answer)


def test_price_equity_and_mode_are_assumed_as_given(explain):
    settings = make_settings(sizing=Sizing(mode=SizingMode.PERCENT_EQUITY, value=D(5)))
    answer = explain(
        *("--ticker", "BTCUSDT.P", "--action", "buy"),
        *("--price", "50000", "--equity", "1000", "--position-mode", "one-way"),
        *("--output", "json"),
        settings=settings,
    )
    [account] = document(answer)["accounts"]
    assert account["plan"]["legs"][0]["contracts"] == "10"
    assert account["plan"]["legs"][0]["position_mode"] == PositionMode.ONE_WAY.value


def test_a_body_secret_is_not_shown(explain):
    body = '{"ticker":"BTCUSDT.P","order_action":"flat","secret":"hush-hush"}'
    answer = explain("--json", body, body_secret=BODY_SECRET)
    assert answer.exit_code == 0, answer.output
    assert "hush" not in answer.output
    assert "assumed: the body secret is right" in rows(answer)


def test_contracts_that_were_not_read_yet_are_a_denial(explain):
    answer = explain(*SELL, instruments=[])
    assert answer.exit_code == 1
    assert "contracts_unknown" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--json BODY"),
        (["--json", "{}", "--ticker", "X"], "leave the other fields out"),
        ([*SELL, "--field", "stop_loss=5"], "the plan needs the market's price; give --price P"),
        ([*SELL, "--account", "nobody"], "route demo trades paper, not nobody"),
        ([*SELL, "--holding", "ten"], "is not like long:10"),
        ([*SELL, "--holding", "up:10"], "is not like long:10"),
        ([*SELL, "--holding", "long"], "is not like long:10"),
        ([*SELL, "--holding", "long:0"], "0 is not above 0"),
        ([*SELL, "--holding", "long:1@x"], "'x' is not a number"),
        ([*SELL, "--holding", "long:1@"], "'' is not a number"),
        ([*SELL, "--holding", "long:1e99"], "too many digits"),
        ([*SELL, "--holding", "long:1", "--holding", "long:2"], "long is held twice"),
        ([*SELL, "--holding", "long:0.5"], "has steps of 1 contracts"),
        ([*SELL, "--price", "NaN"], "finite"),
        ([*SELL, "--price", "-1"], "-1 is not above 0"),
        ([*SELL, "--position-mode", "both"], "both"),
        (
            ["--ticker", "BTCUSDT.P", "--action", "breakeven", "--holding=long:1", "--price=9"],
            "give --holding SIDE:CONTRACTS@ENTRY",
        ),
    ],
)
def test_wrong_use_is_2_and_says_what_would_be_right(explain, arguments, told):
    answer = explain(*arguments)
    assert answer.exit_code == 2, answer.output
    assert told in answer.stderr
    assert answer.stdout == ""


def test_an_equity_that_is_missing_is_2(explain):
    settings = make_settings(sizing=Sizing(mode=SizingMode.RISK_PERCENT, value=D(1)))
    arguments = ("--ticker", "BTCUSDT.P", "--action", "buy", "--field", "price=50000")
    answer = explain(*arguments, "--field", "stop_loss=500", settings=settings)
    assert answer.exit_code == 2
    assert "account paper: the plan needs the account's equity; give --equity E" in answer.stderr


def test_a_route_that_is_not_there_is_1(tmp_path):
    with answering({}) as console:
        answer = run(tmp_path, console, "explain", "nowhere", *SELL)
    assert (answer.exit_code, "no /api/routes/nowhere" in answer.output) == (1, True)
