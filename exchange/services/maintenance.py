"""Maintenance: when accelerators of a site are down, told before anybody buys them."""

from collections.abc import Mapping
from typing import Final

from django.db import transaction

from accounts.models.callers import Caller
from exchange.foundation.market_time import market_now
from exchange.models import MaintenanceWindow
from exchange.services.auctions import actor_name
from exchange.services.body_fields import Fields
from exchange.services.faults import Fault, Faults, TermsRefused
from exchange.services.offer_terms import QUANTITY, read_accelerator, read_site, read_window
from exchange.services.offer_terms import offer_rules as maintenance_rules
from exchange.services.offers import lock_sites

REASON_MAX: Final = 200
FIELDS: Final = frozenset(("site", "accelerator", "quantity", "starts_at", "ends_at", "reason"))


class MaintenanceNotFound(Exception):
    """There is no such window, or it is not the caller's, or it was called off or is over."""


@transaction.atomic
def plan_maintenance(body: object, *, caller: Caller) -> MaintenanceWindow:
    """Take a site, one of its accelerators, or so many of them down for a while.

    Books that close from now on sell no more than what stays up. Raises TermsRefused.
    """
    if not isinstance(body, Mapping):
        raise TermsRefused([Fault("", "body_not_object", "a window is a JSON object")])
    faults = Faults()
    fields = Fields(body, faults)
    fields.refuse_unknown(FIELDS)
    rules = maintenance_rules()
    site_id = read_site(fields, rules, caller.organization_id)
    chip_id = read_accelerator(fields, rules, needed=False)
    quantity = fields.decimal("quantity", QUANTITY, needed=False)
    if quantity is not None and not fields.is_set("accelerator"):
        fields.fault("accelerator", "accelerator_missing", "a quantity is of one accelerator")
    window = read_window(fields, rules)
    reason = fields.words("reason", most=REASON_MAX, needed=True)
    if faults or site_id is None or window is None:
        raise TermsRefused(faults.found)
    lock_sites([site_id])
    return MaintenanceWindow.objects.create(
        site_id=site_id,
        accelerator_id=chip_id,
        quantity_lots=quantity,
        starts_at=window[0],
        ends_at=window[1],
        reason=reason,
        actor=actor_name(caller),
    )


@transaction.atomic
def call_off_maintenance(public_id: str, *, caller: Caller) -> MaintenanceWindow:
    """Take a planned window back before it is over. Raises MaintenanceNotFound."""
    now = market_now()
    own = MaintenanceWindow.objects.visible_to(caller).filter(
        site__provider_id=caller.organization_id, public_id=public_id
    )
    live = own.filter(cancelled_at__isnull=True, ends_at__gt=now)
    if live.update(cancelled_at=now) != 1:
        raise MaintenanceNotFound(f"there is no maintenance {public_id} to call off")
    return own.get()
