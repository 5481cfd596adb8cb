"""Offers as CSV files, both ways."""

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.web.portal import caller_of
from exchange.portal.doors import provider_reads, provider_writes, read_or_send, sent
from exchange.portal.import_reports import Report, report_of
from exchange.portal.offer_filters import OfferFilter
from exchange.portal.offer_forms import ImportForm
from exchange.portal.offers import own_offers
from exchange.portal.refusals import words_of_refusal
from exchange.queries.offer_files import offer_lines
from exchange.services.csv_rows import FileRefused
from exchange.services.gates import MarketFrozen, PartHalted
from exchange.services.offer_imports import COLUMNS, OPTIONAL, Imported, import_offers

EXAMPLE = (
    *("my-site", "nvidia-h100-sxm", "2026-12-01T00:00:00+08:00", "2026-12-02T00:00:00+08:00"),
    *("64", "12.500", "night shift"),
)
MEANINGS: tuple[tuple[str, "str | Promise"], ...] = (
    ("site", _("Code of one of your sites.")),
    ("accelerator", _("Code of an accelerator that stands there.")),
    ("starts_at", _("First hour, on the hour, with its offset from UTC.")),
    ("ends_at", _("End, not included, on the hour.")),
    ("quantity", _("Accelerators that run in every hour, in steps of 0.001.")),
    ("price", _("Lowest price per accelerator-hour, in steps of 0.001.")),
    ("label", _("May be missing: your own words.")),
    ("offer", _("May be missing, as version and state: the offer that the row changes.")),
)


@read_or_send
@provider_writes
def offer_import(request: HttpRequest) -> HttpResponse:
    """Take a CSV: list all of its offers, or none and say what is wrong in which row."""
    form = ImportForm(sent(request), request.FILES or None)
    report = None
    if request.method == "POST" and form.is_valid():
        report = _import(request, form)
        if report is None and not form.errors:
            return redirect("offer_list")
    return render(
        request,
        "exchange/offer_import.html",
        {"form": form, "report": report, "columns": MEANINGS},
        status=422 if request.method == "POST" else 200,
    )


def _import(request: HttpRequest, form: ImportForm) -> Report | None:
    raw, caller = form.cleaned_data["file"].read(), caller_of(request)
    try:
        done = import_offers(raw, caller=caller)
    except FileRefused as refused:
        return report_of(refused.faults)
    except (MarketFrozen, PartHalted) as frozen:
        form.add_error(None, words_of_refusal(frozen))
        return None
    for words in _done(done):
        messages.success(request, words)
    return None


def _done(done: Imported) -> Iterator[str]:
    """Say how many offers a file listed and changed, and how many it left as they were."""
    listed, changed = len(done.listed), len(done.changed)
    if listed:
        said = ngettext("%(listed)s offer is listed.", "%(listed)s offers are listed.", listed)
        yield said % {"listed": listed}
    if changed:
        said = ngettext("%(changed)s offer is changed.", "%(changed)s offers are changed.", changed)
        yield said % {"changed": changed}
    if done.unchanged:
        said = ngettext(
            "%(same)s row says what its offer says already.",
            "%(same)s rows say what their offers say already.",
            done.unchanged,
        )
        yield said % {"same": done.unchanged}


@require_safe
@provider_reads
def offer_template(request: HttpRequest) -> HttpResponse:
    """Give the header of an import and one row as an example."""
    lines = [",".join((*COLUMNS, *OPTIONAL)), ",".join(EXAMPLE), ""]
    return _as_download(HttpResponse("\n".join(lines), content_type="text/csv"), "template.csv")


@require_safe
@provider_reads
def offer_export(request: HttpRequest) -> HttpResponseBase:
    """Give the offers that the list's filters leave, all pages of them."""
    chosen = OfferFilter(request.GET, queryset=own_offers(request), request=request)
    lines = offer_lines(chosen.qs.iterator(chunk_size=1_000))
    return _as_download(StreamingHttpResponse(lines, content_type="text/csv"), "offers.csv")


def _as_download(answer: HttpResponseBase, name: str) -> HttpResponse:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer  # type: ignore[return-value]  # a page is what a view returns
