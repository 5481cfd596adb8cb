"""Random lives of the whole market, from bid to statement; after each step the audit is asked.

Bids and holds, auctions, readings of two meters, runs, disputes, curtailments and defaults,
resales of resales, deposits reversed and payouts returned: whatever happens in whatever order,
no invariant of the books may break, and in the end everything that was begun is settled.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from exchange.foundation.market_time import market_now
from exchange.foundation.states import IllegalMove, LostRace
from exchange.models import Bid
from exchange.services.bids import cancel_bid, place_bid
from settlement.models import (
    AccountKind,
    Contract,
    ContractState,
    DeliveryPeriod,
    Deposit,
    DisputeState,
    ExcusedOutage,
    Hold,
    LedgerAccount,
    Payout,
    PayoutState,
    Resale,
    ResaleState,
)
from settlement.queries.audit import audit_books
from settlement.services.budgets import BudgetExceeded
from settlement.services.contract_life import (
    NothingToReclaim,
    curtail_contract,
    default_contract,
    lift_curtailment,
    reclaim_contract,
)
from settlement.services.deposit_approvals import (
    approve_deposit,
    enter_deposit,
    reverse_deposit,
)
from settlement.services.disputes import (
    DisputeTooLate,
    call_for_evidence,
    open_dispute,
    rule_dispute,
    withdraw_dispute,
)
from settlement.services.due_periods import contracted_ms
from settlement.services.holds import InsufficientFunds
from settlement.services.payouts import (
    BankAccount,
    ask_payout,
    cancel_payout,
    confirm_payout,
    fail_payout,
    return_payout,
    submit_payout,
)
from settlement.services.resales import (
    HoursTaken,
    NotResellable,
    ResaleLapsed,
    ResaleOutside,
    accept_resale,
    decline_resale,
    open_resale,
    withdraw_resale,
)
from settlement.services.resold_moves import DeliveredUnderAnother
from tests.exchange.markets import bid_body
from tests.factories import member
from tests.scenarios.stage import BUYERS, MINUTE, MONEY, Stage

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "faults"
LIVES = (
    settings(max_examples=60, stateful_step_count=50)
    if LONG
    else settings(max_examples=4, stateful_step_count=20)
)
CENT = 10_000
# What the rules of the market may say no to; whatever is refused leaves nothing behind.
REFUSALS = (
    *(IllegalMove, LostRace, InsufficientFunds, BudgetExceeded, NothingToReclaim),
    *(HoursTaken, NotResellable, ResaleLapsed, ResaleOutside, DeliveredUnderAnother),
    DisputeTooLate,
)
buyers = st.integers(0, BUYERS - 1)
lots = st.sampled_from([500, 1_000, 2_000])
ticks = st.sampled_from([1_500, 2_000, 2_500, 4_000])
percents = st.sampled_from([0, 40, 90, 100])


class Market(RuleBasedStateMachine):
    """Everything that moves money, hours or states, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.stage: Stage | None = None

    def teardown(self) -> None:
        try:
            if self.stage is not None:
                self.come_to_an_end()
        finally:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        self.stage = Stage()
        self.paid_in, self.paid_out = self.stage.paid_in, 0
        for buyer in (0, 1):  # so that there is something to deliver and to resell at once
            self.bid(buyer, 3, 2_500, in_project=True)
        self.at.hold_auction()

    @property
    def at(self) -> Stage:
        assert self.stage is not None
        return self.stage

    # Orders and auctions

    @rule(buyer=buyers, quantity=st.integers(1, 6), limit=ticks, in_project=st.booleans())
    def bid(self, buyer: int, quantity: int, limit: int, in_project: bool) -> None:  # noqa: FBT001
        body = bid_body(
            self.at.auction,
            quantity=str(quantity),
            limit_price=f"{limit // 1_000}.{limit % 1_000:03}",
        )
        if in_project and buyer == 0:
            body["project"] = "llm"
        tried(lambda: place_bid(body, caller=self.at.buyers[buyer]))

    @rule(draw=st.data())
    def cancel(self, draw: Any) -> None:
        bid = pick(draw, Bid.objects.filter(state="accepted").order_by("pk"))
        if bid is not None:
            who = next(b for b in self.at.buyers if b.organization_id == bid.organization_id)
            cancel_bid(bid.public_id, caller=who)

    @rule()
    def hold_auction(self) -> None:
        self.at.hold_auction()

    @rule(minutes=st.sampled_from([20, 60, 60, 240, 1_500, 12_000]))
    def wait(self, minutes: int) -> None:
        self.at.wait(minutes)

    # Delivery

    @rule(draw=st.data(), percent=percents, reboots=st.booleans(), both=st.booleans())
    def report(self, draw: Any, percent: int, reboots: bool, both: bool) -> None:  # noqa: FBT001
        contract = pick(draw, self.at.metered())
        if contract is None:
            return
        answers = self.at.report(contract, "provider", percent=percent, reboots=reboots)
        assert answers in ([], ["accepted", "duplicate"]), answers
        if both:
            other = draw.draw(percents)
            answers = self.at.report(contract, "buyer", percent=other, reboots=False)
            assert answers in ([], ["accepted", "duplicate"]), answers

    @rule(
        draw=st.data(), deed=st.sampled_from(["curtail", "curtail", "lift", "reclaim", "default"])
    )
    def meddle(self, draw: Any, deed: str) -> None:
        live = [ContractState.ACTIVE, ContractState.DEGRADED, ContractState.CURTAILED]
        contract = pick(draw, self.at.contracts().filter(state__in=live))
        if contract is None:
            return
        actor, provider = self.at.operators[0], member(contract.provider)
        power = ExcusedOutage.Cause.POWER
        until = min(contract.ends_at, market_now() + 90 * MINUTE)
        deeds: dict[str, Callable[[], object]] = {
            "curtail": lambda: curtail_contract(
                contract, cause=power, reason="grid", actor=actor, until=until
            ),
            "lift": lambda: lift_curtailment(contract, reason="over", actor=actor),
            "reclaim": lambda: reclaim_contract(contract, reason="own use", actor=provider),
            "default": lambda: default_contract(contract, reason="gone", actor=actor),
        }
        if contract.ends_at > market_now():
            tried(deeds[deed])

    # Disputes

    @rule(draw=st.data(), by_buyer=st.booleans(), percent=percents)
    def object(self, draw: Any, by_buyer: bool, percent: int) -> None:  # noqa: FBT001
        rows = DeliveryPeriod.objects.filter(state="provisional").order_by("pk")
        period = pick(draw, rows.select_related("contract__buyer", "contract__provider"))
        if period is None:
            return
        who = period.contract.buyer if by_buyer else period.contract.provider
        most = contracted_ms(period.quantity_lots, period.ends_at - period.starts_at)
        claimed, actor = most * percent // 100, member(who)
        tried(
            lambda: open_dispute(
                period, claimed_ms=claimed, reason="no", now=market_now(), actor=actor
            )
        )

    @rule(draw=st.data(), verdict=st.sampled_from(["upheld", "partial", "rejected", "evidence"]))
    def decide(self, draw: Any, verdict: str) -> None:
        dispute = pick(draw, self.at.undecided())
        if dispute is None:
            return
        actor = self.at.operators[0]
        if verdict == "evidence":
            tried(lambda: call_for_evidence(dispute, actor=actor))
            return
        ruled = dispute.claimed_ms // 2 if verdict == "partial" else None
        rule_dispute(
            dispute,
            DisputeState(verdict),
            decision="so",
            now=market_now(),
            actor=actor,
            ruled_ms=ruled,
        )

    @rule(draw=st.data())
    def withdraw_objection(self, draw: Any) -> None:
        dispute = pick(draw, self.at.undecided().exclude(opened_by=None))
        if dispute is not None and dispute.opened_by is not None:
            withdraw_dispute(dispute, now=market_now(), actor=member(dispute.opened_by))

    # Resales

    @rule(draw=st.data(), price=ticks, amount=st.none() | lots, to=st.none() | buyers)
    def sell_on(self, draw: Any, price: int, amount: int | None, to: int | None) -> None:
        ahead = self.at.contracts().filter(ends_at__gt=market_now()).select_related("buyer")
        contract = pick(draw, ahead)
        if contract is None:
            return
        taker = None if to is None else self.at.buyers[to].organization_id
        if taker == contract.buyer_id:
            return
        new_buyer = None if taker is None else type(contract.buyer).objects.get(pk=taker)
        tried(
            lambda: open_resale(
                contract,
                price_ticks=price,
                quantity_lots=amount,
                buyer=new_buyer,
                actor=member(contract.buyer),
            )
        )

    @rule(draw=st.data(), deed=st.sampled_from(["take", "take", "decline", "withdraw"]))
    def answer_resale(self, draw: Any, deed: str) -> None:
        rows = Resale.objects.filter(state=ResaleState.OPEN).order_by("pk")
        if deed != "withdraw":
            rows = rows.exclude(buyer=None)
        resale = pick(draw, rows.select_related("buyer", "contract__buyer"))
        if resale is None:
            return
        if deed == "withdraw" or resale.buyer is None:
            withdraw_resale(resale, actor=member(resale.contract.buyer))
        elif deed == "take":
            buyer = resale.buyer
            tried(lambda: accept_resale(resale, actor=member(buyer)))
        else:
            decline_resale(resale, actor=member(resale.buyer))

    # Money

    @rule(buyer=buyers, cents=st.integers(1, 3_000), approve=st.booleans())
    def pay_in(self, buyer: int, cents: int, approve: bool) -> None:  # noqa: FBT001
        first, second = self.at.operators
        entered = enter_deposit(
            self.at.buyers[buyer].organization_id,
            amount_micros=cents * CENT,
            reference=f"transfer {Deposit.objects.count()}",
            reason="by wire",
            actor=first,
        )
        if approve:
            approve_deposit(entered, reason="seen", actor=second)
            self.paid_in += cents * CENT

    @rule(draw=st.data())
    def reverse(self, draw: Any) -> None:
        posted = pick(draw, Deposit.objects.filter(state="posted").order_by("pk"))
        if posted is not None and tried(
            lambda: reverse_deposit(posted, reason="a mistake", actor=self.at.operators[1])
        ):
            self.paid_in -= posted.amount_micros

    @rule(buyer=buyers, cents=st.integers(1, 2_000), earned=st.booleans())
    def ask_for_money(self, buyer: int, cents: int, earned: bool) -> None:  # noqa: FBT001
        who = self.at.provider if earned else self.at.buyers[buyer]
        source = AccountKind.PAYABLE if earned else AccountKind.AVAILABLE
        to = BankAccount(holder="a", bank="b", account="c")
        tried(lambda: ask_payout(amount_micros=cents * CENT, source=source, to=to, caller=who))

    @rule(draw=st.data(), ending=st.sampled_from(["cancel", "confirm", "fail", "return"]))
    def move_payout(self, draw: Any, ending: str) -> None:
        payout = pick(draw, Payout.objects.order_by("pk"))
        if payout is None:
            return
        actor, why = self.at.operators[1], "bank"
        if payout.state == PayoutState.CREATED:
            if ending == "cancel":
                cancel_payout(payout.public_id, caller=member(payout.organization))
            else:
                submit_payout(payout, reason=why, actor=actor)
        elif payout.state == PayoutState.SUBMITTED and ending in ("confirm", "fail"):
            if ending == "confirm":
                confirm_payout(payout, reason=why, actor=actor)
                self.paid_out += payout.amount_micros
            else:
                fail_payout(payout, reason=why, actor=actor)
        elif payout.state == PayoutState.CONFIRMED and ending == "return":
            return_payout(payout, reason=why, actor=actor)
            self.paid_out -= payout.amount_micros

    # What must hold

    @invariant()
    def the_books_are_clean(self) -> None:
        if self.stage is None:
            return
        assert broken(contents=False) == []
        bank = LedgerAccount.objects.get(kind=AccountKind.EXTERNAL)
        assert bank.debits_posted - bank.credits_posted == self.paid_in - self.paid_out

    def come_to_an_end(self) -> None:
        """Decide everything, let all deadlines pass, and look that nothing is left over."""
        for buyer in self.at.buyers:  # so that no correction waits for money
            self.top_up(buyer.organization_id)
        for resale in Resale.objects.open():
            withdraw_resale(resale, actor=member(resale.contract.buyer))
        self.at.hold_auction()
        for days in (2, 10, 20, 30):
            for dispute in self.at.undecided():
                rule_dispute(
                    dispute,
                    DisputeState.UPHELD,
                    decision="so",
                    now=market_now(),
                    actor=self.at.operators[0],
                )
            self.at.wait(int(timedelta(days=days) / MINUTE))
        over = Contract.objects.filter(ends_at__lt=market_now() - timedelta(days=15))
        assert set(over.values_list("periods__state", flat=True)) <= {"final"}
        assert not over.filter(ended_at=None).exists()
        held = Hold.objects.filter(key__in=over.values("hold_key"))
        assert [hold.key for hold in held if hold.open_micros] == []
        assert broken(contents=True) == []

    def top_up(self, organization_id: int) -> None:
        first, second = self.at.operators
        entered = enter_deposit(
            organization_id,
            amount_micros=100 * MONEY,
            reference=f"the last {organization_id}",
            reason="by wire",
            actor=first,
        )
        approve_deposit(entered, reason="seen", actor=second)


def pick(draw: Any, rows: Any) -> Any:
    """Draw one of the rows; None if there are none."""
    found = list(rows)
    return found[draw.draw(st.integers(0, len(found) - 1))] if found else None


def tried(deed: Callable[[], object]) -> bool:
    """Do it unless the market's rules refuse; return whether it was done."""
    try:
        with transaction.atomic():
            deed()
    except REFUSALS:
        return False
    return True


def broken(*, contents: bool) -> list[str]:
    """Return the invariants that do not hold, with what breaks them."""
    findings = audit_books(contents=contents)
    return [f"{each.invariant}: {each.first}" for each in findings if not each.holds]


@pytest.mark.django_db
def test_whatever_happens_the_audit_finds_nothing(settings: Any, tmp_path: Any) -> None:
    settings.ARCHIVE_DIR = tmp_path
    run_state_machine_as_test(Market, settings=LIVES)
