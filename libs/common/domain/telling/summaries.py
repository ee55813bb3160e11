"""One line for people about one event of the trail: pure. Documents may come from any release, so
every field may be absent.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeVar

Data = Mapping[str, Any]
T = TypeVar("T")
NOTHING: Mapping[str, str] = {}
_WITHOUT_PRICES = ("stop_price", "target_price", "trail_distance")


def summary(stage: str, data: object, *, asked: Mapping[str, str] = NOTHING) -> str:
    """What happened, with the numbers and the exchange's own words. `asked`: as of `asked_of`, what
    each of the plan's steps is, for what the exchange said about it.
    """
    if not isinstance(data, dict):
        return str(data)[:200]
    match stage.split("."):
        case ["alert", "received"]:
            return _alert(data)
        case ["alert", "duplicate"]:
            who = _of(" from ", data, "source_address") + _of(" as a test by ", data, "test_by")
            return f"resent{who}; nothing else happens"
        case ["alert", "refused"]:
            return _refusal(data)
        case ["intent", word]:
            return _wanted(word, data)
        case ["order", "planned"]:
            return _plan(data)
        case ["execution", word]:
            return _execution(word, data, asked=asked)
        case ["account", word]:
            return _account(word, data)
        case ["position" | "dead", *_]:
            return _aside(data)
    return ""


def _account(word: str, data: Data) -> str:
    if word != "checked":
        return _of("", data, "what")
    # What is well is not told.
    worse = [
        f"{found.get('line')} {found.get('state')}: {found.get('evidence')}"
        for found in _objects(data, "findings")
        if found.get("state") not in {"ok", "not_reached"}
    ]
    return "; ".join(worse) or "all is well"


def _aside(data: Data) -> str:
    match data.get("type"):
        case "position.drifted":
            return (
                f"held {_held(data, 'expected')} after this alert; the exchange now tells"
                f" {_held(data, 'held')}: moved by a stop or target, by hand or by the exchange"
            )
        case "dead.replayed":
            return f"put into the log again as {data.get('seq')}, for {data.get('service')}"
        case _:
            tried = f"{data.get('service')} gave up after {data.get('deliveries')} tries"
            return tried + _of(": ", data, "reason")


def details(stage: str, data: object) -> list[str]:
    """How it came about: a router's or an executor's sentences, and what they held back."""
    if stage not in {"intent.accepted", "order.planned"} or not isinstance(data, dict):
        return []
    told = [str(step) for step in data.get("steps") or ()]
    withheld = data.get("withheld")
    return [*told, f"withheld, {_denied(withheld)}"] if isinstance(withheld, dict) else told


def asked_of(plans: Iterable[Data]) -> dict[str, str]:
    """What each leg and each change asks for, by the id that its executions carry. The account is
    said where there are several.
    """
    found = list(plans)
    several = len({plan.get("account") for plan in found}) > 1
    asked: dict[str, str] = {}
    for plan in found:
        on = _of(" on ", plan, "account") if several else ""
        for leg in _objects(plan, "legs"):
            asked[str(leg.get("client_order_id"))] = moved(leg) + on
        for change in _objects(plan, "changes"):
            bare = {name: value for name, value in change.items() if name not in _WITHOUT_PRICES}
            asked[str(change.get("change_id"))] = change_words(bare) + on
    return asked


def runs(items: Iterable[T]) -> list[tuple[T, int]]:
    """Equal neighbours as one with their number: a split order has hundreds of equal legs."""
    return [(item, len(list(same))) for item, same in groupby(items)]


def times(text: str, number: int) -> str:
    return text if number == 1 else f"{number} x {text}"


def _alert(data: Data) -> str:
    order = data.get("order", {})
    percent = _of("", order, "quantity_percent")
    wanted = [
        _join(order, "action", "wanted", "close_side"),
        f"{percent}%" if percent else _of("", order, "quantity"),
        _of("", order, "ticker"),
        kind_and_price(order),
    ]
    unit = _of(" ", order, "distance_unit")
    told = [
        " ".join(part for part in wanted if part),
        *(_of(f"{what} ", order, f"{what}_price") for what in ("stop", "target")),
        *(
            f"{what} {order[f'{what}_distance']}{unit} away"
            for what in ("stop", "target")
            if order.get(f"{what}_distance") and not order.get(f"{what}_price")
        ),
        _of("trailing ", order, "trailing_ticks") + (" ticks" * bool(order.get("trailing_ticks"))),
        _of("leverage ", order, "leverage"),
        _of("margin ", order, "margin_mode"),
        _of("mode ", order, "trade_mode"),
        "inverse" * bool(order.get("inverse")),
        *(_of(f"{name} ", order, name) for name in ("order_id", "comment")),
        _of("a test by ", data, "test_by"),
    ]
    return ", ".join(part for part in told if part)


def _refusal(data: Data) -> str:
    told = _join(data, "status", "reason") + _of(": ", data, "message")
    return told + _of(" It was: ", data, "value") + _of(" A test by ", data, "test_by")


def _wanted(word: str, data: Data) -> str:
    match word:
        case "accepted":
            return _intent(data)
        case "denied":
            return _denial(data)
        case "flattened":
            return _flattening(data)
    return ""


def _intent(data: Data) -> str:
    percent = _of("", data, "close_percent")
    size = f"{data['contracts']} contracts" if data.get("contracts") else _unsettled(data)
    wanted = [
        _join(data, "action", "wanted", "close_side"),
        f"{percent} % of" * bool(percent),
        size,
    ]
    said = " ".join(part for part in wanted if part)
    modes = ", ".join(str(data[name]) for name in ("trade_mode", "margin_mode") if data.get(name))
    leverage = f" {data['leverage']}x" if data.get("leverage") else ""
    waits = kind_and_price(data) if data.get("order_type") not in {None, "market"} else ""
    told = f"{said} {data.get('symbol')} on {data.get('account')} ({modes}{leverage})"
    return f"{told}, {waits}" if waits else told


def _unsettled(data: Data) -> str:
    # The executor makes contracts of it, and says in its steps how.
    size = data.get("size")
    return _join(size, "mode", "value") if isinstance(size, dict) else ""


def kind_and_price(data: Data) -> str:
    """Of an order that is no plain market order: `limit at 60000`."""
    kind = "" if data.get("order_type") in {None, "market"} else str(data["order_type"])
    return " ".join(part for part in (kind, _of("at ", data, "price")) if part)


def _denial(data: Data) -> str:
    return _denied(data.get("denial") or {}, on=_of(" on ", data, "account"))


def _denied(denial: Data, *, on: str = "") -> str:
    numbers = ", ".join(
        f"{name} {value}" for name, value in (denial.get("context") or {}).items() if value
    )
    return f"{denial.get('reason')}{on}: {denial.get('message')}" + (
        f" ({numbers})" if numbers else ""
    )


def _flattening(data: Data) -> str:
    lanes = [
        _of("", lane, "symbol") + (", its orders first" if lane.get("cancel") else "")
        for lane in _objects(data, "lanes")
    ]
    told = f"close {'; '.join(lanes) or 'nothing'} on {data.get('account')}"
    left = ", ".join(str(symbol) for symbol in data.get("unlisted") or ())
    return f"{told}; left alone, since its contract is not known: {left}" if left else told


def _plan(data: Data) -> str:
    legs = [_leg(leg) for leg in _objects(data, "legs")]
    changes = [change_words(change) for change in _objects(data, "changes")]
    told = ", then ".join(times(words, number) for words, number in runs([*legs, *changes]))
    return f"{told or 'nothing to do'} on {data.get('account')}"


def _leg(leg: Data) -> str:
    return f"{moved(leg)} {kind_and_price(leg)}".rstrip() + _prices(leg)


def moved(leg: Data) -> str:
    """What a leg does to what is held."""
    return _join(leg, "effect", "position_side", "contracts")


def change_words(change: Data) -> str:
    """A change of the plan, or of the API's list, without what became of it."""
    kind = str(change.get("kind", "")).replace("_", " ")
    # The position's id, which is all that these two name, tells nobody anything.
    named = () if change.get("kind") in {"protect", "trail"} else change.get("exchange_ids") or ()
    words = [kind, _join(change, "position_side", "contracts"), *map(str, named)]
    return " ".join(word for word in words if word) + _prices(change)


