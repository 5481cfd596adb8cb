"""Statements and credit notes as PDF: the words are there, in both languages, with their font."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from django.test import Client

from settlement.models import CreditNote, Statement, TaxRate
from settlement.queries import statement_pdf as printing
from settlement.queries.statement_pdf import credit_note_pdf, statement_pdf
from settlement.services.credit_notes import credit_statement
from settlement.services.statements import finalize_due
from tests.factories import api, caller, operator, portal
from tests.settlement.deliveries import Delivery, play_at
from tests.settlement.paper import settled, statement_of
from tests.settlement.test_credit_notes import FEBRUARY

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery() -> Delivery:
    found = settled()
    found.buyer.legal_name, found.buyer.tax_country = "上海算力科技有限公司", "CN"
    found.buyer.save()
    TaxRate.objects.create(
        name="VAT", rate_ppm=60_000, source="a law", note="a note", valid_from=date(2026, 1, 1)
    )
    finalize_due(play_at(FEBRUARY))
    return found


def words_of(pdf: bytes, folder: Path) -> str:
    """Return the text of a PDF as another program reads it."""
    program = shutil.which("pdftotext")
    assert program, "install poppler (Debian: apt-get install poppler-utils)"
    (folder / "paper.pdf").write_bytes(pdf)
    told = subprocess.run(  # noqa: S603
        [program, "-layout", folder / "paper.pdf", "-"], check=True, capture_output=True
    )
    return told.stdout.decode()


def test_the_english_statement_says_who_what_and_how_much(
    delivery: Delivery, tmp_path: Path
) -> None:
    words = words_of(statement_pdf(statement_of(delivery.buyer), language="en"), tmp_path)

    for text in ("Statement B2026-1", "上海算力科技有限公司, CN", "6.32 CNY", "VAT 6 %", "a note"):
        assert text in words
    for text in ("6.325000 CNY", "credit for a shortfall", "site-a", "0.630", "1/1", "-1.25"):
        assert text in words


def test_the_chinese_statement_is_chinese(delivery: Delivery, tmp_path: Path) -> None:
    words = words_of(statement_pdf(statement_of(delivery.provider), language="zh"), tmp_path)

    for text in ("结算单 P2026-1", "税", "按站点与加速器", "作为供应方"):
        assert text in words
    assert "Statement" not in words


def test_a_credit_note_turns_every_sign_and_says_why(delivery: Delivery, tmp_path: Path) -> None:
    credit_statement(statement_of(delivery.buyer), "the name was wrong", caller(operator()))

    words = words_of(credit_note_pdf(CreditNote.objects.get(), language="en"), tmp_path)

    for text in ("Credit note CB2026-1", "B2026-1", "the name was wrong", "-6.32 CNY", "1.25"):
        assert text in words


def test_a_long_statement_is_summed_up(
    delivery: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "LINES_MAX", 2)

    words = words_of(statement_pdf(statement_of(delivery.buyer), language="en"), tmp_path)

    assert "3 lines; all of them stand in the CSV file of this statement." in words


def test_the_same_statement_is_the_same_file(delivery: Delivery) -> None:
    statement = statement_of(delivery.buyer)
    assert statement_pdf(statement, language="en") == statement_pdf(statement, language="en")


def test_the_api_gives_it_in_the_language_asked_for(delivery: Delivery) -> None:
    statement = statement_of(delivery.buyer)
    client, address = api(delivery.buyer), f"/api/v1/statements/{statement.public_id}.pdf"

    english, chinese = client.get(address), client.get(f"{address}?lang=zh")

    assert english["Content-Type"] == "application/pdf"
    assert english.content == statement_pdf(statement, language="en")
    assert chinese.content == statement_pdf(statement, language="zh")
    assert client.get(f"{address}?lang=fr").status_code == 400


def files_of(client: Client, statement: Statement) -> dict[str, int]:
    names = ("lines.csv", "focus.csv", "statement.pdf", "credit_note.pdf")
    page = f"/statements/{statement.public_id}/"
    return {name: client.get(page + name).status_code for name in names}


def test_the_portal_leads_to_the_files_that_there_are(delivery: Delivery) -> None:
    mine, theirs = statement_of(delivery.buyer), statement_of(delivery.provider)

    assert files_of(portal(delivery.buyer), mine) == {
        "lines.csv": 200, "focus.csv": 200, "statement.pdf": 200, "credit_note.pdf": 404
    }  # fmt: skip
    assert files_of(portal(delivery.provider), theirs)["focus.csv"] == 404
    assert set(files_of(portal(delivery.provider), mine).values()) == {404}


def test_the_portals_file_is_in_the_language_of_the_page(delivery: Delivery) -> None:
    statement = statement_of(delivery.buyer)
    address = f"/statements/{statement.public_id}/statement.pdf"

    shown = portal(delivery.buyer).get(address, headers={"accept-language": "zh-CN"})

    assert shown.content == statement_pdf(statement, language="zh")
