"""What the admins of all packages share: read-only pages, actions with a reason, CSV export."""

import csv
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.models.callers import Caller
from accounts.queries.callers import caller_of_membership, usable_memberships
from accounts.web.problems import refusal_of

EXPORT_ROWS_MAX = 1_000_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run instead of show
Rows = models.QuerySet[Any]
Step = Callable[[Any, str, Caller], None]
Action = Callable[[Any, HttpRequest, Rows], HttpResponseBase | None]


class ReasonForm(forms.Form):
    """Why an administrator does this; those it is done to may be told."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )


def actor_of(request: HttpRequest) -> Caller:
    """Return the administrator as a caller: for its operating organization, if it has one."""
    assert isinstance(request.user, User), "the admin is open to staff alone"
    for membership in usable_memberships(request.user):
        if membership.organization.operates:
            return caller_of_membership(membership)
    return Caller(
        organization_id=0,
        organization_public_id="",
        organization_name="",
        user_id=request.user.pk,
        operates=True,
    )


def action_with_reason(step: Step, *, name: str, description: Any) -> Action:
    """Return an admin action that asks for a reason and then does ``step(row, reason, actor)``.

    Each row stands alone: a row that the domain refuses (settings.REFUSALS) is reported and the
    others go on. The step is a service, which leaves the audit row. Offered to staff who may
    change such rows, also where the pages are read-only.
    """

    def action(page: Any, request: HttpRequest, rows: Rows) -> HttpResponseBase | None:
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return _ask(page, request, rows, form, name=name, description=description)
        done = 0
        for row in rows:
            done += _do(page, request, step, row, reason=form.cleaned_data["reason"])
        if done:
            page.message_user(request, _("Done: %(count)d.") % {"count": done}, messages.SUCCESS)
        return None

    action.__name__ = name
    return admin.action(permissions=["operate"], description=description)(action)


def _do(page: Any, request: HttpRequest, step: Step, row: Any, *, reason: str) -> bool:
    try:
        step(row, reason, actor_of(request))
    except Exception as refused:
        if refusal_of(refused) is None:
            raise
        page.message_user(request, f"{row}: {refused}", messages.ERROR)
        return False
    return True


def _ask(
    page: Any, request: HttpRequest, rows: Rows, form: ReasonForm, *, name: str, description: Any
) -> TemplateResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": description,
        "opts": page.model._meta,
        "rows": rows,
        "form": form,
        "action": name,
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/reason.html", context)


@admin.action(permissions=["view"], description=gettext_lazy("Download as CSV"))
def export_csv(page: Any, request: HttpRequest, rows: Rows) -> StreamingHttpResponse:
    """Stream the chosen rows: the fields in the page's ``csv_fields``, or all but secret ones."""
    name = slugify(page.model._meta.verbose_name_plural)
    return StreamingHttpResponse(
        _lines(rows, fields_of(page)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def fields_of(page: Any) -> list[str]:
    """Return the columns of a page's export; bytes and passwords are never among them."""
    named = list(getattr(page, "csv_fields", ()))
    return named or [
        field.attname
        for field in page.model._meta.concrete_fields
        if not isinstance(field, models.BinaryField) and field.name != "password"
    ]


def _lines(rows: Rows, fields: list[str]) -> Iterator[str]:
    write = csv.writer(_Echo()).writerow
    yield str(write(fields))
    for row in rows.values_list(*fields)[:EXPORT_ROWS_MAX].iterator(chunk_size=2_000):
        yield str(write([safe_cell(value) for value in row]))


def safe_cell(value: object) -> object:
    """Return what stands in a cell: never a formula, always an offset with a time."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value.isoformat() if hasattr(value, "isoformat") else value


class _Echo:
    """A file that hands back what is written."""

    def write(self, line: str) -> str:
        return line


class ReadOnlyAdmin:
    """Mixed into a ModelAdmin: rows are seen, searched and exported, never edited here.

    ``has_operate_permission`` opens actions that call services to who may change such rows.
    """

    actions: Any = (export_csv,)
    list_per_page = 50
    show_full_result_count = False  # counts of growing tables are not free
    opts: ClassVar[Any]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return that nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return that nothing is changed by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return that nothing is removed by hand."""
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may use actions on such rows."""
        word = f"{self.opts.app_label}.change_{self.opts.model_name}"
        return bool(request.user.has_perm(word))
