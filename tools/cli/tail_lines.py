"""The lines of `alertwire tail`: one for an event, and one for each new day."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from libs.common.domain.telling.summaries import asked_of, summary
from tools.cli.event_stream import Event
from tools.cli.showing import clean, style_of, terminal

if TYPE_CHECKING:
    from rich.text import Text

_REMEMBERED = 10_000
_WIDE_CHARS = 150
_STAGE_CHARS = len("execution.accepted")
_SHORT_CHARS = 8


class Lines:
    """Prints events; what a plan asked for is kept for what the exchange says about it."""

    def __init__(self, *, whole_ids: bool) -> None:
        self._out = terminal()
        self._whole_ids = whole_ids or self._out.width >= _WIDE_CHARS
        self._asked: OrderedDict[str, str] = OrderedDict()
        self._introduced: OrderedDict[str, None] = OrderedDict()
        self._day = ""

    def show(self, event: Event) -> bool:
        from rich.text import Text  # noqa: PLC0415 - see showing.terminal

        day, _, moment = str(event.get("at") or "").partition("T")
        if day != self._day:
            self._day = day
            self._print(Text(clean(f"{day} UTC"), style="dim"))
        alert = clean(str(event.get("alert_id") or ""))
        if alert and not self._whole_ids and alert not in self._introduced:
            # Stands whole once, so that it can be copied.
            self._introduced[alert] = None
            self._print(Text(f"{moment[:12]}  alert {alert}", style="dim"))
        stage = str(event["stage"])
        where = "/".join(str(event[name]) for name in ("route", "account") if event.get(name))
        told = (
            (moment[:12], "dim"),
            (f"{stage:<{_STAGE_CHARS}}", style_of(stage.rpartition(".")[2])),
            (alert if self._whole_ids else alert[-_SHORT_CHARS:], "dim"),
            (clean(" ".join(each for each in (where, event.get("symbol")) if each)), "bold"),
            (clean(self._summary(stage, event.get("data"))), ""),
        )
        self._print(Text("  ").join(Text(text, style=style) for text, style in told if text))
        _forget_old(self._asked)
        _forget_old(self._introduced)
        return True

    def _summary(self, stage: str, data: object) -> str:
        if stage == "order.planned" and isinstance(data, dict):
            self._asked |= asked_of([data])
        return summary(stage, data, asked=self._asked)

    def _print(self, text: "Text") -> None:
        # The terminal folds what is long, so that a line is one when it is copied or searched.
        self._out.print(text, soft_wrap=True)
        self._out.file.flush()


def _forget_old(kept: "OrderedDict[str, Any]") -> None:
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)
