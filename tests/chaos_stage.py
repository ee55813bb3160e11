"""A perfect run, made up: every alert stored, ordered, filled and told as it should be. Tests of
the verdict take one thing of it away.
"""

from collections import defaultdict
from dataclasses import replace

from chaos.chain import BEFORE_THE_FIRST, PIPELINE, link
from chaos.evidence import (
    Anchored,
    Answer,
    Call,
    ChainedRow,
    Entry,
    Evidence,
    ExchangeOrder,
    StoredAlert,
    Told,
    ToldOrder,
)
from chaos.planning import Scope, plan
from chaos.reference import FLAT, after, moves
from chaos.world import TICKERS, Word, World
from libs.common.contracts.words import AccountId, AlertId, Effect, PositionSide
from libs.common.domain.identity import alert_id, client_order_id

BEGAN_S = 1_790_000_000


def make_scope(**overrides) -> Scope:
    fields = {
        "seed": 7,
        "alerts": 60,
        "accounts": 5,
        "seconds": 30,
        "kills": 5,
        "stops": 2,
        "cuts": 3,
        "executors": 1,
    }
    return Scope(**(fields | overrides))


def perfect(world: World) -> Evidence:
    return _Play(world).evidence


class _Play:
    def __init__(self, world: World) -> None:
        self.evidence = Evidence()
        self._held = defaultdict(lambda: FLAT)
        self._one_way = {account.name for account in world.accounts if account.one_way}
        self._order_id = 1000
        self._log_of = defaultdict(list)
        routes = {route.name: route for route in world.routes}
        for account in world.accounts:
            for symbol in TICKERS:
                self.evidence.positions[account.name, symbol] = FLAT
        for number, signal in enumerate(world.signals):
            if signal.word is Word.NONSENSE:
                self._answer(signal, status=422)
            else:
                self._accepted(signal, routes[signal.route], number)
        self.evidence.positions.update(self._held)
        self.evidence.rows = dict(self.evidence.log)
        self.evidence.settled = len(self.evidence.log)
        self._chain()

    def _answer(self, signal, **fields) -> None:
        answer = Answer(sent_s=signal.due_s, answered_s=signal.due_s + 0.003, **fields)
        self.evidence.answers.setdefault(signal.key, []).append(answer)

    def _accepted(self, signal, route, number) -> None:
        made = alert_id(unix_ms=BEGAN_S * 1000 + round(signal.due_s * 1000), random_bits=number)
        self._answer(signal, status=200, said="accepted", alert_id=made)
        if signal.again_after_s is not None:
            self._answer(signal, status=200, said="duplicate", alert_id=made)
        seq = self._note(made, "alert.received")
        self.evidence.stored.append(
            StoredAlert(
                alert_id=made,
                key=signal.key,
                route=route.name,
                seq=seq,
                received_s=BEGAN_S + signal.due_s,
            )
        )
        told = []
        for account, multiplier in route.accounts:
            lane = account, signal.symbol
            for move in moves(signal, route, multiplier=multiplier, held=self._held[lane]):
                told.append(self._order(made, lane, move, signal.due_s))
                self._held[lane] = after(
                    self._held[lane], move.role, move.contracts, one_way=lane[0] in self._one_way
                )
        seqs = tuple(self._log_of[made])
        self.evidence.told[made] = Told(
            status="executed", reason=None, seqs=seqs, orders=tuple(told)
        )

    def _order(self, alert: AlertId, lane, move, due_s: float) -> ToldOrder:
        effect, side = move.role
        oid = client_order_id(
            alert=alert,
            account=AccountId(lane[0]),
            effect=Effect(effect),
            side=PositionSide(side.value),
            chunk=0,
            attempt=0,
        )
        self._order_id += 1
        self.evidence.sent.add(oid)
        self.evidence.orders.append(
            ExchangeOrder(
                account=lane[0],
                symbol=lane[1],
                oid=oid,
                order_id=self._order_id,
                contracts=move.contracts,
                filled=move.contracts,
                state=3,
            )
        )
        received_ns = round((BEGAN_S + due_s) * 1e9) + self._order_id
        self.evidence.calls.append(Call(account=lane[0], oid=oid, received_ns=received_ns, code=0))
        self._note(alert, f"execution.filled.{lane[0]}.{lane[1]}")
        return ToldOrder(
            oid=oid,
            state="filled",
            filled=move.contracts,
            exchange_order_id=str(self._order_id),
            has_request=True,
        )

    def _chain(self) -> None:
        head = BEFORE_THE_FIRST
        for seq, entry in self.evidence.log.items():
            columns = (PIPELINE, seq, entry.subject, entry.digest.encode(), None)
            head = link(head, columns)
            self.evidence.chain.append(
                ChainedRow(stream=PIPELINE, seq=seq, columns=columns, hash=head)
            )
        anchored = Anchored(stream=PIPELINE, seq=self.evidence.settled, hash=head.hex())
        self.evidence.anchors.append(anchored)

    def _note(self, alert: str, subject: str) -> int:
        seq = len(self.evidence.log) + 1
        self.evidence.log[seq] = Entry(subject=subject, digest=f"{seq:064x}", alert_id=alert)
        self._log_of[alert].append(seq)
        return seq


def changed(items: list, place: int, **fields) -> None:
    """Replace one value of a list by one that differs in these fields."""
    items[place] = replace(items[place], **fields)


def made_world(**overrides) -> World:
    return plan(make_scope(**overrides))
