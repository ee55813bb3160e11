"""The verdict: puts what was seen beside what was meant. Pure; it imports nothing of the services,
so that a mistake in them is not believed here.
"""

from collections import defaultdict

from chaos.answers import judge_answers
from chaos.evidence import Evidence, LaneKey
from chaos.lanes import Judged, LaneAlert, lanes_of
from chaos.trail import judge_trail
from chaos.violations import Violation
from chaos.world import Word, World


def verify(world: World, evidence: Evidence) -> list[Violation]:
    """Everything that is wrong; nothing if each promise was kept."""
    signals = {signal.key: signal for signal in world.signals}
    routes = {route.name: route for route in world.routes}
    found = list(judge_answers(evidence, signals=signals))
    alerts: dict[LaneKey, list[LaneAlert]] = defaultdict(list)
    # Lanes that nobody signalled to are judged as well: they have to be flat.
    for key in evidence.positions:
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
    return [*found, *judge_trail(evidence, judged=judged)]
