"""A provider uploads a CSV of offers: all of it or nothing, with a report of each row."""

import csv
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from exchange.models import Offer
from tests.portal.desks import Desk, csv_of, desk, hour_ahead, offer_body, offer_of

HEADER = b"site,accelerator,starts_at,ends_at,quantity,price,label"

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> Desk:
    return desk()


def upload(client: Client, raw: bytes) -> tuple[int, str]:
    answer = client.post("/offers/upload/", {"file": SimpleUploadedFile("offers.csv", raw)})
    return answer.status_code, answer.content.decode()


def test_a_good_file_is_imported_whole(at: Desk) -> None:
    status, _ = upload(at.client, csv_of(offer_body(label="one"), offer_body(label="two")))
    assert status == 302
    assert set(Offer.objects.values_list("label", "state")) == {
        ("one", "active"),
        ("two", "active"),
    }


def test_one_bad_row_keeps_all_others_out_and_is_named(at: Desk) -> None:
    status, page = upload(at.client, csv_of(offer_body(), offer_body(price="cheap", site="bj-9")))
    assert status == 422
    assert "2 faults were found. Nothing was imported." in page
    assert "price_malformed" in page
    assert "There is no such site." in page
    assert 'data-label="Row">3<' in page
    assert not Offer.objects.exists()


def test_rows_that_together_promise_too_much_are_refused(at: Desk) -> None:
    status, page = upload(
        at.client, csv_of(offer_body(quantity="60"), offer_body(quantity="60", label="second"))
    )
    assert status == 422
    assert "capacity_exceeded" in page
    assert 'data-label="Row">3<' in page


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "The submitted file is empty."),
        (b"\xff\xfe\x00", "csv_encoding"),
        (b"site,price\nbj-1,1\n", "csv_column_missing"),
        (b"site;accelerator\n", "csv_column_unknown"),
        (HEADER, "csv_no_rows"),
        (HEADER + b"\nbj-1,h100\n", "csv_row_short"),
        (HEADER + b'\n"bj-1,h100\n', "csv_quoting"),
    ],
)
def test_a_file_that_is_no_table_is_refused(at: Desk, raw: bytes, code: str) -> None:
    status, page = upload(at.client, raw)
    assert status == 422
    assert code in page
    assert not Offer.objects.exists()


def test_a_file_that_is_too_large_is_not_read(at: Desk) -> None:
    status, page = upload(at.client, b"x" * (2 * 1024 * 1024 + 1))
    assert status == 422
    assert "The file is larger than 2 MB." in page


def test_no_file_at_all_is_a_fault_of_the_form(at: Desk) -> None:
    answer = at.client.post("/offers/upload/", {})
    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()


def test_the_report_is_in_the_readers_language(at: Desk) -> None:
    at.client.post("/i18n/setlang/", {"language": "zh-hans"})
    _, page = upload(at.client, csv_of(offer_body(site="bj-9")))
    assert "没有这个站点。" in page
    assert "there is no such site" not in page


def test_the_template_has_the_columns_of_an_import(at: Desk) -> None:
    answer = at.client.get("/offers/template.csv")
    assert "attachment" in answer["Content-Disposition"]
    header, example = list(csv.reader(StringIO(answer.content.decode())))
    assert header == list(offer_body())
    assert len(example) == len(header)


def test_the_template_filled_in_is_imported(at: Desk) -> None:
    text = at.client.get("/offers/template.csv").content.decode()
    header = text.splitlines()[0]
    start, end = hour_ahead(24).isoformat(), hour_ahead(25).isoformat()
    status, _ = upload(at.client, f"{header}\nbj-1,h100,{start},{end},1,2.5,\n".encode())
    assert status == 302
    assert Offer.objects.count() == 1


def test_the_export_holds_what_the_filter_leaves(at: Desk) -> None:
    offer_of(at.caller, label="kept")
    answer = at.client.get("/offers/offers.csv?state=active")
    rows = list(csv.DictReader(StringIO(b"".join(answer).decode())))
    assert [(row["label"], row["quantity"], row["price"]) for row in rows] == [
        ("kept", "10.000", "2.500")
    ]
    none = at.client.get("/offers/offers.csv?state=withdrawn")
    assert len(b"".join(none).splitlines()) == 1
