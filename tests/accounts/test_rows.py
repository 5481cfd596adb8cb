"""What rows of accounts promise, also against raw SQL."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.models import (
    ApiKey,
    AuditRow,
    Caller,
    IdempotencyRecord,
    Membership,
    Organization,
    Role,
    Scope,
    User,
)
from accounts.models.roles import KIND_OF_SCOPE, SCOPES_OF_ROLE
from accounts.services import api_keys
from accounts.services.audit_rows import record
from accounts.services.invitations import invite
from accounts.services.members import LastOwner, NotAnOwner, change_role
from accounts.services.organizations import (
    ReasonMissing,
    create_organization,
    suspend_organization,
)
from exchange.foundation.states import IllegalMove, LostRace
from tests.factories import (
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
    auditor,
    caller,
    member,
    operator,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE accounts_auditrow SET reason = 'other'",
        "DELETE FROM accounts_auditrow",
    ],
)
def test_audit_rows_cannot_be_changed_even_by_raw_sql(query: str) -> None:
    actor = member()
    row = record(actor, "look", Organization.objects.get(pk=actor.organization_id))

    with (
        pytest.raises(DatabaseError, match="audit_row_append_only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(query)
    assert AuditRow.objects.get() == row


def test_an_address_is_kept_in_lower_case() -> None:
    assert User.objects.create_user(" Ada@Example.COM ").email == "ada@example.com"
    with pytest.raises(IntegrityError, match="user_email_lower_case"), transaction.atomic():
        User.objects.update(email="Ada@Example.com")


def test_two_cases_of_an_address_are_one_person() -> None:
    UserFactory.create(email="ada@example.com")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ADA@example.com")


def test_a_superuser_is_staff() -> None:
    user = User.objects.create_superuser("root@example.com", "x")

    assert user.is_staff
    assert user.is_superuser
    assert User.objects.get_by_natural_key("ROOT@example.com") == user


def test_an_organization_is_of_some_kind() -> None:
    with pytest.raises(AssertionError):
        create_organization("nobody", kinds=[])
    with pytest.raises(IntegrityError, match="of_some_kind"), transaction.atomic():
        Organization.objects.create(name="nobody")


def test_an_organization_is_made_of_its_kinds() -> None:
    made = create_organization("Both", kinds=["buys", "provides"], tax_country="CN")

    assert (made.buys, made.provides, made.operates, made.audits) == (True, True, False, False)
    assert made.legal_name == "Both"
    assert made.public_id.startswith("org_")


def test_suspending_needs_a_reason() -> None:
    organization = OrganizationFactory.create()

    with pytest.raises(ReasonMissing):
        suspend_organization(organization, reason=" ", actor=caller(operator()))


def test_suspending_twice_is_an_illegal_move_and_of_two_at_once_one_loses() -> None:
    organization = OrganizationFactory.create()
    stale = Organization.objects.get(pk=organization.pk)
    actor = caller(operator())
    suspend_organization(organization, reason="unpaid", actor=actor)

    with pytest.raises(IllegalMove):
        suspend_organization(organization, reason="unpaid", actor=actor)
    with pytest.raises(LostRace), transaction.atomic():
        suspend_organization(stale, reason="unpaid", actor=actor)
    assert AuditRow.objects.about(organization).count() == 1


@pytest.mark.parametrize("scopes", [["bids:reed"], ["bids:read", ""], ["*"]])
def test_a_scope_that_the_api_does_not_have_is_refused(scopes: list[str]) -> None:
    with pytest.raises(api_keys.UnknownScope):
        api_keys.issue_key(OrganizationFactory.create(), name="x", scopes=scopes)


def test_a_meter_s_key_reports_and_does_nothing_else() -> None:
    organization = OrganizationFactory.create()
    both = [Scope.READINGS_WRITE, Scope.BALANCES_READ]

    with pytest.raises(api_keys.MeterScopes):
        api_keys.issue_key(organization, name="x", scopes=both, meter="mtr_1")
    key, _ = api_keys.issue_key(organization, name="x", scopes=both[:1], meter="mtr_1")
    assert key.meter == "mtr_1"


@pytest.mark.parametrize("rate", ["0/minute", "10/fortnight", "ten/minute", "10", "10/minute;"])
def test_a_rate_that_nobody_could_keep_is_refused(rate: str) -> None:
    with pytest.raises(api_keys.UnknownRate):
        api_keys.issue_key(OrganizationFactory.create(), name="x", scopes=[], rate=rate)


def test_nobody_hands_on_a_scope_that_it_does_not_hold() -> None:
    viewer = member(role=Role.VIEWER)
    organization = Organization.objects.get(pk=viewer.organization_id)

    with pytest.raises(api_keys.ScopeNotHeld):
        api_keys.issue_key(organization, name="x", scopes=["bids:write"], actor=viewer)
    assert not ApiKey.objects.exists()


def test_a_key_is_live_until_it_expires_or_is_revoked() -> None:
    key, _ = api_keys.issue_key(OrganizationFactory.create(), name="x", scopes=[])
    now = timezone.now()
    assert key.is_live()

    key.expires_at = now
    assert not key.is_live(now)
    assert key.is_live(now - timedelta(microseconds=1))


@pytest.mark.parametrize("model", [Organization, Membership, ApiKey, AuditRow])
def test_rows_are_cut_to_the_caller_s_organization(model: type[Model]) -> None:
    mine, theirs = MembershipFactory.create(), MembershipFactory.create()
    callers = [caller(one.organization) for one in (mine, theirs)]
    for one in callers:
        record(one, "look", Organization.objects.get(pk=one.organization_id))

    seen = [owners(model, one) for one in callers]

    assert seen == [{mine.organization_id}, {theirs.organization_id}]
    for public in (operator(), auditor()):
        assert seen[0] | seen[1] <= owners(model, caller(public))


def owners(model: type[Model], who: Caller) -> set[int]:
    """Return whose rows this caller sees."""
    rows = model._default_manager.all().visible_to(who)  # type: ignore[attr-defined]
    field = "pk" if model is Organization else "organization_id"
    return set(rows.values_list(field, flat=True))


def test_nobody_replays_another_s_answers_not_even_an_operator() -> None:
    owner = caller()
    assert owner.api_key_id
    IdempotencyRecord.objects.create(
        organization_id=owner.organization_id,
        api_key_id=owner.api_key_id,
        key="k",
        request_hash=b"",
        status=201,
        body=b"",
    )

    assert IdempotencyRecord.objects.visible_to(owner).count() == 1
    assert not IdempotencyRecord.objects.visible_to(caller(operator())).exists()


def test_roles_hold_scopes_and_kinds_bound_them() -> None:
    assert SCOPES_OF_ROLE[Role.VIEWER] < SCOPES_OF_ROLE[Role.TRADER]
    assert all(Scope.READINGS_WRITE not in scopes for scopes in SCOPES_OF_ROLE.values())
    trader = member(OrganizationFactory.create(provides=False), role=Role.TRADER)
    assert trader.has_scope(Scope.BIDS_WRITE)
    assert not trader.has_scope(Scope.OFFERS_WRITE)
    assert trader.may_trade
    assert not member(role=Role.VIEWER).may_trade
    assert set(KIND_OF_SCOPE) <= set(Scope.values)


def test_only_owners_invite() -> None:
    with pytest.raises(NotAnOwner):
        invite("new@example.com", role=Role.OWNER, actor=member(role=Role.TRADER))
    with pytest.raises(NotAnOwner):
        invite("new@example.com", role=Role.OWNER, actor=caller())


def test_an_owner_decides_nothing_elsewhere() -> None:
    foreign = MembershipFactory.create()

    with pytest.raises(NotAnOwner):
        change_role(foreign, role=Role.VIEWER, actor=member())


def test_an_owner_who_left_does_not_count() -> None:
    organization = OrganizationFactory.create()
    gone = MembershipFactory.create(organization=organization)
    User.objects.filter(pk=gone.user_id).update(is_active=False)
    actor = member(organization)
    last = Membership.objects.get(user__is_active=True)

    with pytest.raises(LastOwner):
        change_role(last, role=Role.VIEWER, actor=actor)
