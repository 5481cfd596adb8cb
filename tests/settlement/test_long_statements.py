"""A statement of many lines: as many queries as one of a few, and never all lines in one answer."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from settlement.models import Contract, Statement
from settlement.queries.allocation import allocate
from settlement.queries.statement_lines import AT_ONCE, all_lines
from settlement.queries.statements import totals_of
from settlement.services.statements import finalize_due
from tests.factories import api, portal
from tests.settlement.deliveries import Delivery, broken, play_at
from tests.settlement.paper import settled, statement_of
from tests.settlement.test_credit_notes import FEBRUARY

pytestmark = pytest.mark.django_db
HOURS = 1_500  # two lines each: more than one fetch
# Runs as settling writes them, of hours long before the one that was played.
MANY = """
WITH period AS (
    INSERT INTO settlement_deliveryperiod (contract_id, starts_at, ends_at, quantity_lots,
        price_ticks, buyer_price, seller_price, state, next_run_no)
    SELECT %s, at, at + interval '1 hour', 1000, 10000, 10, 10, 'provisional', 2
    FROM generate_series(1, %s) AS n,
         LATERAL (SELECT timestamptz '2025-01-01 00:00Z' + n * interval '1 hour' AS at) AS start
    RETURNING id)
INSERT INTO settlement_settlementrun (period_id, run_no, ran_at, contracted_ms, provider_ms,
    delivered_ms, buyer_due_micros, seller_due_micros, congestion_micros, power_micros,
    policy_micros, rounding_micros, buyer_fee_micros, seller_fee_micros, penalty_micros,
    energy_wh, co2_grams, inputs_sha256)
SELECT id, 1, timestamptz '2026-01-06 00:00Z', 3600000, 3600000, 3600000, due, due, 0, 0, 0, 0,
       due / 100, due / 50, 0, 840, 222, '\\x00'
FROM period, LATERAL (SELECT 1000 + (id * 7919) %% 99991 AS due) AS owed
"""


def queries_of(ask: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len(captured)


def a_long_month(delivery: Delivery, *, hours: int = HOURS) -> Statement:
    with connection.cursor() as cursor:
        cursor.execute(MANY, [Contract.objects.get().pk, hours])
    return statement_of(delivery.buyer)


def test_minor_units_are_allocated_in_the_database_as_the_rule_says() -> None:
    statement = a_long_month(settled())

    lines = list(all_lines(statement))

    assert len(lines) == 2 * HOURS + 3 > AT_ONCE
    assert [line.line_no for line in lines] == list(range(1, len(lines) + 1))
    exact = [line.exact_micros for line in lines]
    assert [line.billed_minor for line in lines] == allocate(exact, unit=10_000)


def test_many_lines_are_finalized_with_as_many_queries_as_few() -> None:
    settled()
    few = queries_of(lambda: finalize_due(play_at(FEBRUARY)))
    other = settled(bid="bid_2")
    with connection.cursor() as cursor:
        cursor.execute(MANY, [other.contract.pk, HOURS])

    many = queries_of(lambda: finalize_due(play_at(FEBRUARY)))

    assert many <= few
    assert totals_of(statement_of(other.buyer)).lines_count == 2 * HOURS + 3
    assert not {"13", "14", "15"} & {rule.split()[0] for rule in broken()}


def test_pages_and_answers_stay_short() -> None:
    delivery = settled()
    statement = a_long_month(delivery)
    client = api(delivery.buyer)

    page = portal(delivery.buyer).get(f"/statements/{statement.public_id}/").content.decode()
    answer = client.get(f"/api/v1/statements/{statement.public_id}/lines?limit=2").json()
    following = client.get(answer["next"]).json()
    last = client.get(f"/api/v1/statements/{statement.public_id}/lines?after={2 * HOURS + 1}")

    assert page.count('id="line-') == 50
    assert 'href="?line=51"' in page
    assert [line["line_no"] for line in following["data"]] == [3, 4]
    assert [line["line_no"] for line in last.json()["data"]] == [2 * HOURS + 2, 2 * HOURS + 3]
    assert last.json()["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "after=-1", "after=x"])
def test_a_page_that_cannot_be_is_refused(query: str) -> None:
    statement = statement_of((delivery := settled()).buyer)
    address = f"/api/v1/statements/{statement.public_id}/lines?{query}"

    assert api(delivery.buyer).get(address).status_code == 400
