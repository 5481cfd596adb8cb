from django.db import models

from accounts.models import AuditRow, Caller
from accounts.models.audit_rows import object_id_of


def record(actor: Caller, verb: str, obj: models.Model, reason: str = "") -> AuditRow:
    """Write down that ``actor`` did ``verb`` to ``obj``, in the deed's database transaction."""
    return AuditRow.objects.create(
        user_id=actor.user_id,
        api_key_id=actor.api_key_id,
        organization_id=actor.organization_id or None,
        verb=verb,
        object_type=obj._meta.label_lower,
        object_id=object_id_of(obj),
        reason=reason,
    )
