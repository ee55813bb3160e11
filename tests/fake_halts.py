"""What is halted, as a test says it, with the promises of `Halts`."""

import asyncio

from libs.common.contracts.control import Control, Scope
from libs.common.contracts.subjects import control_key
from libs.common.domain.halting import halted
from libs.common.domain.identity import alert_id
from tests.factories import NOW

HALT_ID = alert_id(unix_ms=1_763_900_100_000, random_bits=777)


def make_control(scope="all", id_=None, **changes):
    values = {"halt_id": HALT_ID, "at": NOW, **changes}
    return Control(scope=Scope(scope), id=id_, **values)


class FakeHalts:
    def __init__(self, *controls):
        self.changed = asyncio.Event()
        self._controls = {}
        for control in controls:
            self.halt(control)

    def halt(self, control):
        self._controls[control_key(scope=control.scope, name=control.id)] = control
        self.changed.set()

    def resume(self, scope="all", id_=None):
        del self._controls[control_key(scope=scope, name=id_)]
        self.changed.set()

    def denial(self, *, route, account):
        return halted(self._controls, route=route, account=account)

    def standing(self):
        return list(self._controls.values())
