"""What the console has seen of an installation: one where all is well, and what differs from it."""

from dataclasses import replace
from datetime import timedelta

from libs.common.contracts.presence import Presence, Role
from libs.common.topology import AUDITED_STREAMS, AUDITOR, ROUTER
from services.console.lags import ConsumerLag, LogState
from services.console.presences import SERVICES
from services.console.troubles import AccountSeen, Seen, TrailState
from tests.diagnosed import make_checkup, make_finding
from tests.factories import NOW

LEASES = {"router": "router", "executor": "executor-0"}


def process(service, number=1, **changes):
    work = LEASES.get(service, "")
    values = {
        "service": service,
        "instance": f"node:{number}",
        "version": "1",
        "started_at": NOW,
        "ready": True,
        "at": NOW,
        "role": Role.OWNER if work else Role.WORKS,
        "work": work,
    }
    return Presence(**{**values, **changes})


def lag(name, stream="PIPELINE", **changes):
    values = {
        "waiting": 0,
        "unacknowledged": 0,
        "redelivered": 0,
        "handled_up_to": 17,
        "oldest_at": None,
    }
    return ConsumerLag(stream=stream, name=name, **{**values, **changes})


ALL = [process(service) for service in SERVICES]
LAGS = [lag(ROUTER), lag("executor-0"), *(lag(AUDITOR, stream) for stream in AUDITED_STREAMS)]
LOG = LogState(
    messages=17,
    bytes=1_000,
    first_seq=1,
    last_seq=17,
    first_at=NOW,
    last_at=NOW,
    retention_s=14 * 86_400,
    bytes_max=None,
    replicas=1,
)
WELL = Seen(
    at=NOW,
    presences=ALL,
    log=LOG,
    lags=LAGS,
    trail=TrailState(seq=17, stored_at=NOW, behind_messages=0),
    accounts=[AccountSeen(account="paper", checked=make_checkup(make_finding("clock")))],
)


def without(service):
    return [each for each in ALL if each.service != service]


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


def without_router():
    """Nobody has routed for over a minute, and a key runs out."""
    started = {"started_at": ago(5 * 3_600), "version": "0.7.0"}
    there = [process(each, 100 + n, **started) for n, each in enumerate(SERVICES)]
    checked = make_checkup(make_finding("key_days", "warning"), key_days_left=9, at=ago(240))
    return replace(
        WELL,
        presences=[each for each in there if each.service != "router"],
        log=replace(LOG, messages=48_211, bytes=61_341_696, last_seq=48_211),
        lags=[lag(ROUTER, waiting=3, oldest_at=ago(75)), *LAGS[1:]],
        accounts=[AccountSeen(account="paper", checked=checked)],
    )
