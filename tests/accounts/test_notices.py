"""Members are told what happens, as they chose."""

import pytest
from django.core import mail
from django.test import Client

from accounts.models import EventType, Membership, Notice, Organization, Role
from accounts.services.letters import send_letters
from accounts.services.notices import write_notice_letters
from accounts.services.spreading import spread_events
from tests.accounts.endpoints import happen
from tests.factories import MembershipFactory, OrganizationFactory, portal

pytestmark = pytest.mark.django_db
SAID = "A deposit of 12.500000 CNY arrived."


@pytest.fixture
def own() -> Organization:
    return OrganizationFactory.create()


def deposit(own: Organization) -> None:
    happen(own.pk, kind=EventType.DEPOSIT_POSTED, currency="CNY")
    spread_events()


def mailed() -> list[str]:
    write_notice_letters()
    send_letters()
    return [letter.to[0] for letter in mail.outbox]


def test_every_member_is_told_in_the_portal_and_by_letter(own: Organization) -> None:
    members = [MembershipFactory.create(organization=own, role=role) for role in Role.values]
    MembershipFactory.create()

    deposit(own)

    assert Notice.objects.count() == 4
    assert sorted(mailed()) == sorted(member.user.email for member in members)
    assert SAID in str(mail.outbox[0].body)


def test_the_bell_counts_until_all_is_read(own: Organization) -> None:
    client = portal(own)
    for _ in range(2):
        deposit(own)
    page = client.get("/notices").content.decode()
    assert ">2<span" in page
    assert SAID in page

    client.post("/notices/read")

    assert ">2<span" not in client.get("/notices").content.decode()
    assert Notice.objects.filter(read_at=None).count() == 0


def test_one_letter_gathers_what_is_new(own: Organization) -> None:
    MembershipFactory.create(organization=own)
    for _ in range(25):
        deposit(own)

    assert len(mailed()) == 1
    assert "and 5 more" in str(mail.outbox[0].body)
    assert len(mailed()) == 1


@pytest.mark.parametrize(
    ("shown", "mails"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_each_way_is_switched_by_itself(own: Organization, shown: bool, mails: bool) -> None:  # noqa: FBT001
    client: Client = portal(own)
    kinds = [EventType.DEPOSIT_POSTED.value]
    client.post("/notices/choices", {"shown": kinds * shown, "mails": kinds * mails})

    deposit(own)

    assert (SAID in client.get("/notices").content.decode()) == shown
    assert len(mailed()) == mails


def test_a_choice_is_a_member_s_own(own: Organization) -> None:
    portal(own).post("/notices/choices", {})
    other = MembershipFactory.create(organization=own)

    deposit(own)

    assert Notice.objects.get().membership == other


def test_what_is_told_to_programs_alone_is_no_notice(own: Organization) -> None:
    MembershipFactory.create(organization=own)
    happen(own.pk, kind=EventType.PERIOD_SETTLED)
    happen(None, kind=EventType.AUCTION_PUBLISHED)

    spread_events()

    assert not Notice.objects.exists()


def test_who_left_is_told_nothing(own: Organization) -> None:
    gone = MembershipFactory.create(organization=own)
    gone.user.is_active = False
    gone.user.save()

    deposit(own)

    assert not Notice.objects.exists()


def test_notices_go_with_the_membership(own: Organization) -> None:
    MembershipFactory.create(organization=own)
    deposit(own)

    Membership.objects.filter(organization=own).delete()

    assert not Notice.objects.exists()


def test_a_stranger_s_notices_are_not_shown(own: Organization) -> None:
    MembershipFactory.create(organization=own)
    deposit(own)

    assert SAID not in portal().get("/notices").content.decode()
