"""What stands in the account's form: pure. An account becomes the form's text, and the text a
document as the API takes it; of an account that is there, only what was typed of its key.
"""

import re
from typing import Any

from libs.common.contracts.route import Account
from libs.common.contracts.words import PositionMode
from services.console.documents import Document
from services.console.drafting import AccountDraft, changed_account, new_account
from services.console.problems import Problem
from services.console.web.routes.typed import MEXC, NO_KEY_CAME, Fault, Typed, tried

FIELDS = (
    *("id", "access_key", "secret_key", "position_mode", "order_calls_per_2s"),
    *("expected_addresses", "base_url", "ws_url"),
)
"""Everything that something may be said about, in the form's order."""
RESERVED = "new"
"""A page has this name."""
MEXC_REST, _, MEXC_SOCKET = MEXC.partition(" ")

_PARTED = re.compile(r"[\s,;]+")
_RIGHT = {
    "id": "Small letters, digits, - and _, at most 63; the first is a letter or digit.",
    "access_key": "The access key as MEXC shows it, at most 128 characters.",
    "secret_key": NO_KEY_CAME,
    "position_mode": "Hedge or one-way, as MEXC's futures settings say it.",
    "order_calls_per_2s": "A whole number from 1 to 10000.",
    "base_url": "An address like https://api.mexc.com, without a path.",
    "ws_url": "An address like wss://contract.mexc.com/edge.",
}
_TOLD_AT = {"sealed_secret_key": "secret_key"}


def fresh() -> Typed:
    """The form of a new account: at MEXC, everything as by default."""
    return Typed(
        [
            ("base_url", MEXC_REST),
            ("ws_url", MEXC_SOCKET),
            ("position_mode", PositionMode.HEDGE.value),
            ("order_calls_per_2s", "4"),
        ]
    )


def typed_of(account: Account) -> Typed:
    """The form of an account that is there, without its key."""
    return Typed(
        [
            ("id", account.id),
            ("base_url", account.base_url),
            ("ws_url", account.ws_url),
            ("position_mode", account.position_mode.value),
            ("order_calls_per_2s", str(account.order_calls_per_2s)),
            ("expected_addresses", "\n".join(account.expected_addresses)),
        ]
    )


def document_of(typed: Typed, *, account: Account | None = None) -> Document:
    """As the API takes it: a new account, or a change of `account`."""
    document: Document = {
        "id": account.id if account else typed.one("id"),
        "base_url": typed.one("base_url").rstrip("/"),
        "ws_url": typed.one("ws_url"),
        "position_mode": typed.one("position_mode"),
        "order_calls_per_2s": _whole(typed.one("order_calls_per_2s")),
        "expected_addresses": _parts(typed.one("expected_addresses")),
        "access_key": typed.one("access_key"),
        "secret_key": typed.one("secret_key") or None,
        "sealed_secret_key": typed.one("sealed_secret_key") or None,
    }
    if account is not None and not document["access_key"]:
        del document["access_key"]
    return document


def judged(typed: Typed, *, account: Account | None = None) -> tuple[Document, list[Fault]]:
    """The document, and all that the API would refuse of it."""
    document = document_of(typed, account=account)

    def attempt(one: Document) -> AccountDraft:
        return new_account(one) if account is None else changed_account(account, one)

    _, faults = tried(document, attempt, told=fault_of)
    if account is None and document["id"] == RESERVED:
        faults.append(Fault(field="id", text="A page has this name: choose another."))
    return document, faults


def fault_of(problem: Problem) -> Fault:
    """A refusal of the API in the form's words."""
    named = (problem.field or "").partition(".")[0]
    field = _TOLD_AT.get(named, named if named in FIELDS else "")
    text = problem.detail if problem.status == 409 else _RIGHT.get(field, problem.detail)
    return Fault(field=field, text=text.replace("`", ""))


def _whole(text: str) -> Any:
    """None, which is the default, where nothing stands; what is no number is refused by the API."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else text or None


def _parts(text: str) -> list[str]:
    return [part for part in _PARTED.split(text) if part]
