"""What needs four eyes is never approved by who asked for it."""

from accounts.models import ApiKey, Caller


class OwnRequest(Exception):
    """Whoever asked for it cannot approve it: another person has to."""


def person_behind(caller: Caller) -> int | None:
    """Return the person who acts, or who made the key that acts."""
    if caller.user_id is not None:
        return caller.user_id
    if caller.api_key_id is None:
        return None
    key = ApiKey.objects.filter(pk=caller.api_key_id)
    return key.values_list("created_by_id", flat=True).first()


def refuse_same_person(asked_by_id: int | None, actor: Caller) -> int | None:
    """Return who approves. Raises OwnRequest if that is who asked."""
    person = person_behind(actor)
    if person is not None and person == asked_by_id:
        raise OwnRequest("another person has to approve this")
    return person
