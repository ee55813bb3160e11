"""How many files, and so connections, a process may have open."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from libs.common.running import FILES_WANTED

ROOT = Path(__file__).parent.parent.parent
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
ASK = """
import json, resource, sys
soft, hard = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from libs.common.running import allow_connections
allow_connections()
print(json.dumps(resource.getrlimit(resource.RLIMIT_NOFILE)))
"""


def allowed(*, soft, hard):
    """In a process of its own: what it gives up is gone for good."""
    words = [sys.executable, "-c", ASK, json.dumps([soft, hard])]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout)


@pytest.mark.skipif(HARD < 4096, reason="this machine allows fewer")
def test_a_process_takes_what_the_machine_allows():
    assert allowed(soft=256, hard=4096) == [4096, 4096]


@pytest.mark.skipif(HARD <= FILES_WANTED, reason="this machine allows fewer")
def test_it_takes_no_more_than_it_wants_and_gives_nothing_back():
    assert allowed(soft=256, hard=HARD) == [FILES_WANTED, HARD]
    assert allowed(soft=HARD, hard=HARD) == [HARD, HARD]
