"""Who may look into the control room, and who may ask and approve in it."""

from accounts.models import Kind, Role
from accounts.web.portal import member_required

control_reads = member_required(sees_all=True)
control_writes = member_required(kind=Kind.OPERATES, roles=(Role.OWNER, Role.TRADER))
control_approves = member_required(kind=Kind.OPERATES, roles=(Role.OWNER, Role.APPROVER))
