"""Resales with what a list of them prints."""

from django.db.models import QuerySet

from accounts.models import Caller, Organization
from settlement.models import Contract, Resale


def resales_shown(caller: Caller) -> QuerySet[Resale]:
    """Return the resales that the caller may see, with their parties."""
    return Resale.objects.visible_to(caller).select_related("buyer", "contract__buyer")


def resales_of(contract: Contract, caller: Caller) -> QuerySet[Resale]:
    """Return the resales of a contract that the caller may see, the newest first."""
    return resales_shown(caller).filter(contract=contract).order_by("-id")


def resold_from(contract: Contract) -> QuerySet[Contract]:
    """Return the contracts that resales of this one made, with their buyers."""
    rows = Contract.objects.filter(resale__contract=contract)
    return rows.select_related("buyer").order_by("starts_at", "id")


def new_buyer_named(public_id: str) -> Organization | None:
    """Return the active organization of this id that buys; None if there is none."""
    return Organization.objects.active().filter(public_id=public_id, buys=True).first()
