"""How NATS is reached: what is wrong with the settings is said before anything is asked, and no
secret with it.
"""

import base64
import ssl
import traceback

import pytest
from nacl.signing import VerifyKey

from libs.common.connecting import Access, connect
from libs.common.express import ExpressClient
from libs.common.nkeys import NKeyError, is_public_user, key_of, new_key
from libs.common.secret import Secret
from libs.common.settings import SettingsError

# Of the documents of NATS, where everybody can read it.
PUBLISHED_SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLISHED_PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


class Noting(ExpressClient):
    """Connects to nothing, and tells how it would have."""

    async def connect(self, servers, **options):
        self.asked, self.options = servers, options

    async def close(self):
        """Nothing is open."""


async def connected(url, **access):
    client = Noting()
    await connect(client, Access(url=Secret(url), **access), user="ingest")
    return client


def test_a_published_pair_is_read_as_everybody_reads_it():
    assert key_of(f"{PUBLISHED_SEED}\n").public == PUBLISHED_PUBLIC


def test_a_new_pair_signs_what_its_public_key_proves():
    key = new_key()
    assert key_of(key.seed) == key
    assert is_public_user(key.public)
    raw = base64.b32decode(key.public)[1:33]
    VerifyKey(raw).verify(b"nonce", base64.b64decode(key.signature("nonce")))


@pytest.mark.parametrize(
    "seed",
    [
        "",
        "SU",
        PUBLISHED_PUBLIC,
        PUBLISHED_SEED[:-1] + "A",
        PUBLISHED_SEED.lower(),
        # Of an account.
        "SAAFVDYSM5KOJAUQE7VOKONMHUV5SBXZFHRT7B3CTSZQW4PEWD6UNOCAII",
    ],
    ids=["empty", "cut", "public", "slip", "small", "account"],
)
def test_what_is_no_seed_is_not_repeated(seed):
    with pytest.raises(NKeyError) as caught:
        key_of(seed)
    assert not seed or seed not in str(caught.value)


def test_a_seed_is_not_shown():
    key = new_key()
    assert key.seed not in repr(key)


async def test_one_user_and_password_is_for_all_servers_also_those_found_later():
    client = await connected("nats://u:p%40ss@one:4222, nats://u:p%40ss@two")
    assert client.asked == ["nats://one:4222", "nats://two"]
    assert (client.options["user"], client.options["password"]) == ("u", "p@ss")
    assert client.options["inbox_prefix"] == "_INBOX_ingest"
    assert client.options["tls"] is None
    assert not client.needs_tls


async def test_tls_is_of_today_and_checks_who_it_talks_to():
    client = await connected("tls://one:4222,tls://two:4222")
    context = client.options["tls"]
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert client.needs_tls


@pytest.mark.parametrize(
    "url",
    [
        " , ",
        "tls://one,nats://two",
        "nats://a:one-word@one,nats://b:other-word@two",
        "http://one-word@one",
        "nats://u:one-word@one:port",
        "nats://u:one-word@",
    ],
    ids=["none", "mixed", "two users", "scheme", "port", "no host"],
)
async def test_what_is_wrong_with_the_addresses_is_said_without_them(url):
    with pytest.raises(SettingsError, match="ALERTWIRE_NATS_URL") as caught:
        await connected(url)
    assert "word" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "content",
    [None, "", "SUAAAA", PUBLISHED_SEED[:-1] + "A", "\N{BULLET}"],
    ids=["missing", "empty", "cut", "slip", "strange"],
)
async def test_a_key_that_is_none_is_refused_with_its_files_name(tmp_path, content):
    path = tmp_path / "seed"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=r"ALERTWIRE_NATS_NKEY_FILE: .*seed: ") as caught:
        await connected("nats://one", nkey_file=path)
    assert not content or content not in "".join(traceback.format_exception(caught.value))


async def test_certificates_that_are_none_are_refused(tmp_path):
    path = tmp_path / "ca.crt"
    with pytest.raises(SettingsError, match=r"NATS_CA_FILE: .*No such file"):
        await connected("tls://one", ca_file=path)
    path.write_text("nothing")
    with pytest.raises(SettingsError, match=r"NATS_CA_FILE: .*holds no certificates"):
        await connected("tls://one", ca_file=path)
    with pytest.raises(SettingsError, match=r"is for tls://"):
        await connected("nats://one", ca_file=path)
