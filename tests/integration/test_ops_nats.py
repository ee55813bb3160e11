"""`alertwire ops` against a NATS that it set up itself, as the users whose keys it made."""

import asyncio
import contextlib
import json
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from libs.common.connecting import Access
from libs.common.nkeys import key_of
from libs.common.permissions import User
from libs.common.secret import Secret
from tests.backends import running_process, scratch_folder
from tests.nats_certificates import make_certificates
from tests.unled_consumers import leave_out
from tools.cli.__main__ import main
from tools.cli.log_reaching import log_at
from tools.devstack.command import Command
from tools.devstack.nats import NatsServer, binary
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration


def alertwire(*words, env=None):
    # Not the surroundings' own addresses.
    clean = {"ALERTWIRE_DIR": None, "ALERTWIRE_NATS_URL": None, "NO_COLOR": "1", "COLUMNS": "100"}
    return CliRunner().invoke(main, list(words), env=clean | (env or {}))


def printed(*words, env=None):
    done = alertwire(*words, env=env)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def place():
    """Environments by user, of a server as `alertwire ops nats-config` sets it up."""
    with scratch_folder() as directory:
        printed("ops", "keys", str(directory / "keys"))
        port = free_port()
        public = str(directory / "keys" / "public.json")
        words = ("--store", str(directory / "store"), "--listen", f"127.0.0.1:{port}")
        config = directory / "nats.conf"
        config.write_text(printed("ops", "nats-config", public, *words, "--shards", "2"))
        command = Command(
            name="nats",
            argv=(str(binary()), "--config", str(config)),
            cwd=directory,
            env={"PATH": "/usr/bin:/bin"},
        )
        server = NatsServer(directory=directory, port=port, user="", password="")
        with running_process(command, log=directory / "nats.log"):
            yield {
                user: {
                    "ALERTWIRE_NATS_URL": server.address,
                    "ALERTWIRE_NATS_NKEY_FILE": str(directory / "keys" / user),
                }
                for user in User
            }


@pytest.fixture(scope="module", autouse=True)
def made(place):
    """What the first set-up printed; it waits for the server that is just starting."""
    return printed("ops", "setup", "--shards", "2", env=place[User.SETUP])


def check(place, *words):
    done = alertwire("ops", "check", "--json", *words, env=place[User.OPS])
    assert done.exit_code in {0, 1}, done.output
    found = json.loads(done.stdout)["wrong"]
    assert done.exit_code == (1 if found else 0)
    return found


def test_a_second_set_up_changes_nothing(place, made):
    assert {"made stream PIPELINE", "made bucket secrets"} <= set(made.splitlines())
    again = json.loads(printed("ops", "setup", "--shards", "2", "--json", env=place[User.SETUP]))
    assert again == {"done": []}


def test_nothing_is_wrong_and_people_are_told_so(place):
    shown = printed("ops", "check", "--shards", "2", env=place[User.OPS])
    assert shown == "nothing is wrong: 9 streams, 8 consumers, 1-fold\n"


def test_what_is_missing_is_named(place):
    assert check(place, "--shards", "3") == [
        "accounts are shared over 2 executor shards, not 3",
        "consumer executor-2 of PIPELINE is missing: run `alertwire ops setup`",
    ]
    assert "stream PIPELINE has 1 replicas, not 3" in check(place, "--replicas", "3")


def test_who_has_no_leader_is_named_and_not_said_to_be_missing(place, monkeypatch):
    leave_out(monkeypatch, "router", "executor-1")
    assert check(place) == [
        "consumer executor-1 of PIPELINE: no leader",
        "consumer router of PIPELINE: no leader",
    ]


def test_a_pause_is_told_until_it_is_over(place):
    ops = place[User.OPS]
    printed("ops", "pause", "executor-1", "--for", "1h", env=ops)
    assert check(place) == [
        "consumer executor-1 of PIPELINE is paused: alertwire ops resume executor-1"
    ]
    listed = json.loads(printed("ops", "consumers", "--json", env=ops))["consumers"]
    paused = {each["consumer"]: each["paused_until"] for each in listed if each["paused_until"]}
    assert list(paused) == ["executor-1"]
    assert paused["executor-1"].endswith("UTC")
    # An upgrade in the meantime does not let it go on.
    printed("ops", "setup", "--shards", "2", env=place[User.SETUP])
    assert len(check(place)) == 1
    assert printed("ops", "resume", "executor-1", env=ops) == "executor-1 goes on\n"
    assert check(place) == []


def test_another_number_of_executor_shards_waits_for_what_is_under_way(place):
    async def put_intent():
        async with admin(place) as js:
            await js.publish("intent.accepted.1.x.y", b"{}")

    asyncio.run(put_intent())
    again = ("ops", "setup", "--shards", "1", "--wait", "1")
    refused = alertwire(*again, env=place[User.SETUP])
    assert refused.exit_code == 1
    why = "accounts are shared over 2 executor shards, and become 1 only while nothing is under way"
    assert f"waiting: {why}" in refused.stdout
    assert "executor-1 has 1. Halt, and wait until no alert is pending" in refused.stderr
    assert check(place, "--shards", "2") == []
    # Somebody took what waited; the consumer stays, and is told of when something comes to it.
    asyncio.run(handled(place, "executor-1"))
    assert "accounts are shared over 1 executor shard, not 2" in printed(
        *again, env=place[User.SETUP]
    )
    assert check(place) == []
    asyncio.run(put_intent())
    assert check(place) == [
        "consumer executor-1 of PIPELINE has 1 waiting that nobody takes: executor shards end at 0"
    ]
    asyncio.run(handled(place, "executor-1"))
    printed("ops", "setup", "--shards", "2", env=place[User.SETUP])


