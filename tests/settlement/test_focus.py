"""What a buyer was charged in FOCUS 1.2: the checks pass on a settled day, and see every fault."""

import csv
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from settlement.models import Statement
from settlement.queries.focus import focus_csv
from settlement.queries.focus_checks import CHECKS, check_file
from settlement.queries.focus_columns import COLUMNS, OF_THE_SPECIFICATION
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.factories import api
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    TEN,
    Delivery,
    a_delivery,
    a_period,
    an_event,
    play_at,
)
from tests.settlement.paper import settled, statement_of
from tests.settlement.test_credit_notes import FEBRUARY

pytestmark = pytest.mark.django_db
Rows = list[dict[str, str]]


def a_day() -> Delivery:
    """Settle a day: odd prices, some hours short, one of them corrected within the month."""
    periods = [a_period(hour, ticks=10_000 + 333 * hour) for hour in range(24)]
    delivery = a_delivery(periods=periods)
    events, total = [], 0
    for hour in range(24):
        total += HOUR_MS if hour % 5 else HOUR_MS - 1_234_567
        events.append(an_event(delivery, seq=hour + 1, starts=TEN + hour * HOUR, total=total))
    now = play_at(TEN + 26 * HOUR)
    ingest(delivery.meter, events[:-1])
    settle_due(now)
    ingest(delivery.meter, events[-1:])
    settle_due(play_at(TEN + 60 * HOUR))
    return delivery


def read(*statements: Statement) -> Rows:
    return list(csv.DictReader(StringIO("".join(focus_csv(statements)))))


def totals_of_one(statement: Statement) -> dict[str, Decimal]:
    return {statement.name: Decimal(statement.total_minor or 0).scaleb(-2)}


@pytest.fixture
def day() -> tuple[Rows, dict[str, Decimal]]:
    delivery = a_day()
    finalize_due(play_at(FEBRUARY))
    statement = statement_of(delivery.buyer)
    return read(statement), totals_of_one(statement)


def test_there_are_57_columns_and_ours() -> None:
    assert len(OF_THE_SPECIFICATION) == 57
    assert list(OF_THE_SPECIFICATION) == sorted(OF_THE_SPECIFICATION)
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert len(CHECKS) == 11


def test_a_settled_day_passes_every_check(day: tuple[Rows, dict[str, Decimal]]) -> None:
    rows, totals = day

    assert check_file(rows, totals=totals) == []
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Credit"}
    assert sum(row["PricingUnit"] == "GPU-Hours" for row in rows) == 24
    assert {row["ChargeClass"] for row in rows} == {""}
    assert {row["x_RunNo"] for row in rows} == {"1", "2"}


@pytest.mark.parametrize(
    ("place", "value", "check"),
    [
        ("Usage BilledCost", "1e3", "columns_are_complete"),
        ("Usage ListUnitPrice", "11.0", "list_cost_is_price_times_quantity"),
        ("Usage ContractedUnitPrice", "9.0", "contracted_cost_is_price_times_quantity"),
        ("Usage ContractedUnitPrice", "9.0", "list_and_contract_agree"),
        ("Usage EffectiveCost", "0.5", "nothing_is_amortized"),
        ("Usage BilledCost", "99.00", "billed_is_rounded"),
        ("Credit BilledCost", "-0.01", "unpriced_rows_bill_their_cost"),
        ("Usage ConsumedQuantity", "0.5", "usage_is_consumed"),
        ("Usage ConsumedUnit", "NPU-Hours", "usage_is_consumed"),
        ("Credit ConsumedQuantity", "1.0", "usage_is_consumed"),
        ("Usage PricingCurrency", "USD", "one_currency"),
        ("Credit PricingCurrencyEffectiveCost", "7.0", "one_currency"),
        ("Usage PricingQuantity", "", "prices_are_there_or_not"),
        ("Credit PricingUnit", "GPU-Hours", "prices_are_there_or_not"),
        ("Credit ListCost", "1.00", "signs_fit"),
        ("Usage PricingQuantity", "-1.0", "signs_fit"),
    ],
)
def test_a_planted_fault_is_found_and_named(
    day: tuple[Rows, dict[str, Decimal]], place: str, value: str, check: str
) -> None:
    rows, totals = day
    category, column = place.split()
    at = next(n for n, row in enumerate(rows) if row["ChargeCategory"] == category)
    rows[at][column] = value

    faults = check_file(rows, totals=totals)

    assert (at + 2, check) in {(fault.row_no, fault.check) for fault in faults}


def test_an_invoice_that_does_not_add_up_is_found(day: tuple[Rows, dict[str, Decimal]]) -> None:
    rows, totals = day

    assert [f.check for f in check_file(rows[1:], totals=totals)] == ["invoices_add_up"]
    assert [f.check for f in check_file(rows, totals={})] == ["invoices_add_up"]


def test_what_changes_in_a_later_month_is_a_correction() -> None:
    delivery = settled()
    finalize_due(play_at(FEBRUARY))
    rest = an_event(delivery, seq=2, starts=TEN + HOUR * 3 // 4, ends=TEN + HOUR)
    ingest(delivery.meter, [rest])
    settle_due(play_at(FEBRUARY))

    january, february = Statement.objects.filter(side="buyer").order_by("starts_at")
    rows = read(january, february)

    assert [row["ChargeClass"] for row in rows] == [""] * 3 + ["Correction"] * 3
    assert {row["BillingPeriodStart"] for row in rows[3:]} == {"2026-01-31T16:00:00Z"}
    assert {row["ChargePeriodStart"] for row in rows} == {"2026-01-05T10:00:00Z"}
    assert [row["BilledCost"] for row in rows[3:]] == ["2.50", "0.03", "1.25"]
    assert [row["InvoiceId"] for row in rows] == ["B2026-1"] * 3 + [february.public_id] * 3
    assert check_file(rows, totals=totals_of_one(january)) == []


def test_names_are_ascii_with_the_original_beside_them() -> None:
    delivery = settled()
    delivery.provider.name = "贵安算力"
    delivery.provider.save()

    row = read(statement_of(delivery.buyer))[0]

    assert (row["PublisherName"], row["x_PublisherName"]) == ("site-a", "贵安算力")
    assert row["ProviderName"] == row["InvoiceIssuerName"] == "Compute Exchange"
    assert (row["PricingUnit"], row["x_ContractId"]) == ("GPU-Hours", delivery.contract.public_id)
    assert row["x_EnergyWh"] == "630"
    assert len(row["x_TransferId"]) == 36


def test_the_api_streams_the_file_for_buyers_alone() -> None:
    delivery = settled()
    mine, theirs = statement_of(delivery.buyer), statement_of(delivery.provider)

    answer = api(delivery.buyer).get(f"/api/v1/statements/{mine.public_id}.focus.csv")
    refused = api(delivery.provider).get(f"/api/v1/statements/{theirs.public_id}.focus.csv")

    assert list(csv.DictReader(StringIO(answer.getvalue().decode()))) == read(mine)
    assert refused.status_code == 404


def test_the_command_writes_a_file_and_checks_it(tmp_path: Path) -> None:
    delivery = settled()
    finalize_due(play_at(FEBRUARY))
    out, file = StringIO(), tmp_path / "focus.csv"

    call_command("export_focus", str(file), month="2026-01", stdout=out)

    assert out.getvalue() == "3 rows of 1 statements pass 11 checks\n"
    assert list(csv.DictReader(file.open())) == read(statement_of(delivery.buyer))
    with pytest.raises(CommandError, match="no buyer"):
        call_command("export_focus", str(file), month="2025-01")
