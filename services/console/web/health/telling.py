"""What the health document says, in the words and the order in which the page shows it: pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from libs.common.topology import AUDITOR
from services.console.documents import Document
from services.console.troubles import OLDEST_MAX_S, WAITING_MAX
from services.console.web.health.accounts import AccountLine, account_line
from services.console.web.health.mending import mend_of
from services.console.web.health.wording import counted, element_id, lasting, sized, waits

_LOG = "PIPELINE"
_READS = {
    _LOG: "the log",
    "KV_routes": "changes to routes",
    "KV_accounts": "changes to accounts",
    "KV_secrets": "changes to keys",
    "KV_controls": "halts",
}
_DOES = {
    "ingest": "takes alerts in",
    "router": "decides what is traded",
    "executor": "trades at the exchange",
    "auditor": "writes the trail",
    "console": "serves these pages",
}
_WITHOUT = {
    "ingest": "No alert is taken in: TradingView finds nobody.",
    "router": "Alerts are stored, and wait; nothing is traded.",
    "executor": "Nothing is sent to the exchange; exits wait too.",
    "auditor": "Trading goes on; the trail stands still.",
    "console": "These pages are here, and do not say so themselves.",
}
_DUTIES = {
    "owner": "works, as owner of {work}",
    "stands_by": "stands by for {work}",
    "waits": "waits to begin with {work}",
}


@dataclass(frozen=True, kw_only=True)
class TroubleLine:
    id: str
    state: str
    what: str
    place: str
    """Where on this page, or on which, more of it is told."""
    text: str
    mend: str
    runbook: str


@dataclass(frozen=True, kw_only=True)
class ProcessLine:
    id: str
    instance: str
    version: str
    started_at: str
    duty: str
    ready: bool
    missing: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class ServiceLine:
    name: str
    does: str
    state: str
    tone: str
    """A badge's."""
    without: str
    """What its silence comes to."""
    processes: Sequence[ProcessLine]


@dataclass(frozen=True, kw_only=True)
class ReaderLine:
    id: str
    name: str
    reads: str
    waiting: int
    in_hand: int
    oldest: str
    redelivered: int
    tone: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """The page's upper half."""

    at: str
    state: str
    headline: str
    beside: str
    key: str
    """Changes with what is wrong, and with nothing else."""
    troubles: Sequence[TroubleLine]
    services_problem: str | None
    services: Sequence[ServiceLine]
    readers_problem: str | None
    readers: Sequence[ReaderLine]
    waiting: str
    log_problem: str | None
    log: Sequence[tuple[str, str]]
    log_span: tuple[str, str] | None
    trail_problem: str | None
    trail: str
    trail_stored_at: str | None
    accounts_problem: str | None
    accounts: Sequence[AccountLine]


def health_of(document: Document) -> Health:
    troubles = [_trouble(each) for each in document["troubles"]]
    readers = [_reader(each) for each in document["consumers"]["consumers"]]
    log, trail, accounts = document["log"], document["trail"], document["accounts"]
    services = list(_services(document["services"]))
    waiting = _waiting(document["consumers"]["consumers"])
    return Health(
        at=document["at"],
        state=document["state"],
        headline=headline(troubles),
        beside=_beside(services, waiting, accounts["accounts"]) if not troubles else "",
        key=" ".join(sorted(each.id for each in troubles)),
        troubles=troubles,
        services_problem=document["services"]["problem"],
        services=services,
        readers_problem=document["consumers"]["problem"],
        readers=readers,
        waiting=waiting,
        log_problem=log["problem"],
        log=list(_log(log)) if log["problem"] is None else [],
        log_span=(log["first_at"], log["last_at"]) if log.get("first_at") else None,
        trail_problem=trail["problem"],
        trail=_trail(trail),
        trail_stored_at=trail["stored_at"],
        accounts_problem=accounts["problem"],
        accounts=[account_line(each) for each in accounts["accounts"]],
    )


def headline(troubles: Sequence[TroubleLine]) -> str:
    """The state of it all in one sentence."""
    wrong = sum(each.state == "wrong" for each in troubles)
    warnings = len(troubles) - wrong
    if not troubles:
        return "All is well"
    if not wrong:
        return f"Trading goes on; {counted(warnings, 'thing')} should be looked at"
    told = f"{counted(wrong, 'thing is', 'things are')} wrong"
    return f"{told}, {warnings} more should be looked at" if warnings else told


