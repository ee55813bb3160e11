"""docs/command-line.md: its commands print what stands there, its tables name every option."""

import asyncio
import json
import re
import shlex
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import click
import msgspec
import pytest

from libs.common.contracts import subjects
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.route import Route, RouteSettings, TokenHash
from libs.common.contracts.words import (
    Action,
    AlertStatus,
    ExecutionKind,
    PositionMode,
    RouteState,
)
from libs.common.domain.lifecycle import OrderState
from libs.common.domain.picture import Picture
from libs.common.domain.planning import Planned, plan_orders
from libs.common.domain.telling.upshot import End
from services.console.changes import change_document
from services.console.differences import Revision
from services.console.documents import plain
from services.console.drafting import changed_route, shown_route
from services.console.halts import Place, not_halted
from services.console.problems import Problem
from services.console.trail import ChangeRow
from services.console.trail import Place as ChangePlace
from services.console.vitals import document as health_document
from services.ingest.parsing import Parsed, parse_alert
from services.router.deciding import decide_intent
from tests.asked_explanations import explained
from tests.cli_console import documents_of
from tests.documented_commands import Example, examples_of
from tests.factories import (
    ALERT_ID,
    NOW,
    D,
    make_account,
    make_alert,
    make_holding,
    make_instrument,
    make_order,
    make_route,
    make_settings,
)
from tests.fake_halts import make_control
from tests.traced import answered
from tests.trail_messages import make_execution, make_plan
from tests.unit.cli_stand import accept, run
from tests.unit.executor_desk import Desk
from tests.vital_signs import without_router
from tools.cli.__main__ import main
from tools.cli.showing import flattened

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
TEXT = PAGE.read_text()
EXAMPLES = examples_of(PAGE)
BODY = '{"ticker":"BTCUSDT.P","order_action":"sell","order_contracts":0.002}'
SENT = re.findall(r"^alertwire (send .*)$", TEXT, re.MULTILINE)


def partial_alert():
    """A sell of 20 contracts on a paused route that holds long 10."""
    route = make_settings(state=RouteState.PAUSED)
    alert = make_alert(
        order=make_order(action=Action.SELL, quantity=D("0.002")),
        body=BODY,
        body_sha256=sha256(BODY.encode()).hexdigest(),
    )
    instrument = make_instrument()
    intent = decide_intent(
        alert,
        route=route,
        account=route.accounts[0],
        catalogue={instrument.symbol: instrument},
        now=NOW,
    )
    planned = plan_orders(
        intent, Picture(holdings=(make_holding(),), position_mode=PositionMode.HEDGE)
    )
    assert isinstance(planned, Planned)
    order = planned.legs[0].client_order_id
    call = ExchangeCall(
        method="POST",
        path="/api/v1/private/order/create",
        sent_at=NOW + timedelta(milliseconds=6),
    )
    replied = msgspec.structs.replace(
        call, elapsed_ms=1.9, http_status=200, response_body='{"success":true,"code":0}'
    )
    return answered(
        alert,
        intent,
        make_plan(
            *planned.legs,
            withheld=planned.withheld,
            summary=planned.summary,
            steps=planned.steps,
            holdings=(make_holding(),),
        ),
        make_execution("sent", order, calls=(call,)),
        make_execution("accepted", order, exchange_order_id="77", calls=(replied,)),
        make_execution(
            "filled",
            order,
            exchange_order_id="77",
            filled_contracts=D(10),
            average_price=D("50000.5"),
            fee=D("0.03"),
            fee_currency="USDT",
        ),
    )


def lay_down(example, *, stack, server):
    """What the console answers to the command, by its own rules."""
    if example.command.startswith("alertwire trace"):
        server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, partial_alert())]
        return
    if example.command.startswith("alertwire tail"):
        lay_down_events(server=server)
        return
    if example.command.startswith("alertwire replay"):
        lay_down_replay(server=server)
        return
    if example.command.startswith("alertwire health"):
        server.answers["GET /api/health"] = [(200, health_document(without_router()))]
        return
    if example.command.startswith("alertwire routes test"):
        server.answers["POST /api/routes/demo/test"] = [(200, asyncio.run(sell_explained()))]
        return
    if example.command.startswith("alertwire dead"):
        lay_down_letters(server=server)
        return
    if example.command.startswith("alertwire changes"):
        lay_down_changes(server=server)
        return
    if example.command.startswith(("alertwire halt", "alertwire resume")):
        lay_down_halt(example, server=server)
        return
    known = msgspec.to_builtins(make_settings())
    settings = msgspec.convert({**known, **example.route}, RouteSettings)
    before = Route(settings=settings, tokens=())
    server.answers["GET /api/routes/demo"] = [(200, shown_route(before))]
    server.answers["PATCH /api/routes/demo"] = [(200, shown_route(before))]
    run(*shlex.split(example.command)[1:], stack=stack)
    patch = json.loads(server.asked[-1][2])
    try:
        answer = (200, shown_route(changed_route(before, patch)))
    except Problem as problem:
        answer = (problem.status, {"detail": problem.detail})
    server.answers["PATCH /api/routes/demo"] = [answer]


