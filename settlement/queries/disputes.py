"""Disputes with what a list of them prints."""

from django.db.models import QuerySet

from accounts.models import Caller
from settlement.models import Contract, Dispute


def disputes_shown(caller: Caller) -> QuerySet[Dispute]:
    """Return the disputes that the caller may see, with their periods and contracts."""
    return Dispute.objects.visible_to(caller).select_related(
        "opened_by", "period__contract__buyer", "period__contract__provider"
    )


def disputes_of(contract: Contract) -> QuerySet[Dispute]:
    """Return the disputes about a contract, the newest first."""
    rows = Dispute.objects.filter(period__contract=contract)
    return rows.select_related("opened_by", "period").order_by("-id")
