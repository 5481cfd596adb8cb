"""Credit lines: set by the operator, spent by bids, never paid out."""

import pytest

from accounts.models import AuditRow, Caller, Organization
from accounts.services.organizations import ReasonMissing
from settlement.models import AccountKind, CreditLine, LedgerAccount
from settlement.services.credit_lines import CreditInUse, CreditOutOfRange, set_credit_line
from settlement.services.deposits import NotAnOperator
from settlement.services.holds import HoldRequest, InsufficientFunds, place_hold, place_holds
from settlement.services.payouts import BankAccount, ask_payout
from tests.factories import OrganizationFactory, member, operator
from tests.settlement.books import money_of, put_in
from tests.settlement.deliveries import broken

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer() -> Organization:
    organization = OrganizationFactory.create()
    put_in(organization, 100)
    return organization


@pytest.fixture
def actor() -> Caller:
    return member(operator())


def test_credit_lets_a_buyer_bid_beyond_its_money_and_not_beyond_the_credit(
    buyer: Organization, actor: Caller
) -> None:
    line = set_credit_line(buyer.pk, amount_micros=50, reason="a good payer", actor=actor)
    place_hold(HoldRequest("bid_1", buyer.pk, 120))
    assert place_holds([HoldRequest(f"bid_{n}", buyer.pk, 20) for n in (2, 3)]) == [True, False]
    assert money_of(buyer).available_micros == 10
    assert AuditRow.objects.about(line).get().reason == "a good payer"
    assert broken() == []


def test_a_line_in_use_cannot_be_taken_away_and_an_unused_one_can(
    buyer: Organization, actor: Caller
) -> None:
    set_credit_line(buyer.pk, amount_micros=50, reason="trust", actor=actor)
    place_hold(HoldRequest("bid_1", buyer.pk, 120))
    with pytest.raises(CreditInUse):
        set_credit_line(buyer.pk, amount_micros=19, reason="less trust", actor=actor)
    set_credit_line(buyer.pk, amount_micros=20, reason="less trust", actor=actor)
    with pytest.raises(InsufficientFunds):
        place_hold(HoldRequest("bid_2", buyer.pk, 1))
    assert CreditLine.objects.count() == 2
    assert broken() == []


def test_credit_is_never_paid_out(buyer: Organization, actor: Caller) -> None:
    put_in(buyer, 9_900, key="more")
    set_credit_line(buyer.pk, amount_micros=10**9, reason="trust", actor=actor)
    to = BankAccount(holder="a", bank="b", account="c")
    with pytest.raises(InsufficientFunds):
        ask_payout(amount_micros=20_000, source=AccountKind.AVAILABLE, to=to, caller=member(buyer))


def test_only_an_operator_sets_one_with_a_reason_within_the_limit(
    buyer: Organization, actor: Caller
) -> None:
    with pytest.raises(NotAnOperator):
        set_credit_line(buyer.pk, amount_micros=5, reason="please", actor=member(buyer))
    with pytest.raises(ReasonMissing):
        set_credit_line(buyer.pk, amount_micros=5, reason=" ", actor=actor)
    with pytest.raises(CreditOutOfRange):
        set_credit_line(buyer.pk, amount_micros=-1, reason="so", actor=actor)
    assert not CreditLine.objects.exists()


def test_the_audit_finds_credit_that_nobody_gave(buyer: Organization) -> None:
    LedgerAccount.objects.filter(owner=buyer).update(credit_micros=7)
    assert any("latest credit line" in each for each in broken())
