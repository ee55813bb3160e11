"""The test: a form that becomes a message, which is explained or really sent, and then the alert's
journey. A page of its own, and the same in a dialog of the list and of a route.
"""

import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from libs.common.contracts.route import Account, Route
from libs.common.contracts.words import TradeMode
from services.console.callers import Caller
from services.console.documents import Document
from services.console.explaining import Explaining
from services.console.messages import check_age, encoded, identified, test_body
from services.console.problems import AnyRequest, Problem
from services.console.testing import Testing
from services.console.web.access.guarding import VIEWERS_MAY
from services.console.web.rendering import Pages
from services.console.web.routes.desk import Desk, typed_from
from services.console.web.routes.knowledge import symbols_of
from services.console.web.routes.messages import example_size, example_ticker
from services.console.web.routes.seeds import id_of, new_seed
from services.console.web.routes.states import halt_of, is_mexc, place_words
from services.console.web.routes.typed import Typed
from services.console.web.shell import Shell

_LEVEL = "level"
_TARGETS = {"target-long": "long", "target-short": "short", "target-flat": "flat"}


@dataclass(frozen=True, kw_only=True)
class Goal:
    """An account that a test trades."""

    account: str
    place: str
    is_real: bool
    """Real money, by its address."""


@get("/{route_id:str}/test")
async def show_trial(
    desk: NamedDependency[Desk],
    testing: NamedDependency[Testing],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    route_id: FromPath[str],
) -> Response[str]:
    route = (await desk.registry.routes.find(route_id)).value
    trial = _Trial(desk=desk, testing=testing, shell=shell, pages=pages, typed=Typed([]))
    return await trial.form(route)


@get("/-/test")
async def show_trial_again(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    testing: NamedDependency[Testing],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
) -> Response[str]:
    """With what was typed, for another route or to send another: with a new seed."""
    typed = Typed(list(request.query_params.multi_items()))
    trial = _Trial(desk=desk, testing=testing, shell=shell, pages=pages, typed=typed)
    route = await trial.route()
    if isinstance(route, Problem):
        raise route
    return await trial.form(route)


@post("/-/test/preview", status_code=200, opt={VIEWERS_MAY: True})
async def preview(
    request: AnyRequest, shell: NamedDependency[Shell], pages: NamedDependency[Pages]
) -> Response[str]:
    """The message as it stands now."""
    typed = await typed_from(request)
    return pages.page("routes/preview.html", shell=shell, message=shown(message_of(typed)))


@post("/-/test/explain", status_code=200, opt={VIEWERS_MAY: True})
async def explain(
    *,
    request: AnyRequest,
    desk: NamedDependency[Desk],
    testing: NamedDependency[Testing],
    explaining: NamedDependency[Explaining],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
) -> Response[str]:
    """What it would do right now; nothing is sent."""
    typed = await typed_from(request)
    trial = _Trial(desk=desk, testing=testing, shell=shell, pages=pages, typed=typed)
    route = await trial.route()
    if isinstance(route, Problem):
        return await trial.answer(None, problem=route)
    text = encoded(message_of(typed))
    try:
        found = await explaining.explain(text.encode(), route)
    except Problem as problem:
        return await trial.answer(route, problem=problem)
    return await trial.answer(route, explanation=found)


@post("/-/test/send", status_code=200)
async def send(
    *,
    request: AnyRequest,
    desk: NamedDependency[Desk],
    testing: NamedDependency[Testing],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    caller: NamedDependency[Caller],
) -> Response[str]:
    """Really. The same form with the same fields is the same alert, however often it comes."""
    typed = await typed_from(request)
    trial = _Trial(desk=desk, testing=testing, shell=shell, pages=pages, typed=typed)
    route = await trial.route()
    if isinstance(route, Problem):
        return await trial.answer(None, problem=route)
    text = encoded(message_of(typed))
    try:
        # The route is no part of the message, and another route is another test.
        own_id = id_of(typed.one("seed"), f"{route.id}\0{text}")
        text, own_id = identified(text, alert_id=own_id)
        check_age(own_id, unix_ms=testing.unix_ms())
        answered = await testing.send(text, route=route, alert_id=own_id, by=caller.made_by)
    except Problem as problem:
        return await trial.answer(route, problem=problem)
    document: Document = msgspec.json.decode(answered.document)
    return await trial.answer(
        route,
        sent={
            "status": answered.status,
            "alert_id": document.get("alert_id"),
            "is_resend": document.get("status") == "duplicate",
            "detail": document.get("detail"),
            "field": document.get("field"),
            "is_open": answered.status >= 500 and not answered.nothing_sent,
        },
    )


