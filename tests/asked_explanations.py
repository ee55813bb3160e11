"""Explanations as the console makes them, where ingest, router and executor answer at once inside
the test: what the pages and the command line show of them needs no servers.
"""

from typing import Any

import msgspec

from libs.common.contracts import codec, subjects
from libs.common.contracts.route import Route
from services.console.explaining import Explaining
from services.executor.inquiries import Inquiries
from services.ingest.questions import _parsed
from services.router.questions import Questions
from tests.factories import NOW, make_account, make_instrument
from tests.fake_halts import FakeHalts
from tests.unit.executor_desk import Desk


async def explained(
    body: bytes, route: Route, *, desk: Desk | None = None, silent: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """As JSON shows it; `desk`: the executor with its account `paper`; `silent`: subjects of which
    nobody answers.
    """
    document = await _Inside(desk or Desk(), silent=silent).explain(body, route)
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return found


class _Inside(Explaining):
    def __init__(self, desk: Desk, *, silent: frozenset[str]) -> None:
        self._silent = silent
        super().__init__(desk.bus, now=lambda: NOW)
        instrument = make_instrument()
        prefix = subjects.instrument_prefix(make_account().base_url)
        self._router = Questions(
            bus=desk.bus,
            accounts={"paper": make_account()},
            catalogues=lambda: {prefix: {instrument.symbol: instrument}},
            halts=FakeHalts(),
        )
        self._executor = Inquiries(
            bus=desk.bus,
            accounts=desk._accounts,
            proposer=desk.executor.proposer,
            moved=desk.moved,
            shard_of=lambda _account: 0,
            clock=desk.clock,
        )

    async def _ask(self, subject, asked, *, of, cls, within_s):
        if subject in self._silent:
            return cls(problem=f"no {of} has answered (nobody listens)")
        payload = codec.encode(asked)
        answers = {
            subjects.PARSE_ASKED: _parsed,
            subjects.DECIDE_ASKED: self._router._on_asked,
        }
        answer = answers.get(subject, self._executor._on_asked)
        return msgspec.json.decode(codec.encode(await answer(subject, payload)), type=cls)
