"""What carrying out one plan needs, handed on as one."""

from dataclasses import dataclass

from libs.common.clock import Clock
from libs.common.contracts.order import Plan
from services.executor.accounts import Connected
from services.executor.claiming import Claim
from services.executor.moved import Moved
from services.executor.recording import Recorder
from services.executor.resting import RestingOrders
from services.executor.settings import Timing


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    plan: Plan
    connected: Connected
    recorder: Recorder
    claim: Claim
    resting: RestingOrders
    moved: Moved
    timing: Timing
    clock: Clock
