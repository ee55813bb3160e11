"""What stands in the route's form: pure. A route becomes the form's text and the text a document as
the API takes it; a number that is none is a fault of its field, and the rest is still read.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from libs.common.contracts.route import Route, RouteAccount, RouteSettings, SymbolOverride
from libs.common.domain.quantity import plain
from services.console.documents import Document
from services.console.drafting import STARS
from services.console.problems import Problem

T = TypeVar("T")

NEW_ACCOUNT = "+new"
"""In the place of an account's id: no id begins so."""
OTHER_PLACE = "+other"
MEXC = "https://api.mexc.com wss://contract.mexc.com/edge"
"""An exchange's two addresses, as one choice of the form."""
FIELDS = (
    *("id", "accounts", "new_account.id", "base_url", "ws_url", "position_mode"),
    *("access_key", "secret_key"),
    *("sizing.multiplier", "margin_mode", "leverage", "trade_mode", "inverse", "pyramiding"),
    *("sizing.mode", "sizing.value", "symbols.allow", "symbols.overrides", "sltp_unit"),
    *("max_age_s", "duplicate_window_s", "guards.max_order_notional"),
    *("guards.max_position_notional", "guards.orders_per_minute", "guards.windows"),
    *("body_secret", "allow_addresses"),
)
"""Everything that something may be said about, in the form's order."""
NO_KEY_CAME = (
    "Enter the secret key as MEXC showed it once. If you have, this page could not seal it, and has"
    " sent nothing of it: load the page again."
)
OF_NEW = frozenset(
    {"id", "new_account.id", "base_url", "ws_url", "position_mode", "access_key", "secret_key"}
)
"""What the form of a route that is there does not have."""

_PARTED = re.compile(r"[\s,;]+")
_OVERRIDE = re.compile(r"(?P<ticker>[^=]+)=\s*(?P<symbol>\S+)(?:\s+(?:x\s*)?(?P<per_unit>\S+))?")
_MUST = re.compile(r"`[^`]*`: (?:[\w.]+ )?(?P<what>must .+)")
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_STAND_IN = "x"
_ATTEMPTS = len(FIELDS) + 8


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What can never work, beside the field that it is about."""

    field: str
    text: str


class Typed:
    """The texts of a form by name; some names come several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._texts: dict[str, list[str]] = {}
        for name, text in pairs:
            self._texts.setdefault(name, []).append(text)

    def one(self, name: str, default: str = "") -> str:
        found = self._texts.get(name)
        return found[0].strip() if found else default

    def many(self, name: str) -> list[str]:
        return self._texts.get(name, [])

    def has(self, name: str) -> bool:
        """Of a box: whether it is ticked."""
        return name in self._texts

    def choosing(self, account: str) -> "Typed":
        """The same, with an account that is there."""
        found = Typed(())
        found._texts = {**self._texts, "account": [account]}
        return found

    @property
    def makes_account(self) -> bool:
        return self.one("account") == NEW_ACCOUNT


def typed_of(settings: RouteSettings) -> Typed:
    """The form of a route that is there."""
    guards, symbols, sizing = settings.guards, settings.symbols, settings.sizing
    main, *more = settings.accounts
    pairs = [
        ("id", settings.id),
        ("account", main.account),
        *(("also", each.account) for each in more),
        *((f"multiplier.{each.account}", plain(each.multiplier)) for each in settings.accounts),
        ("sizing.multiplier", plain(sizing.multiplier)),
        ("sizing.mode", sizing.mode.value),
        ("sizing.value", _number(sizing.value)),
        ("trade_mode", settings.trade_mode.value),
        ("margin_mode", settings.margin_mode.value),
        ("leverage", str(settings.leverage)),
        ("symbols.allow", "\n".join(symbols.allow)),
        ("symbols.overrides", "\n".join(_overrides(symbols.overrides))),
        ("sltp_unit", settings.sltp_unit.value),
        ("max_age_s", str(settings.max_age_s)),
        ("duplicate_window_s", str(settings.duplicate_window_s)),
        ("guards.max_order_notional", _number(guards.max_order_notional)),
        ("guards.max_position_notional", _number(guards.max_position_notional)),
        ("guards.orders_per_minute", str(guards.orders_per_minute or "")),
        ("guards.windows", "\n".join(guards.windows)),
        ("allow_addresses", "\n".join(settings.allow_addresses)),
    ]
    pairs += [(name, "on") for name in ("inverse", "pyramiding") if getattr(settings, name)]
    return Typed(pairs)


