"""Who may say and hear what at NATS, as data: users by service, and for each the subjects that it
may publish and subscribe. What is not listed is refused (docs/decisions/0032).

Three things of NATS stand behind the lists. Where an answer goes is checked for nobody but who
answers: so whoever answers may write to the inboxes of those that ask, and to no others. A consumer
can be changed by whoever may make one of its name: so durable ones are excepted where consumers of
the moment are made. And `DIRECT.GET` answers with a message as it was stored, wherever the asker
says: so services read by `STREAM.MSG.GET`, whose answers are no messages of ours.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from libs.common.contracts import subjects
from libs.common.executor_shards import executor_consumers
from libs.common.router_shards import router_consumers

_AUDITOR = "auditor"
_ROUTER = "router"
_API = "$JS.API"


class User(StrEnum):
    """One NKey user each, all in one account."""

    INGEST = "ingest"
    ROUTER = "router"
    EXECUTOR = "executor"
    AUDITOR = "auditor"
    CONSOLE = "console"
    SETUP = "setup"
    OPS = "ops"
    ADMIN = "admin"


USER_WORDS: Mapping[User, str] = {
    User.INGEST: "the webhook's door",
    User.ROUTER: "alerts into intents",
    User.EXECUTOR: "intents into orders",
    User.AUDITOR: "everything into the trail",
    User.CONSOLE: "pages and API",
    User.SETUP: "`alertwire ops setup`: makes streams, consumers and buckets, deletes none of them",
    User.OPS: "whoever looks after the log: reads its state, pauses consumers, reads the anchors",
    User.ADMIN: "everything, for backup, restore and what nobody thought of; keep its seed away",
}


@dataclass(frozen=True, kw_only=True)
class Rights:
    """Patterns of NATS. `but_not` is taken away from `publish`."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    but_not: tuple[str, ...] = ()

    def may_publish(self, subject: str) -> bool:
        return _any(self.publish, subject) and not _any(self.but_not, subject)

    def may_subscribe(self, pattern: str) -> bool:
        """Whether everything that a pattern means may be heard."""
        return _any(self.subscribe, pattern)


def rights_of(user: User, *, shards: int = 1, router_shards: int = 1) -> Rights:
    """`shards` and `router_shards` as the topology has them, or more."""
    executors = executor_consumers(shards)
    routers = _router_consumers(router_shards)
    durables = (*routers, *executors, _AUDITOR)
    makers: Mapping[User, Callable[[], Rights]] = {
        User.INGEST: lambda: _ingest(durables),
        User.ROUTER: lambda: _router(routers),
        User.EXECUTOR: lambda: _executor(executors),
        User.AUDITOR: _auditor,
        User.CONSOLE: lambda: _console(durables),
        User.SETUP: _setup,
        User.OPS: _ops,
        User.ADMIN: lambda: Rights(publish=(">",), subscribe=(">",)),
    }
    return makers[user]()


def matches(pattern: str, subject: str) -> bool:
    """Whether a pattern covers a subject, or all that another pattern means."""
    wanted, found = pattern.split("."), subject.split(".")
    for place, word in enumerate(wanted):
        if word == ">":
            return len(found) > place
        if place >= len(found) or found[place] == ">":
            return False
        if word not in {"*", found[place]}:
            return False
    return len(wanted) == len(found)


def _any(patterns: Iterable[str], subject: str) -> bool:
    return any(matches(pattern, subject) for pattern in patterns)


def _ingest(durables: Iterable[str]) -> Rights:
    return _rights(
        User.INGEST,
        publish=(
            *("alert.received.*", "alert.duplicate.*", "alert.refused.*"),
            *_answers_to_console(),
            *_watch(subjects.BUCKET_ROUTES),
            *_read_by_the_way(subjects.STREAM, filters=(subjects.ALERTS_RECEIVED,)),
            # The first of two that are one, where another ingest stored it.
            f"{_API}.STREAM.MSG.GET.{subjects.STREAM}",
        ),
        but_not=(*_excepted(durables), *_excepted_of_buckets(subjects.BUCKET_ROUTES)),
        subscribe=(subjects.PARSE_ASKED, subjects.TESTS_ASKED),
    )


def _router(consumers: Iterable[str]) -> Rights:
    watched = (
        *(subjects.BUCKET_ROUTES, subjects.BUCKET_ACCOUNTS),
        *(subjects.BUCKET_INSTRUMENTS, subjects.BUCKET_CONTROLS),
    )
    return _rights(
        User.ROUTER,
        publish=(
            *("intent.accepted.*.*.*", "intent.denied.*", subjects.dead(_ROUTER)),
            *_answers_to_console(),
            *_watch(*watched),
            *_consume(subjects.STREAM, *consumers),
            *_look_back(),
            *_lease(consumers),
            subjects.ROUTERS_TOLD,
            # Over how many shards the routes are shared is read from the consumers' names.
            f"{_API}.CONSUMER.LIST.{subjects.STREAM}",
            f"{_API}.CONSUMER.NAMES.{subjects.STREAM}",
        ),
        but_not=_excepted_of_buckets(*watched),
        subscribe=(subjects.DECIDE_ASKED, subjects.ROUTERS_TOLD),
    )