def _prices(data: Data) -> str:
    named = (("stop", "stop_price"), ("target", "target_price"), ("distance", "trail_distance"))
    told = ", ".join(f"{word} {data[name]}" for word, name in named if data.get(name))
    return f" ({told})" if told else ""


def _execution(word: str, data: Data, *, asked: Mapping[str, str]) -> str:
    leg = data.get("leg")
    step = asked.get(str(data.get("client_order_id"))) or (
        _leg(leg) if isinstance(leg, dict) else ""
    )
    parts = [part for part in (_of_kind(word, data), *_filled(data)) if part]
    parts += [
        _of("order ", data, "exchange_order_id"),
        *_labels(data),
        _join(data, "code", "message"),
    ]
    told = ", ".join(part for part in parts if part)
    if not told:
        return step or str(data.get("client_order_id", ""))
    return f"{step}: {told}" if step else told


def _of_kind(word: str, data: Data) -> str:
    match word:
        case "sent":
            return " ".join(_join(each, "method", "path") for each in _objects(data, "calls"))
        case "resting":
            return "waits at the exchange"
        case "changed":
            return "done"
    return ""


def _labels(data: Data) -> Iterator[str]:
    # By them a later alert finds the order.
    for name in ("order_id", "comment"):
        yield _of(f"{name} ", data, name)


def _filled(data: Data) -> Iterator[str]:
    contracts = data.get("filled_contracts")
    if contracts is None:
        return
    # Until something is filled there is no price and no fee.
    if not str(contracts).strip("0."):
        yield "nothing filled"
        return
    yield f"{contracts} contracts" + _of(" at ", data, "average_price")
    if data.get("fee"):
        yield _of("fee ", data, "fee") + _of(" ", data, "fee_currency")
    if str(data.get("profit") or "").strip("-0."):
        yield _of("profit ", data, "profit")


def _objects(data: Data, name: str) -> list[Data]:
    return [each for each in data.get(name) or () if isinstance(each, dict)]


def _join(data: Data, *names: str) -> str:
    return " ".join(str(data[name]) for name in names if data.get(name) not in {None, ""})


def _of(before: str, data: Data, name: str) -> str:
    value = data.get(name)
    return "" if value in {None, ""} else f"{before}{value}"


def _held(data: Data, name: str) -> str:
    found = (f"{one.get('side')} {one.get('contracts')}" for one in _objects(data, name))
    return ", ".join(found) or "nothing"
