"""What staff sees and does in the admin."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditRow, Membership, Organization, Role, User
from accounts.services.api_keys import issue_key
from accounts.services.audit_rows import record
from tests.factories import (
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
    api_with,
    member,
    operator,
)

pytestmark = pytest.mark.django_db
ORGANIZATIONS = "/admin/accounts/organization/"
KEYS = "/admin/accounts/apikey/"
USERS = "/admin/accounts/user/"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def staff(*permissions: str, is_superuser: bool = False) -> tuple[Client, User]:
    """Return a browser of an operator's member with these permissions, and the person."""
    user = UserFactory.create(is_staff=True, is_superuser=is_superuser)
    Membership.objects.create(user=user, organization=operator(), role=Role.OWNER)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client, user


@pytest.fixture
def admin() -> Client:
    return staff(is_superuser=True)[0]


@pytest.fixture
def organization() -> Organization:
    return OrganizationFactory.create(name="=Spreadsheet")


def act(client: Client, path: str, action: str, row: object, **more: str) -> Client:
    """Post an action of a list."""
    body = {"action": action, "_selected_action": str(row), **more}
    return client.post(path, body)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "path",
    [
        *("organization", "organization/add", "membership", "apikey", "auditrow"),
        *("user", "user/add"),
    ],
)
def test_every_page_opens(admin: Client, organization: Organization, path: str) -> None:
    key, _ = issue_key(organization, name="desk", scopes=["bids:read"])
    record(member(organization), "look", key)

    assert admin.get(f"/admin/accounts/{path}/").status_code == 200
    assert admin.get(f"/admin/accounts/{path}/?q=desk").status_code in {200, 302}


def test_every_detail_opens(admin: Client, organization: Organization) -> None:
    key, _ = issue_key(organization, name="desk", scopes=["bids:read"])
    row = record(member(organization), "look", key)

    for page, pk in (("apikey", key.pk), ("auditrow", row.pk), ("organization", organization.pk)):
        assert admin.get(f"/admin/accounts/{page}/{pk}/change/").status_code == 200


@pytest.mark.parametrize("page", ["apikey", "auditrow", "membership"])
def test_read_only_pages_write_nothing(
    admin: Client, organization: Organization, page: str
) -> None:
    key, _ = issue_key(organization, name="desk", scopes=["bids:read"])
    row = record(member(organization), "look", key)
    pk = {"apikey": key.pk, "auditrow": row.pk, "membership": Membership.objects.all()[0].pk}[page]

    for path in ("add/", f"{pk}/change/", f"{pk}/delete/"):
        assert admin.post(f"/admin/accounts/{page}/{path}", {"name": "x"}).status_code == 403


def test_suspending_asks_for_a_reason_first(admin: Client, organization: Organization) -> None:
    answer = act(admin, ORGANIZATIONS, "suspend", organization.pk)

    assert b'name="reason"' in answer.content  # type: ignore[attr-defined]
    organization.refresh_from_db()
    assert organization.state == "active"


def test_suspending_with_a_reason_shuts_keys_and_is_written_down(
    organization: Organization,
) -> None:
    client, user = staff("change_organization", "view_organization")
    _, token = issue_key(organization, name="desk", scopes=["bids:read"])

    act(client, ORGANIZATIONS, "suspend", organization.pk, reason="unpaid since May")

    row = AuditRow.objects.about(organization).get()
    assert (row.verb, row.reason, row.user) == ("suspend", "unpaid since May", user)
    assert row.organization is not None
    assert row.organization.operates
    assert api_with(token).get("/api/v1/me").status_code == 403


def test_a_blank_reason_is_none(admin: Client, organization: Organization) -> None:
    act(admin, ORGANIZATIONS, "suspend", organization.pk, reason="  ")

    organization.refresh_from_db()
    assert organization.state == "active"


def test_resuming_lets_act_again(admin: Client, organization: Organization) -> None:
    _, token = issue_key(organization, name="desk", scopes=["bids:read"])
    act(admin, ORGANIZATIONS, "suspend", organization.pk, reason="unpaid")
    act(admin, ORGANIZATIONS, "resume", organization.pk, reason="paid")

    assert api_with(token).get("/api/v1/me").status_code == 200
    assert [row.verb for row in AuditRow.objects.about(organization)] == ["resume", "suspend"]


def test_a_row_that_is_refused_is_reported_and_leaves_nothing(
    admin: Client, organization: Organization
) -> None:
    answer = admin.post(
        ORGANIZATIONS,
        {"action": "resume", "_selected_action": organization.pk, "reason": "by mistake"},
        follow=True,
    )

    assert "active -&gt; active" in answer.content.decode()
    assert not AuditRow.objects.exists()


def test_staff_that_may_only_look_is_not_offered_the_action(organization: Organization) -> None:
    client, _ = staff("view_organization")

    act(client, ORGANIZATIONS, "suspend", organization.pk, reason="because")

    organization.refresh_from_db()
    assert organization.state == "active"


def test_an_administrator_revokes_a_key(admin: Client, organization: Organization) -> None:
    key, token = issue_key(organization, name="desk", scopes=["bids:read"])

    act(admin, KEYS, "revoke", key.pk, reason="leaked")

    assert api_with(token).get("/api/v1/me").status_code == 401
    assert AuditRow.objects.about(key).get().reason == "leaked"


def export(client: Client, path: str, row: object) -> list[list[str]]:
    answer = client.post(path, {"action": "export_csv", "_selected_action": str(row)})
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_rows_are_exported_and_no_cell_is_a_formula(
    admin: Client, organization: Organization
) -> None:
    head, row = export(admin, ORGANIZATIONS, organization.pk)

    cells = dict(zip(head, row, strict=True))
    assert cells["public_id"] == organization.public_id
    assert cells["name"] == "'=Spreadsheet"
    assert cells["created_at"].endswith("+00:00")


def test_secrets_are_not_exported(admin: Client, organization: Organization) -> None:
    key, _ = issue_key(organization, name="desk", scopes=["bids:read"])

    assert "secret_hmac" not in export(admin, KEYS, key.pk)[0]
    assert "password" not in export(admin, USERS, UserFactory.create().pk)[0]


def test_an_administrator_makes_a_user_who_has_no_password_yet(admin: Client) -> None:
    admin.post(
        f"{USERS}add/", {"email": "New@Example.com", "name": "New", "usable_password": "false"}
    )

    assert not User.objects.get(email="new@example.com").has_usable_password()


def test_staff_cannot_make_itself_a_superuser() -> None:
    client, user = staff("change_user", "view_user")

    client.post(
        f"{USERS}{user.pk}/change/",
        {"email": user.email, "name": "new", "is_active": "on", "is_superuser": "on"},
    )

    user.refresh_from_db()
    assert user.name == "new"
    assert not user.is_superuser


def test_staff_cannot_change_a_superuser() -> None:
    client, _ = staff("change_user", "view_user")
    above = UserFactory.create(is_superuser=True)

    answer = client.post(f"{USERS}{above.pk}/change/", {"email": "mine@example.com"})
    password = client.post(f"{USERS}{above.pk}/password/", {"password1": "x", "password2": "x"})

    assert answer.status_code == password.status_code == 403


def test_nobody_is_deleted(admin: Client) -> None:
    membership = MembershipFactory.create()

    for path in (f"{USERS}{membership.user_id}", f"{ORGANIZATIONS}{membership.organization_id}"):
        assert admin.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
