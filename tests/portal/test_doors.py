"""Who may open which page."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import MembershipFactory, OrganizationFactory, UserFactory, portal
from tests.portal.desks import desk, offer_form

pytestmark = pytest.mark.django_db

FOR_MEMBERS = ["contract_list", "statement_list", "api_keys", "members"]
FOR_PROVIDERS = ["offer_list", "offer_template", "offer_export", "capacity", "maintenance_list"]
FOR_WRITERS = ["offer_new", "offer_import", "maintenance_new"]


@pytest.mark.parametrize("name", FOR_MEMBERS + FOR_PROVIDERS + FOR_WRITERS)
def test_who_is_not_signed_in_is_asked_to(client: Client, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", FOR_MEMBERS + FOR_PROVIDERS + FOR_WRITERS)
def test_a_member_of_two_organizations_chooses_first(client: Client, name: str) -> None:
    user = UserFactory.create()
    for _ in range(2):
        MembershipFactory.create(user=user)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("choose_organization"))


@pytest.mark.parametrize("name", FOR_PROVIDERS + FOR_WRITERS)
def test_a_buyer_has_no_business_at_the_providers_pages(name: str) -> None:
    buyer = portal(OrganizationFactory.create(provides=False))
    assert buyer.get(reverse(name)).status_code == 403


@pytest.mark.parametrize("role", ["owner", "trader", "viewer", "approver"])
@pytest.mark.parametrize("name", FOR_MEMBERS + FOR_PROVIDERS)
def test_every_role_reads(role: str, name: str) -> None:
    assert portal(role=role).get(reverse(name)).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_who_only_reads_lists_nothing(role: str) -> None:
    at = desk(role=role)
    assert at.client.post(reverse("offer_new"), offer_form()).status_code == 403
    page = at.client.get(reverse("offer_list")).content.decode()
    assert reverse("offer_new") not in page


@pytest.mark.parametrize("name", FOR_WRITERS)
def test_a_trader_writes(name: str) -> None:
    assert desk(role="trader").client.get(reverse(name)).status_code == 200
