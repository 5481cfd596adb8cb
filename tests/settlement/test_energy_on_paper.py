"""Kilowatt-hours and CO2 on every line, with the factor that was in force and where it is from."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from settlement.models import GridFactor, SettlementRun
from settlement.postings import GRID_GRAMS_PER_MWH
from settlement.queries.energy_method import METERED, NOMINAL, energy_method, factor_source
from settlement.queries.statement_lines import lines_after
from settlement.queries.statements import totals_of
from settlement.services.grid_factors import OUR_FACTORS, FactorsRefused, load_factors
from settlement.services.statement_drafts import MonthClosed, open_drafts
from settlement.services.statements import finalize_due
from tests.settlement.deliveries import TEN, play_at
from tests.settlement.paper import settled, statement_of
from tests.settlement.test_credit_notes import FEBRUARY

pytestmark = pytest.mark.django_db
HEAD = "region,year,kg_per_kwh,source\n"
NOMINAL_WH = 630  # 0.75 h x 700 W x PUE 1.2


def test_a_line_says_what_was_used_and_how_that_was_reckoned() -> None:
    load_factors(HEAD + "guizhou,2023,0.4042,the ministry\n,2023,0.5306,the ministry\n")
    usage, fee, credit = lines_after(statement_of(settled().buyer), limit=5)

    assert usage.energy_wh == NOMINAL_WH
    assert usage.co2_grams == NOMINAL_WH * 404_200 // 2_000_000  # half of it is renewable
    assert energy_method(usage) == NOMINAL
    assert (factor_source(usage), usage.grid_year) == ("the ministry", 2023)
    assert (fee.energy_wh, credit.energy_wh) == (0, 0)


def test_metered_energy_counts_where_a_meter_counts_it() -> None:
    usage = lines_after(statement_of(settled(energy_mj_total=1_800_000_000).buyer), limit=1)[0]

    assert usage.energy_wh == 600  # 500 Wh x PUE 1.2
    assert energy_method(usage) == METERED


def test_without_a_table_the_national_figure_counts_and_says_so() -> None:
    usage = lines_after(statement_of(settled().buyer), limit=1)[0]

    assert usage.kg_per_kwh_micros == GRID_GRAMS_PER_MWH
    assert "2022" in factor_source(usage)


@pytest.mark.parametrize(
    ("rows", "grams"),
    [
        (",2023,0.5,a\nguizhou,2022,0.4,b\n", 400_000),  # its own region comes first
        ("guizhou,2022,0.4,b\nguizhou,2023,0.3,c\n", 300_000),  # then the latest year
        ("guizhou,2023,0.3,c\nguizhou,2027,0.2,d\n", 300_000),  # but none of a year to come
        ("guizhou,2023,0.3,c\nguizhou,2023,0.25,e\n", 250_000),  # the later row corrects
    ],
)
def test_the_closest_factor_in_force_counts(rows: str, grams: int) -> None:
    load_factors(HEAD + rows)
    settled()

    factor = SettlementRun.objects.get().grid_factor
    assert factor is not None
    assert factor.grams_per_mwh == grams


def test_our_own_table_loads_and_loading_again_adds_nothing() -> None:
    out = StringIO()
    call_command("load_grid_factors", stdout=out)

    assert load_factors(OUR_FACTORS.read_text()) == 0
    assert GridFactor.objects.filter(region_code="guian", grams_per_mwh=404_200).exists()
    assert out.getvalue() == f"{GridFactor.objects.count()} factors were added\n"
    with pytest.raises(DatabaseError), transaction.atomic():
        GridFactor.objects.update(grams_per_mwh=0)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("region,year\n", "row 1"),
        (HEAD + ",2023,0.5,a\n,23,0.5,a\n", "row 3, year"),
        (HEAD + ",2023,0.5.,a\n", "row 2, kg_per_kwh"),
        (HEAD + ",2023,5.1,a\n", "row 2, kg_per_kwh"),
        (HEAD + ",2023,0.5, \n", "row 2, source"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_taken(text: str, place: str) -> None:
    with pytest.raises(FactorsRefused, match=place):
        load_factors(text)
    assert not GridFactor.objects.exists()


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        call_command("load_grid_factors", "nowhere.csv")


def test_the_sums_stand_on_the_statement() -> None:
    statement = statement_of(settled().buyer)
    draft = totals_of(statement)
    finalize_due(play_at(FEBRUARY))

    written = totals_of(statement_of(statement.organization))

    assert written == draft
    assert (written.energy_wh, written.lines_count) == (NOMINAL_WH, 3)


def test_a_run_never_joins_a_month_that_was_finalized_meanwhile() -> None:
    delivery = settled()
    finalize_due(play_at(FEBRUARY))

    class Due:
        buyer_id, provider_id = delivery.buyer.pk, delivery.provider.pk

    with pytest.raises(MonthClosed):
        open_drafts([Due()], now=TEN)  # type: ignore[list-item]  # the parties are all it reads
