"""`/api/sealing`: which sealing keys the executors have and what each account's secret key is
sealed for; and sealing them anew after a rotation. The console can open none of it: it asks an
executor for a box, and puts it where the one stood that it was made of.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from litestar import Router, get, post
from litestar.di import NamedDependency

from libs.common.asking import NobodyAnswers, ask, ask_all
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.sealing import ResealAnswered, SealingTold, SecretHeld, SecretState
from libs.common.contracts.words import AccountId
from libs.common.sealing import SealError, key_id, seal
from libs.common.secret import Secret
from services.console.callers import Caller
from services.console.documents import Document, plain
from services.console.drafting import AccountDraft
from services.console.problems import Problem
from services.console.registry import Registry

ALL_WITHIN_S = 1.0
"""Nobody knows how many executors there are: those that do not answer at once are not there."""
ANSWERED_WITHIN_S = 4.0

_log = structlog.get_logger()


class Sealer:
    """Closes secrets for the executor; one change at a time, since two buckets belong together."""

    def __init__(self, *, public_key: str = "", path: Path | None = None) -> None:
        """The public sealing key, or a file with it that is read again whenever it was changed.
        Raises `SealError` or `OSError`.
        """
        self.lock = asyncio.Lock()
        self._path = path
        self._stamp = _stamp(path)
        self._public_key = public_key if path is None else _read(path)
        key_id(self._public_key)

    @property
    def public_key(self) -> str:
        """In base64."""
        if self._path is None:
            return self._public_key
        try:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                found = _read(self._path)
                key_id(found)
                self._public_key, self._stamp = found, stamp
        except (SealError, OSError) as error:
            # The one of before still holds: half a file must seal nothing.
            why = error.strerror if isinstance(error, OSError) else str(error)
            _log.error("sealing_key.unread", path=str(self._path), reason=why)
        return self._public_key

    @property
    def key_id(self) -> str:
        return key_id(self.public_key)

    def seal(self, secret: Secret) -> bytes:
        return seal(public_key=self.public_key, secret=secret)

    def closed(self, draft: AccountDraft) -> bytes | None:
        """The draft's secret, sealed by whoever typed it or now; None where it has none."""
        if draft.secret_key is not None:
            try:
                return self.seal(draft.secret_key)
            finally:
                draft.secret_key.wipe()
        return draft.sealed


@dataclass(frozen=True, kw_only=True)
class Sealings:
    """Asks executors."""

    bus: Bus
    all_within_s: float = ALL_WITHIN_S
    timeout_s: float = ANSWERED_WITHIN_S

    async def told(self) -> list[SealingTold]:
        """By every executor that answers, by shard; or a 503."""
        try:
            payloads = await ask_all(self.bus, subjects.SEALING_ASKED, within_s=self.all_within_s)
        except NobodyAnswers as silence:
            raise Problem(503, f"The executors could not be asked ({silence}).") from None
        found = []
        for payload in payloads:
            try:
                found.append(msgspec.json.decode(payload, type=SealingTold))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                _log.warning("answer.unreadable", kind="SealingTold", error=str(error))
        return sorted(found, key=lambda one: (one.shard, one.instance))

    async def resealed(self, account: AccountId) -> ResealAnswered:
        """By the first executor that answers; `problem` says why it is none."""
        try:
            payload = await ask(self.bus, subjects.reseal_asked(account), timeout_s=self.timeout_s)
            return msgspec.json.decode(payload, type=ResealAnswered)
        except NobodyAnswers as silence:
            return ResealAnswered(problem=f"no executor has answered ({silence})")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return ResealAnswered(problem="an executor of another release has answered")


@get("/")
async def show_sealing(
    sealings: NamedDependency[Sealings], sealer: NamedDependency[Sealer]
) -> Document:
    told = await sealings.told()
    return {
        "console_key": sealer.key_id,
        "executors": [
            {**plain(one), "secrets": [plain(held) for held in one.secrets]} for one in told
        ],
        "accounts": [
            {"account": held.account, "state": held.state, "key": held.key, "why": held.why}
            for held in worst(told)
        ],
        "unheard_shards": unheard(told),
    }


@post("/reseal", status_code=200)
async def reseal(
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    sealings: NamedDependency[Sealings],
    sealer: NamedDependency[Sealer],
) -> Document:
    """Seal anew what is sealed for another key than the console's; trading takes no notice."""
    told = await sealings.told()
    if not told:
        raise Problem(503, "No executor answers: nobody else can open what is to be sealed anew.")
    wanted = sealer.key_id
    lacking = [one.instance for one in told if wanted not in one.keys]
    if lacking:
        raise Problem(
            409,
            f"Sealing key {wanted}, which the console seals for, is not known to executor"
            f" {', '.join(lacking)}: it could not open what is sealed for it.",
        )
    done: list[str] = []
    left: list[Document] = []
    for held in worst(told):
        if held.state is SecretState.MOUNTED or held.key == wanted:
            continue
        why = await _reseal_one(held, registry, sealings, wanted=wanted, made_by=caller.made_by)
        if why:
            left.append({"account": held.account, "why": why})
        else:
            done.append(held.account)
    return {"console_key": wanted, "resealed": done, "left": left}


def worst(told: Sequence[SealingTold]) -> list[SecretHeld]:
    """One for each account: of executors that see it otherwise, the one that cannot use it."""
    found: dict[AccountId, SecretHeld] = {}
    for held in (held for one in told for held in one.secrets):
        known = found.get(held.account)
        if known is None or held.state is SecretState.UNUSABLE:
            found[held.account] = held
    return [found[account] for account in sorted(found)]


def unheard(told: Sequence[SealingTold]) -> list[int]:
    """Shards that no executor has answered for; where none has answered at all, the first."""
    shards = max((one.shards for one in told), default=1)
    return sorted(set(range(shards)) - {one.shard for one in told})


async def _reseal_one(
    held: SecretHeld, registry: Registry, sealings: Sealings, *, wanted: str, made_by: str
) -> str:
    """Why it was not done; empty where it was."""
    answered = await sealings.resealed(held.account)
    if answered.problem:
        return answered.problem
    if answered.key != wanted:
        return f"the executor's current key is {answered.key}, the console's is {wanted}"
    try:
        await registry.replace_sealed(
            held.account, answered.box, revision=answered.revision, made_by=made_by
        )
    except Problem as problem:
        return problem.detail
    return ""


def _stamp(path: Path | None) -> object:
    if path is None:
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip()


sealing_router = Router("/sealing", route_handlers=[show_sealing, reseal])
