"""What must hold between auctions and settlement: rules that the audit of the books asks too."""

from settlement.queries.invariants.rule import Invariant

MARKET = (
    Invariant(
        22,
        "contracts' periods = published fills",
        """
        WITH fills AS (
            SELECT auction.public_id AS auction_id, bid.public_id AS bid_id,
                   site.code AS site_code, accelerator.code AS accelerator_code,
                   fill.starts_at, fill.ends_at, price.price_ticks,
                   sum(fill.quantity_lots) AS lots
            FROM exchange_bidfill AS fill
            JOIN exchange_auction AS auction
                ON auction.id = fill.auction_id AND auction.state = 'published'
            JOIN exchange_bid AS bid ON bid.id = fill.bid_id
            JOIN exchange_site AS site ON site.id = fill.site_id
            JOIN exchange_accelerator AS accelerator ON accelerator.id = fill.accelerator_id
            LEFT JOIN exchange_cellprice AS price
                ON price.auction_id = fill.auction_id AND price.site_id = fill.site_id
                   AND price.accelerator_id = fill.accelerator_id AND price.period = fill.period
            GROUP BY 1, 2, 3, 4, 5, 6, 7
        ), periods AS (
            SELECT contract.auction_id, contract.bid_id, contract.site_code,
                   contract.accelerator_code, period.starts_at, period.ends_at,
                   period.price_ticks, sum(period.quantity_lots) AS lots
            FROM settlement_deliveryperiod AS period
            JOIN settlement_contract AS contract ON contract.id = period.contract_id
            WHERE contract.auction_id IN (SELECT public_id FROM exchange_auction)
            GROUP BY 1, 2, 3, 4, 5, 6, 7
        )
        SELECT bid_id, auction_id, site_code, accelerator_code, starts_at, fills.lots, periods.lots
        FROM fills FULL JOIN periods USING (
            auction_id, bid_id, site_code, accelerator_code, starts_at, ends_at, price_ticks)
        WHERE fills.lots IS DISTINCT FROM periods.lots
        """,
    ),
    Invariant(
        0,
        "what offers of resales sold = the hours of the contracts that these made",
        """
        WITH sold AS (
            SELECT auction.public_id AS auction_id, offer.resale_id, fill.starts_at, fill.ends_at,
                   sum(fill.quantity_lots) AS lots
            FROM exchange_offerfill AS fill
            JOIN exchange_offer AS offer
                ON offer.id = fill.offer_id AND offer.resale_id IS NOT NULL
            JOIN exchange_auction AS auction
                ON auction.id = fill.auction_id AND auction.state = 'published'
            GROUP BY 1, 2, 3, 4
        ), made AS (
            SELECT contract.auction_id, contract.resale_id, period.starts_at, period.ends_at,
                   sum(period.quantity_lots) AS lots
            FROM settlement_contract AS contract
            JOIN settlement_deliveryperiod AS period ON period.contract_id = contract.id
            WHERE contract.resale_id IS NOT NULL
              AND contract.auction_id IN (SELECT public_id FROM exchange_auction)
            GROUP BY 1, 2, 3, 4
        )
        SELECT auction_id, resale_id, starts_at, sold.lots, made.lots
        FROM sold FULL JOIN made USING (auction_id, resale_id, starts_at, ends_at)
        WHERE sold.lots IS DISTINCT FROM made.lots
        """,
    ),
    Invariant(
        0,
        "per cell: what bids bought = what offers sold",
        """
        WITH bought AS (
            SELECT auction_id, site_id, accelerator_id, period, sum(quantity_lots) AS lots
            FROM exchange_bidfill GROUP BY 1, 2, 3, 4
        ), sold AS (
            SELECT fill.auction_id, offer.site_id, offer.accelerator_id, fill.period,
                   sum(fill.quantity_lots) AS lots
            FROM exchange_offerfill AS fill JOIN exchange_offer AS offer ON offer.id = fill.offer_id
            GROUP BY 1, 2, 3, 4
        )
        SELECT auction_id, site_id, accelerator_id, period, bought.lots, sold.lots
        FROM bought FULL JOIN sold USING (auction_id, site_id, accelerator_id, period)
        WHERE bought.lots IS DISTINCT FROM sold.lots
        """,
    ),
)
