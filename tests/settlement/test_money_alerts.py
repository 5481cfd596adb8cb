"""Who is told about its money: once at each threshold, once when little is left, and again."""

from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import EventType, Notice, Organization, OutboxEvent
from accounts.services.notice_words import sentence_of
from accounts.services.spreading import spread_events
from settlement.models import BudgetAlert, LowMoney
from settlement.services.holds import HoldRequest, place_hold, release_holds
from settlement.services.money_alerts import set_mark, tell_budget_alerts, watch_balances
from settlement.services.projects import open_project
from tests.factories import MembershipFactory, member, portal
from tests.settlement.books import an_organization, put_in

pytestmark = pytest.mark.django_db
YUAN = 1_000_000


@pytest.fixture
def own(settings: LazySettings) -> Organization:
    """A buyer with 2,000 yuan, where the house's mark is 1,000."""
    settings.LOW_MONEY_MICROS = 1_000 * YUAN
    organization = an_organization()
    put_in(organization, 2_000 * YUAN)
    MembershipFactory.create(organization=organization)
    return organization


def told(kind: EventType) -> list[dict[str, Any]]:
    return list(OutboxEvent.objects.filter(type=kind).order_by("id").values_list("data", flat=True))


def hold(own: Organization, key: str, yuan: int, project: str = "") -> None:
    place_hold(HoldRequest(key, own.pk, yuan * YUAN, project))


def test_a_budget_that_is_nearly_used_up_is_told_once_at_each_threshold(own: Organization) -> None:
    open_project("llm", budget_micros=100 * YUAN, caller=member(own))
    hold(own, "bid_1", 79, "llm")
    assert tell_budget_alerts() == 0
    hold(own, "bid_2", 17, "llm")
    assert (tell_budget_alerts(), tell_budget_alerts()) == (2, 0)
    said = told(EventType.BUDGET_ALERT)
    assert [(each["name"], each["percent"], each["committed"]) for each in said] == [
        ("llm", 80, "96.000000"),
        ("llm", 95, "96.000000"),
    ]
    assert not BudgetAlert.objects.unheard().exists()


def test_little_free_money_is_told_once_and_again_after_there_was_enough(
    own: Organization,
) -> None:
    assert watch_balances() == 0
    hold(own, "bid_1", 1_001)
    assert (watch_balances(), watch_balances()) == (1, 0)
    assert told(EventType.BALANCE_LOW) == [
        {"free": "999.000000", "mark": "1000.000000", "currency": "CNY"}
    ]
    release_holds(["bid_1"], "cancelled")
    assert watch_balances() == 0
    assert LowMoney.objects.get().low_since is None
    hold(own, "bid_2", 1_500)
    assert watch_balances() == 1


def test_an_organization_sets_its_own_mark_in_the_portal(own: Organization) -> None:
    client = portal(own)
    assert "1000" in client.get("/money/").content.decode()
    assert client.post("/money/mark/", {"mark": "-1"}).status_code == 422
    assert client.post("/money/mark/", {"mark": "2500"}).status_code == 302
    assert watch_balances() == 1
    assert told(EventType.BALANCE_LOW)[0]["mark"] == "2500.000000"


def test_who_never_had_money_is_not_told_that_it_is_low(own: Organization) -> None:
    an_organization("Newcomer")
    set_mark(0, actor=member(own))
    assert watch_balances() == 0


def test_both_are_notices_in_the_portal_in_whole_sentences(own: Organization) -> None:
    open_project("llm", budget_micros=1_500 * YUAN, caller=member(own))
    hold(own, "bid_1", 1_300, "llm")
    tell_budget_alerts()
    watch_balances()
    spread_events()
    assert Notice.objects.filter(mails=True).values("event").distinct().count() == 2
    text = " ".join(sentence_of(event) for event in OutboxEvent.objects.order_by("id"))
    assert "Project llm has committed 1300.000000 of its budget of 1500.000000 CNY" in text
    assert "it passed 80 %" in text
    assert "Only 700.000000 CNY are free to bid with, less than 1000.000000." in text
