"""What the handlers of the API and of the pages work with, each asked for by its name."""

import dataclasses
from dataclasses import dataclass

from libs.common.bus import Bus
from services.console.checkups import ANSWERED_WITHIN_S, Checkups
from services.console.explaining import Explaining
from services.console.feed import Feed
from services.console.letters import DeadLetters
from services.console.pictures import ANSWERED_WITHIN_S as PICTURE_WITHIN_S
from services.console.pictures import Pictures
from services.console.registry import Registry
from services.console.routes import Webhooks
from services.console.sealing import Sealer, Sealings
from services.console.standing import Standing
from services.console.statistics import Statistics
from services.console.testing import ANSWERED_WITHIN_S as TEST_WITHIN_S
from services.console.testing import Testing
from services.console.trace_links import TraceLinks
from services.console.trail import Trail
from services.console.vitals import Vitals
from services.console.web.live.board import Board


@dataclass(frozen=True, kw_only=True)
class Supplies:
    """A handler that names a field as a `NamedDependency` is given it."""

    registry: Registry
    dead_letters: DeadLetters
    checkups: Checkups
    pictures: Pictures
    explaining: Explaining
    testing: Testing
    trail: Trail
    vitals: Vitals
    statistics: Statistics
    feed: Feed
    board: Board
    webhooks: Webhooks
    sealer: Sealer
    sealings: Sealings
    trace_links: TraceLinks
    standing: Standing

    def by_name(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def make_supplies(  # noqa: PLR0913 - what a console is made of, and what tests shorten
    bus: Bus,
    *,
    trail: Trail,
    feed: Feed,
    board: Board,
    webhooks: Webhooks,
    sealer: Sealer,
    trace_links: TraceLinks,
    checkup_s: float = ANSWERED_WITHIN_S,
    picture_s: float = PICTURE_WITHIN_S,
    test_s: float = TEST_WITHIN_S,
) -> Supplies:
    registry = Registry(bus)
    return Supplies(
        registry=registry,
        dead_letters=DeadLetters(bus),
        checkups=Checkups(bus, timeout_s=checkup_s),
        pictures=Pictures(bus, timeout_s=picture_s),
        explaining=Explaining(bus),
        testing=Testing(bus, timeout_s=test_s),
        trail=trail,
        vitals=Vitals(bus, registry=registry, trail=trail),
        statistics=Statistics(trail),
        feed=feed,
        board=board,
        webhooks=webhooks,
        sealer=sealer,
        sealings=Sealings(bus=bus),
        trace_links=trace_links,
        standing=Standing(bus),
    )
