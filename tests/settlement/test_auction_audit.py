"""What an auction's contracts moved is what their runs say: invariant 21."""

import pytest

from settlement.models import SettlementRun
from settlement.queries.audit import audit_books
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.settlement.deliveries import HOUR, TEN, a_delivery, an_event, play_at
from tests.settlement.tampering import tamper

pytestmark = pytest.mark.django_db

FAULTS = {
    "a rent passed off as rounding": """
        UPDATE settlement_settlementrun SET congestion_micros = congestion_micros + 1,
               rounding_micros = rounding_micros - 1""",
    "a fee that was never posted": """
        UPDATE settlement_settlementrun SET buyer_fee_micros = buyer_fee_micros + 1""",
    "money of one auction in another's account": """
        UPDATE settlement_ledgeraccount SET reference = 'auc_other' WHERE kind = 'clearing'""",
    "a share moved past the auction": """
        UPDATE settlement_transfer SET debit_id = (
            SELECT id FROM settlement_ledgeraccount WHERE kind = 'external') WHERE code = 30""",
    "an earning moved past the auction": """
        UPDATE settlement_transfer SET debit_id = (
            SELECT id FROM settlement_ledgeraccount WHERE kind = 'external') WHERE code = 20""",
}


@pytest.fixture
def settled() -> None:
    """One contract's first hour, delivered in full and settled once."""
    delivery = a_delivery()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    assert settle_due(now) == SettlementRun.objects.count() == 1


def broken() -> set[int]:
    return {each.invariant.number for each in audit_books() if not each.holds}


def test_an_auctions_money_adds_up_after_its_run(settled: None) -> None:
    assert broken() == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_money_that_strays_from_its_auction_is_found(settled: None, fault: str) -> None:
    tamper(FAULTS[fault])
    assert 21 in broken()
