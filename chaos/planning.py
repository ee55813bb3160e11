"""One seed in, a whole run out: accounts, routes, alerts, acts and faults. Pure."""

from dataclasses import dataclass
from random import Random

from chaos.faults import background, on_what_waits
from chaos.waiting.planning import steps, sweeps, waiting_routes
from chaos.world import (
    QUOTED,
    TICKERS,
    Account,
    Act,
    ActKind,
    Mode,
    Route,
    Side,
    Signal,
    Word,
    World,
)

_SYMBOLS_OF_A_ROUTE = 3
_FAN_OUT_SHARE = 0.1
_LONG_AGE_S = 3_600
_SHORT_AGE_S = 20
_SIZES = (1, 2, 3, 5, 8, 13, 30)
_SPLIT_SIZES = {"XRP_USDT": 1_300_000, "DOGE_USDT": 110_000}
"""Above what one order may be, so that a leg becomes several orders."""
_SPLIT_SHARE = 0.02
_AGAIN_SHARE = 0.05
_NONSENSE_SHARE = 0.01
_BURST_SHARE = 0.25
"""Of the alerts that come with others, as at the close of a bar."""

_KILLED = {
    "executor": 8,
    "router": 4,
    "ingest": 4,
    "auditor": 2,
    "nats": 3,
    "postgres": 1,
    "paper_exchange": 2,
}
_STOPPED = {"executor": 4, "router": 2, "ingest": 1}
_STOPS_S = (1.0, 2.5, 6.0, 11.0, 17.0, 25.0)
"""The ack wait is 15 s, so the longest two are past it."""
_CUTS = {"ws_cut": 4, "ws_gap": 3, "ws_refuse": 2}
LEAVABLE = (*(kind.value for kind in ActKind), *_KILLED, *_CUTS)
"""What `without` may name."""
_LATENCIES_MS = (0, 5, 40, 150)
_DUPLICATES = ("accept", "async", "reject")
_CLOCKS_MS = (-15_000, -4_000, 4_000, 15_000)
"""A request is taken up to 10 s off, so the outer ones are answered with 513."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """How much of everything."""

    seed: int
    alerts: int
    accounts: int
    seconds: float
    kills: int
    stops: int
    cuts: int
    executors: int = 0
    """How often a second one runs beside the first."""
    clocks: int = 0
    """How often the exchange's clock goes wrong for a time."""
    waiting: int = 0
    """Accounts more, whose orders wait; as many alerts each as the others have on average."""
    bad_share: float = 0.1
    """Of the exchange's replies to new orders."""
    without: frozenset[str] = frozenset()
    """Acts that are left out, by their kind, target or value."""
    longest_stop_s: float = _STOPS_S[-1]


def plan(scope: Scope) -> World:
    """The same scope gives the same world."""
    # One generator for each, so that fewer kills do not change what is signalled.
    accounts, routes = _traders(scope, Random(f"{scope.seed} traders"))
    waiting = waiting_routes(scope.waiting)
    acts = _acts(scope, Random(f"{scope.seed} acts"))
    acts += _clocks(scope, Random(f"{scope.seed} clocks"))
    faults = background(scope.bad_share)
    if waiting:
        acts += sweeps(seconds=scope.seconds, chance=Random(f"{scope.seed} sweeps"))
        faults += on_what_waits(scope.bad_share)
    return World(
        seed=scope.seed,
        accounts=accounts,
        routes=routes,
        signals=_signals(scope, routes, Random(f"{scope.seed} signals")),
        acts=_in_time(scope, acts),
        faults=faults,
        waiting=waiting,
        steps=steps(
            waiting,
            seed=scope.seed,
            each=max(3, round(scope.alerts / scope.accounts / len(QUOTED))),
            seconds=scope.seconds,
            chance=Random(f"{scope.seed} waiting"),
        ),
    )


def _traders(scope: Scope, chance: Random) -> tuple[tuple[Account, ...], tuple[Route, ...]]:
    accounts: list[Account] = []
    routes: list[Route] = []
    modes = list(Mode)
    while len(accounts) < scope.accounts:
        number = len(routes)
        mode = modes[number % len(modes)]
        left = scope.accounts - len(accounts)
        fans_out = left > 1 and (number == 0 or chance.random() < _FAN_OUT_SHARE)
        own = [
            Account(
                name=f"chaos-{len(accounts) + place:03}",
                one_way=mode is not Mode.HEDGE and chance.random() < 0.25,
            )
            for place in range(2 if fans_out else 1)
        ]
        routes.append(
            Route(
                name=f"chaos-{number:03}",
                mode=mode,
                accounts=tuple((each.name, place + 1) for place, each in enumerate(own)),
                symbols=tuple(sorted(chance.sample(sorted(TICKERS), _SYMBOLS_OF_A_ROUTE))),
                inverse=chance.random() < 0.15,
                max_age_s=_SHORT_AGE_S if chance.random() < 0.2 else _LONG_AGE_S,
            )
        )
        accounts += own
    return tuple(accounts), tuple(routes)


