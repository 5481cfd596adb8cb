"""A month on paper: exact lines, one rounding, numbers without gaps, nobody else's business."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from exchange.foundation.states import IllegalMove
from settlement.models import Side, Statement, StatementLine
from settlement.queries.allocation import allocate, round_half_even
from settlement.queries.statement_lines import Line, lines_after
from settlement.queries.statements import totals_of
from settlement.services import statements as services
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from settlement.services.statement_drafts import month_of
from settlement.services.statements import MonthNotOver, finalize_due, finalize_statement
from tests.factories import OrganizationFactory, api, auditor
from tests.settlement.deliveries import (
    HOUR,
    TEN,
    an_event,
    broken,
    play_at,
)
from tests.settlement.paper import settled, statement_of

pytestmark = pytest.mark.django_db
FEBRUARY = datetime(2026, 2, 2, tzinfo=UTC)


@given(st.lists(st.integers(-(10**12), 10**12), max_size=30), st.sampled_from([1, 100, 10_000]))
def test_minor_units_add_up_and_no_line_is_off_by_a_whole_one(micros: list[int], unit: int) -> None:
    shares = allocate(micros, unit=unit)

    assert sum(shares) == round_half_even(sum(micros), unit)
    assert all(
        abs(share * unit - exact) < unit for share, exact in zip(shares, micros, strict=True)
    )


@pytest.mark.parametrize(
    ("micros", "rounded"),
    [(5_000, 0), (15_000, 2), (25_000, 2), (-5_000, 0), (-15_000, -2), (14_999, 1), (15_001, 2)],
)
def test_halves_go_to_the_even_unit(micros: int, rounded: int) -> None:
    assert round_half_even(micros, 10_000) == rounded


def test_a_month_is_the_markets_own() -> None:
    last_evening_in_utc = datetime(2026, 12, 31, 17, tzinfo=UTC)

    starts_at, ends_at = month_of(last_evening_in_utc)

    assert starts_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert ends_at == datetime(2027, 1, 31, 16, tzinfo=UTC)


def test_the_first_run_of_a_month_opens_drafts_for_both_parties() -> None:
    delivery = settled()

    drafts = {row.side: row for row in Statement.objects.all()}
    assert set(drafts) == {Side.BUYER, Side.PROVIDER}
    assert drafts[Side.BUYER].organization == delivery.buyer
    assert drafts[Side.PROVIDER].organization == delivery.provider
    kinds = [line.kind for line in lines_of(drafts[Side.BUYER])]
    assert kinds == ["usage", "buyer_fee", "credit"]


def test_a_buyers_lines_say_what_was_charged_and_credited() -> None:
    delivery = settled()

    lines, totals = lines_of(statement_of(delivery.buyer)), totals_of(statement_of(delivery.buyer))

    assert [line.exact_micros for line in lines] == [7_500_000, 75_000, -1_250_000]
    assert (totals.exact_micros, totals.total_minor) == (6_325_000, 632)  # half to even
    assert [line.billed_minor for line in lines] == [750, 7, -125]


def test_a_providers_lines_say_what_it_earned_and_forfeited() -> None:
    delivery = settled()

    lines = lines_of(statement_of(delivery.provider))

    assert [line.kind for line in lines] == ["earning", "seller_fee", "penalty"]
    assert [line.exact_micros for line in lines] == [7_500_000, -150_000, -1_250_000]


def test_a_correction_in_the_next_month_stands_on_the_next_statement() -> None:
    delivery = settled()
    now = play_at(FEBRUARY)
    finalize_due(now)
    rest = an_event(delivery, seq=2, starts=TEN + HOUR * 3 // 4, ends=TEN + HOUR)
    ingest(delivery.meter, [rest])
    settle_due(now)

    january, february = Statement.objects.filter(side=Side.BUYER).order_by("starts_at")

    assert january.exact_micros == 6_325_000
    assert totals_of(february).exact_micros == 10_100_000 - 6_325_000
    assert lines_of(february)[0].run_no == 2


def test_finalizing_writes_lines_total_and_number_and_they_stay() -> None:
    delivery = settled()
    draft = lines_of(statement_of(delivery.buyer)), totals_of(statement_of(delivery.buyer))

    assert finalize_due(play_at(FEBRUARY)) == 2

    statement = statement_of(delivery.buyer)
    assert (statement.state, statement.series, statement.number) == ("finalized", "B2026", 1)
    assert (lines_of(statement), totals_of(statement)) == draft
    assert finalize_due(play_at(FEBRUARY)) == 0
    with pytest.raises(DatabaseError), transaction.atomic():
        Statement.objects.update(total_minor=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        StatementLine.objects.update(billed_minor=1)
    with pytest.raises(IllegalMove):
        finalize_statement(statement, now=FEBRUARY)
    assert broken() == []


def test_a_month_that_is_not_over_is_not_finalized() -> None:
    delivery = settled()

    with pytest.raises(MonthNotOver):
        finalize_statement(statement_of(delivery.buyer), now=TEN + HOUR)

    assert finalize_due(play_at(TEN + timedelta(days=3))) == 0
    assert statement_of(delivery.buyer).number is None


def test_numbers_have_no_gap_when_finalizing_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    settled()
    settled(bid="bid_2")
    now = play_at(FEBRUARY)

    def crash(*args: Any, **options: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(services, "move", crash)
        with pytest.raises(Killed):
            finalize_due(now)
    assert not Statement.objects.exclude(number=None).exists()

    assert finalize_due(now) == 4

    numbers = Statement.objects.values_list("series", "number").order_by("series", "number")
    assert list(numbers) == [("B2026", 1), ("B2026", 2), ("P2026", 1), ("P2026", 2)]
    assert broken() == []


def test_the_api_lists_and_shows_ones_own_statements_alone() -> None:
    delivery = settled()
    mine = statement_of(delivery.buyer)

    listed = api(delivery.buyer).get("/api/v1/statements").json()["data"]
    shown = api(delivery.buyer).get(f"/api/v1/statements/{mine.public_id}").json()

    assert [row["id"] for row in listed] == [mine.public_id]
    assert (shown["exact_total"], shown["total"]) == ("6.325000", "6.32")
    line = api(delivery.buyer).get(shown["lines_url"]).json()["data"][0]
    assert (line["accelerator_hours"], line["price"]) == ("0.750000", "10.000")
    assert (line["exact_amount"], line["amount"]) == ("7.500000", "7.50")
    for suffix in ("", ".csv", "/lines"):
        address = f"/api/v1/statements/{mine.public_id}{suffix}"
        assert api(OrganizationFactory.create()).get(address).status_code == 404
        assert api(delivery.provider).get(address).status_code == 404
        assert api(auditor()).get(address).status_code == 200


def test_the_csv_has_the_same_lines() -> None:
    delivery = settled()
    finalize_due(play_at(FEBRUARY))
    address = f"/api/v1/statements/{statement_of(delivery.buyer).public_id}.csv"

    answer = api(delivery.buyer).get(address)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(answer.getvalue().decode())))
    assert [row["kind"] for row in rows] == ["usage", "buyer_fee", "credit"]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("6.32")
    assert sum(Decimal(row["exact_amount"]) for row in rows) == Decimal("6.325")


def lines_of(statement: Statement) -> list[Line]:
    return lines_after(statement, limit=1_000)


class Killed(Exception):
    pass