def message_of(typed: Typed) -> Document:
    """The message that the form's fields make."""
    action, quantity = typed.one("action"), typed.one("quantity")
    fields: dict[str, Any] = {"symbol": typed.one("symbol")}
    if action in _TARGETS:
        fields["market_position"] = _TARGETS[action]
        if action != "target-flat":
            fields["market_position_size"] = quantity
        if typed.one("mode") != TradeMode.TARGET:
            fields["trade_type"] = "target"
    else:
        fields |= {"side": action, "quantity": quantity}
        if action == "flat":
            fields["close_side"] = typed.one("close_side")
    kind = typed.one("order_type")
    if kind != "market":
        fields["order_type"] = kind
    fields["price"] = typed.one("price")
    stop, target, unit = (typed.one(name) for name in ("stop", "target", "unit"))
    if unit == _LEVEL:
        fields |= {"sl_price": stop, "tp_price": target}
    else:
        fields |= {"stop_loss": stop, "take_profit": target}
        if stop or target:
            fields["sltp_type"] = unit
    return test_body(fields)


def shown(message: Document) -> str:
    return msgspec.json.format(encoded(message).encode(), indent=2).decode()


class _Trial:
    """One form, and how it is answered: in the place that asked, or as a page."""

    def __init__(
        self, *, desk: Desk, testing: Testing, shell: Shell, pages: Pages, typed: Typed
    ) -> None:
        self._desk = desk
        self._testing = testing
        self._shell = shell
        self._pages = pages
        self._typed = typed

    async def route(self) -> Route | Problem:
        try:
            return (await self._desk.registry.routes.find(self._typed.one("route"))).value
        except Problem as problem:
            return problem

    async def form(self, route: Route, **result: Any) -> Response[str]:
        """Whole, with a new seed unless something was sent with the old one."""
        registry = self._desk.registry
        routes, accounts = await registry.routes.list(), await registry.accounts.list()
        halts = await registry.controls.list()
        settings = route.settings
        known = {each.id: each for each in accounts}
        ours = [known[each.account] for each in settings.accounts if each.account in known]
        allow = settings.symbols.allow
        return self._pages.page(
            "routes/trial.html",
            shell=self._shell,
            routes=[each.id for each in routes],
            route=route,
            typed=self._filled(route),
            seed=self._typed.one("seed") if result else self._new_seed(),
            goals=[_goal(each) for each in ours],
            symbols=await symbols_of(ours, catalogues=self._desk.catalogues, allow=allow),
            halted_by=halt_of(settings, halts),
            message=shown(message_of(self._filled(route))),
            **{"problem": None, "explanation": None, "sent": None, **result},
        )

    async def answer(self, route: Route | None, **result: Any) -> Response[str]:
        if not self._shell.is_fragment and route is not None:
            return await self.form(route, **result)
        if route is None and not self._shell.is_fragment:
            raise result["problem"]
        # 200 all the same: what went wrong is told where the button is.
        given = {"problem": None, "explanation": None, "sent": None, **result}
        return self._pages.page("routes/trial-result.html", shell=self._shell, **given)

    def _filled(self, route: Route) -> Typed:
        """As typed, and where nothing was, an example that the route may trade."""
        is_target = route.settings.trade_mode is TradeMode.TARGET
        given = {
            "symbol": example_ticker(route.settings),
            "quantity": example_size(route.settings.sizing),
            "action": "target-long" if is_target else "buy",
            "order_type": "market",
            "unit": _LEVEL,
        }
        names = ("symbol", "quantity", "action", "close_side", "order_type", "price")
        more = ("stop", "target", "unit")
        pairs = [
            (name, self._typed.one(name) if self._typed.has(name) else given.get(name, ""))
            for name in (*names, *more)
        ]
        return Typed([*pairs, ("route", route.id), ("mode", route.settings.trade_mode.value)])

    def _new_seed(self) -> str:
        return new_seed(unix_ms=self._testing.unix_ms(), random_bits=secrets.randbits(64))


def _goal(account: Account) -> Goal:
    return Goal(account=account.id, place=place_words(account), is_real=is_mexc(account))