async def sell_explained():
    """What the services say of the same sell while long 10 is held."""
    desk = Desk()
    await desk.hold("long", 10)
    body = (
        '{"platform_name":"mexc","ticker":"BTCUSDT.P","order_action":"sell",'
        '"order_contracts":0.002,"alert_id":"test-1795435200000-0f3a"}'
    )
    return await explained(body.encode(), make_route(), desk=desk)


def lay_down_events(*, server):
    """What became of the alert of `trace`, as a stream of events."""
    events = ""
    for event in partial_alert()["events"]:
        data = event["data"]
        lane = {name: data.get(name) for name in ("alert_id", "route", "account", "symbol")}
        events += f"id: {event['seq']}\ndata: {json.dumps({**event, **lane})}\n\n"
    server.streams["/api/events?route=demo&since="] = events


def lay_down_replay(*, server):
    """Today the route trades the account twice over, and is not paused any more."""
    then = msgspec.to_builtins(make_settings())
    settings = msgspec.convert(
        {**then, "accounts": [{"account": "paper", "multiplier": "2"}]}, RouteSettings
    )
    documents = documents_of(settings, accounts=[make_account()], instruments=[make_instrument()])
    documents[f"/api/alerts/{ALERT_ID}"] = partial_alert()
    for path, document in documents.items():
        server.answers[f"GET {path}"] = [(200, document)]


def lay_down_letters(*, server):
    """One that nobody has replayed, and one that somebody has."""
    letter = {
        "service": "router",
        "stage": "alert.received",
        "reason": "KeyError: 'BTC'",
        "alert_id": ALERT_ID,
        "replayed": {"seq": 21, "at": "2026-11-23T13:30:00Z"},
    }
    old = {**letter, "alert_id": None, "replayed": {"seq": 15, "at": "2026-11-23T13:00:00Z"}}
    server.answers["POST /api/dead/17/replay"] = [(200, {"dead": letter, "new": True})]
    server.answers["POST /api/dead/12/replay"] = [(200, {"dead": old, "new": False})]


def lay_down_changes(*, server):
    """A route's creation, its halt, a change, and the resume, as the trail has their bytes."""
    made = make_route()
    halt = make_control("route", "demo", reason="odd fills")
    changed = msgspec.structs.replace(
        made,
        settings=make_settings(leverage=3),
        tokens=(TokenHash(sha256="1" * 64),),
        body_secret_sha256="2" * 64,
    )
    steps = [
        (0, "devstack from 127.0.0.1", "routes", made, None),
        (10, "cleo from 192.0.2.7", "controls", halt, None),
        (30, "anna from 192.0.2.7", "routes", changed, made),
        (40, "cleo from 192.0.2.7", "controls", None, halt),
    ]
    page = [
        ChangeRow(
            place=ChangePlace(stored_at=NOW + timedelta(minutes=minutes), stream="", seq=1),
            stage={"routes": "route.changed", "controls": "control.changed"}[bucket],
            subject=subjects.bucket_subject(
                bucket=bucket, key="demo" if bucket == "routes" else "route.demo"
            ),
            made_by=who,
            now=revision(now),
            before=None if before is None else revision(before),
        )
        for minutes, who, bucket, now, before in reversed(steps)
    ]
    document = {
        "changes": [change_document(row) for row in page],
        "next": "1795435200000000-KV_routes-1",
    }
    server.answers["GET /api/changes?limit=20&route=demo"] = [
        (200, json.loads(msgspec.json.encode(document)))
    ]


def revision(value):
    body = b"" if value is None else msgspec.json.encode(value)
    return Revision(body=body, deleted=value is None)


