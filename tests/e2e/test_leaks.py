"""No output of a whole run tells a secret: not what services log, answer, export, store or are
started with. Only the files that are there to hold one do.
"""

import shutil
import tempfile
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.otlp_sink import OtlpSink
from tests.e2e.running_stack import RunningStack
from tests.e2e.secret_run import Run
from tests.leaks import Leaks

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]

ALL = frozenset({"*"})
KNOWN = {
    # What the devstack keeps for its owner, each readable by nobody else.
    "state/credentials.json": ALL,
    "state/stack.json": ALL,
    "state/demo.json": ALL,
    "state/sealing.key": frozenset({"sealing key 1", "sealing key 2"}),
    "state/secrets/": ALL,
    "state/nkeys/": ALL,
    "state/nats.conf": frozenset({"nats_password"}),
    # Without the session's cookie, of which the bucket knows a hash, it proves nothing.
    "state/nats/jetstream/$G/streams/KV_sessions/": frozenset({"csrf"}),
    "page ": frozenset({"csrf"}),
    # The exchange itself knows the key that it gave out.
    "state/paper_exchange/": frozenset({"secret key"}),
    # The webhook is what somebody starts the stack for.
    "up": frozenset({"webhook token"}),
}
"""Where a secret belongs."""


@pytest.fixture(scope="module")
def home():
    home = Path(tempfile.mkdtemp(prefix="alertwire-leaks-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(home):
    sink = OtlpSink(keeps_bodies=True)
    sink.start()
    exported = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    stack = RunningStack(home / "state", environ=exported)
    try:
        stack.start()
        found = Run(stack=stack, sink=sink)
        await found.use_everything()
        assert stack.stop() == 0
        yield found
    finally:
        stack.stop_if_running()
        sink.stop()


@pytest.fixture(scope="module")
def outputs(run):
    return list(run.outcome())


async def test_no_output_tells_a_secret(run, outputs):
    found = Leaks(secrets=run.secrets, known=KNOWN).among(outputs)
    assert found == [], "\n".join(str(one) for one in found)


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        ("state/logs/executor.log", ["process.started", "secret.resealed", "message.buried"]),
        ("state/logs/auditor.log", ["audit.anchored", "process.stopped"]),
        ("state/logs/console.log", ["console.started", "trail."]),
        ("state/logs/ingest.log", ["alert.refused", "token_unknown", "log."]),
        ("state/logs/router.log", ["message.buried", "undecodable"]),
        ("state/nats/jetstream/", ["body_secret_wrong", "alert.received"]),
        ("table public.audit", ["body_secret_wrong", "secret.sealed"]),
        ("otlp ", ["alertwire-ingest", "alertwire-router", "alertwire-executor"]),
        ("answer POST /api/accounts/wrong/check", ["secret_key"]),
        ("command dead list", ["router"]),
        ("state/exported.jsonl", ["body_secret_wrong"]),
        ("page /accounts/wrong", ["wrong"]),
        ("executor started with: NATS, wrong password", ["Authorization"]),
        ("console started with: PostgreSQL, no address", ["process.failed", "exc_value"]),
        ("auditor started with: PostgreSQL, wrong password", ["password authentication failed"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_the_search_has_seen_what_it_was_about(outputs, begin, words):
    """Nothing is found in outputs that are not there."""
    seen = b"".join(_raw(content) for place, content in outputs if place.startswith(begin))
    assert [word for word in words if word.encode() not in seen] == []


async def test_a_secret_that_is_put_there_on_purpose_is_found(run, outputs):
    """In a log, in a span, in a row: the search does not fail by itself."""
    leaks = Leaks(secrets=run.secrets, known=KNOWN)
    for name in ("secret key", "webhook token", "console_token", "sealing key 1", "body secret"):
        for begin in ("state/logs/executor.log", "otlp ", "table public.audit"):
            place, content = next(one for one in outputs if one[0].startswith(begin))
            raw = _raw(content)
            planted = raw[: len(raw) // 2] + run.secrets[name].encode() + raw[len(raw) // 2 :]
            assert [found.secret for found in leaks.within(place, planted)] == [name]


def _raw(content):
    return content.encode(errors="surrogateescape") if isinstance(content, str) else content
