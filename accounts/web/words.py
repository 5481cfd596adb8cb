"""Words of states and kinds as people read them, in their language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# By the word that is stored; one word means one thing in the whole house.
WORDS: dict[str, "str | Promise"] = {
    # offers
    "draft": _("draft"),
    "active": _("active"),
    "paused": _("paused"),
    "withdrawn": _("withdrawn"),
    "expired": _("expired"),
    # auctions
    "scheduled": _("scheduled"),
    "open": _("open"),
    "closed": _("closed"),
    "cleared": _("cleared"),
    "published": _("published"),
    "voided": _("voided"),
    # contracts
    "provisioning": _("provisioning"),
    "degraded": _("degraded"),
    "curtailed": _("curtailed"),
    "reclaiming": _("reclaiming"),
    "defaulted": _("defaulted"),
    "transferred": _("transferred"),
    "ended": _("ended"),
    # delivery periods
    "metered": _("metered"),
    "provisional": _("provisional"),
    "disputed": _("disputed"),
    "final": _("final"),
    # statements and their lines
    "finalized": _("finalized"),
    "buyer": _("as a buyer"),
    "provider": _("as a provider"),
    "usage": _("delivered hours"),
    "earning": _("delivered hours"),
    "buyer_fee": _("fee"),
    "seller_fee": _("fee"),
    "credit": _("credit for a shortfall"),
    "penalty": _("penalty for a shortfall"),
    "computing power": _("computing power"),
    "service of the exchange": _("service of the exchange"),
    # accounts of the ledger
    "available": _("to spend"),
    "payable": _("owed to you"),
    "external": _("the bank"),
    "withdrawing": _("asked to be paid out"),
    "in_transit": _("on its way to a bank"),
    "fee": _("fees"),
    "congestion_rent": _("rent of full links"),
    "power_rent": _("rent of used-up power budgets"),
    "policy": _("domestic share"),
    "rounding": _("rounding"),
    "suspense": _("to be explained"),
    # why money moved
    "deposit": _("deposit"),
    "withdrawal": _("withdrawal"),
    "charge for delivered hours": _("charge for delivered hours"),
    "earning for delivered hours": _("earning for delivered hours"),
    "fee of the buyer": _("fee of the buyer"),
    "fee of the seller": _("fee of the seller"),
    "rent of a full link": _("rent of a full link"),
    "rent of a used-up power budget": _("rent of a used-up power budget"),
    "domestic share": _("domestic share"),
    "penalty for a shortfall": _("penalty for a shortfall"),
    "credit for a shortfall": _("credit for a shortfall"),
    "reversal of a mistake": _("reversal of a mistake"),
    # payouts
    "created": _("asked for"),
    "submitted": _("submitted to the bank"),
    "confirmed": _("paid out"),
    "failed": _("failed"),
    "returned": _("returned by the bank"),
    "cancelled": _("cancelled"),
    "refused": _("refused by the operator"),
    "bank_refused": _("refused by the bank"),
    "bank_returned": _("returned by the bank"),
    # members
    "owner": _("owner"),
    "trader": _("trader"),
    "viewer": _("viewer"),
    "approver": _("approver"),
    # what a key may do
    "organization:read": _("see the organization and its keys"),
    "bids:read": _("see and preview bids"),
    "bids:write": _("place and cancel bids"),
    "offers:read": _("see offers and capacity"),
    "offers:write": _("list and withdraw offers"),
    "fills:read": _("see fills"),
    "contracts:read": _("see contracts"),
    "contracts:write": _("act on contracts"),
    "balances:read": _("see balances and transfers"),
    "payouts:write": _("ask for money to be paid out"),
    "projects:write": _("set budgets of projects"),
    "statements:read": _("see statements"),
    "readings:read": _("see readings"),
    "readings:write": _("report readings, for a meter"),
    # organizations
    "suspended": _("suspended"),
    # keys
    "revoked": _("revoked"),
    # accelerators
    "gpu": _("GPU"),
    "npu": _("NPU"),
}
# Which badge a state wears; all others are grey. Pale badges alone have enough contrast.
COLOURS = {
    **dict.fromkeys(["active", "open", "published", "final", "finalized", "confirmed"], "green"),
    **dict.fromkeys(["paused", "degraded", "provisional", "reclaiming", "curtailed"], "yellow"),
    **dict.fromkeys(["voided", "defaulted", "disputed", "suspended", "failed", "returned"], "red"),
    **dict.fromkeys(["scheduled", "provisioning", "metered", "cleared", "submitted"], "blue"),
}
