"""The verdict: puts what was seen beside what was meant. Pure; it imports nothing of the services,
so that a mistake in them is not believed here.
"""

from collections import defaultdict
from dataclasses import replace

from chaos.answers import judge_answers
from chaos.chain import judge_chain
from chaos.evidence import Evidence, LaneKey
from chaos.lanes import Judged, LaneAlert, lanes_of
from chaos.trail import judge_trail
from chaos.violations import Violation
from chaos.waiting.judging import fired_orders, judge_waiting
from chaos.world import Word, World


def verify(world: World, evidence: Evidence) -> list[Violation]:
    """Everything that is wrong; nothing if each promise was kept."""
    signals = {signal.key: signal for signal in world.signals}
    routes = {route.name: route for route in world.routes}
    steps = {step.key: step for step in world.steps}
    found = list(judge_answers(evidence, signals={**signals, **steps}))
    alerts: dict[LaneKey, list[LaneAlert]] = defaultdict(list)
    waiting = {(route.name, symbol) for route in world.waiting for symbol in route.symbols}
    # Lanes that nobody signalled to are judged as well: they have to be flat.
    for key in evidence.positions.keys() - waiting:
        alerts[key] = []
    for stored in evidence.stored:
        signal = signals.get(stored.key)
        if signal is None or signal.word is Word.NONSENSE:
            continue
        route = routes[signal.route]
        for account, multiplier in route.accounts:
            alerts[account, signal.symbol].append(
                LaneAlert(stored=stored, signal=signal, route=route, multiplier=multiplier)
            )
    one_way = {account.name for account in world.accounts if account.one_way}
    judged: dict[str, list[Judged]] = defaultdict(list)
    for lane in lanes_of(evidence, alerts=alerts, one_way=one_way).values():
        outcomes, wrong = lane.judge()
        found += wrong
        for outcome in outcomes:
            judged[outcome.alert_id].append(outcome)
    outcomes, wrong = judge_waiting(world, evidence)
    found += wrong
    for outcome in outcomes:
        judged[outcome.alert_id].append(outcome)
    found += judge_trail(_without_fired(evidence), judged=judged)
    return [*found, *judge_chain(evidence)]


def _without_fired(evidence: Evidence) -> Evidence:
    # What a stop or target did is the exchange's own doing, and no alert's trail tells it.
    fired = fired_orders(evidence)
    ours = [each for each in evidence.orders if (each.account, each.order_id) not in fired]
    return replace(evidence, orders=ours)
