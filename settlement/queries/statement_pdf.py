"""A statement, or the credit note that takes it back, as PDF in English or Chinese."""

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.web.words import WORDS
from exchange.foundation.money import MICROS, format_scaled
from settlement.models import CreditNote, Statement, StatementState
from settlement.queries.energy_method import FALLBACK_SOURCE
from settlement.queries.line_sums import factors_used, sums_by_site
from settlement.queries.pdf_pages import LARGE, Pages
from settlement.queries.statement_lines import all_lines
from settlement.queries.statements import Totals, hours_of, totals_of

LANGUAGES = {"en": "en", "zh": "zh-hans"}
LINES_MAX = 500  # a longer list is for machines: CSV
PPM_TO_PERCENT = 10_000


def statement_pdf(statement: Statement, *, language: str) -> bytes:
    """Return the statement as PDF; ``language`` is ``en`` or ``zh``."""
    with translation.override(LANGUAGES[language]):
        return bytes(_Paper(statement, note=None, language=language).printed())


def credit_note_pdf(note: CreditNote, *, language: str) -> bytes:
    """Return the credit note as PDF: what it takes back, every amount with its sign turned."""
    with translation.override(LANGUAGES[language]):
        return bytes(_Paper(note.statement, note=note, language=language).printed())


class _Paper:
    """One document while it is printed."""

    def __init__(self, statement: Statement, *, note: CreditNote | None, language: str) -> None:
        self.statement, self.note = statement, note
        self.sign = -1 if note else 1
        self.title = self._title()
        self.pages = Pages(
            title=self.title,
            foot=f"{self.title} · {note.public_id if note else statement.public_id}",
            language=language,
            at=(note.issued_at if note else statement.finalized_at) or statement.created_at,
        )

    def printed(self) -> bytearray:
        """Print everything and return the file."""
        totals = totals_of(self.statement)
        self._head()
        self._totals(totals)
        self._taxes(totals)
        self._sums()
        self._energy()
        self._lines(totals)
        return self.pages.output()

    def _title(self) -> str:
        if self.note:
            return _("Credit note") + f" {self.note.name}"
        if self.statement.state == StatementState.DRAFT:
            return _("Statement") + f" ({_('draft')})"
        return _("Statement") + f" {self.statement.name}"

    def _head(self) -> None:
        statement, pages = self.statement, self.pages
        pages.heading(self.title, size=LARGE)
        party = statement.party_name or statement.organization.name
        country = statement.party_country or statement.organization.tax_country
        issuer = statement.issuer_name or settings.MARKET_NAME
        pages.fact(_("Issuer"), f"{issuer}, {settings.MARKET_COUNTRY}")
        pages.fact(_("Organization"), ", ".join(filter(None, [party, country])))
        pages.fact(_("Side"), str(WORDS[statement.side]))
        pages.fact(_("From"), local(statement.starts_at))
        pages.fact(_("Until"), local(statement.ends_at))
        if self.note:
            pages.fact(_("Takes back"), statement.name)
            pages.fact(_("Reason"), self.note.reason)
            pages.fact(_("Issued"), local(self.note.issued_at))
        elif statement.finalized_at:
            pages.fact(_("Issued"), local(statement.finalized_at))
        if statement.replaces and not self.note:
            pages.fact(_("Replaces"), statement.replaces.name)

    def _totals(self, totals: Totals) -> None:
        self.pages.heading(_("Total"))
        self.pages.fact(_("Net"), self._amount(totals.net_minor))
        self.pages.fact(_("Tax"), self._amount(totals.tax_minor))
        self.pages.fact(_("Total"), self._amount(totals.total_minor))
        exact = format_scaled(self.sign * totals.exact_micros, scale=MICROS)
        self.pages.fact(_("Sum of the lines, exactly"), f"{exact} {self.statement.currency}")

    def _taxes(self, totals: Totals) -> None:
        self.pages.heading(_("Tax"))
        rows = []
        for tax in totals.taxes:
            rate = f"{tax.rate.name} {percent(tax.rate.rate_ppm)}" if tax.rate else "—"
            parties = f"{tax.supplier_country or '—'} → {tax.customer_country or '—'}"
            amounts = [tax.net_minor, tax.tax_minor, tax.gross_minor]
            printed = [self._minor(amount) for amount in amounts]
            rows.append([str(WORDS[tax.supply.label]), parties, rate, *printed])
        head = [_("What is supplied"), _("From and to"), _("Rate"), _("Net"), _("Tax"), _("Gross")]
        self.pages.grid(head, rows, [42, 26, 34, 26, 26, 26], texts=3)
        self.pages.ln(1)
        self.pages.paragraph(_("All amounts contain their tax."))
        notes = {
            f"{tax.rate.name}: {tax.rate.note}"
            for tax in totals.taxes
            if tax.rate and tax.rate.note
        }
        for note in sorted(notes):
            self.pages.paragraph(note)
        if any(tax.rate is None for tax in totals.taxes):
            self.pages.paragraph(_("No rate is set: no tax is stated."))

    def _sums(self) -> None:
        self.pages.heading(_("By site and accelerator"))
        rows = [
            [
                each.site,
                each.accelerator,
                str(WORDS[each.kind]),
                f"{each.lines_count:,}",
                hours_of(self.sign * each.delivered_ms)[:-3] if each.delivered_ms else "",
                grouped(self.sign * each.energy_wh, 1_000) if each.energy_wh else "",
                grouped(self.sign * each.co2_grams, 1_000) if each.energy_wh else "",
                self._minor(each.billed_minor),
            ]
            for each in sums_by_site(self.statement)
        ]
        head = [
            _("Site"), _("Accelerator"), _("What for"), _("Lines"), "h", "kWh",
            _("kg CO₂"), _("Billed"),
        ]  # fmt: skip
        self.pages.grid(head, rows, [34, 28, 34, 12, 18, 17, 17, 20], texts=3)

    def _energy(self) -> None:
        factors = factors_used(self.statement)
        if not factors:
            return
        self.pages.heading(_("Energy and CO₂"))
        if any(is_metered for _source, is_metered in factors):
            self.pages.paragraph(_("Metered: the provider's energy counter x PUE."))
        if any(not is_metered for _source, is_metered in factors):
            self.pages.paragraph(_("Nominal: delivered time x the chip's watts x PUE."))
        self.pages.paragraph(
            _("CO₂ alone, of the share that is not renewable, by the average of the grid:")
        )
        for source in sorted({source or FALLBACK_SOURCE for source, _metered in factors}):
            self.pages.paragraph(f"· {source}")

    def _lines(self, totals: Totals) -> None:
        self.pages.heading(_("Lines"))
        if totals.lines_count > LINES_MAX:
            self.pages.paragraph(
                _("%(count)s lines; all of them stand in the CSV file of this statement.")
                % {"count": f"{totals.lines_count:,}"}
            )
            return
        rows = [
            [
                str(line.line_no),
                local(line.starts_at),
                str(WORDS[line.kind]),
                line.site,
                line.accelerator,
                hours_of(self.sign * line.delivered_ms)[:-3] if line.delivered_ms else "",
                format_scaled(self.sign * line.exact_micros, scale=MICROS),
                self._minor(line.billed_minor),
            ]
            for line in islice(all_lines(self.statement), LINES_MAX)
        ]
        head = [
            _("Line"), _("Hour"), _("What for"), _("Site"), _("Accelerator"), "h",
            _("Exactly"), _("Billed"),
        ]  # fmt: skip
        self.pages.grid(head, rows, [12, 28, 33, 30, 23, 16, 22, 16], texts=5)

    def _minor(self, amount: int) -> str:
        return grouped(self.sign * amount, 10**self.statement.minor_digits)

    def _amount(self, minor: int) -> str:
        return f"{self._minor(minor)} {self.statement.currency}"


def grouped(number: int, scale: int) -> str:
    """Return ``number / scale`` with its decimals, thousands apart."""
    whole, dot, decimals = format_scaled(abs(number), scale=scale).partition(".")
    return f"{'-' if number < 0 else ''}{int(whole):,}{dot}{decimals}"


def percent(ppm: int) -> str:
    """Return a share in millionths as per cent, without zeros that say nothing."""
    text = format_scaled(ppm, scale=PPM_TO_PERCENT).rstrip("0").rstrip(".")
    return f"{text} %"


def local(at: datetime) -> str:
    """Return a moment by the market's clock."""
    return f"{at.astimezone(ZoneInfo(settings.MARKET_TIME_ZONE)):%Y-%m-%d %H:%M}"
