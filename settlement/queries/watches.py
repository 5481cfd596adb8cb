"""Which devices a meter watches: a provider's its own at its site, a buyer's those it was given."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Prefetch

from settlement.models import Device, DeviceAssignment, Meter, Party


def devices_watched(meter: Meter, *, since: datetime) -> Sequence[Device]:
    """Return the devices in service; ``served`` of each is what it serves from ``since`` on."""
    assignments = DeviceAssignment.objects.filter(ends_at__gt=since).select_related("contract")
    devices = Device.objects.filter(site_code=meter.site_code, revoked_at=None)
    if meter.party == Party.BUYER:
        assignments = assignments.filter(contract__buyer_id=meter.organization_id)
        devices = devices.filter(pk__in=assignments.values("device"))
    else:
        devices = devices.filter(organization_id=meter.organization_id)
    served = Prefetch("assignments", assignments.order_by("starts_at"), to_attr="served")
    return list(devices.prefetch_related(served).order_by("pk"))
