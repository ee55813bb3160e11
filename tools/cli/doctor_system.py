"""What `doctor` looks at without an account: the console and what stands behind it, the services
where their pages are known, and the clock of this machine.
"""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from tools.cli.place import Console

Line = dict[str, str]

CLOCK_WARNING_S = 2.0
"""The console's answer tells whole seconds."""
CLOCK_WRONG_S = 10.0
LAG_WARNING_MESSAGES = 1_000
_TIMEOUT_S = 5
_LAG = re.compile(
    r"^alertwire_audit_lag_messages(?:\{[^}\n]*\})? (?P<lag>[0-9.e+]+)$", re.MULTILINE
)
_AUDITOR = "auditor"


def check_system(console: Console, health_urls: Mapping[str, str]) -> list[Line]:
    """The console first; `health_urls` by service, none where they are not known here."""
    return asyncio.run(_check(console, health_urls))


async def _check(console: Console, health_urls: Mapping[str, str]) -> list[Line]:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        lines = await _console(session, console)
        answers = await asyncio.gather(
            *(_service(session, name, url) for name, url in health_urls.items())
        )
    return [*lines, *(line for each in answers for line in each)]


async def _console(session: aiohttp.ClientSession, console: Console) -> list[Line]:
    try:
        async with session.get(f"{console.url}/health/ready") as answer:
            missing = (await answer.json(content_type=None))["missing"]
            told = answer.headers.get("Date", "")
    except _AWAY as error:
        why = str(error) or type(error).__name__
        return [
            _line(
                "console",
                "wrong",
                f"{console.url} does not answer: {why}",
                "start the stack, or correct --dir or ALERTWIRE_CONSOLE_URL",
            )
        ]
    return [
        _line("console", "ok", f"{console.url} answers"),
        _behind(missing, "log", "NATS", "wrong", "start NATS: nothing is traded without it"),
        _behind(
            missing, "trail", "Postgres", "warning", "start Postgres: trading goes on without it"
        ),
        clock_line(told, now=datetime.now(UTC)),
    ]


def _behind(missing: Mapping[str, str], name: str, what: str, state: str, mend: str) -> Line:
    why = missing.get(name)
    if why is None:
        return _line(name, "ok", f"the console reaches {what}")
    return _line(name, state, f"the console does not reach {what}: {why}", mend)


def clock_line(told: str, *, now: datetime) -> Line:
    """This machine's clock beside the time of the console's answer."""
    try:
        offset_s = (parsedate_to_datetime(told) - now).total_seconds() + 0.5
    except (TypeError, ValueError):
        return _line("clock", "ok", "the console's answer tells no time to compare with")
    away = f"this machine's clock and the console's are {abs(offset_s):.0f} s apart"
    if abs(offset_s) < CLOCK_WARNING_S:
        return _line("clock", "ok", "this machine's clock and the console's agree")
    state = "wrong" if abs(offset_s) >= CLOCK_WRONG_S else "warning"
    return _line("clock", state, away, "set both clocks by NTP")


async def _service(session: aiohttp.ClientSession, name: str, url: str) -> list[Line]:
    try:
        async with session.get(f"{url}/health/ready") as answer:
            missing = (await answer.json(content_type=None))["missing"]
        if name == _AUDITOR:
            async with session.get(f"{url}/metrics") as answer:
                return [_ready(name, missing), lag_line(await answer.text())]
    except _AWAY as error:
        why = str(error) or type(error).__name__
        return [_line(name, "wrong", f"does not answer: {why}", f"see the log of the {name}")]
    return [_ready(name, missing)]


def _ready(name: str, missing: Mapping[str, str]) -> Line:
    if not missing:
        return _line(name, "ok", "ready")
    why = "; ".join(f"{what}: {text}" for what, text in missing.items())
    state = "warning" if name == _AUDITOR else "wrong"
    return _line(name, state, f"not ready: {why}", f"see the log of the {name}")


def lag_line(metrics: str) -> Line:
    """How far the trail is behind the log."""
    found = _LAG.findall(metrics)
    if not found:
        return _line("lag", "unknown", "the auditor does not tell how far it is behind")
    lag = sum(map(float, found))
    state = "warning" if lag >= LAG_WARNING_MESSAGES else "ok"
    mend = "wait: the auditor catches up by itself" if state == "warning" else ""
    return _line("lag", state, f"{lag:.0f} messages of the log are not in the trail yet", mend)


def _line(line: str, state: str, evidence: str, mend: str = "") -> Line:
    return {"line": line, "state": state, "evidence": evidence, "mend": mend}


_AWAY: tuple[type[Exception], ...] = (
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    ValueError,
    KeyError,
    TypeError,
)
