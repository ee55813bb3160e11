"""What each operation of the console's API takes and answers, as far as its code cannot tell."""

from dataclasses import dataclass, field
from typing import Any

from libs.common.contracts.control import Scope
from libs.common.contracts.route import Account, RouteSettings
from libs.common.contracts.words import AlertStatus
from services.console.differences import ChangeKind
from services.console.halts import Halt, Place
from services.console.routes import Rotation
from services.console.testing import Test

Schema = dict[str, Any]

STRUCTS = [RouteSettings, Account, Rotation, Halt, Place, Test, AlertStatus, ChangeKind, Scope]
"""What bodies and parameters are checked by."""
_TEXT: Schema = {"anyOf": [{"type": "string"}, {"type": "null"}]}
_NEXT: Schema = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
_KEYS: Schema = {
    "secret_key": {"anyOf": [{"type": "string", "pattern": "\\S"}, {"type": "null"}]},
    "sealed_secret_key": _TEXT,
}


@dataclass(frozen=True, kw_only=True)
class Body:
    """A struct as a request brings it."""

    of: str
    more: Schema = field(default_factory=dict)
    is_patch: bool = False


BODIES = {
    "NewAccount": Body(of="Account", more=_KEYS),
    "ChangedAccount": Body(of="Account", more=_KEYS, is_patch=True),
    "ChangedRoute": Body(of="RouteSettings", is_patch=True),
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    name: str
    summary: str
    answer: Schema = field(default_factory=dict)
    status: int = 200
    problems: tuple[int, ...] = ()
    """Besides those that any may answer."""
    body: str | None = None
    body_required: bool = True
    kind: str = "application/json"


def _object(**properties: Schema) -> Schema:
    """Each of them is there, and more may come with a later release."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(item: Schema | None = None) -> Schema:
    return {"type": "array", "items": item or {"type": "object"}}


_ANY: Schema = {}
_OBJECT: Schema = {"type": "object"}
_STRING: Schema = {"type": "string"}
_BOOL: Schema = {"type": "boolean"}
_ACCOUNT = _object(
    id=_STRING,
    base_url=_STRING,
    ws_url=_STRING,
    access_key={"type": "string", "pattern": r"^\*\*\*"},
    secret_key={"type": "null"},
    secret_source=_STRING,
)
_ROUTE = _object(
    id=_STRING,
    state=_STRING,
    accounts=_list(),
    sizing=_OBJECT,
    leverage={"type": "integer"},
    body_secret={"enum": ["***", None]},
)
_WITH_TOKEN = _object(route=_ROUTE, token=_STRING, webhook=_STRING)
_ALERT = _object(alert_id=_STRING, seq={"type": "integer"}, status=_STRING, reason=_TEXT)
_LETTER = _object(
    seq={"type": "integer"}, service=_STRING, stage=_STRING, reason=_STRING, replayed=_ANY
)
_CONTROL = _object(scope=_STRING, id=_TEXT, halt_id=_STRING, at=_STRING, by=_STRING, flatten=_BOOL)
_CHECKUP = _object(account=_STRING, state=_STRING, at=_STRING)
_EGRESS = _list(_object(shard={"type": "integer"}, owner=_BOOL))

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/health/live"): Operation(name="show_live", summary="Whether the process runs."),
    ("GET", "/health/ready"): Operation(name="show_ready", summary="What it waits for."),
    ("GET", "/api/alerts"): Operation(
        name="list_alerts",
        summary="Alerts, newest first.",
        answer=_object(alerts=_list(_ALERT), next=_NEXT, searched=_ANY),
        problems=(503,),
    ),
    ("GET", "/api/alerts/{alert_id}"): Operation(
        name="show_alert",
        summary="Everything about one alert.",
        answer=_object(alert_id=_STRING, status=_STRING, events=_list(), diagnosis=_list()),
        problems=(404, 503),
    ),
    ("POST", "/api/alerts/{alert_id}/replay"): Operation(
        name="replay_alert",
        summary="What an old alert would do under today's rules; nothing is sent.",
        answer=_object(alert_id=_STRING, route=_STRING, now=_OBJECT, differences=_list()),
        problems=(404, 409, 503),
    ),
    ("GET", "/api/events"): Operation(
        name="follow_events",
        summary="Every message of the log, as server-sent events.",
        answer=_STRING,
        problems=(503,),
        kind="text/event-stream",
    ),
    ("GET", "/api/changes"): Operation(
        name="list_changes",
        summary="What was changed by hand, newest first.",
        answer=_object(changes=_list(), next=_TEXT),
        problems=(503,),
    ),
    ("GET", "/api/routes"): Operation(
        name="list_routes",
        summary="All routes.",
        answer=_object(routes=_list(_ROUTE)),
        problems=(503,),
    ),
    ("POST", "/api/routes"): Operation(
        name="create_route",
        summary="Make a route; its token is shown this once.",
        answer=_WITH_TOKEN,
        status=201,
        problems=(409, 415, 503),
        body="RouteSettings",
    ),
    ("GET", "/api/routes/{route_id}"): Operation(
        name="show_route", summary="One route.", answer=_ROUTE, problems=(404, 503)
    ),
    ("PATCH", "/api/routes/{route_id}"): Operation(
        name="change_route",
        summary="Change a route by a merge patch; `If-Match` may name the revision read.",
        answer=_ROUTE,
        problems=(404, 409, 415, 503),
        body="ChangedRoute",
    ),
    ("DELETE", "/api/routes/{route_id}"): Operation(
        name="delete_route", summary="Delete a route.", status=204, problems=(404, 409, 503)
    ),
    ("POST", "/api/routes/{route_id}/rotate"): Operation(
        name="rotate_route",
        summary="Make a new token; the old one stays valid for a while.",
        answer=_WITH_TOKEN,
        problems=(404, 409, 415, 503),
        body="Rotation",
        body_required=False,
    ),
    ("POST", "/api/routes/{route_id}/pause"): Operation(
        name="pause_route",
        summary="Deny entries; exits pass.",
        answer=_ROUTE,
        problems=(404, 409, 503),
    ),
    ("POST", "/api/routes/{route_id}/resume"): Operation(
        name="resume_route", summary="Trade again.", answer=_ROUTE, problems=(404, 409, 503)
    ),
    ("POST", "/api/routes/{route_id}/test"): Operation(
        name="try_route",
        summary="What an alert would do; with `send`, a real one as a test.",
        answer=_object(explicit_id=_STRING),
        problems=(403, 404, 409, 415, 429, 503, 504),
        body="Test",
    ),
    ("GET", "/api/accounts"): Operation(
        name="list_accounts",
        summary="All accounts, without their keys.",
        answer=_object(accounts=_list(_ACCOUNT)),
        problems=(503,),
    ),
    ("POST", "/api/accounts"): Operation(
        name="create_account",
        summary="Make an account.",
        answer=_object(account=_ACCOUNT),
        status=201,
        problems=(409, 415, 503),
        body="NewAccount",
    ),
    ("GET", "/api/accounts/{account_id}"): Operation(
        name="show_account", summary="One account.", answer=_ACCOUNT, problems=(404, 503)
    ),
    ("PATCH", "/api/accounts/{account_id}"): Operation(
        name="change_account",
        summary="Change an account by a merge patch.",
        answer=_ACCOUNT,
        problems=(404, 409, 415, 503),
        body="ChangedAccount",
    ),
    ("DELETE", "/api/accounts/{account_id}"): Operation(
        name="delete_account",
        summary="Delete an account that no route trades, with its key.",
        status=204,
        problems=(404, 409, 503),
    ),
    ("GET", "/api/accounts/{account_id}/instruments"): Operation(
        name="list_instruments",
        summary="The contracts of its exchange.",
        answer=_object(account=_STRING, instruments=_list()),
        problems=(404, 503),
    ),
    ("POST", "/api/accounts/{account_id}/check"): Operation(
        name="check_account",
        summary="Check the account up now.",
        answer=_CHECKUP,
        problems=(404, 503),
    ),
    ("GET", "/api/accounts/{account_id}/check"): Operation(
        name="show_checkup", summary="Its latest checkup.", answer=_CHECKUP, problems=(404, 503)
    ),
    ("GET", "/api/accounts/{account_id}/picture"): Operation(
        name="show_picture",
        summary="What the account holds now.",
        answer=_object(account=_STRING),
        problems=(404, 503),
    ),
    ("GET", "/api/accounts/{account_id}/addresses"): Operation(
        name="show_addresses",
        summary="Under which addresses its exchange sees it.",
        answer=_object(
            account=_STRING, expected=_list(_STRING), seen=_list(_STRING), executors=_EGRESS
        ),
        problems=(404, 503),
    ),
    ("GET", "/api/egress"): Operation(
        name="show_egress",
        summary="Under which addresses executors are seen.",
        answer=_object(seen=_list(_STRING), executors=_EGRESS),
        problems=(503,),
    ),
    ("GET", "/api/halt"): Operation(
        name="list_halts",
        summary="What is halted.",
        answer=_object(halts=_list(_CONTROL)),
        problems=(503,),
    ),
    ("POST", "/api/halt"): Operation(
        name="halt",
        summary="Open nothing any more; with `flatten`, close what is held.",
        answer=_object(halt=_CONTROL, new=_BOOL),
        problems=(404, 409, 415, 503),
        body="Halt",
    ),
    ("POST", "/api/resume"): Operation(
        name="resume",
        summary="End a halt.",
        answer=_object(resumed=_CONTROL, halts=_list(_CONTROL)),
        problems=(404, 409, 415, 503),
        body="Place",
    ),
    ("GET", "/api/dead"): Operation(
        name="list_dead",
        summary="What a service gave up on, newest first.",
        answer=_object(dead=_list(_LETTER), next=_NEXT),
        problems=(503,),
    ),
    ("GET", "/api/dead/{seq}"): Operation(
        name="show_dead",
        summary="One of them, whole.",
        answer=_LETTER,
        problems=(404, 503),
    ),
    ("POST", "/api/dead/{seq}/replay"): Operation(
        name="replay_dead",
        summary="Put it into the log again, once.",
        answer=_object(dead=_LETTER, new=_BOOL),
        problems=(404, 409, 503),
    ),
    ("GET", "/api/health"): Operation(
        name="show_health", summary="Whether everything runs.", answer=_object(at=_STRING)
    ),
    ("GET", "/api/statistics"): Operation(
        name="show_statistics",
        summary="Counts and times of a stretch.",
        answer=_object(since=_STRING, until=_STRING, statuses=_OBJECT, latency=_OBJECT),
        problems=(503,),
    ),
    ("GET", "/api/sealing"): Operation(
        name="show_sealing",
        summary="By which keys secrets are sealed.",
        answer=_object(console_key=_ANY, executors=_list(), accounts=_list()),
        problems=(503,),
    ),
    ("POST", "/api/sealing/reseal"): Operation(
        name="reseal",
        summary="Seal anew what is sealed for another key than the console's.",
        answer=_object(console_key=_STRING, resealed=_list(_STRING), left=_list()),
        problems=(409, 503),
    ),
}
