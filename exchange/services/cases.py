"""Case files: an operator opens one from a finding, notes, assigns, and closes it.

Every deed is an entry of the case and a row of the audit log, in one database transaction. Who acts
is a person: the portal is the only door.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Caller, Membership, Organization, User
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from exchange.foundation.states import IllegalMove, move
from exchange.models import CASE_MOVES, CaseDeed, CaseEntry, CaseOutcome, CaseState, WatchCase
from exchange.models.cases import NOTE_LENGTH_MAX
from exchange.models.columns import REASON_LENGTH_MAX
from exchange.queries.watch.boards import evidence_of, finding_of
from exchange.queries.watch.findings import Subject
from settlement.services.deposit_approvals import refuse_non_operator, refuse_without_reason


class FindingGone(Exception):
    """The market watch does not find any more what a case was to be opened from."""


class CaseMalformed(Exception):
    """An outcome that is not known, or somebody who does not operate the market."""


def evidence_text(evidence: Mapping[str, Any]) -> str:
    """Return evidence as the text that is kept and hashed: keys sorted, no spaces, UTF-8."""
    return json.dumps(evidence, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_of(text: str) -> str:
    """Return the hash that stands beside a case's evidence."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_as_it_was(case: WatchCase) -> bool:
    """Return whether the evidence of a case still has its hash."""
    return sha256_of(case.evidence) == case.evidence_sha256


def people_who_operate() -> "QuerySet[User]":
    """Return everybody who may look into a case, by name."""
    rows = Membership.objects.usable().filter(organization__operates=True)
    return User.objects.filter(pk__in=rows.values("user")).order_by("email")


def open_case(subject: Subject, *, reason: str, actor: Caller) -> WatchCase:
    """Open a case with the finding as it is now, frozen; whoever opens it looks into it first.

    Raises NotAnOperator, ReasonMissing, FindingGone.
    """
    refuse_non_operator(actor)
    refuse_without_reason(reason, "a case")
    found, person, now = finding_of(subject), _person(actor), market_now()
    if found is None:
        raise FindingGone("the market watch does not find this any more")
    text = evidence_text(evidence_of(found, taken_at=now))
    numbers = dict(_numbers(found.names))
    with transaction.atomic():
        case = WatchCase.objects.create(
            kind=subject.kind,
            organization_id=numbers.get(subject.seller),
            other_id=numbers.get(subject.buyer),
            region_code=subject.region,
            accelerator_code=subject.accelerator,
            starts_at=subject.span.since,
            ends_at=subject.span.until,
            reason=reason.strip()[:REASON_LENGTH_MAX],
            evidence=text,
            evidence_sha256=sha256_of(text),
            opened_by_id=person,
            opened_at=now,
            assigned_to_id=person,
            actor=actor.signature,
        )
        _write(case, CaseDeed.OPENED, reason, actor, assigned_to_id=person)
    return case


def note_in_case(case: WatchCase, *, text: str, actor: Caller) -> None:
    """Add a note to an open case. Raises NotAnOperator, ReasonMissing, IllegalMove."""
    refuse_non_operator(actor)
    refuse_without_reason(text, "a note")
    with transaction.atomic():
        _hold_open(case, actor)
        _write(case, CaseDeed.NOTED, text, actor)


def assign_case(case: WatchCase, to: User, *, reason: str, actor: Caller) -> None:
    """Let somebody who operates the market look into an open case.

    Raises NotAnOperator, ReasonMissing, IllegalMove, CaseMalformed.
    """
    refuse_non_operator(actor)
    refuse_without_reason(reason, "to assign a case")
    if not people_who_operate().filter(pk=to.pk).exists():
        raise CaseMalformed(f"{to} does not operate the market")
    with transaction.atomic():
        _hold_open(case, actor)
        WatchCase.objects.filter(pk=case.pk).update(assigned_to=to)
        _write(case, CaseDeed.ASSIGNED, reason, actor, assigned_to_id=to.pk)


def close_case(case: WatchCase, *, outcome: str, reason: str, actor: Caller) -> None:
    """End a case. Raises NotAnOperator, ReasonMissing, CaseMalformed, IllegalMove, LostRace."""
    refuse_non_operator(actor)
    refuse_without_reason(reason, "to close a case")
    if outcome not in CaseOutcome.values:
        raise CaseMalformed(f"there is no outcome {outcome}")
    with transaction.atomic():
        move(
            case,
            to=CaseState.CLOSED,
            moves=CASE_MOVES,
            outcome=outcome,
            closed_at=market_now(),
            actor=actor.signature,
        )
        _write(case, CaseDeed.CLOSED, reason, actor)


def _hold_open(case: WatchCase, actor: Caller) -> None:
    """Keep a case from being closed until the deed is written. Raises IllegalMove if it is."""
    mine = WatchCase.objects.filter(pk=case.pk, state=CaseState.OPEN)
    if not mine.update(actor=actor.signature):
        raise IllegalMove(f"{case.public_id} is closed")


def _write(
    case: WatchCase, deed: CaseDeed, text: str, actor: Caller, *, assigned_to_id: int | None = None
) -> None:
    CaseEntry.objects.create(
        case=case,
        deed=deed,
        text=text.strip()[:NOTE_LENGTH_MAX],
        person_id=_person(actor),
        assigned_to_id=assigned_to_id,
        actor=actor.signature,
        at=market_now(),
    )
    record(actor, deed.value, case, text)


def _numbers(public_ids: Iterable[str]) -> "QuerySet[Organization, tuple[str, int]]":
    rows = Organization.objects.filter(public_id__in=list(public_ids))
    return rows.values_list("public_id", "pk")


def _person(actor: Caller) -> int:
    assert actor.user_id is not None, "people keep case files, in the portal"
    return actor.user_id
