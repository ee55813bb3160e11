"""Risk tiers of a contract: the more contracts a position holds, the more margin must stand behind
it and the lower is the leverage that it may have. Each side of a contract counts for itself, and
the tier of the whole volume holds for all of it.
"""

from decimal import ROUND_FLOOR, Decimal

from tools.paper_exchange.engine.contracts import Contract, Tier
from tools.paper_exchange.engine.state import ZERO


def tiers_of(contract: Contract) -> tuple[Tier, ...]:
    """The contract's own list where it has one, else what its increments amount to."""
    if contract.risk_limit_mode == "CUSTOM" and contract.risk_limit_custom:
        return contract.risk_limit_custom
    return tuple(_increased(contract, steps) for steps in range(max(contract.risk_level_limit, 1)))


def tier_of(contract: Contract, vol: Decimal) -> Tier:
    """The tier of a held volume; the last one for more than the contract allows."""
    tiers = tiers_of(contract)
    return next((tier for tier in tiers if vol <= tier.max_vol), tiers[-1])


def tier_at(contract: Contract, leverage: int) -> Tier | None:
    """The highest tier that the leverage may be used in."""
    allowed = [tier for tier in tiers_of(contract) if leverage <= tier.max_leverage]
    return allowed[-1] if allowed else None


def largest_vol(contract: Contract, leverage: int) -> Decimal:
    """How many contracts of one side may be held at the leverage."""
    tier = tier_at(contract, leverage)
    return tier.max_vol if tier is not None else ZERO


def _increased(contract: Contract, steps: int) -> Tier:
    imr = contract.initial_margin_rate + steps * contract.risk_incr_imr
    most = contract.max_leverage
    if steps and imr:
        most = min(most, int((1 / imr).to_integral_value(ROUND_FLOOR)))
    return Tier(
        level=steps + 1,
        max_vol=contract.risk_base_vol + steps * contract.risk_incr_vol,
        mmr=contract.maintenance_margin_rate + steps * contract.risk_incr_mmr,
        imr=imr,
        max_leverage=most,
    )