def _executor(consumers: Iterable[str]) -> Rights:
    watched = (
        *(subjects.BUCKET_ACCOUNTS, subjects.BUCKET_SECRETS, subjects.BUCKET_ROUTES),
        *(subjects.BUCKET_INSTRUMENTS, subjects.BUCKET_CONTROLS),
    )
    return _rights(
        User.EXECUTOR,
        publish=(
            # A halt's flattening is an intent of the executor's own.
            *("intent.accepted.*.*.*", "intent.flattened.*", "intent.denied.*"),
            *("order.planned.*.*", "execution.*.*.*", "position.drifted.*.*"),
            *("account.checked.*", "account.called.*", subjects.dead("executor")),
            _keys(subjects.BUCKET_INSTRUMENTS),
            *_answers_to_console(),
            *_watch(*watched),
            *_consume(subjects.STREAM, *consumers),
            *_look_back(),
            *_lease(consumers),
        ),
        but_not=_excepted_of_buckets(*watched),
        subscribe=(
            *(subjects.PLANS_ASKED, subjects.PICTURES_ASKED),
            *(subjects.EGRESS_ASKED, subjects.CHECKUPS_ASKED),
            *(subjects.SEALING_ASKED, subjects.RESEALS_ASKED),
        ),
    )


def _auditor() -> Rights:
    streams = (subjects.STREAM, *map(subjects.bucket_stream, subjects.AUDITED_BUCKETS))
    return _rights(
        User.AUDITOR,
        publish=(
            "anchor.*",
            f"{_API}.STREAM.MSG.GET.{subjects.ANCHORS}",
            *_answers_to_console(),
            *(right for stream in streams for right in _consume(stream, _AUDITOR)),
        ),
        subscribe=(),
    )


def _console(durables: Iterable[str]) -> Rights:
    read = (
        *(subjects.BUCKET_ROUTES, subjects.BUCKET_ACCOUNTS, subjects.BUCKET_CONTROLS),
        *(subjects.BUCKET_INSTRUMENTS, subjects.BUCKET_SESSIONS),
    )
    written = (
        *(subjects.BUCKET_ROUTES, subjects.BUCKET_ACCOUNTS, subjects.BUCKET_CONTROLS),
        *(subjects.BUCKET_SECRETS, subjects.BUCKET_SESSIONS),
    )
    audited = map(subjects.bucket_stream, subjects.AUDITED_BUCKETS)
    return _rights(
        User.CONSOLE,
        publish=(
            # A dead letter's message goes back to where it stood.
            *("alert.received.*", "intent.accepted.*.*.*", "dead.replayed.*"),
            *map(_keys, written),
            *(subjects.PRESENCE_ASKED, subjects.EGRESS_ASKED, subjects.PARSE_ASKED),
            *(subjects.DECIDE_ASKED, subjects.PLANS_ASKED, subjects.TESTS_ASKED),
            *(subjects.PICTURES_ASKED, subjects.CHECKUPS_ASKED),
            *(subjects.SEALING_ASKED, subjects.RESEALS_ASKED),
            *_answers_to_console(),
            *_watch(*read),
            *(f"{_API}.STREAM.MSG.GET.{subjects.bucket_stream(bucket)}" for bucket in read),
            *_read_by_the_way(
                subjects.STREAM,
                filters=(None, subjects.DEAD_LETTERS, subjects.DEAD_REPLAYED),
            ),
            *_look_back(),
            f"{_API}.CONSUMER.NAMES.{subjects.STREAM}",
            f"{_API}.CONSUMER.LIST.{subjects.STREAM}",
            f"{_API}.DIRECT.GET.{subjects.STREAM}",
            f"{_API}.CONSUMER.DELETE.{subjects.STREAM}.*",
            *(f"{_API}.CONSUMER.INFO.{stream}.{_AUDITOR}" for stream in audited),
        ),
        but_not=(*_excepted(durables), *_excepted_of_buckets(*read)),
        subscribe=(),
    )


def _setup() -> Rights:
    api = ("INFO", "STREAM.NAMES", "STREAM.LIST", "STREAM.INFO.*", "STREAM.CREATE.*")
    consumers = ("NAMES.*", "LIST.*", "INFO.*.*", "DURABLE.CREATE.*.*", "CREATE.*.>")
    return Rights(
        publish=(
            *(f"{_API}.{word}" for word in (*api, "STREAM.UPDATE.*")),
            *(f"{_API}.CONSUMER.{word}" for word in (*consumers, "DELETE.*.*", "RESET.*.*")),
        ),
        subscribe=(_inbox(User.SETUP),),
    )


