"""Budgets of projects: reserved with a hold, freed with it, alerts once, and running on."""

import uuid
from typing import Any

import pytest

from accounts.models import Caller, Organization
from settlement.models import BudgetAlert, Project
from settlement.queries.dues import dues_of
from settlement.services.budgets import BudgetExceeded, UnknownProject
from settlement.services.holds import (
    HoldRequest,
    InsufficientFunds,
    cover_holds,
    place_hold,
    place_holds,
    release_holds,
    resize_holds,
)
from settlement.services.metering import ingest
from settlement.services.projects import (
    ProjectExists,
    ProjectNotFound,
    close_project,
    open_project,
    set_budget,
)
from settlement.services.settling import settle_due
from tests.factories import OrganizationFactory, api, member, portal
from tests.settlement.books import money_of, put_in
from tests.settlement.deliveries import HOUR, TEN, a_delivery, an_event, broken, play_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer() -> Organization:
    organization = OrganizationFactory.create()
    put_in(organization, 1_000_000)
    return organization


@pytest.fixture
def who(buyer: Organization) -> Caller:
    return member(buyer)


def hold(buyer: Organization, key: str, amount: int, project: str = "llm") -> None:
    place_hold(HoldRequest(key, buyer.pk, amount, project))


def committed() -> int:
    return Project.objects.get(name="llm").committed_micros


def test_a_hold_reserves_the_budget_and_gives_back_what_it_frees(
    buyer: Organization, who: Caller
) -> None:
    open_project("llm", budget_micros=100, caller=who)
    hold(buyer, "bid_1", 60)
    hold(buyer, "bid_1", 60)
    assert committed() == 60
    resize_holds({"bid_1": 25}, "published")
    assert committed() == 25
    release_holds(["bid_1"], "cancelled")
    assert committed() == 0
    assert broken() == []


def test_what_is_beyond_the_budget_is_refused_and_holds_nothing(
    buyer: Organization, who: Caller
) -> None:
    open_project("llm", budget_micros=100, caller=who)
    with pytest.raises(BudgetExceeded):
        hold(buyer, "bid_1", 101)
    assert money_of(buyer).debits_pending == 0
    with pytest.raises(UnknownProject):
        hold(buyer, "bid_1", 1, "lmm")
    with pytest.raises(InsufficientFunds):
        hold(buyer, "bid_1", 1_000_001, "")
    assert committed() == 0
    assert broken() == []


def test_a_bulk_counts_the_budget_down_request_by_request(buyer: Organization, who: Caller) -> None:
    open_project("llm", budget_micros=100, caller=who)
    requests = [HoldRequest(f"bid_{n}", buyer.pk, 40, "llm") for n in range(3)]
    requests += [HoldRequest("bid_3", buyer.pk, 20, "llm"), HoldRequest("bid_4", buyer.pk, 900)]
    refusals = cover_holds(requests)
    assert [type(refusal).__name__ for refusal in refusals] == [
        "NoneType",
        "NoneType",
        "BudgetExceeded",
        "NoneType",
        "NoneType",
    ]
    assert committed() == 100
    assert broken() == []


def test_alerts_come_at_80_and_95_percent_once_for_each_budget(
    buyer: Organization, who: Caller
) -> None:
    project = open_project("llm", budget_micros=100, caller=who)
    hold(buyer, "bid_1", 79)
    assert not BudgetAlert.objects.exists()
    hold(buyer, "bid_2", 1)
    release_holds(["bid_2"], "cancelled")
    hold(buyer, "bid_3", 1)
    assert list(BudgetAlert.objects.values_list("threshold_ppm", flat=True)) == [800_000]
    hold(buyer, "bid_4", 20)
    assert BudgetAlert.objects.unheard().count() == 2
    set_budget(project.public_id, budget_micros=120, caller=who)
    raised = BudgetAlert.objects.values_list("budget_no", "threshold_ppm")
    assert sorted(raised) == [(1, 800_000), (1, 950_000), (2, 800_000)]
    assert broken() == []


