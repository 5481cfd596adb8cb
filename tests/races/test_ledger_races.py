"""Several connections at once: money is spent once, batches are posted once, nobody deadlocks."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection

from accounts.models import Organization
from exchange.foundation.states import IllegalMove, LostRace
from settlement.models import AccountKind, Batch, Deposit, Hold, Payout
from settlement.queries.audit import audit_books
from settlement.services.deposit_approvals import approve_deposit, enter_deposit
from settlement.services.deposits import deposit
from settlement.services.holds import (
    HoldRequest,
    InsufficientFunds,
    place_hold,
    place_holds,
    release_holds,
    resize_holds,
)
from settlement.services.ledger import Posted, house_account, post_batch
from settlement.services.payouts import (
    BankAccount,
    ask_payout,
    cancel_payout,
    submit_payout,
)
from tests.factories import OrganizationFactory, caller, member, operator
from tests.settlement.books import a_transfer, money_of, put_in

pytestmark = pytest.mark.django_db(transaction=True)
Answer = TypeVar("Answer")


def at_once(steps: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Do all ``steps`` at the same time, each on a connection of its own."""
    ready = Barrier(len(steps))

    def do(step: Callable[[], Answer]) -> Answer:
        try:
            connection.ensure_connection()
            ready.wait(timeout=30)
            return step()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(do, steps))


def broken() -> list[str]:
    return [str(each.invariant) for each in audit_books(contents=True) if not each.holds]


def is_covered(request: HoldRequest) -> bool:
    try:
        place_hold(request)
    except InsufficientFunds:
        return False
    return True


def test_two_bids_race_for_the_same_last_money_and_one_gets_it() -> None:
    buyer = OrganizationFactory.create()
    put_in(buyer, 100)
    requests = [HoldRequest(f"bid_{n}", buyer.pk, 60) for n in range(8)]

    covered = at_once([lambda each=each: is_covered(each) for each in requests])  # type: ignore[misc]

    assert covered.count(True) == 1
    assert money_of(buyer).available_micros == 40
    assert broken() == []


def test_bulk_bids_race_with_single_ones_and_never_overdraw() -> None:
    buyer = OrganizationFactory.create()
    put_in(buyer, 100)

    def bulk(n: int) -> int:
        return sum(place_holds([HoldRequest(f"bulk_{n}_{k}", buyer.pk, 7) for k in range(10)]))

    def single(n: int) -> int:
        return is_covered(HoldRequest(f"single_{n}", buyer.pk, 7))

    placed = at_once([lambda: bulk(0), lambda: single(0), lambda: bulk(1), lambda: single(1)])

    assert sum(placed) == 14  # as many sevens as a hundred has
    assert money_of(buyer).available_micros == 2
    assert broken() == []


def test_the_same_batch_posted_twice_at_once_counts_once() -> None:
    buyer = OrganizationFactory.create()
    account_id, fee = put_in(buyer, 1_000), house_account(AccountKind.FEE)
    batch = [a_transfer(f"{n}", account_id, fee, 1) for n in range(200)]

    posted = at_once([lambda: post_batch(batch, key="run")] * 4)

    assert sorted(each.inserted for each in posted) == [0, 0, 0, 200]
    assert Posted(0, 200) in posted
    assert money_of(buyer).debits_posted == 200
    assert broken() == []


def test_the_same_deposit_entered_twice_at_once_counts_once() -> None:
    buyer, actor = OrganizationFactory.create(), caller(operator())

    def enter() -> object:
        transfer = deposit(buyer.pk, amount_micros=5, reason="wire", actor=actor, key="17")
        return transfer.pk

    assert len(set(at_once([enter] * 4))) == 1
    assert money_of(buyer).available_micros == 5
    assert broken() == []


def test_batches_over_the_same_accounts_in_any_order_do_not_deadlock_and_form_one_chain() -> None:
    buyers = [OrganizationFactory.create() for _ in range(6)]
    accounts = [put_in(buyer, 1_000) for buyer in buyers]
    fee = house_account(AccountKind.FEE)

    def post(n: int) -> int:
        turned = accounts[n % 6 :] + accounts[: n % 6]
        ordered = turned if n % 2 else turned[::-1]
        batch = [a_transfer(f"{n}, {each}", each, fee, 1) for each in ordered]
        return post_batch(batch, key=f"batch {n}").inserted

    assert at_once([lambda n=n: post(n) for n in range(8)]) == [6] * 8  # type: ignore[misc]

    chain = list(Batch.objects.order_by("id").values_list("id", "previous_id"))
    assert [previous for _, previous in chain] == [None, *[number for number, _ in chain[:-1]]]
    assert broken() == []


