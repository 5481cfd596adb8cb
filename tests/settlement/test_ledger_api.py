"""Balances, transfers and contracts over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization, Scope
from settlement.models import AccountKind, Contract, Hold, TransferCode
from settlement.services.contract_moves import advance_contracts
from settlement.services.holds import HoldRequest, place_hold
from settlement.services.ledger import NewTransfer, clearing_account, post_batch
from tests.factories import OrganizationFactory, api, auditor, operator
from tests.settlement.agreements import START, a_contract
from tests.settlement.books import MOMENT, money_of, put_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer() -> Organization:
    organization = OrganizationFactory.create()
    put_in(organization, 100_000_000)
    return organization


def get(client: APIClient, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1/{path}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def charge(contract: Contract, amount: int) -> None:
    """Capture some of the contract's hold for its first period."""
    post_batch(
        [
            NewTransfer(
                key=f"{contract.public_id} {amount}",
                debit_id=money_of(contract.buyer).pk,
                credit_id=clearing_account(contract.auction_id),
                amount_micros=amount,
                code=TransferCode.CHARGE,
                event_at=MOMENT,
                hold_id=Hold.objects.get(key=contract.hold_key).pk,
                period_id=contract.periods.order_by("starts_at")[0].pk,
                run_no=1,
            )
        ],
        key=f"charge {contract.public_id} {amount}",
    )


def test_balances_say_what_there_is_and_what_is_held(buyer: Organization) -> None:
    place_hold(HoldRequest("bid_1", buyer.pk, 30_500_000))
    answer = get(api(buyer), "balances")
    assert answer["accounts"] == [
        {
            "kind": "available",
            "currency": "CNY",
            "balance": "100.000000",
            "held": "30.500000",
            "available": "69.500000",
            "credit": "0.000000",
        }
    ]
    assert [each["kind"] for each in answer["recent_transfers"]] == ["deposit"]
    assert answer["recent_transfers"][0]["direction"] == "in"


def test_nobody_sees_the_balances_of_another(buyer: Organization) -> None:
    assert get(api(), "balances") == {"accounts": [], "recent_transfers": []}


def test_the_operator_sees_the_accounts_of_the_house(buyer: Organization) -> None:
    kinds = [each["kind"] for each in get(api(operator()), "balances")["accounts"]]
    assert kinds == [AccountKind.EXTERNAL]


def test_transfers_tell_what_they_paid_for(buyer: Organization) -> None:
    contract = a_contract(buyer)
    place_hold(HoldRequest("bid_1", buyer.pk, 30_000_000))
    charge(contract, 5_000_000)
    row = get(api(buyer), "transfers", kind="charge")["data"][0]
    assert row | {"id": ""} == {
        "id": "",
        "kind": "charge",
        "amount": "5.000000",
        "currency": "CNY",
        "debit": "available",
        "credit": "clearing",
        "direction": "out",
        "event_at": "2026-01-05T12:00:00Z",
        "contract": contract.public_id,
        "period_starts_at": "2026-01-05T16:00:00Z",
        "hour": "20260105T160000Z",
        "run_no": 1,
        "hold": "bid_1",
        "reverses": None,
    }


def test_transfers_come_in_pages_without_gaps(buyer: Organization) -> None:
    for number in range(5):
        put_in(buyer, 10 + number, key=f"more {number}")
    client, seen = api(buyer), []
    page = get(client, "transfers", limit=2)
    while True:
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        page = client.get(page["next"]).json()
    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"kind": "deposit"}, 1),
        ({"kind": ["deposit", "charge"]}, 2),
        ({"hold": "bid_1"}, 1),
        ({"hold": "bid_2"}, 0),
        ({"auction": "auc_1"}, 1),
        ({"from_time": "2026-01-05T12:00:00Z"}, 2),
        ({"before": "2026-01-05T12:00:00Z"}, 0),
    ],
)
def test_transfers_are_cut_by_filters(
    buyer: Organization, query: dict[str, Any], count: int
) -> None:
    contract = a_contract(buyer)
    place_hold(HoldRequest("bid_1", buyer.pk, 30_000_000))
    charge(contract, 5_000_000)
    assert len(get(api(buyer), "transfers", **query)["data"]) == count


def test_a_stranger_sees_no_transfers_and_an_auditor_all(buyer: Organization) -> None:
    assert get(api(), "transfers")["data"] == []
    assert len(get(api(auditor()), "transfers")["data"]) == 1


def test_an_unknown_kind_of_transfer_is_refused(buyer: Organization) -> None:
    answer = api(buyer).get("/api/v1/transfers?kind=theft")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/kind"


def test_both_parties_see_a_contract_with_its_periods(buyer: Organization) -> None:
    contract = a_contract(buyer)
    for organization in (contract.buyer, contract.provider):
        shown = get(api(organization), f"contracts/{contract.public_id}")
        assert (shown["buyer"]["id"], shown["state"]) == (buyer.public_id, "scheduled")
        assert (shown["watts"], shown["pue"]) == ("400.000000", "1.200000")
        assert [period["quantity"] for period in shown["periods"]] == ["2.000", "2.000"]
        assert shown["periods"][0] == {
            "hour": "20260105T160000Z",
            "starts_at": "2026-01-05T16:00:00Z",
            "ends_at": "2026-01-05T17:00:00Z",
            "quantity": "2.000",
            "price": "20.000",
            "buyer_price": "20.5",
            "seller_price": "19.75",
            "state": "open",
            "run": None,
        }


def test_a_stranger_finds_no_contract(buyer: Organization) -> None:
    contract = a_contract(buyer)
    assert get(api(), "contracts")["data"] == []
    assert api().get(f"/api/v1/contracts/{contract.public_id}").status_code == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"state": "active"}, 1),
        ({"state": ["active", "scheduled"]}, 2),
        ({"bid": "bid_1"}, 1),
        ({"auction": "auc_1"}, 2),
        ({"accelerator": "h100"}, 0),
        ({"starts_before": "2026-01-05T16:00:00Z"}, 0),
        ({"ends_after": "2026-01-05T17:59:59Z"}, 2),
    ],
)
def test_contracts_are_cut_by_filters(
    buyer: Organization, query: dict[str, Any], count: int
) -> None:
    a_contract(buyer)
    advance_contracts(START + timedelta(minutes=1))
    a_contract(buyer, bid_id="bid_2")
    assert len(get(api(buyer), "contracts", **query)["data"]) == count


@pytest.mark.parametrize("path", ["balances", "transfers", "contracts", "contracts/ctr_x"])
def test_a_key_without_the_scope_is_refused(path: str) -> None:
    answer = api(scopes=[Scope.BIDS_READ]).get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize("path", ["balances", "transfers", "contracts", "contracts/ctr_x"])
def test_they_are_for_reading_only(path: str) -> None:
    assert api().post(f"/api/v1/{path}", {}).status_code == 405