def _ops() -> Rights:
    api = ("INFO", "STREAM.NAMES", "STREAM.LIST", "STREAM.INFO.*")
    return _rights(
        User.OPS,
        publish=(
            *(f"{_API}.{word}" for word in api),
            *(f"{_API}.CONSUMER.{word}" for word in ("NAMES.*", "LIST.*", "INFO.*.*", "PAUSE.*.*")),
            *_watch_stream(subjects.ANCHORS, filter_subject=subjects.ANCHOR_SUBJECTS),
            # How far the trail is behind the log is read from the log.
            f"{_API}.STREAM.MSG.GET.{subjects.STREAM}",
            subjects.PRESENCE_ASKED,
        ),
        subscribe=(),
        is_asked=False,
    )


def _rights(
    user: User,
    *,
    publish: Iterable[str],
    subscribe: Iterable[str],
    but_not: Iterable[str] = (),
    is_asked: bool = True,
) -> Rights:
    heard = (subjects.PRESENCE_ASKED,) if is_asked else ()
    return Rights(
        publish=tuple(dict.fromkeys(publish)),
        but_not=tuple(dict.fromkeys(but_not)),
        subscribe=(_inbox(user), *heard, *subscribe),
    )


def _inbox(user: User) -> str:
    return f"_INBOX_{user}.>"


# Only the console asks services, and `alertwire ops` who is there.
def _answers_to_console() -> tuple[str, ...]:
    return _inbox(User.CONSOLE), _inbox(User.OPS)


def _keys(bucket: str) -> str:
    return subjects.bucket_subject(bucket=bucket, key=">")


def _watch(*buckets: str) -> tuple[str, ...]:
    return tuple(
        right
        for bucket in buckets
        for right in _watch_stream(subjects.bucket_stream(bucket), filter_subject=_keys(bucket))
    )


def _watch_stream(stream: str, *, filter_subject: str) -> tuple[str, ...]:
    """By a consumer of the moment that sends what there is to an inbox."""
    return (
        f"{_API}.STREAM.INFO.{stream}",
        f"{_API}.CONSUMER.CREATE.{stream}.*.{filter_subject}",
        f"{_API}.CONSUMER.INFO.{stream}.*",
        # The client says that it keeps up; a server may put its domain and account in between.
        f"$JS.FC.{stream}.>",
        f"$JS.FC.*.*.{stream}.>",
    )


def _read_by_the_way(stream: str, *, filters: Iterable[str | None]) -> tuple[str, ...]:
    """By consumers of the moment that are asked for what comes next."""
    made = (
        f"{_API}.CONSUMER.CREATE.{stream}.*" + ("" if each is None else f".{each}")
        for each in filters
    )
    return (
        *made,
        f"{_API}.CONSUMER.INFO.{stream}.*",
        f"{_API}.CONSUMER.MSG.NEXT.{stream}.*",
    )


def _excepted(durables: Iterable[str]) -> tuple[str, ...]:
    """What must not be done with the durable consumers of the log."""
    return tuple(
        f"{_API}.CONSUMER.{word}.{subjects.STREAM}.{name}{more}"
        for name in durables
        for word, more in (("CREATE", ""), ("CREATE", ".>"), ("MSG.NEXT", ""), ("DELETE", ""))
    )


def _excepted_of_buckets(*buckets: str) -> tuple[str, ...]:
    return tuple(
        f"{_API}.CONSUMER.CREATE.{subjects.bucket_stream(bucket)}.{_AUDITOR}.>"
        for bucket in buckets
        if bucket in subjects.AUDITED_BUCKETS
    )


def _consume(stream: str, *names: str) -> tuple[str, ...]:
    return tuple(
        right
        for name in names
        for right in (
            f"{_API}.CONSUMER.INFO.{stream}.{name}",
            f"{_API}.CONSUMER.RESET.{stream}.{name}",
            f"{_API}.CONSUMER.MSG.NEXT.{stream}.{name}",
            # Newer servers put a domain and an account before the stream.
            f"$JS.ACK.{stream}.{name}.>",
            f"$JS.ACK.*.*.{stream}.{name}.>",
        )
    )


def _look_back() -> tuple[str, ...]:
    return (
        f"{_API}.STREAM.INFO.{subjects.STREAM}",
        f"{_API}.STREAM.MSG.GET.{subjects.STREAM}",
    )


def _lease(names: Iterable[str]) -> tuple[str, ...]:
    stream = subjects.bucket_stream(subjects.BUCKET_OWNERS)
    return (
        *(subjects.bucket_subject(bucket=subjects.BUCKET_OWNERS, key=name) for name in names),
        f"{_API}.STREAM.INFO.{stream}",
        f"{_API}.STREAM.MSG.GET.{stream}",
    )


def _router_consumers(shards: int) -> tuple[str, ...]:
    """Of every number of shards up to this one: while it is changed both have theirs."""
    return tuple(name for of in range(1, shards + 1) for name in router_consumers(of))
