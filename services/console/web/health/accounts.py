"""How an account stands, in words: its last checkup, its key, how fresh its picture is. Pure."""

from dataclasses import dataclass

from libs.common.contracts.account_picture import AccountPicture, PictureState
from services.console.documents import Document
from services.console.troubles import KEY_DAYS_MIN
from services.console.web.health.wording import counted, lasting

KEY_DAYS_BAD = 3
_CHECKUPS = {
    "": ("unasked", "not checked yet"),
    "ok": ("ok", "all fine"),
    "warning": ("warning", "look at"),
    "wrong": ("wrong", "wrong"),
    "unknown": ("unknown", "not known"),
    "not_reached": ("unknown", "not all could be asked"),
}
"""By the state of one: a badge's tone and words."""
_PICTURES = {
    PictureState.LIVE: ("good", "live"),
    PictureState.ASKED: ("warn", "asked just now"),
    PictureState.UNTRUSTED: ("bad", "not to be trusted"),
}


@dataclass(frozen=True, kw_only=True)
class AccountLine:
    name: str
    tone: str
    state: str
    checked_at: str | None
    lines: str
    stopped: bool
    key: str
    key_tone: str


def account_line(account: Document) -> AccountLine:
    tone, state = _CHECKUPS[account["state"] or ""]
    days: int | None = account.get("key_days_left")
    stopped = bool(account.get("stopped"))
    lines = ", ".join(line.replace("_", " ") for line in account.get("lines", ()))
    return AccountLine(
        name=account["account"],
        tone="wrong" if stopped else tone,
        state=state,
        checked_at=account.get("checked_at"),
        lines=lines,
        stopped=stopped,
        key=_key(days, is_checked=account["state"] is not None),
        key_tone=_key_tone(days),
    )


def _key(days: int | None, *, is_checked: bool) -> str:
    if days is None:
        return "no end told" if is_checked else "not known"
    return "has run out" if days < 0 else f"{counted(days, 'day')} left"


def _key_tone(days: int | None) -> str:
    if days is None or days >= KEY_DAYS_MIN:
        return ""
    return "bad" if days < KEY_DAYS_BAD else "warn"


def picture_words(picture: AccountPicture) -> tuple[str, str, str]:
    """How fresh it is: its tone, in a few words, and why it is no fresher."""
    tone, words = _PICTURES[picture.state]
    ages = ((picture.age_ms, "heard of"), (picture.confirmed_ms, "read whole"))
    parts = [f"{how} {_ago(ms / 1_000)}" for ms, how in ages if ms is not None]
    return tone, ", ".join([words, *parts]), picture.why


def _ago(seconds: float) -> str:
    return "just now" if seconds < 1 else f"{lasting(seconds)} ago"
