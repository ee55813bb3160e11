"""A short chaos run with a fixed seed on a stack of its own: kills, a stop, cuts and bad replies.
`make chaos` is the long one.
"""

import shutil
import tempfile
from pathlib import Path

import pytest

from chaos.planning import Scope, plan
from chaos.report import complaints, counted
from chaos.running import Run
from tests.backends import free_port_base
from tests.leaks import Leaks, files_below, kept_below

pytestmark = [pytest.mark.e2e, pytest.mark.drill, pytest.mark.timeout(180)]

SCOPE = Scope(
    seed=182,
    alerts=90,
    accounts=8,
    seconds=12,
    kills=5,
    stops=1,
    cuts=3,
    executors=1,
    bad_share=0.08,
    longest_stop_s=2.5,
)


@pytest.fixture
def folder():
    # Not pytest's own folder: its parents are closed to the user that Postgres runs as.
    made = Path(tempfile.mkdtemp(prefix="alertwire-chaos-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


async def test_every_alert_is_executed_once_and_in_order_whatever_dies(folder):
    directory = folder / "stack"
    told: list[str] = []
    world = plan(SCOPE)
    run = Run(world=world, directory=directory, port_base=free_port_base(), tell=told.append)
    outcome = await run.whole()
    told += [*counted(outcome), *complaints(outcome.violations, directory=directory)]
    assert not outcome.violations, "\n".join(told)
    outputs = [("report", "\n".join(told)), *files_below(directory / "logs", named="logs")]
    assert Leaks(secrets=kept_below(directory)).among(outputs) == []
    # It happened at all.
    assert len(outcome.evidence.chain) > len(outcome.evidence.rows) >= outcome.evidence.settled
    assert outcome.evidence.anchors
    assert len(outcome.evidence.stored) > 80
    assert sum(count for act, count in outcome.done.items() if act.startswith("kill")) == 5
    assert outcome.befallen
