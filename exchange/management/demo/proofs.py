"""What the play proves at its end: the books, the certificate, and what coupling gained."""

from exchange.engine.clearing import clear
from exchange.engine.files import read_book
from exchange.foundation.money import format_scaled
from exchange.management.demo.progress import say, table
from exchange.models import Auction, Bid
from exchange.queries.archive_files import BOOK_FOLDER, folders_of
from exchange.queries.trading_gain import isolated
from exchange.queries.verification import problems_of
from settlement.models import Side, Statement
from settlement.queries.audit import audit_books
from settlement.queries.statement_lines import Line, lines_after
from settlement.queries.statements import hours_of, totals_of

PROBLEMS_SHOWN = 20
LINES_SHOWN = 8
ISOLATED_SECONDS = 120.0


def isolated_welfare_micros(auction: Auction) -> int:
    """Return the welfare of the archived book if no work could leave its region."""
    book = read_book(folders_of(auction.result)[BOOK_FOLDER])
    return int(clear(isolated(book), seconds=ISOLATED_SECONDS).welfare_micros)


def certificate_holds(auction: Auction) -> bool:
    """Check the archived result as an outsider would, then against the database's rows."""
    problems = problems_of(auction.result)
    for problem in problems[:PROBLEMS_SHOWN]:
        say(f"  {problem}")
    say(f"\nCertificate and archive of {auction.public_id}: {len(problems)} problems")
    return not problems


def books_hold() -> bool:
    """Ask every invariant of the settlement's books."""
    findings = audit_books(contents=True)
    for finding in findings:
        if not finding.holds:
            say(f"  invariant {finding.invariant} is broken by {finding.broken_count} rows")
    broken = sum(not finding.holds for finding in findings)
    say(f"Audit of the books: {len(findings)} invariants, {broken} broken")
    return broken == 0


def show_statement() -> bool:
    """Print the first lines of one buyer's statement; return whether there was one."""
    filled = Bid.objects.filter(fills__isnull=False).order_by("pk").first()
    if filled is None:
        return False
    statements = Statement.objects.filter(organization=filled.organization, side=Side.BUYER)
    for statement in statements.order_by("starts_at"):
        lines = lines_after(statement, limit=LINES_SHOWN)
        if lines:
            totals = totals_of(statement)
            _print_sheet(statement, lines, totals.lines_count, totals.total_minor)
            return True
    return False


def _print_sheet(statement: Statement, lines: list[Line], count: int, total: int) -> None:
    rows = [
        [
            f"{line.starts_at:%Y-%m-%d %H:%M}",
            str(line.kind),
            line.site,
            line.accelerator,
            hours_of(line.delivered_ms),
            line.price,
            format_scaled(line.exact_micros, scale=10**6),
        ]
        for line in lines
    ]
    unit = 10**statement.minor_digits
    table(
        f"Statement of {statement.organization.name}: {count} lines, "
        f"{format_scaled(total, scale=unit)} {statement.currency}; the first of them (UTC)",
        ["from", "line", "site", "accelerator", "hours", "price", "amount"],
        rows,
    )
