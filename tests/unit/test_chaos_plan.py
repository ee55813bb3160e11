"""What a seed makes, and what a signal should do to a position, by hand."""

import json
from itertools import pairwise

import msgspec
import pytest

from chaos.faults import CREATE, background
from chaos.options import parse
from chaos.reference import after, moves
from chaos.world import ActKind, Mode, Route, Side, Signal, Word
from tests.chaos_stage import made_world, make_scope
from tools.paper_exchange.control.faults import Fault

L, S = Side.LONG, Side.SHORT


def test_a_seed_makes_the_same_world_again_and_another_one_another():
    assert made_world(seed=5) == made_world(seed=5)
    assert made_world(seed=5).signals != made_world(seed=6).signals


def test_what_is_done_changes_nothing_of_what_is_signalled():
    quiet, wild = made_world(kills=0, stops=0), made_world(kills=30, stops=9)
    assert quiet.signals == wild.signals
    assert quiet.routes == wild.routes


def test_the_default_holds_everything_that_may_happen():
    scope = parse(["--seed", "1"]).scope
    world = made_world(
        **{name: getattr(scope, name) for name in ("seed", "alerts", "accounts", "seconds")},
        kills=scope.kills,
        stops=scope.stops,
        cuts=scope.cuts,
        executors=scope.executors,
        waiting=scope.waiting,
        clocks=scope.clocks,
    )
    assert len(world.signals) == 2_000
    assert len(world.accounts) == 20
    assert {act.kind for act in world.acts} == set(ActKind)
    assert sum(act.kind is ActKind.KILL for act in world.acts) == 40
    assert max(act.seconds for act in world.acts if act.kind is ActKind.STOP) > 15
    assert {route.mode for route in world.routes} == set(Mode)
    assert any(len(route.accounts) > 1 for route in world.routes)
    assert any(account.one_way for account in world.accounts)
    assert {signal.word for signal in world.signals} == set(Word)


def test_the_clock_goes_wrong_once_at_a_time_and_is_right_in_the_end():
    world = made_world(clocks=6)
    wrong = [act for act in world.acts if act.kind is ActKind.CLOCK]
    assert len(wrong) == 6
    for one, another in pairwise(wrong):
        assert one.at_s + one.seconds < another.at_s
    assert wrong[-1].at_s + wrong[-1].seconds < make_scope().seconds
    assert set(made_world().acts) == set(world.acts) - set(wrong)


def test_what_is_left_out_is_left_out():
    whole = made_world(kills=60, stops=9)
    without = made_world(kills=60, stops=9, without=frozenset({"stop", "nats", "ws_gap"}))
    left = {(act.kind, act.target, act.value) for act in without.acts}
    assert not any({"stop", "nats", "ws_gap"} & set(words) for words in left)
    assert set(without.acts) < set(whole.acts)


def test_every_body_is_told_apart_and_says_what_is_meant():
    world = made_world(alerts=300)
    bodies = [json.loads(signal.body()) for signal in world.signals]
    assert len({body["alert_id"] for body in bodies}) == 300
    for signal, body in zip(world.signals, bodies, strict=True):
        assert ("market_position" in body) == (signal.word is Word.TARGET)
        assert body.get("order_action", "target") == signal.word.value


def test_the_faults_are_ones_that_the_exchange_knows():
    faults = msgspec.convert(list(background(0.1)), list[Fault])
    on_create = [fault for fault in faults if fault.path == CREATE]
    assert sum(fault.probability for fault in on_create) == pytest.approx(0.128, abs=0.005)
    assert background(0) == ()


@pytest.mark.parametrize(
    "wrong", [["--alerts", "0"], ["--accounts", "1"], ["--without", "rain"], ["--bad", "1.5"]]
)
def test_wrong_use_is_refused(wrong, capsys):
    with pytest.raises(SystemExit) as refused:
        parse(wrong)
    assert refused.value.code == 2
    assert "error" in capsys.readouterr().err


def told(
    mode: Mode, word: Word, contracts: int, held: dict[Side, int], *, wanted=None, inverse=False
) -> list[tuple[str, Side, int]]:
    route = Route(
        name="r",
        mode=mode,
        accounts=(("a", 2),),
        symbols=("BTC_USDT",),
        inverse=inverse,
        max_age_s=30,
    )
    signal = Signal(
        key="k",
        route="r",
        symbol="BTC_USDT",
        word=word,
        contracts=contracts,
        wanted=wanted,
        due_s=0,
    )
    found = moves(signal, route, multiplier=2, held={L: 0, S: 0} | held)
    return [(*move.role, move.contracts) for move in found]


@pytest.mark.parametrize(
    ("mode", "word", "held", "expected"),
    [
        (Mode.NETTING, Word.BUY, {}, [("open", L, 6)]),
        (Mode.NETTING, Word.BUY, {L: 2}, [("open", L, 6)]),
        (Mode.NETTING, Word.BUY, {S: 2}, [("close", S, 2), ("open", L, 4)]),
        (Mode.NETTING, Word.SELL, {L: 9}, [("close", L, 6)]),
        (Mode.NETTING, Word.SELL, {L: 6}, [("close", L, 6)]),
        (Mode.OPPOSITE, Word.SELL, {L: 9}, [("close", L, 9), ("open", S, 6)]),
        (Mode.OPPOSITE, Word.SELL, {S: 1}, [("open", S, 6)]),
        (Mode.REVERSE, Word.SELL, {L: 9}, [("close", L, 9)]),
        (Mode.REVERSE, Word.SELL, {}, [("open", S, 6)]),
        (Mode.HEDGE, Word.SELL, {L: 9}, [("open", S, 6)]),
        (Mode.HEDGE, Word.FLAT, {L: 9, S: 1}, [("close", L, 9), ("close", S, 1)]),
        (Mode.NETTING, Word.FLAT, {}, []),
    ],
)
def test_the_reference_reads_signals_as_the_documents_say(mode, word, held, expected):
    assert told(mode, word, 3, held) == expected


@pytest.mark.parametrize(
    ("wanted", "contracts", "held", "expected"),
    [
        (L, 3, {}, [("open", L, 6)]),
        (L, 3, {L: 6}, []),
        (L, 3, {L: 9}, [("close", L, 3)]),
        (L, 3, {L: 2}, [("open", L, 4)]),
        (L, 3, {S: 2}, [("close", S, 2), ("open", L, 6)]),
        (None, 0, {S: 2}, [("close", S, 2)]),
    ],
)
def test_the_reference_moves_to_targets(wanted, contracts, held, expected):
    assert told(Mode.TARGET, Word.TARGET, contracts, held, wanted=wanted) == expected


def test_inverse_flips_entries_and_targets_and_no_exit():
    assert told(Mode.NETTING, Word.BUY, 3, {}, inverse=True) == [("open", S, 6)]
    target = told(Mode.TARGET, Word.TARGET, 3, {}, wanted=L, inverse=True)
    assert target == [("open", S, 6)]
    assert told(Mode.NETTING, Word.FLAT, 0, {L: 1}, inverse=True) == [("close", L, 1)]


def test_positions_after_an_order():
    assert after({L: 0, S: 5}, ("close", S), 2, one_way=False) == {L: 0, S: 3}
    assert after({L: 0, S: 5}, ("open", L), 2, one_way=False) == {L: 2, S: 5}
    assert after({L: 0, S: 5}, ("open", L), 2, one_way=True) == {L: 0, S: 3}
    assert after({L: 0, S: 5}, ("open", L), 7, one_way=True) == {L: 2, S: 0}
