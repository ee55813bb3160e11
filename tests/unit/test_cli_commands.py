"""The command `alertwire` against a scripted server on loopback."""

import json

import click
import pytest

from tests.client_certificates import Authority
from tests.factories import ALERT_ID
from tests.unit.cli_stand import ROUTE, accept, run, scripted_server
from tools.cli.__main__ import main


def test_the_version_is_told():
    assert run("--version").output.startswith("alertwire")


@pytest.mark.parametrize("command", ["up", "send", "explain", "trace", "routes", "accounts"])
def test_every_command_has_help(command):
    answer = run(command, "--help")
    assert (answer.exit_code, "Usage" in answer.output) == (0, True)


def test_the_two_prices_of_an_explanation_are_told_apart():
    said = " ".join(run("explain", "--help").output.split())
    assert "The market's price: last, mark and index. The alert's own is --field price=P." in said
    assert "a field of its message like any other: --field price=P" in said


@pytest.mark.parametrize("command", [[], ["routes"], ["accounts"]])
def test_every_option_says_what_it_is_for(command):
    """Of all commands below this one; click's own say it already."""
    found = main
    for name in command:
        found = found.get_command(click.Context(found), name)
    commands = [found.get_command(click.Context(found), name) for name in found.list_commands(None)]
    mute = [
        f"{one.name} {option.opts[0]}"
        for one in commands
        for option in one.params
        if isinstance(option, click.Option)
        and not (option.help or type(option.type) is click.Choice)
    ]
    assert mute == []


def test_without_a_stack_the_mend_is_told(stack):
    for arguments in (["routes", "list"], ["trace", ALERT_ID], ["send", "demo", "--ticker", "X"]):
        answer = run(*arguments)
        assert answer.exit_code == 1
        assert "no stack is running under .alertwire: start one with `make up`" in answer.output


def test_a_dead_console_is_told_without_a_stack_trace(stack):
    document = json.loads((stack / "stack.json").read_text())
    (stack / "stack.json").write_text(json.dumps(document | {"console": "http://127.0.0.1:1"}))
    answer = run("routes", "list", stack=stack)
    assert answer.exit_code == 1
    assert "does not answer" in answer.output


def test_the_environment_may_name_the_console(stack, server, monkeypatch):
    monkeypatch.setenv("ALERTWIRE_CONSOLE_URL", server.url)
    monkeypatch.setenv("ALERTWIRE_CONSOLE_TOKEN", "from-environment")
    server.answers["GET /api/routes"] = [(200, {"routes": []})]
    assert run("routes", "list").exit_code == 0
    assert run("routes", "list", stack=stack).exit_code == 0
    tokens = [headers["Authorization"] for _, headers, _ in server.asked]
    assert tokens == ["Bearer from-environment", "Bearer the-token"]


def test_send_builds_the_message_with_numbers_as_written(stack, server):
    accept(server)
    answer = run(
        *("send", "demo", "--ticker", "BTCUSDT.P", "--action", "buy", "--contracts", "0.0010"),
        *("--field", "comment=hi"),
        stack=stack,
    )
    assert answer.exit_code == 0, answer.output
    assert ALERT_ID in answer.output
    _, headers, body = server.asked[0]
    assert headers["Content-Type"].startswith("application/json")
    assert body == (
        b'{"platform_name":"mexc","ticker":"BTCUSDT.P","order_action":"buy",'
        b'"order_contracts":0.0010,"comment":"hi"}'
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"ticker": "X"}', "application/json"),
        ("[1]", "application/json"),
        ("buy now", "text/plain"),
        ('{"a": {{close}}}', "text/plain"),
    ],
)
def test_send_posts_a_body_untouched_as_tradingview_does(stack, server, body, content_type):
    accept(server)
    run("send", "demo", "--json", body, stack=stack)
    _, headers, sent = server.asked[0]
    assert (headers["Content-Type"].split(";")[0], sent.decode()) == (content_type, body)


def test_send_fails_where_ingest_refuses(stack, server):
    server.answers["POST /hook/demo-token"] = [(422, {"detail": "no"})]
    answer = run("send", "demo", "--json", "{}", "--output", "json", stack=stack)
    assert answer.exit_code == 1
    document = json.loads(answer.output)
    assert (document["status"], json.loads(document["body"])) == (422, {"detail": "no"})


def test_send_fails_where_nobody_answers(stack):
    answer = run("send", "demo", "--json", "{}", "--webhook", "http://127.0.0.1:1/x", stack=stack)
    assert answer.exit_code == 1
    assert answer.output.startswith("---")