def lay_down_halt(example, *, server):
    """The route `demo` is halted, and where the example resumes everything, so is that."""
    everything, route = make_control(), make_control("route", "demo")
    wanted = route
    if "--account" in example.command:
        wanted = make_control("account", "paper", halt_id=ALERT_ID, accounts=("paper",))
    server.answers["POST /api/halt"] = [(200, {"halt": plain_json(wanted), "new": True})]
    resumed = {"resumed": plain_json(everything), "halts": [plain_json(route)]}
    unknown = {"detail": str(not_halted(Place(scope=wanted.scope, id=wanted.id), [route]))}
    refused = example.status == 1
    server.answers["POST /api/resume"] = [(404, unknown) if refused else (200, resumed)]


def plain_json(control):
    return json.loads(msgspec.json.encode(plain(control)))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.command)
def test_an_example_prints_what_is_shown(example: Example, stack, server, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lay_down(example, stack=stack, server=server)
    answer = run(*shlex.split(example.command)[1:], stack=stack)
    printed = "".join(f"{line.rstrip()}\n" for line in answer.output.splitlines())
    assert (printed, answer.exit_code) == (example.printed, example.status)


@pytest.mark.parametrize("command", SENT)
def test_an_alert_that_is_sent_is_understood(command, stack, server):
    accept(server)
    answer = run(*shlex.split(command), stack=stack)
    assert answer.exit_code == 0, answer.output
    found = parse_alert(server.asked[-1][2], route=make_route())
    assert isinstance(found, Parsed), found


def test_no_example_goes_unseen() -> None:
    assert len(EXAMPLES) == TEXT.count("```console") == TEXT.count("$ alertwire") == 17
    assert len(SENT) == TEXT.count("alertwire send demo") >= 9


def test_every_option_of_a_route_is_told_with_its_setting_and_its_default() -> None:
    rows = re.findall(r"^\| (`--.*?) \| `([a-z_.]+)` \| (.*?) \|$", TEXT, re.MULTILINE)
    defaults = dict(flattened(plain(make_settings())))
    told = {setting: default.strip("`") for _, setting, default in rows}
    assert told.pop("accounts") == "required"
    assert told == {name: defaults[name] for name in told}
    # `pause` and `resume` set the state, and the text under the table has the body secret.
    assert defaults.keys() - told.keys() == {"id", "accounts", "state", "body_secret"}
    options = set(re.findall(r"--[a-z-]+", " ".join(option for option, _, _ in rows)))
    edit = command_of("routes", "edit")
    known = {name for one in edit.params for name in (*one.opts, *one.secondary_opts)}
    assert options == {name for name in known if name.startswith("--")} - {
        "--clear",
        "--file",
        "--json",
        "--dir",
    }


@pytest.mark.parametrize(
    "command",
    [
        *(["trace"], ["tail"], ["replay"], ["routes", "edit"], ["routes", "rotate"]),
        *(["halt"], ["resume"]),
        *(["health"], ["changes"], ["audit", "verify"], ["audit", "export"], ["audit", "retire"]),
    ],
)
def test_every_option_is_told(command) -> None:
    for option in options_of(*command):
        assert f"`{option}" in TEXT, option


@pytest.mark.parametrize(
    ("command", "some"),
    [
        (["send"], {"--count", "--rate", "--same", "--webhook"}),
        (["routes", "test"], {"--send", "--body"}),
    ],
    ids=["send", "test"],
)
def test_what_is_added_to_the_message_is_told(command, some) -> None:
    added = set(options_of(*command)) - set(options_of("explain"))
    assert added >= some
    for option in added:
        assert f"`{option}" in TEXT, option


def test_every_command_is_told() -> None:
    for name in main.list_commands(click.Context(main)):
        assert f"`alertwire {name}" in TEXT, name
    routes = command_of("routes")
    for name in routes.list_commands(click.Context(routes)):
        assert re.search(rf"`(routes )?{name}`", TEXT), name


@pytest.mark.parametrize("words", [AlertStatus, OrderState, ExecutionKind])
def test_what_a_trace_may_say_is_in_the_glossary(words) -> None:
    text = PAGE.with_name("glossary.md").read_text().partition("## An alert's status")[2]
    for word in words:
        assert f"`{word}`" in text, word


def test_every_end_of_the_upshot_is_told() -> None:
    for end in End:
        assert f"| `{end}` |" in TEXT, end


def command_of(*names):
    found = main
    for name in names:
        found = found.get_command(click.Context(found), name)
    return found


def options_of(*names):
    return [one.opts[0] for one in command_of(*names).params if one.opts[0].startswith("--")]
