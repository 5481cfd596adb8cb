"""The life of contracts: confirmed, silent, curtailed, reclaimed, defaulted, and what it costs."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AuditRow, Caller
from accounts.services.organizations import ReasonMissing
from exchange.foundation.states import IllegalMove
from settlement.models import AccountKind, Contract, ExcusedOutage, SettlementRun
from settlement.services import replacement
from settlement.services.contract_life import (
    CurtailmentEmpty,
    NotAParty,
    NotConfirmable,
    NothingToReclaim,
    confirm_provisioning,
    curtail_contract,
    default_contract,
    lift_curtailment,
    reclaim_contract,
)
from settlement.services.contract_moves import advance_contracts, follow_heartbeats
from settlement.services.deposits import NotAnOperator
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.factories import api, member, operator, portal
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MINUTE,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    balance,
    broken,
    hourly,
    play_at,
)

pytestmark = pytest.mark.django_db
POWER = ExcusedOutage.Cause.POWER
YUAN = 1_000_000


@pytest.fixture
def actor() -> Caller:
    return member(operator())


def running(at: datetime = TEN, **options: Any) -> Delivery:
    """Return a delivery whose contract runs."""
    delivery = a_delivery(**options)
    advance_contracts(TEN)
    play_at(at)
    return reread(delivery)


def reread(delivery: Delivery) -> Delivery:
    delivery.contract = Contract.objects.get(pk=delivery.contract.pk)
    return delivery


def last_move(contract: Contract) -> tuple[str, str, str, str]:
    move = contract.moves.latest("id")
    return move.was, move.state, move.reason_code, move.actor


def settled(delivery: Delivery, hours: int = 3) -> list[SettlementRun]:
    settle_due(play_at(TEN + hours * HOUR + MINUTE))
    return list(SettlementRun.objects.order_by("period__starts_at"))


def test_each_party_confirms_once_and_a_stranger_never() -> None:
    delivery = a_delivery()
    play_at(TEN - HOUR)
    confirm_provisioning(delivery.contract, actor=member(delivery.provider))
    confirm_provisioning(delivery.contract, actor=member(delivery.buyer))
    contract = reread(delivery).contract
    assert contract.provider_confirmed_at
    assert contract.buyer_confirmed_at
    with pytest.raises(NotConfirmable):
        confirm_provisioning(contract, actor=member(delivery.buyer))
    for stranger in (member(), member(delivery.buyer, role="viewer")):
        with pytest.raises(NotAParty):
            confirm_provisioning(contract, actor=stranger)
    assert AuditRow.objects.about(contract).count() == 2


def test_silence_degrades_a_contract_and_a_reading_restores_it() -> None:
    delivery = running(hours=4)
    assert follow_heartbeats(TEN + 29 * MINUTE) == 0
    assert follow_heartbeats(TEN + 31 * MINUTE) == 1
    contract = reread(delivery).contract
    assert last_move(contract) == ("active", "degraded", "silent", "meters")
    assert contract.ended_at is None
    now = play_at(TEN + HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    assert [follow_heartbeats(now), follow_heartbeats(now)] == [1, 0]
    assert last_move(reread(delivery).contract)[1:3] == ("active", "heard")
    runs = settled(delivery)
    assert runs[0].delivered_ms == HOUR_MS
    assert broken() == []


def test_silence_until_the_end_ends_it_by_the_clock_alone() -> None:
    delivery = running()
    follow_heartbeats(TEN + 31 * MINUTE)
    advance_contracts(TEN + HOUR)
    follow_heartbeats(TEN + HOUR)
    assert last_move(reread(delivery).contract) == ("degraded", "ended", "time_over", "clock")


def test_a_curtailed_hour_costs_the_provider_no_penalty_and_the_buyer_nothing(
    actor: Caller,
) -> None:
    delivery = running(hours=2)
    curtail_contract(delivery.contract, cause=POWER, reason="a hot day", actor=actor)
    lift_curtailment(reread_at(delivery, TEN + HOUR).contract, reason="cooler", actor=actor)
    play_at(TEN + 2 * HOUR)
    ingest(delivery.meter, [an_event(delivery, starts=TEN + HOUR, total=HOUR_MS // 2)])
    first, second = settled(delivery)
    assert HOUR_MS - 60_000 < first.excused_ms <= HOUR_MS  # lifted a moment before the hour
    assert first.penalty_micros < 5 * YUAN // 60
    assert first.buyer_due_micros == 0
    assert (second.excused_ms, second.penalty_micros) == (0, 5 * YUAN // 2)
    assert second.buyer_due_micros == 5 * YUAN
    assert broken() == []


def reread_at(delivery: Delivery, at: datetime) -> Delivery:
    play_at(at)
    return reread(delivery)


def test_a_curtailment_in_part_excuses_that_part(actor: Caller) -> None:
    delivery = running()
    until = TEN + 15 * MINUTE
    curtail_contract(delivery.contract, cause=POWER, reason="a fuse", actor=actor, until=until)
    assert reread(delivery).contract.moves.latest("id").planned_at == until
    advance_contracts(until)
    assert last_move(reread(delivery).contract)[1:3] == ("active", "curtailment_over")
    ingest_at(delivery, TEN + HOUR, HOUR_MS // 2)
    (run,) = settled(delivery)
    assert (run.excused_ms, run.delivered_ms) == (HOUR_MS // 4, HOUR_MS // 2)
    assert run.penalty_micros == 10 * YUAN // 4 // 2
    assert broken() == []


def ingest_at(delivery: Delivery, at: datetime, total: int) -> None:
    play_at(at)
    ingest(delivery.meter, [an_event(delivery, total=total)])


def test_a_curtailment_that_is_known_late_is_settled_by_the_next_run(actor: Caller) -> None:
    delivery = running(hours=3)
    (first, *_) = settled(delivery, hours=2)
    assert first.penalty_micros == 5 * YUAN
    ExcusedOutage.objects.create(
        contract=delivery.contract,
        cause=POWER,
        detail="found out later",
        actor="test",
        starts_at=TEN,
        ends_at=TEN + HOUR,
    )
    settle_due(play_at(TEN + timedelta(days=1, hours=2)))
    latest = SettlementRun.objects.filter(period=delivery.period).latest("run_no")
    assert (latest.run_no, latest.penalty_micros) == (2, 0)
    assert broken() == []


def test_a_reclaimed_contract_runs_to_its_notice_and_what_is_behind_is_excused() -> None:
    delivery = running(hours=4, notice_minutes=60)
    reclaim_contract(delivery.contract, reason="the site is sold", actor=member(delivery.provider))
    contract = reread(delivery).contract
    assert contract.moves.latest("id").planned_at == contract.reclaim_at
    assert contract.reclaim_at is not None
    assert abs(contract.reclaim_at - (TEN + HOUR)) < MINUTE
    advance_contracts(TEN + 59 * MINUTE)
    assert reread(delivery).contract.state == "reclaiming"
    advance_contracts(TEN + 62 * MINUTE)
    assert last_move(reread(delivery).contract) == ("reclaiming", "ended", "notice_over", "clock")
    runs = settled(delivery, hours=6)
    assert 0 <= 5 * YUAN - runs[0].penalty_micros < 5 * YUAN // 60  # the notice began before ten
    assert [run.penalty_micros for run in runs[2:]] == [0, 0]
    assert sum(run.buyer_due_micros for run in runs) == 0
    assert broken() == []


def test_a_notice_longer_than_the_contract_or_by_the_buyer_is_refused() -> None:
    delivery = running(hours=4)
    with pytest.raises(NothingToReclaim):
        reclaim_contract(delivery.contract, reason="so", actor=member(delivery.provider))
    with pytest.raises(NotAParty):
        reclaim_contract(delivery.contract, reason="so", actor=member(delivery.buyer))
    with pytest.raises(ReasonMissing):
        reclaim_contract(delivery.contract, reason=" ", actor=member(delivery.provider))


def test_a_default_makes_every_hour_left_a_shortfall(actor: Caller) -> None:
    delivery = running(hours=3)
    default_contract(delivery.contract, reason="the provider is gone", actor=actor)
    assert last_move(reread(delivery).contract)[1:3] == ("defaulted", "provider_default")
    runs = settled(delivery, hours=5)
    assert [run.penalty_micros for run in runs] == [5 * YUAN] * 3
    assert balance(delivery.provider, AccountKind.PAYABLE) == -15 * YUAN
    with pytest.raises(IllegalMove):
        default_contract(reread(delivery).contract, reason="again", actor=actor)
    assert broken() == []


def test_only_an_operator_curtails_within_the_contracts_time(actor: Caller) -> None:
    delivery = running(TEN + MINUTE)
    with pytest.raises(NotAnOperator):
        curtail_contract(
            delivery.contract, cause=POWER, reason="so", actor=member(delivery.provider)
        )
    for until in (TEN, TEN + 2 * HOUR):
        with pytest.raises(CurtailmentEmpty):
            curtail_contract(delivery.contract, cause=POWER, reason="so", actor=actor, until=until)
    with pytest.raises(NotAParty):
        default_contract(delivery.contract, reason="so", actor=member(delivery.buyer))


def test_a_replacement_that_costs_more_sets_the_penalty_and_stays_as_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quoted: list[Any] = []

    def source(wanted: Any) -> dict[int, Decimal]:
        quoted.extend(wanted)
        return {each.period_id: Decimal(14 + len(quoted)) for each in wanted}

    monkeypatch.setattr(replacement, "_sources", [source])
    delivery = running()
    ingest_at(delivery, TEN + HOUR, HOUR_MS // 2)
    (run,) = settled(delivery)
    assert run.penalty_micros == 15 * YUAN // 2 // 2
    settle_due(play_at(TEN + timedelta(days=1, hours=2)))
    assert len(quoted) == 1
    assert (quoted[0].site_code, quoted[0].starts_at) == ("site-a", TEN)
    delivery.period.refresh_from_db()
    assert delivery.period.replacement_price == 15
    assert broken() == []


def test_nobody_is_asked_for_a_replacement_of_what_was_delivered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def source(wanted: Any) -> dict[int, Decimal]:
        raise AssertionError(wanted)

    monkeypatch.setattr(replacement, "_sources", [source])
    delivery = running(hours=2)
    play_at(TEN + 2 * HOUR)
    ingest(delivery.meter, hourly(delivery, 2))
    assert [run.penalty_micros for run in settled(delivery)] == [0, 0]


def test_over_rest_a_contract_is_confirmed_reclaimed_and_tells_its_moves() -> None:
    delivery = running(hours=4, notice_minutes=30)
    provider, where = api(delivery.provider), f"/api/v1/contracts/{delivery.contract.public_id}"
    assert provider.post(f"{where}/confirm").json()["provider_confirmed_at"]
    assert provider.post(f"{where}/confirm").json()["code"] == "not_confirmable"
    assert provider.post(f"{where}/reclaim", {}).status_code == 400
    told = provider.post(f"{where}/reclaim", {"reason": "the site is sold"}).json()
    assert (told["state"], told["reason_code"], told["reason_detail"]) == (
        "reclaiming",
        "reclaimed",
        "the site is sold",
    )
    assert told["moves"][-1]["planned_at"] == told["reclaim_at"]
    assert told["excused_outages"][0]["cause"] == "reclaimed"
    assert api(delivery.buyer).post(f"{where}/reclaim", {"reason": "so"}).json()["code"] == (
        "not_a_party"
    )


def test_the_portal_lets_each_party_do_its_part() -> None:
    delivery = running(hours=4, notice_minutes=30)
    page = f"/contracts/{delivery.contract.public_id}/"
    buyer, provider = portal(delivery.buyer), portal(delivery.provider)
    assert "Confirm that it can be used" in buyer.get(page).content.decode()
    buyer.post(f"{page}confirm/")
    shown = buyer.get(page).content.decode()
    assert "Confirm that it can be used" not in shown
    assert "Give notice" not in shown
    provider.post(f"{page}reclaim/", {"reason": " "})
    assert "A reason is needed." in provider.get(page).content.decode()
    provider.post(f"{page}reclaim/", {"reason": "the site is sold"})
    assert "the site is sold" in buyer.get(page).content.decode()