@pytest.mark.parametrize("rate", [[], ["--rate", "500"]])
def test_several_alerts_are_told_apart_unless_they_shall_be_the_same(stack, server, rate):
    accept(server)
    arguments = ["send", "demo", "--json", '{"ticker":"X"}', "--count", "5", *rate]
    answer = run(*arguments, stack=stack)
    assert answer.exit_code == 0
    assert "5 sent: 5 x 200" in answer.output
    assert len({json.loads(body)["alert_id"] for _, _, body in server.asked}) == 5
    server.asked.clear()
    run(*arguments, "--same", stack=stack)
    assert {body for _, _, body in server.asked} == {b'{"ticker":"X"}'}


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "demo"],
        ["send", "demo", "--json", "{}", "--ticker", "X"],
        ["send", "demo", "--ticker", "X", "--contracts", "NaN"],
        ["send", "demo", "--field", "novalue"],
        ["routes", "create", "--id", "x"],
        ["accounts", "create", "--id", "x", "--access-key", "k"],
        ["nonsense"],
    ],
)
def test_wrong_use_is_2(stack, arguments):
    assert run(*arguments).exit_code == 2


def test_a_problem_is_told_in_its_own_words(stack, server):
    server.answers["GET /api/routes/x"] = [(404, {"detail": "There is no route `x`."})]
    answer = run("routes", "show", "x", stack=stack)
    assert (answer.exit_code, "There is no route `x`." in answer.output) == (1, True)


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (
            {"detail": "A multiplier lies between 1 and 2.", "field": "accounts.multiplier"},
            "Error: accounts.multiplier: A multiplier lies between 1 and 2.\n",
        ),
        (
            {"detail": "Not an address.", "field": "allow_addresses", "value": "::x"},
            "Error: allow_addresses: Not an address. It was: ::x\n",
        ),
        (
            {"detail": "`leverage` must not be 501.", "field": "leverage", "value": "501"},
            "Error: `leverage` must not be 501.\n",
        ),
        (["no", "problem"], "Error: the console answered with status 422\n"),
    ],
)
def test_a_problem_names_its_field_and_value(stack, server, problem, told):
    server.answers["GET /api/routes/x"] = [(422, problem)]
    assert run("routes", "show", "x", stack=stack).output == told


def test_routes_are_listed_and_shown(stack, server):
    sized = {**ROUTE, "sizing": {"mode": "percent_equity", "value": "5", "multiplier": "2"}}
    server.answers["GET /api/routes"] = [(200, {"routes": [ROUTE, sized]})]
    server.answers["GET /api/routes/btc"] = [(200, ROUTE)]
    listed = run("routes", "list", stack=stack).output
    assert "main x0.5" in listed
    assert "percent_equity 5 x2" in listed
    assert json.loads(run("routes", "list", "--json", stack=stack).output) == {
        "routes": [ROUTE, sized]
    }
    assert "sizing.mode" in run("routes", "show", "btc", stack=stack).output


@pytest.mark.parametrize(("command", "state"), [("pause", "paused"), ("resume", "live")])
def test_routes_are_paused_and_resumed(stack, server, command, state):
    server.answers[f"POST /api/routes/btc/{command}"] = [(200, {**ROUTE, "state": state})]
    assert f"route btc is {state}" in run("routes", command, "btc", stack=stack).output


def test_a_secret_key_comes_from_stdin_and_is_not_printed(stack, server):
    server.answers["POST /api/accounts"] = [(201, {"account": {"id": "main"}})]
    answer = run(
        *("accounts", "create", "--id", "main", "--access-key", "k", "--secret-key-file", "-"),
        stack=stack,
        input="very-secret\n",
    )
    assert answer.exit_code == 0, answer.output
    assert "very-secret" not in answer.output
    sent = json.loads(server.asked[0][2])
    assert (sent["secret_key"], sent["base_url"]) == ("very-secret", "https://api.mexc.com")


def test_accounts_are_listed_shown_and_deleted(stack, server):
    account = {
        "id": "main",
        "base_url": "https://api.example.org",
        "access_key": "***1234",
        "position_mode": "hedge",
    }
    server.answers |= {
        "GET /api/accounts": [(200, {"accounts": [account]})],
        "GET /api/accounts/main": [(200, account)],
        "DELETE /api/accounts/main": [(409, {"detail": "Route `btc` trades this account"})],
    }
    assert "***1234" in run("accounts", "list", stack=stack).output
    assert json.loads(run("accounts", "show", "main", "--json", stack=stack).output) == account
    deleted = run("accounts", "delete", "main", stack=stack)
    assert (deleted.exit_code, "btc" in deleted.output) == (1, True)


def test_send_over_https_trusts_whom_it_is_told_to(stack, tmp_path):
    authority = Authority(tmp_path)
    with scripted_server(tls=authority.server()) as server:
        server.answers["POST /hook/x"] = [(200, {"status": "accepted"})]
        send = ("send", "demo", "--json", "{}", "--webhook", f"{server.url}/hook/x")
        refused = run(*send, stack=stack)
        assert refused.exit_code == 1
        assert "certificate is not trusted" in refused.output
        assert "--ca FILE" in refused.output
        assert run(*send, "--ca", str(authority.file), stack=stack).exit_code == 0
        wrong = run(*send, "--ca", __file__, stack=stack)
    assert (wrong.exit_code, "no certificate in it" in wrong.output) == (2, True)
