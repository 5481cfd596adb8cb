"""Who may look into the control room, and who may act in it."""

from accounts.models import Kind
from accounts.web.portal import member_required

control_reads = member_required(sees_all=True)
control_writes = member_required(kind=Kind.OPERATES, roles=("owner", "trader", "approver"))
