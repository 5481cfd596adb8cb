"""Contracts: opened once on their terms, moved by rule, each move with its row."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import ProgrammingError, transaction

from exchange.foundation.states import IllegalMove, LostRace
from settlement.models import Contract, ContractMove, ContractState, DeliveryPeriod
from settlement.services.contract_moves import advance_contracts
from settlement.services.contracts import ContractDiffers, move_contract, open_contracts
from tests.settlement.agreements import HOUR, START, a_contract, some_periods, some_terms

pytestmark = pytest.mark.django_db


def test_it_opens_contracts_with_their_periods() -> None:
    terms = [some_terms(bid_id=f"bid_{n}", periods=some_periods(3)) for n in range(4)]
    assert open_contracts(terms) == 4
    contract = Contract.objects.get(key=terms[2].key)
    assert contract.state == ContractState.SCHEDULED
    assert (contract.starts_at, contract.ends_at) == (START, START + 3 * HOUR)
    assert contract.run_delays_minutes == [60, 1440, 10080]
    period = contract.periods.order_by("starts_at")[1]
    assert (period.starts_at, period.quantity_lots) == (START + HOUR, 2_000)
    assert (period.buyer_price, period.seller_price) == (Decimal("20.5"), Decimal("19.75"))


def test_it_opens_nothing_from_nothing() -> None:
    assert open_contracts([]) == 0


def test_a_repeat_opens_nothing() -> None:
    terms = [some_terms()]
    open_contracts(terms)
    first = Contract.objects.get().public_id
    assert open_contracts(terms) == 0
    assert Contract.objects.get().public_id == first
    assert DeliveryPeriod.objects.count() == 2


def test_a_bid_may_be_filled_at_two_sites_and_in_two_auctions() -> None:
    first = some_terms()
    others = [replace(first, site_code="other"), replace(first, auction_id="auc_2")]
    assert open_contracts([first, *others]) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"tolerance_ppm": 1},
        {"periods": some_periods(1)},
        {"periods": some_periods(3)},
        {"periods": some_periods(quantity_lots=1)},
    ],
    ids=["a term", "a period less", "a period more", "another quantity"],
)
def test_it_refuses_the_same_contract_on_other_terms(changes: dict[str, object]) -> None:
    terms = some_terms()
    open_contracts([terms])
    other = replace(some_terms(bid_id="bid_2"), auction_id="auc_9")
    with pytest.raises(ContractDiffers):
        open_contracts([other, replace(terms, **changes)])  # type: ignore[arg-type]
    assert Contract.objects.count() == 1
    assert DeliveryPeriod.objects.count() == 2


def test_prices_that_do_not_add_up_are_refused_where_they_are_made() -> None:
    with pytest.raises(AssertionError):
        some_periods(policy_price=Decimal("0.001"))


def test_its_terms_never_change() -> None:
    contract = a_contract()
    with pytest.raises(ProgrammingError, match="annot update"), transaction.atomic():
        Contract.objects.filter(pk=contract.pk).update(tolerance_ppm=0)
    with pytest.raises(ProgrammingError, match="annot update"), transaction.atomic():
        DeliveryPeriod.objects.filter(contract=contract).update(quantity_lots=1)


def test_it_moves_by_the_clock() -> None:
    contract = a_contract()
    assert advance_contracts(START - HOUR) == 0
    assert advance_contracts(START - timedelta(minutes=30)) == 1
    assert advance_contracts(START) == 1
    assert advance_contracts(START + HOUR) == 0
    contract.refresh_from_db()
    assert (contract.state, contract.started_at) == (ContractState.ACTIVE, START)
    assert advance_contracts(START + 2 * HOUR) == 1
    contract.refresh_from_db()
    assert (contract.state, contract.ended_at) == (ContractState.ENDED, START + 2 * HOUR)
    moves = [(move.was, move.state, move.planned_at) for move in contract.moves.all()]
    assert moves == [
        ("scheduled", "provisioning", START),
        ("provisioning", "active", START),
        ("active", "ended", START + 2 * HOUR),
    ]


def test_a_late_knock_makes_all_moves_at_once() -> None:
    contract = a_contract()
    assert advance_contracts(START + 9 * HOUR) == 3
    contract.refresh_from_db()
    assert contract.state == ContractState.ENDED


def test_silence_degrades_a_contract_and_its_time_still_ends_it() -> None:
    contract = a_contract()
    advance_contracts(START)
    contract.refresh_from_db()
    move_contract(contract, ContractState.DEGRADED, reason="no heartbeat for five minutes")
    advance_contracts(START + 2 * HOUR)
    contract.refresh_from_db()
    assert contract.state == ContractState.ENDED
    assert ContractMove.objects.filter(reason="no heartbeat for five minutes").count() == 1


def test_it_refuses_moves_that_the_table_does_not_have() -> None:
    contract = a_contract()
    with pytest.raises(IllegalMove):
        move_contract(contract, ContractState.ACTIVE, reason="wished for")
    assert not contract.moves.exists()


def test_whoever_moves_a_contract_second_has_lost() -> None:
    contract = a_contract()
    advance_contracts(START)
    with pytest.raises(LostRace):
        move_contract(contract, ContractState.PROVISIONING, reason="too late")
