"""What an organization has, of each kind, and what moved last."""

from django.db.models import Q, QuerySet

from accounts.models import Caller
from settlement.models import LedgerAccount, Transfer

RECENT = 10


def accounts_shown(caller: Caller) -> QuerySet[LedgerAccount]:
    """Return the caller's own accounts; operators and auditors also see the house's."""
    own_or_house = Q(owner_id=caller.organization_id) | Q(owner=None)
    shown = LedgerAccount.objects.visible_to(caller).filter(own_or_house)
    return shown.exclude(kind="clearing").order_by("kind", "id")


def transfers_shown(caller: Caller) -> QuerySet[Transfer]:
    """Return the transfers that the caller may see, with what a list of them prints."""
    return Transfer.objects.visible_to(caller).select_related(
        "debit", "credit", "hold", "period__contract"
    )


def recent_transfers(caller: Caller) -> list[Transfer]:
    """Return the last few transfers from or to the caller's own accounts, the newest first."""
    accounts = [account.pk for account in accounts_shown(caller)]
    moved = transfers_shown(caller).filter(Q(debit__in=accounts) | Q(credit__in=accounts))
    return list(moved.order_by("-event_at", "id")[:RECENT])
