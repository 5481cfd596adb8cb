"""The audit finds nothing in books that were kept, and names each rule that was broken."""

from io import StringIO

import pytest
from django.core.management import call_command

from settlement.models import AccountKind, Hold
from settlement.queries.audit import CONTENTS, audit_books
from settlement.queries.invariants import Invariant, all_invariants, register
from settlement.services.holds import HoldRequest, place_hold, resize_holds
from settlement.services.ledger import clearing_account, house_account
from tests.settlement.books import a_transfer, an_organization, money_of, post, put_in
from tests.settlement.faults import FAULTS
from tests.settlement.tampering import tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def books() -> None:
    """Money in, two buyers' holds, one shrunk and captured through a clearing account."""
    buyer, other = an_organization(), an_organization("Other")
    seller = an_organization("Seller")
    account_id = put_in(buyer, 1_000)
    put_in(other, 1_000)
    place_hold(HoldRequest("bid", buyer.pk, 500))
    place_hold(HoldRequest("other", other.pk, 500))
    resize_holds({"bid": 400}, "published")
    clearing, fee = clearing_account("auc"), house_account(AccountKind.FEE)
    hold_id = Hold.objects.get(key="bid").pk
    owed = money_of(seller, AccountKind.PAYABLE).pk
    post(
        "run 1",
        [
            a_transfer("charge", account_id, clearing, 300, hold_id=hold_id),
            a_transfer("earning", clearing, owed, 290),
            a_transfer("fee", clearing, fee, 10),
        ],
    )


def broken() -> dict[str, list[tuple[object, ...]]]:
    findings = audit_books(contents=True)
    return {each.invariant.says: each.first for each in findings if not each.holds}


def test_it_finds_nothing_in_books_that_were_kept(books: None) -> None:
    assert broken() == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_names_every_rule_that_a_fault_breaks(books: None, fault: str) -> None:
    statement, numbers = FAULTS[fault]
    tamper(statement)
    found = {each.invariant.number for each in audit_books(contents=True) if not each.holds}
    assert found & set(range(9)) == numbers


def test_every_rule_of_the_ledger_has_a_fault_that_breaks_it() -> None:
    planted = set().union(*(numbers for _, numbers in FAULTS.values()))
    assert planted == set(range(9))


def test_the_command_prints_each_rule_and_ends_well(books: None) -> None:
    out = StringIO()
    call_command("settlement_audit", "--contents", stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == len(all_invariants()) + 1
    assert all(" holds (" in line for line in lines)


def test_the_command_ends_with_1_when_a_rule_is_broken(books: None) -> None:
    tamper(FAULTS["a lost hold"][0])
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("settlement_audit", stdout=out, stderr=err)
    assert end.value.code == 1
    assert "pending = open parts of holds" in out.getvalue()
    assert "BROKEN by 1" in out.getvalue()


def test_another_package_may_add_rules_and_adds_each_once() -> None:
    before = all_invariants()
    register([before[0]])
    assert all_invariants() == before
    assert isinstance(CONTENTS, Invariant)
