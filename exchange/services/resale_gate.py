"""Resales from hand to hand keep the market's halts and its buyers' position limits."""

from exchange.queries.halts import halt_of_codes
from exchange.services.position_limits import OF_NO_AUCTION, positions_of
from settlement.services.contract_terms import ContractTerms
from settlement.services.resale_markets import MarketRefuses

_MINUTE = 60


def refuse_resale(terms: ContractTerms, cost_micros: int) -> None:
    """Raise MarketRefuses where a bid for the same would be refused.

    What one resale sells is held against the buyer's limit as if it were bid for in an auction of
    its own: beside the standing bids, which may enter any.
    """
    halt = halt_of_codes(terms.region_code, terms.accelerator_code)
    if halt is not None:
        raise MarketRefuses(f"{halt.scope} {halt.part}".strip() + f" is halted: {halt.reason}")
    positions = positions_of(terms.buyer_id)
    if positions is None:
        return
    lot_minutes = sum(
        period.quantity_lots * int((period.ends_at - period.starts_at).total_seconds()) // _MINUTE
        for period in terms.periods
    )
    refusal = positions.refusal_of(OF_NO_AUCTION, terms.bid_id, (lot_minutes, cost_micros))
    if refusal is not None:
        raise MarketRefuses(str(refusal))