def test_captures_releases_and_new_bids_of_the_same_buyers_end_in_balanced_books() -> None:
    buyers = [OrganizationFactory.create() for _ in range(3)]
    for buyer in buyers:
        put_in(buyer, 1_000)
        place_holds([HoldRequest(f"{buyer.pk}/{k}", buyer.pk, 50) for k in range(6)])
    fee = house_account(AccountKind.FEE)
    accounts = {buyer.pk: money_of(buyer).pk for buyer in buyers}
    holds = dict(Hold.objects.values_list("key", "id"))

    def capture(part: int) -> None:
        names = [(buyer.pk, f"{buyer.pk}/{part}") for buyer in buyers]
        batch = [
            a_transfer(f"capture {name}", accounts[owner], fee, 30, hold_id=holds[name])
            for owner, name in names
        ]
        post_batch(batch, key=f"captures {part}")

    def shrink(order: list[Organization]) -> None:
        resize_holds({f"{buyer.pk}/{part}": 40 for buyer in order for part in (2, 3)}, "published")
        release_holds([f"{buyer.pk}/{part}" for buyer in order for part in (4, 5)], "cancelled")

    def bid(n: int) -> None:
        for k in range(5):
            is_covered(HoldRequest(f"new {n} {k}", buyers[n].pk, 10))

    at_once(
        [
            lambda: capture(0),
            lambda: capture(1),
            lambda: shrink(buyers),
            lambda: shrink(buyers[::-1]),
            lambda: bid(0),
            lambda: bid(1),
        ]
    )

    for buyer, bids in zip(buyers, (5, 5, 0), strict=True):
        account = money_of(buyer)
        assert account.debits_posted == 60
        assert account.debits_pending == 2 * 20 + 2 * 40 + bids * 10
    assert broken() == []


def test_two_payouts_race_for_the_same_money_and_one_gets_it() -> None:
    owner = OrganizationFactory.create()
    put_in(owner, 1_000_000)
    who = member(owner)

    def ask() -> bool:
        try:
            ask_payout(
                amount_micros=600_000,
                source=AccountKind.AVAILABLE,
                to=BankAccount(holder="a", bank="b", account="c"),
                caller=who,
            )
        except InsufficientFunds:
            return False
        return True

    def bid() -> bool:
        return is_covered(HoldRequest("bid_1", owner.pk, 600_000))

    assert at_once([ask, ask, bid, ask]).count(True) == 1
    assert money_of(owner).available_micros == 400_000
    assert broken() == []


def test_a_payout_that_is_submitted_and_cancelled_at_once_goes_one_way() -> None:
    owner = OrganizationFactory.create()
    put_in(owner, 1_000_000)
    who, actor = member(owner), member(operator())
    to = BankAccount(holder="a", bank="b", account="c")
    payout = ask_payout(amount_micros=600_000, source=AccountKind.AVAILABLE, to=to, caller=who)

    def tried(step: Callable[[], object]) -> bool:
        try:
            step()
        except (IllegalMove, LostRace):
            return False
        return True

    def submit() -> bool:
        mine = Payout.objects.get(pk=payout.pk)
        return tried(lambda: submit_payout(mine, reason="run", actor=actor))

    def cancel() -> bool:
        return tried(lambda: cancel_payout(payout.public_id, caller=who))

    assert at_once([submit, cancel, submit, cancel]).count(True) == 1
    assert broken() == []


def test_a_deposit_approved_by_two_at_once_is_credited_once() -> None:
    owner = OrganizationFactory.create()
    entered = enter_deposit(
        owner.pk,
        amount_micros=5_000_000,
        reference="wire",
        reason="paid in",
        actor=member(operator()),
    )

    def approve() -> bool:
        mine = Deposit.objects.get(pk=entered.pk)
        try:
            approve_deposit(mine, reason="seen", actor=member(operator()))
        except (IllegalMove, LostRace):
            return False
        return True

    assert at_once([approve] * 3).count(True) == 1
    assert money_of(owner).available_micros == 5_000_000
    assert broken() == []
