"""The images as a restricted pod runs them: without root, capabilities, a shell or a file to write.

Built and run by Debian's tools out of Debian's packages and the locked wheels: `make images-test`.
"""

import json
import re

import asyncpg
import pytest

from tests import backends
from tests.e2e.running_stack import Trader
from tests.images.containers import BASE
from tools.devstack.database import ensure_database
from tools.images.contents import IMAGES, files_of
from tools.migrating import MIGRATIONS
from tools.supply.bom import document
from tools.supply.locks import lock_of

pytestmark = [pytest.mark.images, pytest.mark.timeout(600)]

SERVICES = ("ingest", "router", "executor", "auditor", "console")
MISSING = {**dict.fromkeys(SERVICES, "ALERTWIRE_NATS_URL"), "paper-exchange": "ALERTWIRE_PORT"}
LOOK_AROUND = """
import importlib.metadata, json, os, sys
def executables():
    for folder in os.environ["PATH"].split(":"):
        if os.path.isdir(folder):
            yield from os.listdir(folder)
def writable(top):
    for folder, _, names in os.walk(top):
        yield from (p for p in [folder, *(os.path.join(folder, n) for n in names)]
                    if os.access(p, os.W_OK) and not os.path.islink(p))
def raising():
    for folder, _, names in os.walk("/usr"):
        for path in (os.path.join(folder, n) for n in names):
            if not os.path.islink(path) and os.stat(path).st_mode & 0o6000:
                yield path
app = "/opt/alertwire/app"
print(json.dumps({
    "uid": [os.getuid(), os.getgid()],
    "executables": sorted(set(executables())),
    "files": sorted(os.path.relpath(os.path.join(f, n), app) for f, _, ns in os.walk(app)
                    for n in ns if "__pycache__" not in f and "dist-info" not in f),
    "compiled": sum(n.endswith(".pyc") for _, _, ns in os.walk(app) for n in ns),
    "packages": sorted(f"{d.name.lower().replace('_', '-')}=={d.version}"
                       for d in importlib.metadata.distributions()),
    "writable": sorted(writable("/opt")) + sorted(writable("/etc")),
    "raising": sorted(raising()),
    "python": list(sys.version_info[:2]),
}))
"""


@pytest.fixture(scope="session", params=IMAGES)
def looked(request, images):
    return request.param, json.loads(images.python(request.param, LOOK_AROUND))


@pytest.mark.parametrize("image", MISSING)
def test_a_process_that_lacks_a_setting_names_it_and_ends_with_2(images, image):
    found = images.run(image)
    assert found.returncode == 2, found.stderr
    event = json.loads((found.stdout + found.stderr).splitlines()[-1])
    assert event["event"] == "settings.refused"
    assert event["reason"].startswith(MISSING[image])


def test_the_command_line_takes_the_commands_words(images):
    assert re.fullmatch(r"alertwire, version \d\S+\n", images.run("cli", "--version").stdout)
    wrong = images.run("cli", "nonsense")
    assert (wrong.returncode, "nonsense" in wrong.stderr) == (2, True)
    told = images.run("cli", "up")
    assert (told.returncode, "no part of this installation" in told.stderr) == (1, True)


def test_an_image_is_not_root_and_can_run_nothing_but_python(looked):
    image, seen = looked
    assert seen["uid"] == [10001, 10001]
    others = [name for name in seen["executables"] if not name.startswith("python")]
    assert others == (["dbmate"] if image == "cli" else [])
    assert "pip" not in {package.partition("==")[0] for package in seen["packages"]}
    assert seen["raising"] == []
    assert seen["writable"] == []


def test_an_image_holds_its_part_of_the_tree_compiled(looked):
    image, seen = looked
    assert seen["files"] == sorted(str(path) for path in files_of(image))
    assert seen["compiled"] >= sum(name.endswith(".py") for name in seen["files"])


def test_an_image_holds_the_packages_of_its_lock(looked):
    image, seen = looked
    locked = {f"{each.name}=={each.version}" for each in lock_of(image) if each.applies}
    listed = {
        f"{each['name']}=={each['version']}"
        for each in document(image, version="0")["components"]
        if each["purl"].startswith("pkg:pypi/")
    }
    held = {name for name in seen["packages"] if not name.startswith("alertwire==")}
    assert held == locked == listed
    assert len(seen["packages"]) == len(held) + 1


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_says_what_it_is(images, image):
    told = json.loads(images.tool("podman", "image", "inspect", images.name(image)))[0]
    config = told["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["python", "-m", IMAGES[image].module]
    assert config["StopSignal"] == "SIGTERM"
    labels = {name.rpartition(".")[2]: value for name, value in config["Labels"].items()}
    assert labels["title"] == f"alertwire-{image}"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["source"] == "https://example.org/alertwire"
    assert (labels["version"], labels["revision"]) == (images.version, "0" * 40)
    assert labels["name"] == BASE
    probed = told.get("Healthcheck", {}).get("Test", ["NONE"])
    expected = ["CMD", "python", "-m", "libs.common.probing"] if image in SERVICES else ["NONE"]
    assert probed == expected


async def test_an_alert_becomes_a_filled_order_in_containers_alone(images, stack_of_images):
    trader = Trader(stack_of_images)
    try:
        found = await trader.execute()
        assert found["status"] == "executed", found
        assert [order["state"] for order in found["orders"]] == ["filled"]
        assert await trader.holdings() == {"long": 10}
        alert_id = found["alert_id"]
    finally:
        await trader.close()
    for service in SERVICES:
        images.tool("podman", "healthcheck", "run", f"alertwire-{service}")

    description = stack_of_images.description
    told = _command(
        images,
        *("trace", alert_id, "--json"),
        ALERTWIRE_CONSOLE_URL=description["console"],
        ALERTWIRE_CONSOLE_TOKEN=description["console_token"],
    )
    assert json.loads(told)["orders"] == found["orders"]


async def test_the_command_lines_image_migrates_a_database(images, stack_of_images):
    admin = stack_of_images.description["postgres"]
    await ensure_database(admin, name="from_an_image")
    url = backends.dsn_of(admin, database="from_an_image")
    for expected in ([path.name for path in sorted(MIGRATIONS.glob("*.sql"))], []):
        told = _command(images, "ops", "migrate", "--json", ALERTWIRE_POSTGRES_URL=url)
        assert json.loads(told)["applied"] == expected
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM audit_event") == 0
    await connection.close()


def _command(images, *words, **environ):
    passed = [part for name in environ for part in ("--env", name)]
    images.environ |= environ
    try:
        found = images.run("cli", *words, options=("--network", "host", *passed))
    finally:
        for name in environ:
            images.environ.pop(name)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_a_healthcheck_fails_where_nothing_answers(images):
    options = ("--network", "none", "--entrypoint", "python", "--env", "ALERTWIRE_HEALTH_PORT=9090")
    found = images.run("ingest", "-m", "libs.common.probing", options=options)
    assert (found.returncode, found.stdout) == (1, ""), found.stderr
