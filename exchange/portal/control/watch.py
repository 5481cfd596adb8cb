"""The market watch: what its rules find, each finding with its trades, and files of them."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Scope
from accounts.queries.relations import relations_stamp
from accounts.web.admin_actions import safe_cell
from accounts.web.listing import Page, page_number
from accounts.web.once import do_once
from accounts.web.portal import caller_of
from exchange.models import CaseState, WatchCase
from exchange.portal.control.deeds import done
from exchange.portal.control.doors import control_reads, control_writes
from exchange.portal.control.watch_spans import DAYS, Look, address_of, look_of, subject_of
from exchange.portal.control.watch_words import BOARDS, KINDS, OUTCOMES, cells_of, subject_words
from exchange.portal.market.sights import region_names
from exchange.portal.table_files import FORMS
from exchange.queries.catalogue import catalogue_now
from exchange.queries.publications import market_stamp
from exchange.queries.watch import boards
from exchange.queries.watch.findings import Found, Span
from exchange.queries.watch.trades import TRADES_MAX, TradesBehind
from exchange.services.cases import open_case

KEPT_SECONDS = 600
CASES_SHOWN = 10


class Shown(NamedTuple):
    """A finding as a row of its board: its address, whom it is about, its figures."""

    address: str
    subject: list[tuple["str | Promise", object]]
    cells: list[tuple["str | Promise", str]]
    flagged: bool


@require_safe
@control_reads
def watch(request: HttpRequest) -> HttpResponse:
    """Show what each board found, the worst of it, and the cases that are open."""
    look = look_of(request)
    tiles = []
    for board, words in BOARDS.items():
        rows = _kept(board, look.span)
        flagged = [row for row in rows if row.flagged]
        worst = list(shown_rows(board, flagged[:1]))
        tiles.append({"board": board, "words": words, "count": len(flagged), "worst": worst})
    cases = WatchCase.objects.visible_to(caller_of(request)).filter(state=CaseState.OPEN)
    shown = {"tiles": tiles, "cases": cases.select_related(*CASE_KEYS)[:CASES_SHOWN]}
    return render(request, "exchange/control/watch/overview.html", _frame(look) | shown)


@require_safe
@control_reads
def watch_board(request: HttpRequest, board: str) -> HttpResponse:
    """Show all that one board found, with its rule."""
    if board not in BOARDS:
        raise Http404
    look = look_of(request)
    page = Page(_kept(board, look.span), number=page_number(request))
    shown = {"board": board, "words": BOARDS[board], "page": page}
    shown["rows"] = list(shown_rows(board, page.rows))
    return render(request, "exchange/control/watch/board.html", _frame(look) | shown)


@require_safe
@control_reads
def watch_finding(request: HttpRequest) -> HttpResponse:
    """Show one finding: its figures, the parts of it, the trades behind it."""
    found = _found(request)
    board = boards.board_of(found.subject)
    shown = {
        "found": found,
        "board": board,
        "words": BOARDS[board],
        "row": next(shown_rows(board, [found])),
        "parts": [(", ".join(part.names), cells_of(part.figures)) for part in found.parts],
        "page": Page(TradesBehind(found), number=page_number(request)),
        "query": address_of(found.subject),
        "may_open": caller_of(request).has_scope(Scope.MEASURES_WRITE),
        "names": region_names(),
    }
    return render(request, "exchange/control/watch/finding.html", shown)


@require_safe
@control_reads
def watch_trades(request: HttpRequest, form: str) -> HttpResponseBase:
    """Give the trades behind a finding as a file."""
    if form not in FORMS:
        raise Http404
    trades = TradesBehind(_found(request))[0:TRADES_MAX]
    kind, write = FORMS[form]
    rows = (boards.trade_row(trade) for trade in trades)
    if form == "csv":
        rows = (tuple(str(safe_cell(word)) for word in row) for row in rows)
    text = "".join(write(boards.TRADE_COLUMNS, rows))
    response = HttpResponse(text, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="trades.{form}"'
    return response


@require_POST
@control_writes
def watch_open(request: HttpRequest) -> HttpResponse:
    """Open a case from a finding."""
    subject = subject_of(request.GET)
    reason, actor = request.POST.get("reason", ""), caller_of(request)
    opened: list[str] = []

    def deed() -> None:
        make = lambda: open_case(subject, reason=reason, actor=actor).public_id  # noqa: E731
        opened.append(do_once(request, make))

    if done(request, deed):
        return redirect("case", opened[0])
    return redirect(f"{request.path.removesuffix('open/')}{address_of(subject)}")


CASE_KEYS = ("organization", "other", "assigned_to", "opened_by")


def shown_rows(board: str, rows: Iterable[Found]) -> Iterator[Shown]:
    """Yield findings of a board in the reader's words."""
    regions = region_names()
    chips = {code: row.name for code, row in catalogue_now().accelerators.items()}
    for row in rows:
        said = subject_words(
            BOARDS[board].subject,
            row.subject,
            names=row.names,
            regions=regions,
            chips=chips,
            why=row.why,
        )
        yield Shown(address_of(row.subject), said, cells_of(row.figures), row.flagged)


def _found(request: HttpRequest) -> Found:
    subject = subject_of(request.GET)
    rows = _kept(boards.board_of(subject), subject.span)
    found = next((row for row in rows if row.subject == subject), None)
    if found is None:
        raise Http404
    return found


def _kept(board: str, span: Span) -> list[Found]:
    """Return what a board finds, reckoned once between two publications."""
    edges = f"{span.since.isoformat()}/{span.until.isoformat()}"
    key = f"watch/{board}/{market_stamp()}/{relations_stamp()}/{edges}"
    found: list[Found] | None = cache.get(key)
    if found is None:
        found = boards.BOARDS[board](span)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _frame(look: Look) -> dict[str, Any]:
    words = {"kinds": KINDS, "outcomes": OUTCOMES, "names": region_names()}
    return words | {"look": look, "days": DAYS}
