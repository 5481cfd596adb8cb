"""What a member may do for its organization, and what a key may be allowed to do."""

from collections.abc import Mapping

from django.db import models


class Role(models.TextChoices):
    """A member has one role in each organization."""

    OWNER = "owner", "owner"
    TRADER = "trader", "trader"
    VIEWER = "viewer", "viewer"
    APPROVER = "approver", "approver"


class Kind(models.TextChoices):
    """What an organization is here for; it may be several at once."""

    PROVIDES = "provides", "provides capacity"
    BUYS = "buys", "buys capacity"
    OPERATES = "operates", "operates the market"
    AUDITS = "audits", "audits the market"


class Scope(models.TextChoices):
    """One resource and one verb of the API; a key lists those it may use."""

    ORGANIZATION_READ = "organization:read", "see the organization and its keys"
    BIDS_READ = "bids:read", "see and preview bids"
    BIDS_WRITE = "bids:write", "place and cancel bids"
    OFFERS_READ = "offers:read", "see offers and capacity"
    OFFERS_WRITE = "offers:write", "list and withdraw offers"
    FILLS_READ = "fills:read", "see fills"
    CONTRACTS_READ = "contracts:read", "see contracts"
    CONTRACTS_WRITE = "contracts:write", "act on contracts"
    CONTRACTS_ACCESS = "contracts:access", "read access notes of contracts bought"
    METERS_READ = "meters:read", "see meters and devices"
    METERS_WRITE = "meters:write", "enrol and revoke meters and devices"
    BALANCES_READ = "balances:read", "see balances and transfers"
    PAYOUTS_WRITE = "payouts:write", "ask for money to be paid out"
    PROJECTS_WRITE = "projects:write", "set budgets of projects"
    STATEMENTS_READ = "statements:read", "see statements"
    READINGS_READ = "readings:read", "see readings"
    READINGS_WRITE = "readings:write", "report readings, for a meter"
    MEASURES_READ = "measures:read", "see halts and limits that are asked for"
    MEASURES_WRITE = "measures:write", "ask for halts and limits, and refuse them"
    MEASURES_APPROVE = "measures:approve", "approve halts and limits that others asked for"
    WEBHOOKS_READ = "webhooks:read", "see webhook endpoints and their logs"
    WEBHOOKS_WRITE = "webhooks:write", "change webhook endpoints"


READS = frozenset(str(scope) for scope in Scope if scope.endswith(":read"))
TRADES = frozenset(
    map(
        str,
        (
            Scope.BIDS_WRITE,
            Scope.OFFERS_WRITE,
            Scope.CONTRACTS_WRITE,
            Scope.CONTRACTS_ACCESS,
            Scope.METERS_WRITE,
            Scope.MEASURES_WRITE,
        ),
    )
)
OWNS = frozenset(map(str, (Scope.PAYOUTS_WRITE, Scope.PROJECTS_WRITE, Scope.WEBHOOKS_WRITE)))
"""What moves money out, says how much others may spend, or tells outsiders: an owner's alone."""
APPROVES = frozenset({str(Scope.MEASURES_APPROVE)})
SCOPES_OF_ROLE: Mapping[str, frozenset[str]] = {
    Role.OWNER: READS | TRADES | OWNS | APPROVES,
    Role.TRADER: READS | TRADES,
    Role.VIEWER: READS,
    Role.APPROVER: READS | APPROVES,
}
METER_SCOPES = frozenset({str(Scope.READINGS_WRITE)})
KIND_OF_SCOPE: Mapping[str, Kind] = {
    Scope.BIDS_WRITE: Kind.BUYS,
    Scope.OFFERS_WRITE: Kind.PROVIDES,
    Scope.PROJECTS_WRITE: Kind.BUYS,
    Scope.MEASURES_WRITE: Kind.OPERATES,
    Scope.MEASURES_APPROVE: Kind.OPERATES,
}
"""Scopes that are worth nothing unless the organization is of this kind."""
