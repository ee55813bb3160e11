"""The log, for commands: as the user whose key they were given."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import click
import nats.errors
import nats.js.errors
from nats.js import JetStreamContext

from libs.common.connecting import Access, connect
from libs.common.express import ExpressClient
from libs.common.permissions import User
from libs.common.settings import SettingsError

API_TIMEOUT_S = 10.0
T = TypeVar("T")


class Refused(click.ClickException):
    """NATS does not let this user do it."""


@contextlib.asynccontextmanager
async def log_at(access: Access, *, user: User = User.OPS) -> AsyncIterator[JetStreamContext]:
    """Raises `click.ClickException` where it is not let in, or breaks off."""
    client, refusals = ExpressClient(), list[str]()
    asking = asyncio.current_task()

    async def note(error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            refusals.append(str(error).removeprefix("nats: "))
            # What is refused is not answered: nobody has to wait for it.
            if asking is not None:
                asking.cancel()

    try:
        await connect(client, access, user=user, allow_reconnect=False, error_cb=note)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    except (nats.errors.Error, OSError, TimeoutError, ValueError) as error:
        raise click.ClickException(f"NATS does not let us in: {error_words(error)}") from None
    try:
        yield client.jetstream(timeout=API_TIMEOUT_S)
    except nats.js.errors.NotFoundError as error:
        raise click.ClickException(f"NATS does not have it: {error.description}") from None
    except asyncio.CancelledError:
        if not refusals or asking is None:
            raise
        asking.uncancel()
        raise Refused(f"NATS refuses it to the user of this key: {refusals[0]}") from None
    except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError) as error:
        raise click.ClickException(f"NATS broke off: {error_words(error)}") from None
    finally:
        await client.close()


def run(access: Access, work: Callable[[JetStreamContext], Awaitable[T]], *, user: User) -> T:
    """Do one thing with the log."""

    async def whole() -> T:
        async with log_at(access, user=user) as js:
            return await work(js)

    return asyncio.run(whole())


def error_words(error: Exception) -> str:
    """Its kind, and what it says of itself, which not every one does."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
