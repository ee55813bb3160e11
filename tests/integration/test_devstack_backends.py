"""What the fixtures promise to every other integration test."""

import asyncpg
import pytest

from tests.backends import asked_mode

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_meets_a_log_without_streams(js, turn):
    assert await js.streams_info() == []
    await js.add_stream(name=f"S{turn}", subjects=["s.>"])
    ack = await js.publish("s.one", b"x")
    assert ack.seq == 1


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_meets_a_database_of_its_own(database, turn):
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("CREATE TABLE scratch (x int)")
    finally:
        await connection.close()


async def test_the_database_asks_for_a_password(pg_dsn):
    wrong = pg_dsn.replace(pg_dsn.split("@")[0], "postgresql://postgres:wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


def test_a_misspelt_mode_is_refused(monkeypatch):
    monkeypatch.setenv("TEST_BACKENDS", "dokcer")
    with pytest.raises(pytest.UsageError, match="dokcer"):
        asked_mode()


async def test_both_login_roles_reach_the_copied_database(writer_dsn, reader_dsn):
    for dsn, role in ((writer_dsn, "alertwire_writer"), (reader_dsn, "alertwire_reader")):
        connection = await asyncpg.connect(dsn)
        try:
            assert await connection.fetchval("SELECT current_user") == role
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("CREATE TABLE scratch (x int)")
        finally:
            await connection.close()
