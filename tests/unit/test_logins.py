"""How login roles are made: no statement carries a password, since servers log statements."""

import base64
import hashlib
import hmac

import pytest

from libs.common.secret import Secret
from tools.cli.ops_migrating import dbmate_url
from tools.logins import Group, Login, ensure_login, scram_verifier
from tools.migrating import without_password


def test_a_verifier_proves_the_server_as_in_the_standards_example():
    """RFC 7677, section 3: user `user`, password `pencil`."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    verifier = scram_verifier(Secret("pencil"), salt=salt)
    assert verifier.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    stored, server = (base64.b64decode(part) for part in verifier.split("$")[2].split(":"))
    signature = hmac.digest(server, message, "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(
        a ^ b for a, b in zip(hmac.digest(stored, message, "sha256"), proof, strict=True)
    )
    assert hashlib.sha256(client_key).digest() == stored


@pytest.mark.parametrize("password", ["", "two\nlines", "p\N{LATIN SMALL LETTER A WITH DIAERESIS}"])
def test_a_password_that_clients_would_write_differently_is_refused(password):
    with pytest.raises(ValueError, match="printable ASCII"):
        scram_verifier(Secret(password), salt=b"x" * 16)


class Recorded:
    """A connection to a server that knows no roles; `format` answers with what it was given."""

    def __init__(self):
        self.said = []

    async def fetchval(self, query, *values):
        self.said += [query, *values]
        return None if "pg_roles" in query else " ".join((query, *values))

    async def execute(self, statement):
        self.said.append(statement)


async def test_no_statement_carries_the_password():
    server = Recorded()
    login = Login(name="trail_reader", group=Group.VIEWER, password=Secret("looked-for"))
    assert await ensure_login(server, login)
    assert "looked-for" not in " ".join(server.said)
    assert any("SCRAM-SHA-256$" in said for said in server.said)


@pytest.mark.parametrize(
    ("query", "encrypted", "mode"),
    [
        ("", True, "require"),
        ("", False, "disable"),
        ("?sslmode=prefer", True, "require"),
        ("?sslmode=allow", False, "disable"),
        ("?sslmode=require", False, "require"),
        ("?sslmode=verify-full", True, "verify-full"),
        ("?sslmode=disable", True, "disable"),
    ],
    ids=lambda value: str(value) or "none",
)
def test_dbmate_reaches_the_server_as_our_own_connection_did(query, encrypted, mode):
    told = dbmate_url(f"postgresql://u:p%40@db/trail{query}", encrypted=encrypted)
    assert told == f"postgresql://u:p%40@db/trail?sslmode={mode}"


def test_other_words_of_the_address_are_kept():
    told = dbmate_url(
        "postgresql://u@db/t?sslmode=verify-ca&sslrootcert=/ca.pem&connect_timeout=3",
        encrypted=True,
    )
    assert told.endswith("?sslmode=verify-ca&sslrootcert=%2Fca.pem&connect_timeout=3")


def test_a_tools_words_lose_the_password_however_it_is_written():
    url = "postgresql://u:p%40ss@db/t"
    text = without_password("no way in by p%40ss, that is p@ss", url=url)
    assert text == "no way in by ***, that is ***"