@contextlib.asynccontextmanager
async def admin(place):
    access = Access(
        url=Secret(place[User.ADMIN]["ALERTWIRE_NATS_URL"]),
        nkey_file=Path(place[User.ADMIN]["ALERTWIRE_NATS_NKEY_FILE"]),
    )
    async with log_at(access, user=User.ADMIN) as js:
        yield js


async def handled(place, durable):
    async with admin(place) as js:
        pulled = await js.pull_subscribe_bind(durable, stream="PIPELINE")
        for message in await pulled.fetch(1):
            await message.ack_sync()


def test_settings_that_somebody_changed_are_found(place):
    """By the administrator, since nobody else can."""

    async def change(**settings):
        async with admin(place) as js:
            config = (await js.stream_info("PIPELINE")).config
            await js.update_stream(config.evolve(**settings))

    asyncio.run(change(max_age=3600))
    assert check(place) == ["stream PIPELINE: max_age is 3600000000000, not 1209600000000000"]
    shown = printed("ops", "setup", env=place[User.SETUP])
    assert "stream PIPELINE: max_age was 3600000000000, is 1209600000000000" in shown
    assert check(place) == []


def test_streams_are_listed(place):
    shown = printed("ops", "streams", env=place[User.OPS])
    assert "PIPELINE" in shown
    listed = json.loads(printed("ops", "streams", "--json", env=place[User.OPS]))["streams"]
    assert {each["replicas"] for each in listed} == {1}
    assert len(listed) == 9


@pytest.mark.parametrize(
    ("user", "words", "said"),
    [
        (User.OPS, ("setup",), "NATS refuses it"),
        (User.INGEST, ("check",), "NATS refuses it"),
        (User.OPS, ("pause", "executor-9"), "consumer not found"),
        (User.OPS, ("resume", "a b"), ""),
    ],
    ids=["not its user", "a service", "no consumer", "no name"],
)
def test_what_cannot_be_done_is_said(place, user, words, said):
    done = alertwire("ops", *words, env=place[user])
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("span", ["", "1", "0h", "h", "1w", "-1h"])
def test_a_duration_that_is_none_is_wrong_use(place, span):
    done = alertwire("ops", "pause", "router", "--for", span, env=place[User.OPS])
    assert done.exit_code == 2
    assert "90s, 30m, 1h or 2d" in done.output


def test_a_key_is_replaced_in_two_steps(tmp_path):
    def public():
        return json.loads((tmp_path / "public.json").read_text())

    printed("ops", "keys", str(tmp_path))
    first = public()
    assert set(first) == set(User)
    for user in User:
        assert stat.S_IMODE((tmp_path / user).stat().st_mode) == 0o600
        assert [key_of((tmp_path / user).read_text()).public] == first[user]
    assert printed("ops", "keys", str(tmp_path)) == ""
    assert public() == first
    printed("ops", "keys", str(tmp_path), "--rotate", "ingest")
    newest = key_of((tmp_path / "ingest").read_text()).public
    assert public() == first | {"ingest": [newest, *first["ingest"]]}
    printed("ops", "keys", str(tmp_path), "--retire", "ingest")
    assert public() == first | {"ingest": [newest]}


def test_a_whole_configuration_is_one_that_the_server_takes(tmp_path):
    tls = make_certificates(tmp_path / "tls")
    printed("ops", "keys", str(tmp_path / "keys"))
    words = [
        *("--store", str(tmp_path / "a store"), "--name", "n1", "--tag", "zone:a"),
        *("--tls-cert", str(tls.cert), "--tls-key", str(tls.key), "--tls-ca", str(tls.ca)),
        *("--monitoring", "127.0.0.1:8222", "--shards", "3", "--router-shards", "2"),
        *("--cluster", "0.0.0.0:6222", "--route", "n2:6222", "--route", "n3:6222"),
    ]
    text = printed("ops", "nats-config", str(tmp_path / "keys/public.json"), *words)
    (tmp_path / "nats.conf").write_text(text)
    tried = subprocess.run(
        [binary(), "-c", tmp_path / "nats.conf", "-t"], capture_output=True, text=True, check=False
    )
    assert tried.returncode == 0, tried.stderr
    config = json.loads(text)
    assert config["jetstream"]["sync_interval"] == "always"
    assert config["tls"]["min_version"] == "1.2"
    for user in User:
        assert (tmp_path / "keys" / user).read_text().strip() not in text
    denied = {word for user in config["accounts"]["ALERTWIRE"]["users"]
              for word in user["permissions"]["publish"].get("deny", ())}  # fmt: skip
    assert "$JS.API.CONSUMER.MSG.NEXT.PIPELINE.executor-2" in denied
    assert "$JS.API.CONSUMER.MSG.NEXT.PIPELINE.router-1-of-2" in denied


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), ("[]", "no list"), ('{"ingest": ["SUABC"]}', "no public key")],
    ids=["missing", "strange", "no key"],
)
def test_public_keys_that_are_none_are_refused(tmp_path, content, said):
    path = tmp_path / "public.json"
    if content is not None:
        path.write_text(content)
    done = alertwire("ops", "nats-config", str(path), "--store", "x")
    assert done.exit_code == 1
    assert said in done.output
