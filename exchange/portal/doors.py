"""Who may open the provider's pages, and who may change what they show."""

from django.http import HttpRequest

from accounts.models import Kind, Scope
from accounts.web.portal import caller_of, member_required

provider_reads = member_required(kind=Kind.PROVIDES)
provider_writes = member_required(kind=Kind.PROVIDES, roles=("owner", "trader"))


def may_write(request: HttpRequest) -> bool:
    """Return whether this member may list, edit and withdraw offers."""
    return caller_of(request).has_scope(Scope.OFFERS_WRITE)
