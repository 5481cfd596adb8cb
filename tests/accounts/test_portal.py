"""What members see and may do for their organization in the portal."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, AuditRow, Membership, Organization, Role, User
from accounts.services.api_keys import KEYS_MAX, issue_key
from tests.factories import MembershipFactory, OrganizationFactory, api_with, portal

pytestmark = pytest.mark.django_db
KEYS = "/organization/keys"
NEW_KEY = "/organization/keys/new"
MEMBERS = "/organization/members"
BODY = {"name": "trading desk", "scopes": ["bids:read", "bids:write"], "days": 90}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def organization() -> Organization:
    return OrganizationFactory.create()


@pytest.mark.parametrize("path", [KEYS, NEW_KEY, MEMBERS, "/organization"])
def test_who_is_not_signed_in_is_asked_to(path: str) -> None:
    assert Client().get(path)["Location"] == f"/accounts/login/?next={path}"


def test_a_key_is_shown_once_and_opens_the_api(organization: Organization) -> None:
    client = portal(organization)

    answer = client.post(NEW_KEY, BODY)

    token = re.search(r"key_\w{26}\.\w{47}", answer.content.decode())
    assert token
    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    me = api_with(token[0]).get("/api/v1/me").json()
    assert me["organization"]["id"] == organization.public_id
    assert me["api_key"]["scopes"] == ["bids:read", "bids:write"]
    assert token[0].partition(".")[2] not in client.get(KEYS).content.decode()


def test_making_a_key_is_written_down(organization: Organization) -> None:
    portal(organization).post(NEW_KEY, BODY)

    row = AuditRow.objects.about(ApiKey.objects.get()).get()

    assert (row.verb, row.reason) == ("issue", "bids:read bids:write")
    assert row.user == Membership.objects.get(organization=organization).user


@pytest.mark.parametrize("role", [Role.TRADER, Role.VIEWER, Role.APPROVER])
def test_only_owners_make_keys(organization: Organization, role: str) -> None:
    client = portal(organization, role=role)

    assert client.get(NEW_KEY).status_code == client.post(NEW_KEY, BODY).status_code == 403
    assert client.get(KEYS).status_code == 200
    assert not ApiKey.objects.exists()


def test_a_key_cannot_be_given_what_the_organization_is_not_for() -> None:
    provider = OrganizationFactory.create(buys=False)

    answer = portal(provider).post(NEW_KEY, BODY)

    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_a_meter_s_scope_is_not_handed_to_programs(organization: Organization) -> None:
    answer = portal(organization).post(NEW_KEY, BODY | {"scopes": ["readings:write"]})

    assert answer.status_code == 422


def test_keys_have_a_limit(organization: Organization) -> None:
    for number in range(KEYS_MAX):
        issue_key(organization, name=str(number), scopes=["bids:read"])
    client = portal(organization)

    assert client.post(NEW_KEY, BODY).status_code == 422
    ApiKey.objects.filter(name="7").update(revoked_at=timezone.now())
    assert client.post(NEW_KEY, BODY).status_code == 201


def test_an_owner_revokes_a_key(organization: Organization) -> None:
    key, token = issue_key(organization, name="old", scopes=["bids:read"])
    client = portal(organization)

    for _ in range(2):
        assert client.post(f"{KEYS}/{key.public_id}/revoke")["Location"] == KEYS

    assert api_with(token).get("/api/v1/me").json()["code"] == "api_key_revoked"
    assert AuditRow.objects.about(key).count() == 1


def test_a_stranger_s_key_does_not_exist(organization: Organization) -> None:
    key, _ = issue_key(organization, name="theirs", scopes=["bids:read"])
    client = portal()

    assert client.post(f"{KEYS}/{key.public_id}/revoke").status_code == 404
    assert "theirs" not in client.get(KEYS).content.decode()


def test_an_operator_manages_only_its_own_keys(organization: Organization) -> None:
    key, _ = issue_key(organization, name="theirs", scopes=["bids:read"])
    operator = portal(OrganizationFactory.create(operates=True))

    assert operator.post(f"{KEYS}/{key.public_id}/revoke").status_code == 404
    assert "theirs" not in operator.get(KEYS).content.decode()


def test_forms_need_their_csrf_token(organization: Organization) -> None:
    user = MembershipFactory.create(organization=organization).user
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    assert client.post(NEW_KEY, BODY).status_code == 403
    assert not ApiKey.objects.exists()


def test_a_member_of_two_chooses_one() -> None:
    user = MembershipFactory.create().user
    second = MembershipFactory.create(user=user, role=Role.VIEWER)
    client = signed_in(user)
    assert client.get(KEYS)["Location"] == "/organization"

    client.post("/organization", {"membership": second.public_id, "next": KEYS})

    assert client.get(KEYS).status_code == 200
    assert client.get(NEW_KEY).status_code == 403


def test_a_foreign_membership_cannot_be_chosen() -> None:
    client = portal()
    foreign = MembershipFactory.create()

    answer = client.post("/organization", {"membership": foreign.public_id})

    assert answer.status_code == 404


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_a_choice_leads_nowhere_else(address: str) -> None:
    membership = MembershipFactory.create()

    answer = signed_in(membership.user).post(
        "/organization", {"membership": membership.public_id, "next": address}
    )

    assert answer["Location"] == "/"


def test_a_suspended_organization_cannot_be_acted_for(organization: Organization) -> None:
    client = portal(organization)
    assert client.get(KEYS).status_code == 200

    Organization.objects.filter(pk=organization.pk).update(state="suspended")

    assert client.get(KEYS)["Location"] == "/organization"


def test_a_role_taken_away_ends_at_once(organization: Organization) -> None:
    client = portal(organization)
    assert client.get(NEW_KEY).status_code == 200

    Membership.objects.update(role=Role.VIEWER)

    assert client.get(NEW_KEY).status_code == 403


def test_a_member_is_let_in_once(organization: Organization) -> None:
    member = MembershipFactory.create(organization=organization)

    answer = portal(organization).post(
        f"{MEMBERS}/new", {"email": member.user.email, "role": "owner"}
    )

    assert answer.status_code == 422


def test_an_owner_changes_a_role_and_it_is_written_down(organization: Organization) -> None:
    member = MembershipFactory.create(organization=organization, role=Role.VIEWER)

    portal(organization).post(f"{MEMBERS}/{member.public_id}/role", {"role": "approver"})

    member.refresh_from_db()
    assert member.role == "approver"
    assert AuditRow.objects.about(member).get().reason == "viewer -> approver"


def test_the_last_owner_stays(organization: Organization) -> None:
    client = portal(organization)
    owner = organization.memberships.get()

    client.post(f"{MEMBERS}/{owner.public_id}/role", {"role": "viewer"})
    client.post(f"{MEMBERS}/{owner.public_id}/remove")

    owner.refresh_from_db()
    assert owner.role == Role.OWNER


def test_one_of_two_owners_may_go(organization: Organization) -> None:
    other = MembershipFactory.create(organization=organization)

    portal(organization).post(f"{MEMBERS}/{other.public_id}/remove")

    assert organization.memberships.count() == 1


@pytest.mark.parametrize("verb", ["role", "remove"])
def test_a_foreign_member_does_not_exist(verb: str) -> None:
    foreign = MembershipFactory.create()

    answer = portal().post(f"{MEMBERS}/{foreign.public_id}/{verb}", {"role": "viewer"})

    assert answer.status_code == 404
    foreign.refresh_from_db()
    assert foreign.role == Role.OWNER


@pytest.mark.parametrize("role", [Role.TRADER, Role.VIEWER, Role.APPROVER])
def test_only_owners_decide_about_members(organization: Organization, role: str) -> None:
    client = portal(organization, role=role)
    member = organization.memberships.get()

    for path in ("new", f"{member.public_id}/role", f"{member.public_id}/remove"):
        assert client.post(f"{MEMBERS}/{path}", {"role": "owner"}).status_code == 403
    assert client.get(MEMBERS).status_code == 200
    member.refresh_from_db()
    assert member.role == role
