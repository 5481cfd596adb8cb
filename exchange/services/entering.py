"""What goes into a book when its gate closes, in the database transaction that closes it."""

from django.db import connection

from exchange.models import Auction
from exchange.services.endings import Ending, end_bids
from exchange.services.resold_offers import list_resales

OWN_CAPACITY = Ending(
    "own_capacity", "an organization of the same owner offers capacity that the bid accepts"
)
SUSPENDED = Ending("organization_suspended", "the organization was suspended when the gate closed")

ENTER_OFFERS = """
INSERT INTO exchange_offerentry (auction_id, version_id)
SELECT auction.id, version.id
FROM exchange_auction AS auction
JOIN exchange_offerversion AS version
  ON version.starts_at < auction.ends_at AND version.ends_at > auction.starts_at
     AND version.price_ticks <= auction.price_cap_ticks
JOIN exchange_offer AS offer ON offer.terms_id = version.id AND offer.state = 'active'
JOIN exchange_accelerator AS accelerator
  ON accelerator.id = offer.accelerator_id AND accelerator.tradable
JOIN accounts_organization AS provider
  ON provider.id = offer.provider_id AND provider.state = 'active'
JOIN exchange_site AS site ON site.id = offer.site_id
WHERE auction.id = %(auction)s
  AND NOT EXISTS (
    SELECT FROM exchange_marketfreeze AS halt WHERE halt.lifted_at IS NULL
      AND (halt.region_id = site.region_id OR halt.accelerator_id = offer.accelerator_id))
  AND (offer.resale_id IS NULL OR offer.resale_id = ANY(%(resales)s))
"""
# Whoever would buy from themselves is kept out of the book: such a fill would be a wash trade,
# and market.md does not let it count for the domestic share.
SELLERS = """
WITH sellers AS MATERIALIZED (
    SELECT DISTINCT provider.id, provider.owner_group
    FROM exchange_offerentry AS entry
    JOIN exchange_offerversion AS version ON version.id = entry.version_id
    JOIN exchange_offer AS offer ON offer.id = version.offer_id
    JOIN accounts_organization AS provider ON provider.id = offer.provider_id
    WHERE entry.auction_id = %(auction)s
), own AS MATERIALIZED (
    SELECT id FROM accounts_organization
    WHERE id IN (SELECT id FROM sellers)
       OR (owner_group <> '' AND owner_group IN (SELECT owner_group FROM sellers))
)
"""  # few buyers sell as well: only their bids are compared with their offers, one by one
OWN_OFFERS = """
SELECT FROM exchange_offerentry AS entry
JOIN exchange_offerversion AS version ON version.id = entry.version_id
JOIN exchange_offer AS offer ON offer.id = version.offer_id
JOIN accounts_organization AS provider ON provider.id = offer.provider_id
JOIN exchange_accelerator AS accelerator ON accelerator.id = offer.accelerator_id
JOIN exchange_site AS site ON site.id = offer.site_id
JOIN exchange_region AS region ON region.id = site.region_id
WHERE entry.auction_id = %(auction)s
  AND (provider.id = buyer.id
       OR (provider.owner_group = buyer.owner_group AND buyer.owner_group <> ''))
  AND accelerator.code = ANY (bid.accelerators)
  AND (bid.regions = '{}' OR region.code = ANY (bid.regions))
  AND version.starts_at < bid.ends_at AND version.ends_at > bid.starts_at
"""
SUSPENDED_BIDS = """
SELECT bid.id FROM exchange_bid AS bid
JOIN accounts_organization AS buyer ON buyer.id = bid.organization_id
WHERE bid.auction_id = %(auction)s AND bid.state = 'accepted' AND buyer.state <> 'active'
"""
OWN_CAPACITY_BIDS = f"""
{SELLERS} SELECT bid.id FROM exchange_bid AS bid
JOIN accounts_organization AS buyer ON buyer.id = bid.organization_id
WHERE bid.auction_id = %(auction)s AND bid.state = 'accepted'
  AND bid.organization_id IN (SELECT id FROM own) AND EXISTS ({OWN_OFFERS})
"""  # noqa: S608
# A standing bid is in one undecided book at a time; it waits for the next one otherwise.
ENTER_STANDING = f"""
{SELLERS} INSERT INTO exchange_bidentry (auction_id, bid_id)
SELECT auction.id, bid.id
FROM exchange_auction AS auction
JOIN exchange_bid AS bid ON bid.ends_at > auction.starts_at AND bid.ends_at <= auction.ends_at
     AND bid.state = 'standing'
JOIN accounts_organization AS buyer ON buyer.id = bid.organization_id AND buyer.state = 'active'
WHERE auction.id = %(auction)s
  AND NOT EXISTS (
    SELECT FROM exchange_bidentry AS other
    JOIN exchange_auction AS undecided ON undecided.id = other.auction_id
    WHERE other.bid_id = bid.id AND undecided.state IN ('closed', 'cleared'))
  AND (bid.organization_id NOT IN (SELECT id FROM own) OR NOT EXISTS ({OWN_OFFERS}))
ORDER BY bid.id
FOR NO KEY UPDATE OF bid
"""  # noqa: S608


def enter_orders(auction_id: int) -> None:
    """Enter offers and standing bids, and put aside bids that may not be in the book."""
    resales = list_resales(Auction.objects.get(pk=auction_id))
    with connection.cursor() as cursor:
        cursor.execute(ENTER_OFFERS, {"auction": auction_id, "resales": resales})
    for query, ending in ((SUSPENDED_BIDS, SUSPENDED), (OWN_CAPACITY_BIDS, OWN_CAPACITY)):
        with connection.cursor() as cursor:
            cursor.execute(query, {"auction": auction_id})
            refused = [bid_id for (bid_id,) in cursor.fetchall()]
        end_bids(refused, "rejected", ending)
    with connection.cursor() as cursor:
        cursor.execute(ENTER_STANDING, {"auction": auction_id})
