"""Whether what was answered fits what was stored: pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from chaos.evidence import Answer, Evidence, StoredAlert
from chaos.violations import Breach, Violation
from chaos.world import Sendable


def judge_answers(evidence: Evidence, *, signals: Mapping[str, Sendable]) -> Iterator[Violation]:
    """Accepted is stored, once; a resend gets the first one's id; what is refused is not stored."""
    stored: dict[str, list[StoredAlert]] = defaultdict(list)
    for alert in evidence.stored:
        stored[alert.key].append(alert)
    for key, signal in signals.items():
        answers = evidence.answers.get(key, [])
        kept = stored.get(key, [])
        if len(kept) > 1:
            ids = ", ".join(alert.alert_id for alert in kept)
            yield Violation(breach=Breach.STORED_TWICE, text=ids, alert_id=kept[0].alert_id)
        yield from _wrong_answers(signal, answers, kept=kept)
    yield from _overtaken(evidence, signals=signals)


def _wrong_answers(
    signal: Sendable, answers: Sequence[Answer], *, kept: Sequence[StoredAlert]
) -> Iterator[Violation]:
    nonsense = signal.means_nothing
    ids = {alert.alert_id for alert in kept}
    for answer in answers:
        told = f"{signal.key}: HTTP {answer.status} {answer.said} {answer.alert_id}".rstrip()
        if answer.status == 200 and not ids:
            yield Violation(breach=Breach.LOST, text=told, alert_id=answer.alert_id)
        elif answer.status == 200 and answer.alert_id not in ids:
            yield Violation(breach=Breach.WRONGLY_ANSWERED, text=told, alert_id=answer.alert_id)
        elif 400 <= answer.status < 500 and not nonsense:
            yield Violation(breach=Breach.WRONGLY_ANSWERED, text=told)
    if nonsense and ids:
        yield Violation(
            breach=Breach.WRONGLY_ANSWERED,
            text=f"{signal.key} means nothing and was stored",
            alert_id=min(ids),
        )
    if sum(answer.said == "accepted" for answer in answers) > 1:
        yield Violation(
            breach=Breach.WRONGLY_ANSWERED,
            text=f"{signal.key} was accepted more than once",
            alert_id=min(ids, default=""),
        )


def _overtaken(evidence: Evidence, *, signals: Mapping[str, Sendable]) -> Iterator[Violation]:
    # By the sender's own clock, without the log's word for it: who was answered before another was
    # sent at all comes first.
    lanes: dict[tuple[str, str], list[StoredAlert]] = defaultdict(list)
    for alert in evidence.stored:
        signal = signals.get(alert.key)
        if signal is not None:
            lanes[signal.route, signal.symbol].append(alert)
    for (route, symbol), alerts in lanes.items():
        earliest: tuple[float, str] | None = None
        for alert in sorted(alerts, key=lambda alert: alert.seq, reverse=True):
            answers = evidence.answers.get(alert.key, [])
            if not answers:
                continue
            sent_s = min(answer.sent_s for answer in answers)
            if earliest is not None and earliest[0] < sent_s:
                yield Violation(
                    breach=Breach.OVERTAKEN,
                    text=f"{earliest[1]} had been answered before {alert.alert_id} was sent",
                    alert_id=alert.alert_id,
                    lane=f"{route} {symbol}",
                )
            done = [answer.answered_s for answer in answers if answer.status == 200]
            if done and (earliest is None or min(done) < earliest[0]):
                earliest = min(done), alert.alert_id