def fresh(*, account: str) -> Typed:
    """The form of a new route: everything as it would be by default."""
    defaults = typed_of(RouteSettings(id="new", accounts=(RouteAccount(account="new"),)))
    own = {"id": "", "account": account, "multiplier.new": ""}
    pairs = [(name, text) for name, text in _pairs(defaults) if name not in own]
    return Typed([*pairs, *((name, text) for name, text in own.items() if text)])


def document_of(typed: Typed, *, route: Route | None = None) -> tuple[Document, list[Fault]]:
    """The settings as the API takes them, as a change of `route` where there is one, and what of
    the text could not be read.
    """
    reading = _Reading(typed)
    document: Document = {
        "id": route.id if route else typed.one("id"),
        "accounts": reading.accounts(),
        "sizing": {
            "mode": typed.one("sizing.mode") or None,
            "value": reading.number("sizing.value"),
            "multiplier": reading.number("sizing.multiplier"),
        },
        "trade_mode": typed.one("trade_mode") or None,
        "inverse": typed.has("inverse"),
        "pyramiding": typed.has("pyramiding"),
        "margin_mode": typed.one("margin_mode") or None,
        "leverage": reading.whole("leverage"),
        "symbols": {
            "allow": _parts(typed.one("symbols.allow")),
            "overrides": reading.overrides(route),
        },
        "sltp_unit": typed.one("sltp_unit") or None,
        "max_age_s": reading.whole("max_age_s"),
        "duplicate_window_s": reading.whole("duplicate_window_s"),
        "guards": {
            "max_order_notional": reading.number("guards.max_order_notional"),
            "max_position_notional": reading.number("guards.max_position_notional"),
            "orders_per_minute": reading.whole("guards.orders_per_minute"),
            # A window's days may have commas between them.
            "windows": _lines(typed.one("guards.windows")),
        },
        "body_secret": _body_secret(typed, route=route),
        "allow_addresses": _parts(typed.one("allow_addresses")),
    }
    return document if route else _without_nulls(document), reading.faults


def account_document(typed: Typed) -> Document:
    """The account that is entered in the route's form."""
    place = typed.one("place", MEXC)
    base_url, _, ws_url = place.partition(" ")
    if place == OTHER_PLACE:
        base_url, ws_url = typed.one("base_url"), typed.one("ws_url")
    return {
        "id": typed.one("new_account.id"),
        "base_url": base_url,
        "ws_url": ws_url,
        "access_key": typed.one("access_key"),
        "secret_key": typed.one("secret_key") or None,
        "sealed_secret_key": typed.one("sealed_secret_key") or None,
        "position_mode": typed.one("position_mode", "hedge"),
    }


def tried(
    document: Document,
    attempt: Callable[[Document], T],
    *,
    told: Callable[[Problem], Fault] | None = None,
) -> tuple[T | None, list[Fault]]:
    """What the API would make of it, and all that it would refuse: what was refused is set aside,
    and the rest is tried again. `told` says a refusal in another form's words.
    """
    found: list[Fault] = []
    for _ in range(_ATTEMPTS):
        try:
            return attempt(document), found
        except Problem as problem:
            found.append((told or fault_of)(problem))
            rest = _set_aside(document, found[-1].field)
            if rest == document:
                break
            document = rest
    return None, found


def fault_of(problem: Problem) -> Fault:
    """A refusal of the API in the form's words."""
    place = _place_of(problem)
    if place == "secret_key":
        return Fault(field=place, text=NO_KEY_CAME)
    must = _MUST.fullmatch(problem.detail)
    if must is not None:
        return Fault(field=place, text=f"It {must['what']}.")
    is_type = "Expected `" in problem.detail or "Invalid enum" in problem.detail
    detail = problem.detail.replace("`", "") if not is_type else _RIGHT.get(place, problem.detail)
    return Fault(field=place, text=detail)


def _place_of(problem: Problem) -> str:
    # What a part of the route says about its fields, it says as a whole, and names the field.
    named = (name for name in FIELDS if "." in name and name in problem.detail)
    return field_of(problem.field) or next(named, "")


def field_of(field: str | None) -> str:
    """The form's field that holds what the API names, or nothing."""
    named = _TOLD_AT.get(field or "", field or "")
    inside = (name for name in FIELDS if named == name or named.startswith(f"{name}."))
    return max(inside, key=len, default="")


