"""Batches: whole or not at all, once, and in a chain."""

import uuid

import pytest
from django.db import IntegrityError

from settlement.models import AccountKind, Batch, Hold, LedgerAccount, Transfer
from settlement.models.transfers import TRANSFER_IDS
from settlement.services.holds import HoldRequest, place_hold
from settlement.services.ledger import (
    BatchDiffers,
    BatchTooLarge,
    HoldOfAnother,
    HoldOverdrawn,
    InsufficientFunds,
    Posted,
    RepeatedTransfer,
    ReversedBefore,
    TransferDiffers,
    TwoCurrencies,
    UnknownAccount,
    UnknownHold,
    UnknownPeriod,
    UnknownTransfer,
    clearing_account,
    house_account,
    post_all,
)
from tests.settlement.books import a_transfer, an_organization, money_of, post, put_in

pytestmark = pytest.mark.django_db


def test_it_moves_money_from_the_debit_to_the_credit_account() -> None:
    buyer = an_organization()
    put_in(buyer, 1_000)
    account = money_of(buyer)
    assert (account.credits_posted, account.debits_posted) == (1_000, 0)
    assert account.available_micros == 1_000
    bank = LedgerAccount.objects.get(pk=house_account(AccountKind.EXTERNAL))
    assert bank.debits_posted == 1_000


def test_it_makes_each_account_once() -> None:
    buyer = an_organization()
    assert money_of(buyer).pk == money_of(buyer).pk
    assert clearing_account("auc_1") == clearing_account("auc_1")
    assert clearing_account("auc_1") != clearing_account("auc_2")


def test_it_posts_a_repeated_batch_once() -> None:
    buyer = an_organization()
    account_id = put_in(buyer, 1_000)
    batch = [
        a_transfer(f"pay {n}", account_id, house_account(AccountKind.FEE), 10 + n) for n in range(5)
    ]
    assert post("fees", batch) == Posted(5, 0)
    assert post("fees", batch) == Posted(0, 5)
    assert Batch.objects.filter(key="fees").count() == 1
    assert money_of(buyer).debits_posted == sum(range(10, 15))


def test_it_posts_only_what_is_new_under_another_key() -> None:
    buyer = an_organization()
    account_id, fee = put_in(buyer, 1_000), house_account(AccountKind.FEE)
    batch = [a_transfer(f"pay {n}", account_id, fee, 10) for n in range(4)]
    post("first", batch[:2])
    assert post("second", batch) == Posted(2, 2)
    assert Batch.objects.get(key="second").transfers_count == 2
    assert money_of(buyer).debits_posted == 40


def test_it_refuses_the_same_id_with_other_content_and_the_whole_batch_with_it() -> None:
    buyer = an_organization()
    account_id, fee = put_in(buyer, 1_000), house_account(AccountKind.FEE)
    post("first", [a_transfer("pay", account_id, fee, 10)])
    with pytest.raises(TransferDiffers):
        post(
            "second",
            [a_transfer("pay", account_id, fee, 11), a_transfer("more", account_id, fee, 1)],
        )
    assert money_of(buyer).debits_posted == 10
    assert not Batch.objects.filter(key="second").exists()


def test_it_refuses_new_transfers_under_a_used_batch_key() -> None:
    account_id, fee = put_in(an_organization(), 1_000), house_account(AccountKind.FEE)
    post("fees", [a_transfer("one", account_id, fee, 10)])
    with pytest.raises(BatchDiffers):
        post("fees", [a_transfer("two", account_id, fee, 10)])
    assert Transfer.objects.filter(credit=fee).count() == 1


def test_it_refuses_to_overdraw_a_buyer() -> None:
    buyer = an_organization()
    account_id, fee = put_in(buyer, 100), house_account(AccountKind.FEE)
    with pytest.raises(InsufficientFunds):
        post("fees", [a_transfer(f"{n}", account_id, fee, 60) for n in range(2)])
    assert money_of(buyer).available_micros == 100


def test_frozen_money_cannot_be_spent_past_its_hold() -> None:
    buyer = an_organization()
    account_id, fee = put_in(buyer, 100), house_account(AccountKind.FEE)
    place_hold(HoldRequest("bid_1", buyer.pk, 80))
    with pytest.raises(InsufficientFunds):
        post("fees", [a_transfer("pay", account_id, fee, 30)])


def test_a_capture_moves_frozen_money() -> None:
    buyer = an_organization()
    account_id, fee = put_in(buyer, 100), house_account(AccountKind.FEE)
    place_hold(HoldRequest("bid_1", buyer.pk, 80))
    hold = Hold.objects.get(key="bid_1")
    batch = [a_transfer(f"{n}", account_id, fee, 30, hold_id=hold.pk) for n in range(2)]
    post("captures", batch)
    post("captures", batch)
    hold.refresh_from_db()
    assert (hold.captured_micros, hold.open_micros) == (60, 20)
    account = money_of(buyer)
    assert (account.debits_posted, account.debits_pending) == (60, 20)
    assert account.available_micros == 20


