"""Alerts as they are decided by the real functions and stored in the trail, and `alertwire replay`
on a console that tells today's rules.
"""

import hashlib
import json
from contextlib import contextmanager
from datetime import timedelta

import msgspec

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.intent import Denial, IntentDenied
from libs.common.contracts.order import ExchangeCall, Plan
from libs.common.contracts.route import RouteAccount, RouteSettings
from libs.common.contracts.words import PositionMode
from libs.common.domain.picture import Need, Picture, Prices, needs
from libs.common.domain.planning import plan_orders
from services.executor.mexc import client, listing
from services.executor.withholding import stale
from services.ingest.parsing import Unparsed, parse_alert
from services.router.deciding import decide_intent
from tests.cli_console import answering, documents_of, run
from tests.factories import (
    ALERT_ID,
    NOW,
    D,
    make_account,
    make_instrument,
    make_route,
    make_settings,
)
from tests.traced import answered

BUY = '{"ticker":"BTCUSDT.P","order_action":"buy","order_contracts":0.001}'
TICKER = {"symbol": "BTC_USDT", "lastPrice": 50000, "fairPrice": 50001, "indexPrice": 49999}
ANSWERS = {
    Need.PRICES: [(client.TICKER, TICKER)],
    Need.EQUITY: [(client.ASSETS, [{"currency": "USDT", "equity": 9876.5}])],
    Need.PENDING: [(listing.OPEN_ORDERS, []), (listing.PLANS, [])],
    Need.PROTECTIVES: [(listing.OPEN_STOPS, [])],
    Need.TRAILS: [(listing.TRACKS, [])],
}


def settings_of(**changes) -> RouteSettings:
    known = msgspec.to_builtins(make_settings())
    return msgspec.convert({**known, **changes}, RouteSettings)


class Then:
    """What was decided of one alert."""

    def __init__(self, body=BUY, *, holdings=(), instrument=None, mode=None, late_s=0.5, **route):
        self.settings = settings_of(**route)
        self.instrument = instrument or make_instrument()
        self.holdings = holdings
        self.mode = mode or PositionMode.HEDGE
        self.late_s = late_s
        self.planned_after_s = 0.003
        self.halted = None
        self.recent_openings = 0
        self.body = body

    def messages(self):
        parsed = parse_alert(self.body.encode(), route=make_route_of(self.settings))
        common = {
            "alert_id": ALERT_ID,
            "route": self.settings.id,
            "at": NOW,
            "body": parsed.body,
            "body_sha256": hashlib.sha256(self.body.encode()).hexdigest(),
        }
        if isinstance(parsed, Unparsed):
            refusal = parsed.refusal
            return [
                AlertRefused(
                    **common,
                    status=refusal.status,
                    reason=refusal.reason,
                    message=refusal.message,
                    field=refusal.field,
                    value=refusal.value,
                )
            ]
        alert = Alert(**common, order=parsed.order)
        decided = [self._decide(alert, part) for part in self.settings.accounts]
        return [alert, *(message for messages in decided for message in messages)]

    def _decide(self, alert, part: RouteAccount):
        at = NOW + timedelta(seconds=self.late_s)
        intent = decide_intent(
            alert,
            route=self.settings,
            account=part,
            catalogue={self.instrument.symbol: self.instrument},
            now=at,
            recent_openings=self.recent_openings,
            halted=self.halted,
        )
        denied = {"alert_id": ALERT_ID, "route": self.settings.id, "account": part.account}
        if isinstance(intent, Denial):
            return [IntentDenied(**denied, at=at, denial=intent)]
        wanted = needs(intent)
        planned_at = at + timedelta(seconds=self.planned_after_s)
        # As the executor does it.
        old = stale(intent, now=planned_at)
        asked = msgspec.structs.replace(intent, opening_denied=intent.opening_denied or old)
        planned = plan_orders(asked, self._picture(wanted))
        later = {**denied, "at": planned_at, "intent_id": intent.intent_id}
        later["symbol"] = intent.symbol
        if isinstance(planned, Denial):
            return [intent, IntentDenied(**later, denial=planned)]
        plan = Plan(
            **later,
            holdings=self.holdings,
            legs=planned.legs,
            changes=planned.changes,
            withheld=planned.withheld,
            summary=planned.summary,
            steps=planned.steps,
            order_id=intent.order_id,
            comment=intent.comment,
            calls=tuple(
                call(path, data) for need in Need if need in wanted for path, data in ANSWERS[need]
            ),
        )
        return [intent, plan]

    def _picture(self, wanted):
        return Picture(
            holdings=self.holdings,
            position_mode=self.mode,
            prices=Prices(last=D(50_000), mark=D(50_001), index=D(49_999))
            if Need.PRICES in wanted
            else None,
            equity=D("9876.5") if Need.EQUITY in wanted else None,
        )


def make_route_of(settings):
    return msgspec.structs.replace(make_route(), settings=settings)


def call(path, data):
    reply = json.dumps({"success": True, "code": 0, "data": data})
    return ExchangeCall(
        method="GET", path=path, sent_at=NOW, elapsed_ms=2.0, http_status=200, response_body=reply
    )


@contextmanager
def today(then, *, messages=None, instrument=None, mode=None, gone=(), **changes):
    """A console that tells what was decided `then`, and today's rules, which are those of then but
    for what is given. `gone`: the paths that it knows no more.
    """
    settings = msgspec.convert({**msgspec.to_builtins(then.settings), **changes}, RouteSettings)
    names = {part.account for part in (*settings.accounts, *then.settings.accounts)}
    documents = documents_of(
        settings,
        accounts=[make_account(id=name, position_mode=mode or then.mode) for name in names],
        instruments=[instrument or then.instrument],
    )
    trail = answered(*(messages or then.messages()))
    documents[f"/api/alerts/{ALERT_ID}"] = trail
    for path in gone:
        del documents[path]
    with answering(documents) as console:
        yield console


def replayed(directory, then, *arguments, **rules):
    """The document of `--json`."""
    with today(then, **rules) as console:
        answer = run(directory, console, "replay", ALERT_ID, "--json", *arguments)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.output)


def drawn(directory, then, **rules):
    with today(then, **rules) as console:
        answer = run(directory, console, "replay", ALERT_ID)
    assert answer.exit_code == 0, answer.output
    return answer.output


def differences(document, account="paper"):
    """Of one account: what differs, with what was and what is."""
    found = next(each for each in document["accounts"] if each["account"] == account)
    return {each["what"]: (each["then"], each["now"]) for each in found["differences"]}
