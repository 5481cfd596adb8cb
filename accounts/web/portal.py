"""Who acts in the portal: a signed-in member, for the organization chosen in the session."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject

from accounts.models.callers import Caller
from accounts.queries.callers import caller_of_membership, usable_memberships

SESSION_KEY = "membership"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def caller_of(request: HttpRequest) -> Caller:
    """Return who acts on this request. Raises PermissionDenied unless a member is chosen."""
    caller = getattr(request, "caller", None) or chosen_caller(request)
    if not isinstance(caller, Caller):
        raise PermissionDenied("no organization is chosen")
    return caller


def chosen_caller(request: HttpRequest) -> Caller | None:
    """Return the caller of the chosen (or only) membership that is usable now, or None."""
    if not request.user.is_authenticated:
        return None
    rows = usable_memberships(request.user)
    chosen = request.session.get(SESSION_KEY)
    found = next((row for row in rows if row.public_id == chosen), None)
    if found is None and len(rows) == 1:
        found = rows[0]
    return None if found is None else caller_of_membership(found)


def caller_in_templates(request: HttpRequest) -> dict[str, object]:
    """Give every template ``caller``, looked up only by those that ask for it."""
    known = getattr(request, "caller", None)
    return {"caller": known or SimpleLazyObject(lambda: chosen_caller(request))}


def member_required(
    *, kind: str = "", roles: Collection[str] = (), sees_all: bool = False
) -> Callable[[View[P]], View[P]]:
    """Open a page to members of an organization of this kind, in one of these roles.

    Who is not signed in goes to the sign-in page; who has not chosen an organization chooses one;
    everybody else gets 403. Without ``kind`` or ``roles`` any will do. ``sees_all``: only those
    who see the rows of every organization, operators and auditors.
    """

    def shut(view: View[P]) -> View[P]:
        @login_required
        @wraps(view)
        def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            caller = chosen_caller(request)
            if caller is None:
                return redirect("choose_organization")
            if kind and not caller.is_kind(kind):
                raise PermissionDenied(f"for organizations of the kind {kind}")
            if sees_all and not caller.sees_all:
                raise PermissionDenied("for operators and auditors")
            if roles and caller.role not in roles:
                raise PermissionDenied(f"for members in the roles {', '.join(roles)}")
            request.caller = caller  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        return page

    return shut