def test_it_refuses_to_capture_more_than_is_open() -> None:
    buyer = an_organization()
    account_id, fee = put_in(buyer, 100), house_account(AccountKind.FEE)
    place_hold(HoldRequest("bid_1", buyer.pk, 80))
    hold = Hold.objects.get(key="bid_1")
    with pytest.raises(HoldOverdrawn):
        post("captures", [a_transfer("pay", account_id, fee, 81, hold_id=hold.pk)])
    assert money_of(buyer).debits_posted == 0


def test_it_refuses_to_capture_the_hold_of_another_account() -> None:
    buyer, other = an_organization(), an_organization("Other")
    put_in(buyer, 100)
    other_id = put_in(other, 100)
    place_hold(HoldRequest("bid_1", buyer.pk, 80))
    hold = Hold.objects.get(key="bid_1")
    with pytest.raises(HoldOfAnother):
        post(
            "captures",
            [a_transfer("pay", other_id, house_account(AccountKind.FEE), 10, hold_id=hold.pk)],
        )


@pytest.mark.parametrize(
    ("more", "refusal"),
    [({"hold_id": 10**9}, UnknownHold), ({"period_id": 10**9}, UnknownPeriod)],
)
def test_it_refuses_a_key_to_nothing(more: dict[str, int], refusal: type[Exception]) -> None:
    account_id = put_in(an_organization(), 100)
    with pytest.raises(refusal, match="1000000000"):
        post("batch", [a_transfer("pay", account_id, house_account(AccountKind.FEE), 1, **more)])
    assert not Transfer.objects.filter(debit=account_id).exists()


def test_it_refuses_an_unknown_account() -> None:
    account_id = put_in(an_organization(), 100)
    with pytest.raises(UnknownAccount, match="1000000000"):
        post("batch", [a_transfer("pay", account_id, 10**9, 1)])


def test_it_refuses_to_turn_one_currency_into_another() -> None:
    account_id = put_in(an_organization(), 100)
    foreign = LedgerAccount.objects.create(kind=AccountKind.FEE, currency="XTS")
    with pytest.raises(TwoCurrencies):
        post("batch", [a_transfer("pay", account_id, foreign.pk, 1)])


def test_it_refuses_a_batch_that_names_a_transfer_twice() -> None:
    account_id, fee = put_in(an_organization(), 100), house_account(AccountKind.FEE)
    with pytest.raises(RepeatedTransfer):
        post("batch", [a_transfer("pay", account_id, fee, 1)] * 2)


def test_it_refuses_a_batch_beyond_the_limit_and_splits_what_may_be_split() -> None:
    account_id, fee = put_in(an_organization(), 100_000), house_account(AccountKind.FEE)
    many = [a_transfer(f"{n}", account_id, fee, 1) for n in range(10_001)]
    with pytest.raises(BatchTooLarge):
        post("many", many)
    assert post_all(many, key="many") == Posted(10_001, 0)
    assert [b.transfers_count for b in Batch.objects.filter(key__startswith="many")] == [10_000, 1]


def test_a_mistake_is_undone_once_by_a_transfer_that_names_it() -> None:
    buyer = an_organization()
    account_id, fee = put_in(buyer, 100), house_account(AccountKind.FEE)
    mistake = a_transfer("mistake", account_id, fee, 7)
    post("mistake", [mistake])
    for number in range(2):
        undo = a_transfer("undo", fee, account_id, 7, reverses_id=mistake.id)
        assert post("undo", [undo]) == Posted(1 - number, number)
    assert money_of(buyer).available_micros == 100
    with pytest.raises(ReversedBefore):
        post("again", [a_transfer("again", fee, account_id, 7, reverses_id=mistake.id)])


def test_it_refuses_to_undo_what_never_was() -> None:
    account_id, fee = put_in(an_organization(), 100), house_account(AccountKind.FEE)
    nothing = a_transfer("nothing", account_id, fee, 1).id
    with pytest.raises(UnknownTransfer, match=str(nothing)):
        post("undo", [a_transfer("undo", account_id, fee, 1, reverses_id=nothing)])


def test_it_refuses_to_move_nothing() -> None:
    account_id, fee = put_in(an_organization(), 100), house_account(AccountKind.FEE)
    with pytest.raises(IntegrityError, match="transfer_moves_something"):
        post("batch", [a_transfer("nothing", account_id, fee, 0)])
    assert Batch.objects.filter(key="batch").count() == 0


def test_its_ids_are_uuid5_of_the_business_key() -> None:
    new = a_transfer("period 7, run 1, charge", 1, 2, 3)
    assert new.id == uuid.uuid5(TRANSFER_IDS, "period 7, run 1, charge")


def test_each_batch_names_the_one_before_it() -> None:
    account_id, fee = put_in(an_organization(), 100), house_account(AccountKind.FEE)
    post("one", [a_transfer("1", account_id, fee, 1)])
    post("two", [a_transfer("2", account_id, fee, 1)])
    one, two = Batch.objects.get(key="one"), Batch.objects.get(key="two")
    assert two.previous_id == one.pk
    assert bytes(one.sha256) != bytes(two.sha256)
