"""One line for people about one event of the trail: pure. Documents may come from any release, so
every field may be absent.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, TypeVar

Data = Mapping[str, Any]
T = TypeVar("T")


def summary(stage: str, data: object) -> str:
    """What happened, with the numbers and the exchange's own words."""
    if not isinstance(data, dict):
        return str(data)[:200]
    match stage.split("."):
        case ["alert", "received"]:
            return _alert(data)
        case ["alert", "duplicate"]:
            return f"resent{_of(' from ', data, 'source_address')}; nothing else happens"
        case ["alert", "refused"]:
            return _join(data, "status", "reason") + _of(": ", data, "message")
        case ["intent", "accepted"]:
            return _intent(data)
        case ["intent", "denied"]:
            return _denial(data)
        case ["order", "planned"]:
            return _plan(data)
        case ["execution", word]:
            return _execution(word, data)
        case ["dead", *_]:
            return f"{data.get('service')} gave up after {data.get('deliveries')} tries" + _of(
                ": ", data, "reason"
            )
    return ""


def runs(items: Iterable[T]) -> list[tuple[T, int]]:
    """Equal neighbours as one with their number: a split order has hundreds of equal legs."""
    return [(item, len(list(same))) for item, same in groupby(items)]


def times(text: str, number: int) -> str:
    return text if number == 1 else f"{number} x {text}"


def _alert(data: Data) -> str:
    order = data.get("order", {})
    return _join(order, "action", "quantity", "ticker") + _of(" at ", order, "price")


def _intent(data: Data) -> str:
    size = f"{data['contracts']} contracts" if data.get("contracts") else ""
    wanted = " ".join(part for part in (str(data.get("action", "")), size) if part)
    modes = ", ".join(str(data[name]) for name in ("trade_mode", "margin_mode") if data.get(name))
    leverage = f" {data['leverage']}x" if data.get("leverage") else ""
    return f"{wanted} {data.get('symbol')} on {data.get('account')} ({modes}{leverage})"


def _denial(data: Data) -> str:
    denial = data.get("denial", {})
    numbers = ", ".join(
        f"{name} {value}" for name, value in denial.get("context", {}).items() if value
    )
    on = _of(" on ", data, "account")
    return f"{denial.get('reason')}{on}: {denial.get('message')}" + (
        f" ({numbers})" if numbers else ""
    )


def _plan(data: Data) -> str:
    legs = [_join(leg, "effect", "position_side", "contracts") for leg in data.get("legs", ())]
    told = ", then ".join(times(leg, number) for leg, number in runs(legs))
    told = told or "nothing to do: the wanted position is held"
    return f"{told} on {data.get('account')}"


def _execution(word: str, data: Data) -> str:
    said = _join(data, "code", "message")
    number = _of("order ", data, "exchange_order_id")
    filled = ""
    if data.get("filled_contracts") is not None:
        filled = f"{data['filled_contracts']} contracts" + _of(" at ", data, "average_price")
    fee = _of("fee ", data, "fee") + _of(" ", data, "fee_currency") if data.get("fee") else ""
    call = ""
    if word == "sent":
        call = " ".join(f"{each.get('method')} {each.get('path')}" for each in _calls(data))
    parts = [part for part in (call, filled, fee, number, said) if part]
    return ", ".join(parts) or str(data.get("client_order_id", ""))


def _calls(data: Data) -> list[Data]:
    return [call for call in data.get("calls", ()) if isinstance(call, dict)]


def _join(data: Data, *names: str) -> str:
    return " ".join(str(data[name]) for name in names if data.get(name) not in {None, ""})


def _of(before: str, data: Data, name: str) -> str:
    value = data.get(name)
    return "" if value in {None, ""} else f"{before}{value}"
