"""The admin: everything to see, nothing to edit, a deposit with a reason."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditRow, User
from settlement.models import (
    AccountKind,
    Batch,
    Contract,
    DeliveryPeriod,
    Deposit,
    Hold,
    LedgerAccount,
    Payout,
    Reading,
    SettlementRun,
    Statement,
    Transfer,
)
from settlement.services.contract_moves import advance_contracts
from settlement.services.holds import HoldRequest, place_hold, resize_holds
from settlement.services.payouts import BankAccount, ask_payout
from tests.factories import OrganizationFactory, UserFactory, member
from tests.settlement.agreements import START, a_contract
from tests.settlement.books import money_of, put_in
from tests.settlement.test_ledger_api import charge

pytestmark = pytest.mark.django_db

SEEN = [
    Batch,
    Contract,
    DeliveryPeriod,
    Deposit,
    Hold,
    LedgerAccount,
    Payout,
    Reading,
    SettlementRun,
    Statement,
    Transfer,
]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in(**rights: Any) -> Client:
    client = Client()
    client.force_login(UserFactory.create(is_staff=True, **rights), backend=BACKEND)
    return client


@pytest.fixture
def staff() -> Client:
    return signed_in(is_superuser=True)


@pytest.fixture
def contract() -> Contract:
    """A contract under way, its hold shrunk and a first hour charged."""
    buyer = OrganizationFactory.create(name="Lab")
    put_in(buyer, 100_000_000)
    contract = a_contract(buyer)
    place_hold(HoldRequest("bid_1", buyer.pk, 90_000_000))
    resize_holds({"bid_1": 82_000_000}, "published")
    charge(contract, 41_000_000)
    advance_contracts(START)
    contract.refresh_from_db()
    return contract


def page(client: Client, name: str, *arguments: object, **query: str) -> str:
    answer = client.get(reverse(f"admin:settlement_{name}", args=arguments), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("model", SEEN)
def test_each_kind_of_row_has_a_searchable_list(
    staff: Client, contract: Contract, model: Any
) -> None:
    shown = page(staff, f"{model._meta.model_name}_changelist", q="nothing-like-it")
    assert "0 results" in shown
    assert f"{model._meta.model_name}/add" not in shown


@pytest.mark.parametrize("model", [Batch, Contract, DeliveryPeriod, Hold, LedgerAccount, Transfer])
def test_each_row_has_a_page_without_a_way_to_change_it(
    staff: Client, contract: Contract, model: Any
) -> None:
    row = model._default_manager.first()
    shown = page(staff, f"{model._meta.model_name}_change", row.pk)
    assert "Save" not in shown
    assert "Delete" not in shown
    posted = staff.post(reverse(f"admin:settlement_{model._meta.model_name}_change", args=[row.pk]))
    assert posted.status_code == 403


@pytest.mark.parametrize("model", SEEN)
def test_nothing_can_be_added_changed_or_deleted(model: Any) -> None:
    request = Client().get("/").wsgi_request
    request.user = User(is_superuser=True, is_staff=True)
    registered = admin.site._registry[model]
    assert not registered.has_add_permission(request)
    assert not registered.has_change_permission(request)
    assert not registered.has_delete_permission(request)


def test_a_contracts_page_tells_its_story(staff: Client, contract: Contract) -> None:
    shown = page(staff, "contract_change", contract.pk)
    for word in ("auc_1", "bid_1", "20.000", "its time began", "gui-an-1"):
        assert word in shown
    assert f"period__id__exact={contract.periods.order_by('starts_at')[0].pk}" in shown
    listed = page(staff, "transfer_changelist", q=contract.public_id)
    assert "41.000000" in listed


def test_a_transfers_page_leads_back_to_the_contract_and_the_hold(
    staff: Client, contract: Contract
) -> None:
    transfer = Transfer.objects.get(amount_micros=41_000_000)
    shown = page(staff, "transfer_change", transfer.pk)
    assert reverse("admin:settlement_contract_change", args=[contract.pk]) in shown
    hold = Hold.objects.get(key="bid_1")
    assert reverse("admin:settlement_hold_change", args=[hold.pk]) in shown


def test_a_longer_list_asks_no_more_queries(staff: Client, contract: Contract) -> None:
    with CaptureQueriesContext(connection) as short:
        page(staff, "transfer_changelist")
    for number in range(5):
        charge(contract, 1_000 + number)
    with CaptureQueriesContext(connection) as longer:
        page(staff, "transfer_changelist")
    assert len(longer) <= len(short)


def test_chosen_rows_are_downloaded_as_csv(staff: Client, contract: Contract) -> None:
    chosen = {"action": "export_csv", "_selected_action": [str(contract.pk)]}
    answer = staff.post(reverse("admin:settlement_contract_changelist"), chosen)
    lines = b"".join(answer).decode().splitlines()
    assert len(lines) == 2
    assert contract.public_id in lines[1]


def deposit(client: Client, **changes: str) -> Any:
    buyer = OrganizationFactory.create(name="Lab")
    asked = {
        "organization": str(buyer.pk),
        "amount": "12.5",
        "reference": "wire 17",
        "reason": "paid in advance",
    } | changes
    return client.post(reverse("admin:settlement_deposit_enter"), asked)


def test_an_operator_enters_a_deposit(staff: Client) -> None:
    assert page(staff, "deposit_enter").count("<input") > 2
    assert reverse("admin:settlement_deposit_enter") in page(staff, "deposit_changelist")
    answer = deposit(staff)
    assert answer.status_code == 302
    entered = Deposit.objects.get()
    assert answer["Location"] == reverse("admin:settlement_deposit_changelist")
    assert entered.amount_micros == 12_500_000
    assert AuditRow.objects.about(entered).get().reason == "paid in advance"
    assert not Transfer.objects.exists()


def test_another_approves_it_and_who_entered_it_cannot(staff: Client) -> None:
    deposit(staff)
    entered = Deposit.objects.get()
    assert "another person" in act(staff, entered, "approve")
    assert not Transfer.objects.exists()
    assert "Done: 1" in act(signed_in(is_superuser=True), entered, "approve")
    assert Transfer.objects.get().amount_micros == 12_500_000


def act(client: Client, row: Any, action: str) -> str:
    """Use an action on one row, with a reason; return the page that it leads to."""
    chosen = {"action": action, "_selected_action": [str(row.pk)], "reason": "wire 17"}
    name = f"admin:settlement_{row._meta.model_name}_changelist"
    return str(client.post(reverse(name), chosen, follow=True).content.decode())


def test_a_payout_goes_through_the_hands_of_operators(staff: Client) -> None:
    owner = OrganizationFactory.create()
    put_in(owner, 100_000_000)
    to = BankAccount(holder="Lab", bank="A bank", account="6222 0000 1234")
    payout = ask_payout(
        amount_micros=40_000_000, source=AccountKind.AVAILABLE, to=to, caller=member(owner)
    )
    assert "1234" in page(staff, "payout_change", payout.pk)
    for action in ("submit", "confirm", "return_it"):
        assert "Done: 1" in act(staff, payout, action)
    payout.refresh_from_db()
    assert payout.state == "returned"
    assert "returned -&gt; failed" in act(staff, payout, "fail")
    assert money_of(owner).available_micros == 100_000_000


def test_a_reference_is_for_one_deposit(staff: Client) -> None:
    deposit(staff)
    answer = deposit(staff, amount="13")
    assert "entered with other content" in answer.content.decode()
    assert Deposit.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "0.0000001"},
        {"amount": "1e30"},
        {"organization": "0"},
        {"reference": ""},
    ],
)
def test_a_deposit_that_is_not_filled_in_is_asked_for_again(
    staff: Client, changes: dict[str, str]
) -> None:
    assert deposit(staff, **changes).status_code == 200
    assert not Deposit.objects.exists()


def test_staff_without_the_right_cannot_enter_one() -> None:
    assert deposit(signed_in()).status_code == 403
    assert not Deposit.objects.exists()


def test_a_house_account_has_no_owner_and_a_page(staff: Client, contract: Contract) -> None:
    bank = LedgerAccount.objects.get(kind=AccountKind.EXTERNAL)
    assert "100.000000" in page(staff, "ledgeraccount_change", bank.pk)
    assert money_of(contract.buyer).debits_pending == 41_000_000
