"""The paper that statements are printed on: a font for Latin and Chinese, tables, page numbers."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from fpdf import FPDF

FONT = "Noto"
FONTS = Path("@embedpdf/fonts-sc/fonts")
REGULAR, BOLD = "NotoSansHans-Regular.otf", "NotoSansHans-Bold.otf"
WIDTH = 180  # millimetres between the margins of A4
MARGIN = 15
ROW = 6
SMALL, NORMAL, LARGE = 8, 9, 16
GREY = 110
RULE_GREY = 200
ELLIPSIS = "…"
PLAIN = str.maketrans({"₂": "2"})  # what the font has no glyph for


class Pages(FPDF):
    """A4, upright; every page says at its foot what it belongs to and which it is."""

    def __init__(self, *, title: str, foot: str, language: str, at: datetime) -> None:
        super().__init__(format="A4")
        self.foot = foot
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=2 * MARGIN)
        folder = settings.NODE_MODULES_DIR / FONTS
        self.add_font(FONT, "", folder / REGULAR)
        self.add_font(FONT, "B", folder / BOLD)
        self.set_title(title)
        self.set_lang(language)
        self.set_creation_date(at)
        self.set_font(FONT, size=NORMAL)
        self.add_page()

    def footer(self) -> None:
        """Print what the page belongs to and its number."""
        self.set_y(-MARGIN)
        self.set_font(FONT, size=SMALL)
        self.set_text_color(GREY)
        self.cell(WIDTH - 30, ROW, self.foot)
        self.cell(30, ROW, f"{self.page_no()}/{{nb}}", align="R")
        self.set_text_color(0)

    def heading(self, text: str, *, size: int = 11) -> None:
        """Print a heading, with room above it."""
        self.ln(ROW / 2)
        self.set_font(FONT, "B", size)
        self.multi_cell(WIDTH, size * 0.6, text.translate(PLAIN), new_x="LMARGIN", new_y="NEXT")
        self.set_font(FONT, size=NORMAL)
        self.ln(1)

    def paragraph(self, text: str) -> None:
        """Print a small paragraph."""
        self.set_font(FONT, size=SMALL)
        self.multi_cell(WIDTH, 4.5, text.translate(PLAIN), align="L", new_x="LMARGIN", new_y="NEXT")
        self.set_font(FONT, size=NORMAL)

    def fact(self, name: str, value: str) -> None:
        """Print a name and its value on one line (the value may take more)."""
        self.set_text_color(GREY)
        self.cell(50, ROW, name)
        self.set_text_color(0)
        self.multi_cell(WIDTH - 50, ROW, value, align="L", new_x="LMARGIN", new_y="NEXT")

    def grid(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
        *,
        texts: int,
    ) -> None:
        """Print a table; the first ``texts`` columns begin at the left, numbers end at the right.

        The head is repeated on every page, and a text that is too long is cut with an ellipsis.
        """
        assert sum(widths) <= WIDTH, widths
        self._row(head, widths, texts=texts, style="B")
        for row in rows:
            if self.will_page_break(ROW):
                self.add_page()
                self._row(head, widths, texts=texts, style="B")
            self._row(row, widths, texts=texts)

    def _row(
        self, cells: Sequence[str], widths: Sequence[float], *, texts: int, style: str = ""
    ) -> None:
        self.set_font(FONT, style, SMALL)
        self.set_draw_color(RULE_GREY)
        for place, (text, width) in enumerate(zip(cells, widths, strict=True)):
            align = "L" if place < texts else "R"
            self.cell(width, ROW, self._cut(text.translate(PLAIN), width), border="B", align=align)
        self.ln(ROW)
        self.set_font(FONT, size=NORMAL)

    def _cut(self, text: str, width: float) -> str:
        room = width - 2 * self.c_margin
        if self.get_string_width(text) <= room:
            return text
        while text and self.get_string_width(text + ELLIPSIS) > room:
            text = text[:-1]
        return text + ELLIPSIS
