"""Organizations apply, people are invited, and letters are sent."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import (
    Application,
    AuditRow,
    Invitation,
    Letter,
    Membership,
    Organization,
    Role,
    User,
)
from accounts.services import applications
from accounts.services.letters import send_letters, write_letter
from accounts.services.organizations import ReasonMissing
from exchange.foundation.states import IllegalMove
from tests.factories import (
    PASSWORD,
    MembershipFactory,
    OrganizationFactory,
    caller,
    operator,
    portal,
)

pytestmark = pytest.mark.django_db
NEW = {"name": "Lin", "password1": "correct horse battery", "password2": "correct horse battery"}
LINK = re.compile(r"/invitations/[\w-]+")


@pytest.fixture
def own() -> Organization:
    return OrganizationFactory.create()


@pytest.fixture
def client() -> Client:
    """Return a browser at an address of its own."""
    return Client(REMOTE_ADDR=str(uuid.uuid4()))


def form(**changes: Any) -> dict[str, Any]:
    plain = {
        "name": "New Power",
        "legal_name": "New Power Ltd",
        "tax_country": "cn",
        "kinds": ["buys"],
        "person": "Wang",
        "email": "Wang@New.example",
        "message": "",
    }
    return plain | changes


def link() -> str:
    """Return the address in the last letter."""
    found = LINK.search(str(mail.outbox[-1].body))
    assert found
    return found[0]


def invited(own: Organization, email: str = "new@example.com", role: str = Role.TRADER) -> str:
    """Invite somebody as an owner does; return the address in the letter."""
    portal(own).post("/organization/members/new", {"email": email, "role": role})
    send_letters()
    return link()


def test_an_application_is_approved_and_its_first_owner_comes_in(client: Client) -> None:
    assert "Thank you" in client.post("/apply", form()).content.decode()
    application = Application.objects.get()
    assert not Organization.objects.filter(name="New Power").exists()

    applications.approve(application, reason="known", actor=caller(operator()))
    send_letters()

    assert [letter.to for letter in mail.outbox] == [["wang@new.example"]] * 2
    assert client.post(link(), NEW)["Location"] == "/"
    member = Membership.objects.get(organization__name="New Power")
    assert (member.role, member.user.email) == (Role.OWNER, "wang@new.example")
    assert (member.organization.buys, member.organization.tax_country) == (True, "CN")
    assert client.get("/organization/members").status_code == 200


def test_a_refusal_needs_a_reason_and_is_told(client: Client) -> None:
    client.post("/apply", form())
    application, actor = Application.objects.get(), caller(operator())
    with pytest.raises(ReasonMissing):
        applications.refuse(application, reason=" ", actor=actor)

    applications.refuse(application, reason="no such company", actor=actor)
    send_letters()

    assert "no such company" in str(mail.outbox[-1].body)
    assert AuditRow.objects.about(application).get().reason == "no such company"
    with pytest.raises(IllegalMove):
        applications.approve(application, reason="", actor=actor)


def test_only_an_operator_decides(client: Client, own: Organization) -> None:
    client.post("/apply", form())

    with pytest.raises(applications.NotForApplications):
        applications.approve(Application.objects.get(), reason="", actor=caller(own))


@pytest.mark.parametrize(
    "changes",
    [{"kinds": []}, {"email": "nobody"}, {"tax_country": "China"}, {"name": ""}, {"kinds": ["x"]}],
)
def test_a_wrong_application_is_not_kept(client: Client, changes: dict[str, Any]) -> None:
    assert client.post("/apply", form(**changes)).status_code == 422
    assert not Application.objects.exists()


def test_an_application_says_nothing_of_who_is_here(client: Client) -> None:
    known = MembershipFactory.create().user.email

    fresh, same = (client.post("/apply", form(email=each)) for each in ("x@y.example", known))

    token = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')
    assert token.sub(b"", fresh.content) == token.sub(b"", same.content)


def test_applications_from_one_address_are_limited(client: Client, settings: Settings) -> None:
    settings.SIGN_UP_RATE = "2/day"
    answers = [client.post("/apply", form()).status_code for _ in range(3)]

    assert answers == [200, 200, 429]
    assert Application.objects.count() == 2


def test_an_invitation_lets_a_new_person_in_once(client: Client, own: Organization) -> None:
    path = invited(own)
    assert own.name in client.get(path).content.decode()

    assert client.post(path, NEW)["Location"] == "/"

    member = own.memberships.get(user__email="new@example.com")
    assert (member.role, member.user.name) == (Role.TRADER, "Lin")
    assert client.get("/organization/keys").status_code == 200
    assert Client(REMOTE_ADDR=str(uuid.uuid4())).post(path, NEW).status_code == 404


def test_who_has_an_account_signs_in_and_accepts(client: Client, own: Organization) -> None:
    known = MembershipFactory.create().user
    path = invited(own, known.email)
    assert "Sign in to accept" in client.get(path).content.decode()
    assert client.post(path, NEW).status_code == 409
    assert not own.memberships.filter(user=known).exists()

    client.force_login(known, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.post(path)

    assert own.memberships.get(user=known).role == Role.TRADER
    assert known.check_password(PASSWORD)


def test_somebody_else_cannot_accept(own: Organization) -> None:
    path = invited(own)

    assert portal().post(path, NEW).status_code == 403
    assert Invitation.objects.open().exists()


@pytest.mark.parametrize("how", ["expired", "withdrawn", "suspended"])
def test_an_invitation_that_is_over_lets_nobody_in(
    client: Client, own: Organization, how: str
) -> None:
    path = invited(own)
    invitation = Invitation.objects.get()
    if how == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "suspended":
        Organization.objects.filter(pk=own.pk).update(state="suspended")
    else:
        portal(own).post(f"/organization/invitations/{invitation.public_id}/withdraw")

    assert client.post(path, NEW).status_code == 404
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_second_invitation_ends_the_first(client: Client, own: Organization) -> None:
    first = invited(own)
    second = invited(own, role=Role.VIEWER)

    assert client.get(first).status_code == 404
    client.post(second, NEW)
    assert own.memberships.get(user__email="new@example.com").role == Role.VIEWER


@pytest.mark.parametrize(
    "changes", [{"password2": "other words here"}, {"password1": "12345678"}, {"name": ""}]
)
def test_a_bad_password_uses_no_token_up(
    client: Client, own: Organization, changes: dict[str, str]
) -> None:
    path = invited(own)

    assert client.post(path, NEW | changes).status_code == 422
    assert client.post(path, NEW).status_code == 302


def test_guesses_at_invitations_are_limited(client: Client, settings: Settings) -> None:
    settings.SIGN_UP_RATE = "3/day"

    assert [client.get(f"/invitations/{n}").status_code for n in range(4)] == [404, 404, 404, 429]


def test_no_table_holds_a_token(own: Organization) -> None:
    portal(own).post("/organization/members/new", {"email": "a@b.example", "role": "viewer"})
    waiting = bytes(Letter.objects.get().sealed)
    send_letters()
    token = link().rpartition("/")[2].encode()

    assert token not in waiting + bytes(Invitation.objects.get().token_sha256)
    assert bytes(Letter.objects.get().sealed) == b""


def test_a_letter_is_sent_once_in_both_languages(own: Organization) -> None:
    invited(own)

    assert send_letters() == 0
    (letter,) = mail.outbox
    assert "seven days" in str(letter.body)
    assert "七天" in str(letter.body)


def test_a_mail_server_that_fails_delays_its_letter_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_letter("bad@example.com", "a", "b")
    write_letter("good@example.com", "a", "b")
    send = EmailMessage.send

    def send_or_fail(self: EmailMessage, **options: Any) -> int:
        if self.to == ["bad@example.com"]:
            raise ConnectionRefusedError
        return send(self, **options)

    monkeypatch.setattr(EmailMessage, "send", send_or_fail)

    assert send_letters() == 1
    waiting = Letter.objects.get(sent_at=None)
    assert waiting.attempts == 1
    assert waiting.next_attempt_at > timezone.now()


def test_a_subject_cannot_smuggle_headers() -> None:
    write_letter("a@example.com", "News\nBcc: all@example.com", "b")
    send_letters()

    assert mail.outbox[0].subject == "News Bcc: all@example.com"
