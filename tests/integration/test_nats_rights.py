"""What each user may say and hear at NATS: the server itself refuses everything else."""

import asyncio
import contextlib
from itertools import product

import pytest

from libs.common.connecting import Access, connect
from libs.common.contracts import subjects
from libs.common.express import ExpressClient
from libs.common.nats_accounts import as_text, server
from libs.common.nkeys import new_key
from libs.common.permissions import User, rights_of
from libs.common.secret import Secret
from tests.backends import running_process, scratch_folder
from tools.cli.ops_state import STREAMS
from tools.devstack.nats import NatsServer
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

LIMITED = [user for user in User if user is not User.ADMIN]
SERVICES = [User.INGEST, User.ROUTER, User.EXECUTOR, User.AUDITOR, User.CONSOLE]
DURABLES = ("router", "router-0-of-2", "executor-0", "executor-1", "auditor")
STAGES = (
    *("alert.received.r", "alert.duplicate.r", "alert.refused.r"),
    *("intent.accepted.0.a.s", "intent.denied.r", "intent.flattened.a"),
    *("order.planned.a.s", "execution.sent.a.s", "execution.filled.a.s", "position.drifted.a.s"),
    *("account.checked.a", "account.called.a", "anchor.PIPELINE"),
    *("dead.router", "dead.executor", "dead.replayed.router"),
)
ASKED = (
    *("ask.presence", "ask.egress", "ask.parse", "ask.decide"),
    *("ask.plan.a", "ask.picture.a", "ask.test.r", "ask.checkup.a"),
    *("ask.sealing", "ask.reseal.a", "tell.routers"),
)
KEYS = (
    *(f"$KV.{bucket}.k" for bucket in subjects.BUCKETS),
    *("$KV.owners.router", "$KV.owners.router-1-of-2", "$KV.owners.executor-0"),
)
OF_A_STREAM = (
    *("CREATE", "UPDATE", "DELETE", "PURGE", "SNAPSHOT", "RESTORE", "INFO"),
    *("MSG.GET", "MSG.DELETE", "LEADER.STEPDOWN", "PEER.REMOVE"),
)
OF_A_CONSUMER = (
    *("CREATE", "DURABLE.CREATE", "DELETE", "INFO", "PAUSE", "RESET", "MSG.NEXT", "UNPIN"),
    "LEADER.STEPDOWN",
)
OF_THE_ACCOUNT = (
    *("INFO", "STREAM.NAMES", "STREAM.LIST", "META.LEADER.STEPDOWN", "SERVER.REMOVE"),
    *("ACCOUNT.PURGE.ALERTWIRE", "SERVER.STREAM_MOVE"),
)


