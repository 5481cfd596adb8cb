"""Random lives of the ledger beside a twin without a database; the audit is the oracle."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from settlement.models import AccountKind, Hold, LedgerAccount
from settlement.queries.audit import audit_books
from settlement.services.holds import (
    HoldRequest,
    HoldTooSmall,
    InsufficientFunds,
    place_hold,
    place_holds,
    resize_holds,
)
from settlement.services.ledger import (
    HoldOverdrawn,
    NewTransfer,
    Posted,
    TransferDiffers,
    accounts_of,
    clearing_account,
    house_account,
    post_batch,
)
from tests.settlement.books import a_transfer, an_organization
from tests.settlement.twin import Twin

BUYERS = 3
Row = tuple[int, int, int, int | None]  # debit, credit, amount, hold
buyers = st.integers(0, BUYERS - 1)
amounts = st.integers(0, 120)
some = st.integers(1, 120)


class Ledger(RuleBasedStateMachine):
    """Every step is done to both; a step that the twin refuses must be refused and undone."""

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.twin = Twin()
        self.batches: dict[str, list[NewTransfer]] = {}
        self.number = 0

    def teardown(self) -> None:
        try:
            broken = [str(each.invariant) for each in audit_books(contents=True) if not each.holds]
            assert broken == []
        finally:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        organizations = [an_organization(f"Buyer {n}").pk for n in range(BUYERS)]
        money = accounts_of(AccountKind.AVAILABLE, organizations)
        self.owners = organizations
        self.money = [money[owner] for owner in organizations]
        seller = an_organization("Seller").pk
        self.payable = accounts_of(AccountKind.PAYABLE, [seller])[seller]
        self.bank, self.clearing = house_account(AccountKind.EXTERNAL), clearing_account("auc")

    @rule(buyer=buyers, amount=some)
    def deposit(self, buyer: int, amount: int) -> None:
        self.post(self.fresh(), [(self.bank, self.money[buyer], amount, None)])
        self.twin.paid_in[buyer] += amount

    @rule(buyer=buyers, amount=amounts)
    def place(self, buyer: int, amount: int) -> None:
        key = self.fresh()
        request = HoldRequest(key, self.owners[buyer], amount)
        if self.twin.place(key, buyer, amount):
            place_hold(request)
            place_hold(request)
        else:
            with pytest.raises(InsufficientFunds):
                place_hold(request)

    @rule(wanted=st.lists(st.tuples(buyers, amounts), min_size=1, max_size=6))
    def place_in_bulk(self, wanted: list[tuple[int, int]]) -> None:
        keys = [self.fresh() for _ in wanted]
        requests = [
            HoldRequest(key, self.owners[buyer], amount)
            for key, (buyer, amount) in zip(keys, wanted, strict=True)
        ]
        expected = [
            self.twin.place(key, buyer, amount)
            for key, (buyer, amount) in zip(keys, wanted, strict=True)
        ]
        assert place_holds(requests) == expected

    @precondition(lambda self: self.twin.holds)
    @rule(draw=st.data(), needed=amounts)
    def resize(self, draw: Any, needed: int) -> None:
        key = draw.draw(st.sampled_from(sorted(self.twin.holds)))
        hold = self.twin.holds[key]
        if needed > hold.open:
            with pytest.raises(HoldTooSmall):
                resize_holds({key: needed}, "too much")
        else:
            resize_holds({key: needed}, "less is enough")
            hold.released += hold.open - needed

    @precondition(lambda self: self.twin.holds)
    @rule(draw=st.data())
    def capture(self, draw: Any) -> None:
        keys = st.sampled_from(sorted(self.twin.holds))
        captures = draw.draw(st.lists(st.tuples(keys, some), min_size=1, max_size=4))
        rows: list[Row] = []
        for key, amount in captures:
            money = self.money[self.twin.holds[key].owner]
            rows.append((money, self.clearing, amount, Hold.objects.get(key=key).pk))
            rows.append((self.clearing, self.payable, amount, None))
        if self.twin.can_capture(captures):
            self.post(self.fresh(), rows)
            self.twin.capture(captures)
        else:
            with pytest.raises(HoldOverdrawn):
                self.post(self.fresh(), rows)

    @rule(buyer=buyers, amount=some)
    def pay_freely(self, buyer: int, amount: int) -> None:
        rows = [(self.money[buyer], self.payable, amount, None)]
        if amount <= self.twin.available(buyer):
            self.post(self.fresh(), rows)
            self.twin.paid_out[buyer] += amount
            self.twin.owed += amount
        else:
            with pytest.raises(InsufficientFunds):
                self.post(self.fresh(), rows)

    @precondition(lambda self: self.batches)
    @rule(draw=st.data(), other_key=st.booleans())
    def repeat_a_batch(self, draw: Any, other_key: bool) -> None:  # noqa: FBT001
        key = draw.draw(st.sampled_from(sorted(self.batches)))
        batch = self.batches[key]
        again = self.fresh() if other_key else key
        assert post_batch(batch, key=again) == Posted(0, len(batch))

    @precondition(lambda self: self.batches)
    @rule(draw=st.data(), more=some)
    def repeat_a_transfer_with_another_amount(self, draw: Any, more: int) -> None:
        key = draw.draw(st.sampled_from(sorted(self.batches)))
        old = self.batches[key][0]
        assume(old.debit_id == self.bank)
        changed = a_transfer(old.key, old.debit_id, old.credit_id, old.amount_micros + more)
        with pytest.raises(TransferDiffers):
            post_batch([changed], key=self.fresh())

    @invariant()
    def both_say_the_same(self) -> None:
        for buyer in range(BUYERS if self.number else 0):
            account = LedgerAccount.objects.get(pk=self.money[buyer])
            assert account.available_micros == self.twin.available(buyer) >= 0
            assert account.debits_pending == self.twin.pending(buyer)
            assert account.debits_posted == self.twin.paid_out[buyer]
        if self.number:
            assert LedgerAccount.objects.get(pk=self.payable).balance_micros == self.twin.owed

    def fresh(self) -> str:
        self.number += 1
        return f"step {self.number}"

    def post(self, key: str, rows: Sequence[Row]) -> None:
        batch = [
            a_transfer(f"{key}, {n}", debit, credit, amount, hold_id=hold)
            for n, (debit, credit, amount, hold) in enumerate(rows)
        ]
        assert post_batch(batch, key=key) == Posted(len(batch), 0)
        self.batches[key] = batch


@pytest.mark.django_db
def test_the_ledger_lives_as_its_twin_does() -> None:
    chosen = settings(max_examples=25, stateful_step_count=20)
    run_state_machine_as_test(Ledger, settings=chosen)
