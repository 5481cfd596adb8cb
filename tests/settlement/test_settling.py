"""Periods are settled run by run; each run posts what changed and nothing twice."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from settlement.models import (
    AccountKind,
    DeliveryPeriod,
    Dispute,
    DisputeState,
    Hold,
    PeriodState,
    SettlementRun,
    Transfer,
)
from settlement.services import settling
from settlement.services.disputes import (
    AlreadyDisputed,
    BadRuling,
    DisputeTooLate,
    NotDisputable,
    decide_dispute,
    open_dispute,
)
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.factories import member
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MONEY,
    TEN,
    Delivery,
    a_delivery,
    a_period,
    an_event,
    balance,
    broken,
    hourly,
    house,
    play_at,
)

pytestmark = pytest.mark.django_db

PRICE = 10_000_000
BUYER_FEE = PRICE // 100
SELLER_FEE = PRICE // 50


def test_a_full_hour_is_charged_earned_and_its_fees_taken() -> None:
    delivery = a_delivery()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])

    assert settle_due(now) == 1

    run = SettlementRun.objects.get()
    assert (run.delivered_ms, run.penalty_micros) == (HOUR_MS, 0)
    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - PRICE - BUYER_FEE
    assert balance(delivery.provider, AccountKind.PAYABLE) == PRICE - SELLER_FEE
    assert house(AccountKind.FEE) == BUYER_FEE + SELLER_FEE
    assert house(AccountKind.CLEARING) == 0
    assert Hold.objects.get().captured_micros == PRICE + BUYER_FEE
    assert DeliveryPeriod.objects.get().state == PeriodState.PROVISIONAL


def test_a_period_is_not_settled_before_its_provisional_run_is_due() -> None:
    delivery = a_delivery()
    now = play_at(TEN + 2 * HOUR - timedelta(seconds=1))
    ingest(delivery.meter, [an_event(delivery)])

    assert settle_due(now) == 0

    assert DeliveryPeriod.objects.get().state == PeriodState.METERED
    assert not Transfer.objects.filter(period__isnull=False).exists()


def test_a_shortfall_costs_the_provider_a_penalty_that_the_buyer_gets() -> None:
    delivery = a_delivery()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery, total=HOUR_MS * 3 // 4)])

    settle_due(now)

    run = SettlementRun.objects.get()
    due, fee = PRICE * 3 // 4, PRICE * 3 // 400
    penalty = PRICE // 4 // 2  # a quarter is missing; the factor is a half
    assert (run.buyer_due_micros, run.penalty_micros) == (due, penalty)
    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - due - fee + penalty
    assert balance(delivery.provider, AccountKind.PAYABLE) == due - due // 50 - penalty


def test_the_penalty_follows_what_the_same_capacity_cost_elsewhere() -> None:
    delivery = a_delivery()
    DeliveryPeriod.objects.update(replacement_price=25)

    settle_due(play_at(TEN + 3 * HOUR))

    assert SettlementRun.objects.get().penalty_micros == 25_000_000 // 2
    assert balance(delivery.provider, AccountKind.PAYABLE) == -12_500_000


def test_late_readings_change_only_the_difference() -> None:
    delivery = a_delivery()
    settle_due(play_at(TEN + 3 * HOUR))
    assert SettlementRun.objects.get().delivered_ms == 0

    now = play_at(TEN + 26 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    assert settle_due(now) == 1

    last = SettlementRun.objects.get(run_no=2)
    assert (last.delivered_ms, last.penalty_micros) == (HOUR_MS, 0)
    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - PRICE - BUYER_FEE
    assert balance(delivery.provider, AccountKind.PAYABLE) == PRICE - SELLER_FEE
    assert broken() == []


def test_all_runs_end_in_a_final_period_and_nothing_is_charged_twice() -> None:
    delivery = a_delivery(hours=3)
    now = play_at(TEN + 4 * HOUR)
    ingest(delivery.meter, hourly(delivery, 3))
    for days in (0, 2, 8, 15):
        settle_due(play_at(now + timedelta(days=days)))

    assert list(
        SettlementRun.objects.filter(period=delivery.period).values_list("run_no", flat=True)
    ) == [1, 2, 3, 4]
    assert {period.state for period in DeliveryPeriod.objects.all()} == {PeriodState.FINAL}
    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - 3 * (PRICE + BUYER_FEE)
    assert settle_due(play_at(now + timedelta(days=100))) == 0
    assert broken() == []


def test_one_late_knock_catches_up_with_every_run_that_is_due() -> None:
    a_delivery()

    assert settle_due(play_at(TEN + timedelta(days=30))) == 4

    assert DeliveryPeriod.objects.get().state == PeriodState.FINAL
    assert broken() == []


def test_what_a_hold_kept_for_a_shortfall_is_freed_at_the_final_run() -> None:
    cover = PRICE + BUYER_FEE
    delivery = a_delivery(hold=cover)
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery, total=HOUR_MS // 2)])
    settle_due(now)
    assert Hold.objects.get().open_micros == cover // 2

    settle_due(play_at(TEN + timedelta(days=30)))

    assert Hold.objects.get().open_micros == 0
    assert Hold.objects.get().released_micros == cover // 2
    assert broken() == []


def test_a_standing_bids_hold_keeps_what_its_other_hours_need() -> None:
    a_delivery(hold=5 * (PRICE + BUYER_FEE))

    settle_due(play_at(TEN + timedelta(days=30)))

    assert Hold.objects.get().open_micros == 4 * (PRICE + BUYER_FEE)


def test_rents_and_policy_go_to_their_own_accounts_and_clearing_ends_at_nothing() -> None:
    prices = {
        "congestion_price": Decimal("0.125"),
        "power_price": Decimal("0.000000000000000003"),
        "policy_price": Decimal("-1.000000000000000000007"),
    }
    delivery = a_delivery(periods=[a_period(0, lots=1_000, ticks=3_333, **prices)])
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery, total=1_234_567)])

    settle_due(now)

    run = SettlementRun.objects.get()
    assert house(AccountKind.CONGESTION_RENT) == run.congestion_micros > 0
    assert house(AccountKind.POLICY) == -run.policy_micros > 0
    assert house(AccountKind.ROUNDING) == run.rounding_micros
    assert house(AccountKind.CLEARING) == 0
    assert broken() == []


@pytest.mark.parametrize("step", ["_move", "post_runs", "_free_holds", "open_drafts"])
def test_a_crash_at_any_step_leaves_nothing_and_the_next_knock_does_it_once(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = a_delivery()
    now = play_at(TEN + timedelta(days=30))
    ingest(delivery.meter, [an_event(delivery)])
    real = getattr(settling, step)

    def crash(*args: Any, **options: Any) -> None:
        real(*args, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(settling, step, crash)
        with pytest.raises(Killed):
            settle_due(now)
    assert not SettlementRun.objects.exists()
    assert not Transfer.objects.filter(period__isnull=False).exists()

    assert settle_due(now) == 4

    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - PRICE - BUYER_FEE
    assert broken() == []


def test_a_period_whose_buyer_has_no_money_waits_and_the_others_go_on() -> None:
    poor = a_delivery(bid="bid_poor", hold=1, auction_id="auc_poor")
    rich = a_delivery(bid="bid_rich", hold=PRICE * 2)
    now = play_at(TEN + 3 * HOUR)
    ingest(poor.meter, [an_event(poor)])
    ingest(rich.meter, [an_event(rich)])

    settle_due(now)

    assert SettlementRun.objects.get().period == rich.period
    waiting = DeliveryPeriod.objects.get(pk=poor.period.pk)
    assert (waiting.state, waiting.next_run_at) == (PeriodState.METERED, now + HOUR)
    assert broken() == []


def test_meters_within_tolerance_settle_on_the_providers() -> None:
    delivery = a_delivery()
    buyers = delivery.add_buyers_meter()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    ingest(buyers, [an_event(delivery, meter=buyers, total=HOUR_MS * 98 // 100)])

    settle_due(now)

    assert SettlementRun.objects.get().delivered_ms == HOUR_MS
    assert not Dispute.objects.exists()


def test_meters_that_disagree_settle_on_the_lower_and_open_a_dispute() -> None:
    delivery = a_disagreement()

    run = SettlementRun.objects.get()
    dispute = Dispute.objects.get()
    assert (run.provider_ms, run.buyer_ms, run.delivered_ms) == (
        HOUR_MS,
        HOUR_MS // 2,
        HOUR_MS // 2,
    )
    assert (dispute.opened_by, dispute.claimed_ms) == (None, HOUR_MS)
    assert DeliveryPeriod.objects.get().state == PeriodState.DISPUTED

    settle_due(play_at(TEN + timedelta(days=30)))
    assert SettlementRun.objects.count() == 3  # R1 and R2 go on, nothing becomes final
    assert DeliveryPeriod.objects.get(pk=delivery.period.pk).state == PeriodState.DISPUTED
    assert broken() == []


def test_an_upheld_dispute_is_settled_by_the_next_run() -> None:
    delivery = a_disagreement()
    now = play_at(TEN + timedelta(days=30))
    settle_due(now)

    decide_dispute(
        Dispute.objects.get(), DisputeState.UPHELD, decision="the provider's logs", now=now
    )
    settle_due(now)

    period = DeliveryPeriod.objects.get()
    assert (period.state, period.runs.get(run_no=4).delivered_ms) == (PeriodState.FINAL, HOUR_MS)
    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - PRICE - BUYER_FEE
    assert broken() == []


def test_a_rejected_dispute_leaves_the_lower_figure_and_is_not_opened_again() -> None:
    a_disagreement()
    decide_dispute(
        Dispute.objects.get(), DisputeState.REJECTED, decision="no proof", now=TEN + 4 * HOUR
    )

    settle_due(play_at(TEN + timedelta(days=30)))

    assert Dispute.objects.count() == 1
    period = DeliveryPeriod.objects.get()
    assert (period.state, period.runs.get(run_no=4).delivered_ms) == (
        PeriodState.FINAL,
        HOUR_MS // 2,
    )


def test_a_dispute_of_the_meters_ends_when_late_readings_make_them_agree() -> None:
    delivery = a_delivery()
    buyers = delivery.add_buyers_meter()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    half = an_event(delivery, meter=buyers, ends=TEN + HOUR // 2, total=HOUR_MS // 2)
    ingest(buyers, [half])
    settle_due(now)
    assert Dispute.objects.get().state == DisputeState.OPEN

    now = play_at(TEN + 26 * HOUR)
    rest = an_event(delivery, meter=buyers, seq=2, starts=TEN + HOUR // 2, ends=TEN + HOUR)
    ingest(buyers, [rest])
    settle_due(now)

    assert Dispute.objects.get().state == DisputeState.WITHDRAWN
    assert DeliveryPeriod.objects.get().state == PeriodState.PROVISIONAL
    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - PRICE - BUYER_FEE


def test_meters_that_agreed_for_a_while_and_no_longer_do_are_disputed_again() -> None:
    delivery = a_delivery(hours=2)
    buyers = delivery.add_buyers_meter()
    quarter, hour = TEN + HOUR // 4, TEN + HOUR
    disputes = Dispute.objects.filter(period=delivery.period).order_by("id")

    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery, total=HOUR_MS * 3 // 4)])
    ingest(buyers, [an_event(delivery, meter=buyers, ends=quarter, total=HOUR_MS // 4)])
    settle_due(now)
    assert disputes.get().state == DisputeState.OPEN

    # What counted most of it was between the quarter and two hours, for all that is known yet.
    now = play_at(TEN + 26 * HOUR)
    even = HOUR_MS // 4 + (HOUR_MS // 2) * 7 // 3
    ingest(buyers, [an_event(delivery, meter=buyers, seq=3, starts=hour, total=even)])
    settle_due(now)
    assert disputes.get().state == DisputeState.WITHDRAWN

    now = play_at(TEN + timedelta(days=8))
    less = an_event(delivery, meter=buyers, seq=2, starts=quarter, ends=hour, total=HOUR_MS // 2)
    ingest(buyers, [less])
    settle_due(now)
    assert [each.state for each in disputes] == [DisputeState.WITHDRAWN, DisputeState.OPEN]
    assert delivery.period.runs.get(run_no=3).delivered_ms == HOUR_MS // 2
    assert broken() == []


def test_a_buyer_may_dispute_in_time_and_only_once_at_a_time() -> None:
    delivery = a_delivery()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    settle_due(now)
    period = DeliveryPeriod.objects.get()
    claim: dict[str, Any] = {
        "claimed_ms": 0,
        "reason": "no network",
        "actor": member(delivery.buyer),
    }

    with pytest.raises(DisputeTooLate):
        open_dispute(period, now=period.ends_at + timedelta(days=14), **claim)
    with pytest.raises(NotDisputable):
        open_dispute(period, now=now, **(claim | {"actor": member()}))
    with pytest.raises(BadRuling):
        open_dispute(period, now=now, **(claim | {"claimed_ms": HOUR_MS + 1}))
    dispute = open_dispute(period, now=now, **claim)
    with pytest.raises(AlreadyDisputed):
        open_dispute(period, now=now, **claim)

    decide_dispute(
        dispute, DisputeState.PARTIAL, ruled_ms=HOUR_MS // 2, decision="half of it", now=now
    )
    settle_due(play_at(TEN + 26 * HOUR))
    assert SettlementRun.objects.get(run_no=2).delivered_ms == HOUR_MS // 2
    assert broken() == []


def a_disagreement() -> Delivery:
    delivery = a_delivery()
    buyers = delivery.add_buyers_meter()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    ingest(buyers, [an_event(delivery, meter=buyers, total=HOUR_MS // 2)])
    settle_due(now)
    return delivery


class Killed(Exception):
    pass
