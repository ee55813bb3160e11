"""How `ops backup` and `ops restore` reach the log, and who else is there."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import click
import msgspec
import nats.errors
import nats.js.errors

from libs.common.bus import Bus, LogUnavailable, connected
from libs.common.connecting import Access
from libs.common.contracts import presence, subjects
from libs.common.health import Health
from libs.common.settings import SettingsError
from tools.cli.log_reaching import error_words

_CONNECT_WITHIN_S = 10.0
_ANSWERED_WITHIN_S = 10.0
_PRESENT_WITHIN_S = 1.0
_SERVICE = "ops"
"""Whose inbox services may answer to, whatever key we come with."""


@contextlib.asynccontextmanager
async def reached(access: Access) -> AsyncIterator[Bus]:
    """The log; whatever goes wrong with it ends the command in words."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                bus = await stack.enter_async_context(
                    connected(access, service=_SERVICE, health=Health(_SERVICE))
                )
        except SettingsError as error:
            raise click.ClickException(str(error)) from None
        except (nats.errors.Error, OSError, TimeoutError, ValueError) as error:
            raise click.ClickException(f"NATS does not let us in: {type(error).__name__}") from None
        # A command has more time than an order, and servers that sync each message need it.
        bus.js = bus.client.jetstream(timeout=_ANSWERED_WITHIN_S)
        try:
            yield bus
        except nats.js.errors.APIError as error:
            raise click.ClickException(f"NATS refuses: {error.description}") from error
        except (nats.errors.Error, nats.js.errors.Error, LogUnavailable, OSError) as error:
            raise click.ClickException(f"NATS broke off: {error_words(error)}") from error


async def require_nobody(bus: Bus) -> None:
    """Raises `click.ClickException` where a service is running: it would act before all is back."""
    inbox = bus.client.new_inbox()
    asked = await bus.client.subscribe(inbox)
    await bus.client.publish(subjects.PRESENCE_ASKED, b"", reply=inbox)
    running = set()
    until = time.monotonic() + _PRESENT_WITHIN_S
    with contextlib.suppress(TimeoutError, nats.errors.TimeoutError):
        while (left_s := until - time.monotonic()) > 0:
            answer = await asked.next_msg(timeout=left_s)
            with contextlib.suppress(msgspec.MsgspecError):
                found = presence.decode(answer.data)
                running.add(f"{found.service} ({found.instance})")
    await asked.unsubscribe()
    if running:
        raise click.ClickException(f"stop every service first: {', '.join(sorted(running))} runs")