def _beside(services: Sequence[ServiceLine], waiting: str, accounts: Sequence[Document]) -> str:
    told = [f"{counted(len(services), 'service is', 'services are')} ready", waiting]
    if accounts:
        told.append(f"{counted(len(accounts), 'account is', 'accounts are')} in order")
    return ", ".join(told)


def _trouble(trouble: Document) -> TroubleLine:
    part, what = trouble["part"], trouble["what"]
    place = f"#{part}"
    if part == "accounts" and what != "all":
        place = f"/accounts/{what}"
    elif part in {"log", "consumers", "trail"}:
        place = "#log"
    return TroubleLine(
        id=element_id("trouble", part, what, trouble["runbook"].rpartition("#")[2]),
        state=trouble["state"],
        what=_named(part, what),
        place=place,
        text=trouble["text"],
        mend=mend_of(trouble["runbook"]),
        runbook=trouble["runbook"],
    )


def _named(part: str, what: str) -> str:
    if what == "all":
        return {"services": "The services", "consumers": "The readers"}.get(part, "The accounts")
    if part == "accounts":
        return f"Account {what}"
    return {"log": "The log", "trail": "The trail"}.get(part, what)


def _services(services: Document) -> Iterator[ServiceLine]:
    silent = services["silent"]
    processes = services["processes"]
    others = dict.fromkeys(each["service"] for each in processes)
    for name in dict.fromkeys([*services["known"], *others]):
        mine = [_process(each) for each in processes if each["service"] == name]
        state, tone = _state_of(mine, is_silent=silent is not None and name in silent)
        yield ServiceLine(
            name=name,
            does=_DOES.get(name, ""),
            state=state,
            tone=tone,
            without=_WITHOUT.get(name, "") if state == "silent" else "",
            processes=mine,
        )


def _state_of(processes: Sequence[ProcessLine], *, is_silent: bool) -> tuple[str, str]:
    """In words, and its badge's tone."""
    ready = sum(each.ready for each in processes)
    if is_silent:
        return "silent", "silent"
    if not processes:
        return "not known", "unasked"
    if ready == len(processes):
        return "ready", "ready"
    return (f"{ready} of {len(processes)} ready", "warning") if ready else ("not ready", "wrong")


def _process(process: Document) -> ProcessLine:
    return ProcessLine(
        id=element_id("process", process["service"], process["instance"]),
        instance=process["instance"],
        version=process["version"],
        started_at=process["started_at"],
        duty=_DUTIES.get(process["role"], "works").format(work=process["work"] or "its work"),
        ready=process["ready"],
        missing=sorted(process["missing"].items()),
    )


def _reader(reader: Document) -> ReaderLine:
    stream: str = reader["stream"]
    oldest_s = reader["oldest_s"]
    late = (oldest_s is not None and oldest_s > OLDEST_MAX_S) or reader["waiting"] > WAITING_MAX
    return ReaderLine(
        id=element_id("reader", stream, reader["name"]),
        name=reader["name"],
        reads=_READS.get(stream, stream),
        waiting=reader["waiting"],
        in_hand=reader["unacknowledged"],
        oldest=lasting(oldest_s),
        redelivered=reader["redelivered"],
        tone="" if not late else "warn" if reader["service"] == AUDITOR else "bad",
    )


# The log is read by several: what waits for one of them waits.
def _waiting(readers: Sequence[Document]) -> str:
    most = max((each["waiting"] + each["unacknowledged"] for each in readers), default=0)
    ages = [each["oldest_s"] for each in readers if each["oldest_s"] is not None]
    return waits(most, max(ages, default=None))


def _log(log: Document) -> Iterator[tuple[str, str]]:
    yield "Holds", f"{counted(log['messages'], 'message')}, {sized(log['bytes'])}"
    kept = "without end" if log["retention_s"] is None else lasting(log["retention_s"])
    limit = "" if log["bytes_max"] is None else f", {sized(log['bytes_max'])} at most"
    yield "Keeps", f"{kept}{limit}"
    yield "Copies", f"{log['replicas']:,}"


def _trail(trail: Document) -> str:
    behind = trail["behind_messages"]
    if behind is None:
        return "how far it is behind is not known while the log does not answer"
    if behind == 0:
        return "up to date"
    age = lasting(trail["behind_s"])
    told = f"{counted(behind, 'message')} behind the log at most"
    return f"{told}, the oldest for {age}" if age else told
