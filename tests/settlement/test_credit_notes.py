"""What was finalized is corrected by a credit note alone, and the taxes follow the parties."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.services.organizations import ReasonMissing
from settlement.models import CreditNote, Statement, StatementTax, TaxRate
from settlement.queries.allocation import tax_in
from settlement.queries.statement_lines import lines_after
from settlement.queries.statements import totals_of
from settlement.services.credit_notes import (
    AlreadyCredited,
    StatementNotFinal,
    credit_statement,
)
from settlement.services.deposits import NotAnOperator
from settlement.services.statements import finalize_due
from tests.factories import api, caller, operator
from tests.settlement.deliveries import Delivery, broken, play_at
from tests.settlement.paper import settled, statement_of

pytestmark = pytest.mark.django_db
FEBRUARY = datetime(2026, 2, 2, tzinfo=UTC)
SIX_PERCENT = 60_000


def finalized(delivery: Delivery) -> Statement:
    finalize_due(play_at(FEBRUARY))
    return statement_of(delivery.buyer)


def a_rate(**changes: object) -> TaxRate:
    facts: dict[str, object] = {
        "name": "VAT",
        "supplier_country": "CN",
        "customer_country": "CN",
        "rate_ppm": SIX_PERCENT,
        "source": "a law, its article",
        "valid_from": date(2026, 1, 1),
    }
    return TaxRate.objects.create(**(facts | changes))


def test_the_tax_is_taken_out_of_the_amount() -> None:
    assert tax_in(10_600, rate_ppm=SIX_PERCENT) == 600
    assert tax_in(-10_600, rate_ppm=SIX_PERCENT) == -600
    assert tax_in(632, rate_ppm=0) == 0


def test_a_credit_note_takes_all_back_and_a_replacement_follows() -> None:
    statement = finalized(settled())
    lines = lines_after(statement, limit=10)

    note = credit_statement(statement, "the name was wrong", caller(operator()))

    again = Statement.objects.get(replaces=statement)
    assert (note.name, note.total_minor) == ("CB2026-1", -632)
    assert (again.name, again.revision, again.state) == ("B2026-2", 1, "finalized")
    assert lines_after(again, limit=10) == lines
    assert totals_of(again).exact_micros == 6_325_000
    assert broken() == []


def test_the_replacement_names_the_parties_and_taxes_of_today() -> None:
    delivery = settled()
    statement = finalized(delivery)
    delivery.buyer.legal_name, delivery.buyer.tax_country = "Buyer Limited", "SG"
    delivery.buyer.save()
    a_rate(customer_country="SG", rate_ppm=0, note="reverse charge", supplier_country="")

    credit_statement(statement, "moved to Singapore", caller(operator()))

    again = Statement.objects.get(replaces=statement)
    assert (again.party_name, again.party_country) == ("Buyer Limited", "SG")
    assert {tax.rate.note for tax in totals_of(again).taxes if tax.rate} == {"reverse charge"}
    assert totals_of(statement).taxes[0].rate is None
    assert statement_of(delivery.provider).revision == 0


def test_credit_notes_are_numbered_without_gaps_and_never_given_twice() -> None:
    first, second = settled(), settled(bid="bid_2")
    finalized(first)
    actor = caller(operator())
    taken_back = [statement_of(delivery.buyer) for delivery in (first, second)]
    for statement in taken_back:
        credit_statement(statement, "a mistake", actor)

    with pytest.raises(AlreadyCredited):
        credit_statement(taken_back[0], "again", actor)
    with pytest.raises(DatabaseError), transaction.atomic():
        CreditNote.objects.update(total_minor=0)

    assert sorted(note.name for note in CreditNote.objects.all()) == ["CB2026-1", "CB2026-2"]
    assert broken() == []


def test_only_an_operator_takes_a_finalized_statement_back_and_says_why() -> None:
    delivery = settled()
    draft = statement_of(delivery.buyer)

    with pytest.raises(StatementNotFinal):
        credit_statement(draft, "too early", caller(operator()))
    with pytest.raises(NotAnOperator):
        credit_statement(draft, "mine", caller(delivery.buyer))
    with pytest.raises(ReasonMissing):
        credit_statement(draft, " ", caller(operator()))


def test_the_closest_rate_in_force_counts() -> None:
    delivery = settled()
    for party in (delivery.buyer, delivery.provider):
        party.tax_country = "CN"
        party.save()
    a_rate(name="any", supplier_country="", customer_country="", rate_ppm=10_000)
    a_rate(name="old", valid_from=date(2025, 1, 1), rate_ppm=90_000)
    a_rate(name="now")
    a_rate(name="later", valid_from=date(2026, 2, 1), rate_ppm=130_000)
    a_rate(name="fees", supply="fee", rate_ppm=20_000)

    totals = totals_of(finalized(delivery))

    assert [tax.rate.name for tax in totals.taxes if tax.rate] == ["now", "fees"]
    assert [tax.gross_minor for tax in totals.taxes] == [625, 7]
    assert [tax.tax_minor for tax in totals.taxes] == [35, 0]
    assert totals.net_minor + totals.tax_minor == totals.total_minor == 632
    with pytest.raises(DatabaseError), transaction.atomic():
        StatementTax.objects.update(tax_minor=0, net_minor=632)


def test_the_api_prints_taxes_and_what_took_a_statement_back() -> None:
    delivery = settled()
    statement = finalized(delivery)
    credit_statement(statement, "the name was wrong", caller(operator()))
    client = api(delivery.buyer)

    shown = client.get(f"/api/v1/statements/{statement.public_id}").json()
    listed = client.get("/api/v1/statements").json()["data"]

    assert shown["credit_note"]["number"] == "CB2026-1"
    assert shown["credit_note"]["reason"] == "the name was wrong"
    assert (shown["net"], shown["tax"], shown["total"]) == ("6.32", "0.00", "6.32")
    assert {tax["supply"] for tax in shown["taxes"]} == {"capacity", "fee"}
    assert {row["replaces"] for row in listed} == {None, statement.public_id}


def test_a_replacement_can_be_taken_back_in_turn() -> None:
    delivery = settled()
    statement = finalized(delivery)
    actor = caller(operator())
    credit_statement(statement, "one", actor)

    credit_statement(Statement.objects.get(replaces=statement), "two", actor)

    numbers = Statement.objects.filter(series="B2026").values_list("number", "revision")
    assert sorted(numbers) == [(1, 0), (2, 1), (3, 2)]
    assert finalize_due(play_at(FEBRUARY + timedelta(days=1))) == 0
    assert broken() == []