def _signals(scope: Scope, routes: tuple[Route, ...], chance: Random) -> tuple[Signal, ...]:
    due: list[float] = []
    while len(due) < scope.alerts:
        at = chance.uniform(0, scope.seconds)
        together = chance.randint(4, 12) if chance.random() < _BURST_SHARE / 8 else 1
        due += [at + chance.uniform(0, 0.05) for _ in range(together)]
    made: list[Signal] = []
    for number, at in enumerate(sorted(due[: scope.alerts])):
        route = chance.choice(routes)
        symbol = chance.choice(route.symbols)
        word = _word(route.mode, chance)
        wanted = chance.choice((Side.LONG, Side.SHORT, None)) if word is Word.TARGET else None
        flat = word is Word.FLAT or (word is Word.TARGET and wanted is None)
        made.append(
            Signal(
                key=f"chaos-{scope.seed}-{number}",
                route=route.name,
                symbol=symbol,
                word=word,
                contracts=0 if flat else _size(symbol, chance),
                wanted=wanted,
                due_s=round(at, 3),
                again_after_s=chance.uniform(0.05, 4) if chance.random() < _AGAIN_SHARE else None,
            )
        )
    return tuple(made)


def _word(mode: Mode, chance: Random) -> Word:
    drawn = chance.random()
    if drawn < _NONSENSE_SHARE:
        return Word.NONSENSE
    if drawn < (0.2 if mode is Mode.HEDGE else 0.1):
        return Word.FLAT
    if mode is Mode.TARGET:
        return Word.TARGET
    return chance.choice((Word.BUY, Word.SELL))


def _size(symbol: str, chance: Random) -> int:
    if symbol in _SPLIT_SIZES and chance.random() < _SPLIT_SHARE:
        return _SPLIT_SIZES[symbol]
    return chance.choice(_SIZES)


def _acts(scope: Scope, chance: Random) -> list[Act]:
    return [
        *_kills(scope, chance),
        *_stops(scope, chance),
        *_seconds(scope, chance),
        *_cuts(scope, chance),
        *_switches(scope, chance),
    ]


def _in_time(scope: Scope, acts: list[Act]) -> tuple[Act, ...]:
    return tuple(
        sorted(
            (act for act in acts if scope.without.isdisjoint({act.kind, act.target, act.value})),
            key=lambda act: act.at_s,
        )
    )


def _kills(scope: Scope, chance: Random) -> list[Act]:
    return [
        Act(at_s=_moment(scope, chance), kind=ActKind.KILL, target=_weighed(_KILLED, chance))
        for _ in range(scope.kills)
    ]


def _stops(scope: Scope, chance: Random) -> list[Act]:
    lengths = [each for each in _STOPS_S if each <= scope.longest_stop_s]
    return [
        Act(
            at_s=_moment(scope, chance),
            kind=ActKind.STOP,
            target=_weighed(_STOPPED, chance),
            seconds=chance.choice(lengths),
        )
        for _ in range(scope.stops)
    ]


def _seconds(scope: Scope, chance: Random) -> list[Act]:
    return [
        Act(
            at_s=_moment(scope, chance),
            kind=ActKind.SECOND,
            target="executor",
            seconds=round(chance.uniform(5, 20), 1),
        )
        for _ in range(scope.executors)
    ]


def _cuts(scope: Scope, chance: Random) -> list[Act]:
    acts = []
    for _ in range(scope.cuts):
        value = _weighed(_CUTS, chance)
        lasts = 0.0 if value == "ws_cut" else round(chance.uniform(0.2, 4), 1)
        acts.append(Act(at_s=_moment(scope, chance), kind=ActKind.CUT, value=value, seconds=lasts))
    return acts


def _switches(scope: Scope, chance: Random) -> list[Act]:
    acts = [Act(at_s=0.0, kind=ActKind.DUPLICATES, value=chance.choice(_DUPLICATES))]
    for _ in range(max(1, scope.kills // 8)):
        acts += [
            Act(
                at_s=_moment(scope, chance),
                kind=ActKind.LATENCY,
                value=str(chance.choice(_LATENCIES_MS)),
            ),
            Act(
                at_s=_moment(scope, chance),
                kind=ActKind.DUPLICATES,
                value=chance.choice(_DUPLICATES),
            ),
        ]
    return acts


def _clocks(scope: Scope, chance: Random) -> list[Act]:
    # One after the other: the clock is either off or right.
    part = scope.seconds / max(1, scope.clocks)
    return [
        Act(
            at_s=round((number + chance.uniform(0.1, 0.3)) * part, 2),
            kind=ActKind.CLOCK,
            value=str(chance.choice(_CLOCKS_MS)),
            seconds=round(chance.uniform(0.2, 0.5) * part, 1),
        )
        for number in range(scope.clocks)
    ]


def _moment(scope: Scope, chance: Random) -> float:
    return round(chance.uniform(0.02, 0.98) * scope.seconds, 2)


def _weighed(weights: dict[str, int], chance: Random) -> str:
    return chance.choices(list(weights), weights=list(weights.values()))[0]