def said():
    """Subjects of every kind there is."""
    yield from (*STAGES, *ASKED, *KEYS)
    yield from (f"_INBOX_{user}.x.y" for user in User)
    yield from ("_INBOX.x", "$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.ALERTWIRE.CONNZ")
    yield "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.PIPELINE.router"
    yield from (f"$JS.API.{word}" for word in OF_THE_ACCOUNT)
    for stream in STREAMS:
        yield from (f"$JS.API.STREAM.{word}.{stream}" for word in OF_A_STREAM)
        yield from (f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.DIRECT.GET.{stream}.a.b")
        yield from (f"$JS.API.CONSUMER.{word}.{stream}" for word in ("CREATE", "LIST", "NAMES"))
        yield f"$JS.FC.{stream}.x.y"
        for name in ("x", *DURABLES):
            yield from (f"$JS.API.CONSUMER.{word}.{stream}.{name}" for word in OF_A_CONSUMER)
            yield from (
                f"$JS.API.CONSUMER.CREATE.{stream}.{name}.{only}"
                for only in (">", "alert.received.>", "dead.*", "$KV.routes.>", "$KV.secrets.>")
            )
            yield f"$JS.ACK.{stream}.{name}.1.2.3.4.5"
            yield f"$JS.ACK.hub.hash.{stream}.{name}.1.2.3.4.5.x"


def heard():
    yield from (*STAGES, *ASKED, *KEYS)
    yield from ("alert.>", "intent.>", "order.>", "execution.>", "dead.>", "anchor.>", "ask.>")
    yield from (f"_INBOX_{user}.>" for user in User)
    yield from ("_INBOX.>", ">", "*.>", "$KV.>", "$KV.secrets.>", "$SYS.>", "$JS.>", "$JS.API.>")
    yield from ("$JS.EVENT.>", "$JS.ACK.>")


@contextlib.contextmanager
def refereeing():
    """A server that knows all users and keeps nothing, so that what is said has no effect."""
    keys = {user: new_key() for user in User}
    with scratch_folder() as directory:
        port = free_port()
        config = server(
            {user: [key.public] for user, key in keys.items()},
            store=str(directory),
            listen=f"127.0.0.1:{port}",
            server_name="referee",
            shards=2,
            router_shards=2,
        )
        del config["jetstream"], config["accounts"]["ALERTWIRE"]["jetstream"]
        devstack = NatsServer(directory=directory, port=port, user="u", password="p")
        command = devstack.prepare()
        (directory / "nats.conf").write_text(as_text(config))
        for user, key in keys.items():
            (directory / user).write_text(key.seed)
        with running_process(command, log=directory / "nats.log"):
            asyncio.run(devstack.wait_ready())
            yield devstack.address, directory


@pytest.fixture(scope="module")
def referee():
    with refereeing() as found:
        yield found


@contextlib.asynccontextmanager
async def client_of(user, *, address, key_file, inbox_of=None):
    """A connection, and what it was refused."""
    refused = []

    async def note(error):
        refused.append(str(error))

    client = ExpressClient()
    access = Access(url=Secret(address), nkey_file=key_file)
    await connect(client, access, user=inbox_of or user, error_cb=note, allow_reconnect=False)
    try:
        yield client, refused
    finally:
        await client.close()


def named(refused, kind):
    """The subjects that were refused, in the server's spelling made small by the client."""
    return {line.split('"')[1] for line in refused if f"violation for {kind}" in line}


@pytest.mark.parametrize("user", LIMITED)
async def test_the_server_refuses_exactly_what_the_table_does_not_allow(referee, user):
    address, directory = referee
    rights = rights_of(user, shards=2, router_shards=2)
    async with client_of(user, address=address, key_file=directory / user) as (client, refused):
        for subject in dict.fromkeys(said()):
            client.post(subject, b"")
        for pattern in heard():
            await client.subscribe(pattern)
        client.post("the.end", b"")
        async with asyncio.timeout(30):
            while not any("the.end" in line for line in refused):
                await asyncio.sleep(0.01)
    everything = (*said(), "the.end")
    said_wrongly = {each.lower() for each in everything if not rights.may_publish(each)}
    heard_wrongly = {each.lower() for each in heard() if not rights.may_subscribe(each)}
    assert named(refused, "publish") == said_wrongly
    assert named(refused, "subscription") == heard_wrongly
    assert len(said_wrongly) > 400


NEVER_SAID = [
    *product([User.EXECUTOR, User.ROUTER, User.AUDITOR, User.SETUP, User.OPS], STAGES[:3]),
    *product([User.INGEST, User.AUDITOR, User.SETUP, User.OPS], STAGES[3:12]),
    *product([User.ROUTER, User.CONSOLE], STAGES[6:12]),
    *((user, "anchor.PIPELINE") for user in LIMITED if user is not User.AUDITOR),
    *((user, subject) for user in LIMITED if user is not User.CONSOLE
      for subject in ("ask.test.r", "ask.reseal.a")),
    *((user, "$KV.secrets.k") for user in LIMITED if user is not User.CONSOLE),
    *((user, "$KV.routes.k") for user in LIMITED if user is not User.CONSOLE),
    *((user, f"$JS.API.STREAM.{word}.{stream}") for user in LIMITED for stream in STREAMS
      for word in ("DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE")),
    *((user, f"$JS.API.STREAM.{word}.{stream}") for user in (*SERVICES, User.OPS)
      for stream in STREAMS for word in ("CREATE", "UPDATE")),
    *((user, f"$JS.API.CONSUMER.{word}.PIPELINE.{name}") for user in SERVICES for name in DURABLES
      for word in ("CREATE", "DURABLE.CREATE", "DELETE", "PAUSE")),
    *((user, f"$JS.API.CONSUMER.CREATE.{stream}") for user in SERVICES for stream in STREAMS),
    *((user, f"$JS.API.DIRECT.GET.{stream}") for user in SERVICES for stream in STREAMS
      if (user, stream) != (User.CONSOLE, "PIPELINE")),
    *((User.CONSOLE, subject) for subject in said() if "KV_secrets" in subject
      and subject != "$JS.API.CONSUMER.INFO.KV_secrets.auditor"),
    *((user, f"_INBOX_{other}.x.y") for user, other in product(SERVICES, User)
      if other not in {User.CONSOLE, User.OPS}),
]  # fmt: skip


@pytest.mark.parametrize("user", LIMITED)
def test_what_nobody_may_ever_be_given(user):
    rights = rights_of(user, shards=2, router_shards=2)
    given = [
        subject for each, subject in NEVER_SAID if each is user and rights.may_publish(subject)
    ]
    assert given == []
    others = [f"_INBOX_{other}.>" for other in User if other is not user]
    spied = [p for p in (*others, ">", "$KV.>", "$SYS.>", *STAGES) if rights.may_subscribe(p)]
    assert spied == []


async def test_who_has_no_key_of_ours_is_not_let_in(referee, tmp_path):
    address, _ = referee
    (tmp_path / "strange").write_text(new_key().seed)
    with pytest.raises(Exception, match=r"(?i)authorization violation"):
        async with client_of(User.OPS, address=address, key_file=tmp_path / "strange"):
            pass
    with pytest.raises(Exception, match=r"(?i)authorization violation"):
        async with client_of(User.OPS, address=address, key_file=None):
            pass
