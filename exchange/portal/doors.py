"""Who may open the provider's pages, and who may change what they show."""

from django.http import HttpRequest, QueryDict
from django.views.decorators.http import require_http_methods

from accounts.models import Kind, Scope
from accounts.web.portal import caller_of, member_required

read_or_send = require_http_methods(["GET", "HEAD", "POST"])
provider_reads = member_required(kind=Kind.PROVIDES)
provider_writes = member_required(kind=Kind.PROVIDES, roles=("owner", "trader"))


def may_write(request: HttpRequest) -> bool:
    """Return whether this member may list, edit and withdraw offers."""
    return caller_of(request).has_scope(Scope.OFFERS_WRITE)


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form was sent with, be it empty; None where it is only asked for."""
    return request.POST if request.method == "POST" else None
