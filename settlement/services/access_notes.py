"""Access notes: the provider's, sealed, shown to the buyer's traders, each time on record."""

import json
from collections.abc import Iterator

from django.db import transaction
from django.db.models import F

from accounts.models import ApiKey, Caller, Scope, User
from accounts.services import audit_rows
from accounts.services.sealing import SealBroken, is_newest, reseal, seal, unseal
from exchange.foundation.market_time import market_now
from settlement.models import CONTRACT_MOVES, AccessNote, AccessNoteRead, Contract

TEXT_LENGTH_MAX = 8_000
ROWS_AT_ONCE = 500


class NotTheProvider(Exception):
    """Only the contract's provider hands its machines over, by an owner, a trader or their key."""


class NotTheBuyer(Exception):
    """An access note is read by the buyer's owners and traders, or their keys, and nobody else."""


class NoteMissing(Exception):
    """The provider has not written an access note for this contract yet."""


class NoteMalformed(Exception):
    """An access note says something, in at most TEXT_LENGTH_MAX characters, without NUL."""


class ContractOver(Exception):
    """A contract that is over is handed over no more."""


def write_note(contract: Contract, text: str, *, actor: Caller) -> AccessNote:
    """Write the note of a contract, or replace it.

    Raises NotTheProvider, ContractOver, NoteMalformed.
    """
    refuse_non_provider(contract, actor)
    refuse_over(contract)
    if not text.strip() or len(text) > TEXT_LENGTH_MAX or "\0" in text:
        raise NoteMalformed(f"1 to {TEXT_LENGTH_MAX} characters, without NUL")
    content = {
        "sealed": _sealed(contract, text),
        "written_at": market_now(),
        "written_by": actor.signature,
    }
    with transaction.atomic():
        note, is_new = AccessNote.objects.get_or_create(contract=contract, defaults=content)
        if not is_new:
            AccessNote.objects.filter(pk=note.pk).update(**content, version=F("version") + 1)
            note.refresh_from_db()
        audit_rows.record(actor, "write access note", contract, f"version {note.version}")
    return note


def read_note(contract: Contract, *, actor: Caller) -> str:
    """Return the note's text and write down who read it, in one database transaction.

    Raises NotTheBuyer, ContractOver, NoteMissing, SealBroken.
    """
    if contract.buyer_id != actor.organization_id or not actor.has_scope(Scope.CONTRACTS_ACCESS):
        raise NotTheBuyer("the note is for the buyer's traders")
    refuse_over(contract)
    with transaction.atomic():
        note = AccessNote.objects.filter(contract=contract).select_for_update(no_key=True).first()
        if note is None:
            raise NoteMissing("the provider has not written it yet")
        AccessNoteRead.objects.create(
            note=note,
            version=note.version,
            organization_id=actor.organization_id,
            reader=actor.signature,
            reader_name=_name_of(actor),
            read_at=market_now(),
        )
        return _text(note, contract)


def reseal_notes() -> int:
    """Seal every note with the newest key, a few at a time; return how many were not yet.

    Raises SealBroken for a note that no key opens. A repeat changes nothing.
    """
    return sum(_reseal(pks) for pks in _batches())


def refuse_non_provider(contract: Contract, actor: Caller) -> None:
    """Raise NotTheProvider unless a provider's owner, trader or key acts."""
    is_own = contract.provider_id == actor.organization_id
    if not is_own or not actor.has_scope(Scope.CONTRACTS_WRITE):
        raise NotTheProvider("only the contract's provider does this")


def refuse_over(contract: Contract) -> None:
    """Raise ContractOver if the contract can move no more."""
    if not CONTRACT_MOVES[contract.state]:
        raise ContractOver(f"the contract is {contract.state}")


def _sealed(contract: Contract, text: str) -> bytes:
    """Seal the text with the contract's name: a note cannot be put under another contract."""
    return seal(json.dumps([contract.public_id, text]).encode())


def _text(note: AccessNote, contract: Contract) -> str:
    whose, text = json.loads(unseal(note.sealed))
    if whose != contract.public_id:
        raise SealBroken(f"the note of {whose} stands under {contract.public_id}")
    return str(text)


def _name_of(actor: Caller) -> str:
    if actor.user_id is not None:
        return User.objects.get(pk=actor.user_id).email
    assert actor.api_key_id is not None, "a caller is a person or a key"
    return ApiKey.objects.get(pk=actor.api_key_id).name


def _batches() -> Iterator[list[int]]:
    pks = list(AccessNote.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(pks), ROWS_AT_ONCE):
        yield pks[first : first + ROWS_AT_ONCE]


def _reseal(pks: list[int]) -> int:
    with transaction.atomic():
        rows = AccessNote.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True)
        old = [note for note in rows if not is_newest(note.sealed)]
        for note in old:
            note.sealed = reseal(note.sealed)
        AccessNote.objects.bulk_update(old, ["sealed"])
    return len(old)