def test_a_budget_below_what_runs_refuses_new_bids_and_ends_nothing(who: Caller) -> None:
    buyer = Organization.objects.get(pk=who.organization_id)
    put_in(buyer, 10**12, key="much")
    delivery = a_delivery(buyer=buyer)
    project = open_project("llm", budget_micros=100, caller=who)
    hold(buyer, "bid_2", 100)
    set_budget(project.public_id, budget_micros=10, caller=who)
    with pytest.raises(BudgetExceeded):
        hold(buyer, "bid_3", 1)
    free = money_of(buyer).available_micros
    place_hold(HoldRequest("bid_4", buyer.pk, free))
    with pytest.raises(InsufficientFunds):
        hold(buyer, "bid_5", 1, "")
    ingest_and_settle(delivery)
    assert dues_of([delivery.contract.pk])[delivery.contract.pk].buyer_micros == 10_100_000
    delivery.contract.refresh_from_db()
    assert delivery.contract.ended_at is None
    assert broken() == []


def ingest_and_settle(delivery: Any) -> None:
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    assert settle_due(now) == 1


def test_a_closed_project_takes_no_bid_and_its_name_stays_taken(
    buyer: Organization, who: Caller
) -> None:
    project = open_project("llm", budget_micros=100, caller=who)
    hold(buyer, "bid_1", 10)
    close_project(project.public_id, caller=who)
    with pytest.raises(UnknownProject):
        place_holds([HoldRequest("bid_2", buyer.pk, 1, "llm")])
    with pytest.raises(ProjectExists):
        open_project("llm", budget_micros=5, caller=who)
    with pytest.raises(ProjectNotFound):
        set_budget(project.public_id, budget_micros=5, caller=who)
    release_holds(["bid_1"], "cancelled")
    assert committed() == 0
    assert broken() == []


def test_projects_are_opened_read_changed_and_closed_over_rest(buyer: Organization) -> None:
    client = api(buyer)
    made = post(client, "projects", {"name": "llm", "budget": "0.0001"})
    assert (made.status_code, made.json()["left"]) == (201, "0.000100")
    hold(buyer, "bid_1", 95)
    where = f"/api/v1/projects/{made.json()['id']}"
    read = client.get(where).json()
    assert (read["committed"], len(read["alerts"])) == ("0.000095", 2)
    changed = client.patch(where, {"budget": "0.5"})
    assert changed.json()["budget"] == "0.500000"
    assert post(client, "projects", {"name": "llm", "budget": "1"}).json()["code"] == (
        "project_exists"
    )
    assert client.post(f"{where}/close").json()["closed_at"]
    assert client.patch(where, {"budget": "1"}).status_code == 404
    assert [row["name"] for row in client.get("/api/v1/projects").json()["data"]] == ["llm"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "l\tlm", "budget": "1"},
        {"name": "llm"},
        {"name": "llm", "budget": "-1"},
        {"name": "llm", "budget": "1", "cap": "2"},
        {"name": "x" * 65, "budget": "1"},
    ],
)
def test_a_malformed_project_is_refused(buyer: Organization, body: dict[str, str]) -> None:
    assert post(api(buyer), "projects", body).status_code == 400
    assert not Project.objects.exists()


def post(client: Any, door: str, body: dict[str, str]) -> Any:
    return client.post(f"/api/v1/{door}", body, headers={"Idempotency-Key": str(uuid.uuid4())})


def test_the_portal_lists_opens_changes_and_closes(buyer: Organization) -> None:
    client = portal(buyer)
    assert client.post("/projects/new/", {"name": "llm", "budget": "0.0001"}).status_code == 302
    assert client.post("/projects/new/", {"name": "llm", "budget": "1"}).status_code == 422
    hold(buyer, "bid_1", 90)
    shown = client.get("/projects/").content.decode()
    assert "0.00009" in shown
    assert "80 %" in shown
    project = Project.objects.get()
    client.post(f"/projects/{project.public_id}/budget/", {"budget": "7"})
    client.post(f"/projects/{project.public_id}/budget/", {"budget": "seven"})
    shown = client.get("/projects/").content.decode()
    assert "7.00" in shown
    assert "That is no budget." in shown
    client.post(f"/projects/{project.public_id}/close/")
    assert "Open it" in client.get("/projects/").content.decode()
    assert "Open it" not in portal(buyer, role="trader").get("/projects/").content.decode()
    project.refresh_from_db()
    assert project.closed_at is not None