_RIGHT = {
    "id": "Small letters, digits, - and _, at most 63; the first is a letter or digit.",
    "new_account.id": "Small letters, digits, - and _, at most 63; the first is a letter or digit.",
    "accounts": "Choose an account for each, and a multiplier above 0.",
    "leverage": "A whole number from 1 to 500.",
    "max_age_s": "Whole seconds, from 1 to 86400.",
    "duplicate_window_s": "Whole seconds, from 0 to 300.",
    "guards.orders_per_minute": "A whole number of at least 1, or nothing.",
    "base_url": "An address like https://api.mexc.com, without a path.",
    "ws_url": "An address like wss://contract.mexc.com/edge.",
    "access_key": "The access key as MEXC shows it.",
}
_TOLD_AT = {"sealed_secret_key": "secret_key"}
"""A field that nobody types, and the one that it comes of."""


class _Reading:
    """Reads numbers and lists, and collects what is wrong with them."""

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self.faults: list[Fault] = []

    def number(self, name: str, *, place: str | None = None) -> str | None:
        """As text, since decimals travel so; nothing where nothing stands, or what is no number."""
        text = self._typed.one(name)
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or "_" in text:
            # A comma may part thousands or decimals: whoever meant one must not get the other.
            self._fault(place or name, f"{text[:40]} is no number: write it like 1250.5.")
            return None
        return text

    def whole(self, name: str) -> int | None:
        text = self._typed.one(name)
        if not text:
            return None
        if not re.fullmatch(r"[+-]?[0-9]{1,12}", text):
            self._fault(name, f"{text[:40]} is no whole number.")
            return None
        return int(text)

    def accounts(self) -> list[Document]:
        typed = self._typed
        main = typed.one("new_account.id") if typed.makes_account else typed.one("account")
        if not main and not typed.makes_account:
            self._fault("accounts", "Choose an account, or enter a new one.")
        if not main or (typed.makes_account and not _IDENTIFIER.fullmatch(main)):
            # Told where it stands, and once.
            main = _STAND_IN
        named = dict.fromkeys([main, *(each for each in typed.many("also") if each != main)])
        return [self._account(name) for name in named]

    def overrides(self, route: Route | None) -> Document:
        # In a change null takes away, and what is not named would stay.
        before = route.settings.symbols.overrides if route else {}
        found: Document = dict.fromkeys(before)
        for line in _lines(self._typed.one("symbols.overrides")):
            parts = _OVERRIDE.fullmatch(line)
            if parts is None:
                right = "One a line, like 1000PEPEUSDT.P = PEPE_USDT x 1000."
                self._fault("symbols.overrides", f"{line[:60]}: {right}")
                continue
            override = {"symbol": parts["symbol"].upper()}
            if parts["per_unit"] is not None:
                override["per_unit"] = parts["per_unit"]
            found[parts["ticker"].strip()] = override
        return found

    def _account(self, name: str) -> Document:
        multiplier = self.number(f"multiplier.{name}", place="accounts")
        return (
            {"account": name}
            if multiplier is None
            else {
                "account": name,
                "multiplier": multiplier,
            }
        )

    def _fault(self, field: str, text: str) -> None:
        self.faults.append(Fault(field=field, text=text))


def _body_secret(typed: Typed, *, route: Route | None) -> str | None:
    if typed.has("body_secret.off"):
        return None
    kept = STARS if route is not None and route.body_secret_sha256 is not None else None
    return typed.one("body_secret") or kept


def _set_aside(document: Document, place: str) -> Document:
    """The document without a field, so that its default stands; what must be there gets a stand-in
    that nothing is wrong with.
    """
    out = dict(document)
    if place in {"id", "new_account.id"}:
        return out | {"id": "x"}
    if place == "accounts":
        return out | {"accounts": [{"account": "x"}]}
    if place == "secret_key":
        return out | {"secret_key": "x", "sealed_secret_key": None}
    stand_ins = {"base_url": "https://x", "ws_url": "wss://x", "access_key": "x"}
    if place in stand_ins:
        return out | {place: stand_ins[place]}
    first, _, rest = place.partition(".")
    if rest and isinstance(out.get(first), Mapping):
        out[first] = {name: value for name, value in out[first].items() if name != rest}
    else:
        out.pop(first, None)
    return out


def _pairs(typed: Typed) -> Iterator[tuple[str, str]]:
    for name in typed._texts:  # noqa: SLF001 - of this module
        yield from ((name, text) for text in typed.many(name))


def _without_nulls(document: Document) -> Document:
    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cleaned(each) for name, each in value.items() if each is not None}
        return value

    found: Document = cleaned(document)
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _PARTED.split(text) if part.strip()]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _overrides(overrides: Mapping[str, SymbolOverride]) -> Iterator[str]:
    for ticker, each in overrides.items():
        per_unit = f" x {plain(each.per_unit)}" if each.per_unit != 1 else ""
        yield f"{ticker} = {each.symbol}{per_unit}"


def _number(value: Decimal | None) -> str:
    return "" if value is None else plain(value)
