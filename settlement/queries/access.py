"""Who read an access note, and what serves a contract, as its parties see it."""

from django.db.models import QuerySet

from accounts.models import Caller
from settlement.models import AccessNote, AccessNoteRead, Contract, Device, DeviceAssignment


def reader_shown(read: AccessNoteRead, caller: Caller) -> str:
    """Return who read a note: the buyer sees its own people, the provider only that they did."""
    is_own = read.organization_id == caller.organization_id
    return read.reader_name if is_own or caller.sees_all else ""


def note_of(contract: Contract) -> AccessNote | None:
    """Return the note of a contract, if it was written."""
    return AccessNote.objects.filter(contract=contract).first()


def assignments_of(contract: Contract) -> QuerySet[DeviceAssignment]:
    """Return what serves a contract, served it, or will, by time."""
    rows = DeviceAssignment.objects.filter(contract=contract)
    return rows.select_related("device").order_by("starts_at", "pk")


def devices_fit_for(contract: Contract) -> QuerySet[Device]:
    """Return the provider's devices that could serve a contract and serve nobody then."""
    busy = DeviceAssignment.objects.filter(
        starts_at__lt=contract.ends_at, ends_at__gt=contract.starts_at
    )
    fit = Device.objects.filter(
        organization_id=contract.provider_id,
        site_code=contract.site_code,
        accelerator_code=contract.accelerator_code,
        revoked_at=None,
    )
    return fit.exclude(pk__in=busy.values("device")).order_by("serial")
