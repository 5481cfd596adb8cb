"""Freezing a buyer's money for its bids, and freeing it again with a reason.

Placing a hold is on the way of every bid, so it is one statement. Whatever locks several rows
locks accounts before holds, each in order of id.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from settlement.models import AccountKind, Hold
from settlement.services.budgets import BudgetExceeded, Budgets, reserve_budget
from settlement.services.ledger_accounts import accounts_of

NOT_COVERED = "the money that is available does not cover its greatest cost"
NOT_IN_BUDGET = "what is left of the budget of {} does not cover its greatest cost"


class InsufficientFunds(Exception):
    """The buyer's money does not cover it."""


class HoldDiffers(Exception):
    """A hold with this key was placed before, on another account or over another amount."""


class HoldTooSmall(Exception):
    """More would stay frozen than is still open."""


class UnknownHold(Exception):
    """No hold has this key."""


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Freeze ``amount_micros`` of an organization's money under a name of the caller's.

    ``project`` names the project of the organization whose budget it reserves, if any.
    """

    key: str
    organization_id: int
    amount_micros: int
    project: str = ""

    def __post_init__(self) -> None:
        assert self.amount_micros >= 0, self


PLACE = """
WITH covered AS (
    UPDATE settlement_ledgeraccount SET debits_pending = debits_pending + %(amount)s
    WHERE owner_id = %(owner)s AND kind = 'available' AND currency = %(currency)s
      AND reference = ''
      AND credits_posted + credit_micros - debits_posted - debits_pending >= %(amount)s
      AND NOT EXISTS (SELECT FROM settlement_hold WHERE key = %(key)s)
    RETURNING id)
INSERT INTO settlement_hold (key, account_id, amount_micros, project_id, created_at)
SELECT %(key)s, id, %(amount)s, %(project)s, market_now() FROM covered
"""
LOCK_ACCOUNTS = """
SELECT id, credits_posted + credit_micros - debits_posted - debits_pending, market_now()
FROM settlement_ledgeraccount WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
PLACE_MANY = """
COPY settlement_hold (key, account_id, amount_micros, project_id, created_at) FROM STDIN
"""
FREEZE = """
UPDATE settlement_ledgeraccount AS account SET debits_pending = debits_pending + frozen.amount
FROM unnest(%s::bigint[], %s::bigint[]) AS frozen (account_id, amount)
WHERE account.id = frozen.account_id
"""
ACCOUNTS_OF_HOLDS = "SELECT DISTINCT account_id FROM settlement_hold WHERE key = ANY(%s)"
LOCK_HOLDS = """
SELECT key, id, account_id, amount_micros - captured_micros - released_micros
FROM settlement_hold WHERE key = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
RELEASE = """
WITH freed AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS freed (hold_id, amount)),
recorded AS (
    INSERT INTO settlement_holdrelease (hold_id, amount_micros, reason, released_at)
    SELECT hold_id, amount, %s, market_now() FROM freed),
reduced AS (
    UPDATE settlement_hold AS hold SET released_micros = released_micros + freed.amount
    FROM freed WHERE hold.id = freed.hold_id RETURNING account_id, project_id, freed.amount),
unreserved AS (
    UPDATE settlement_project AS project SET committed_micros = committed_micros - sums.amount
    FROM (SELECT project_id, sum(amount)::bigint AS amount FROM reduced GROUP BY 1) AS sums
    WHERE project.id = sums.project_id)
UPDATE settlement_ledgeraccount AS account SET debits_pending = debits_pending - sums.amount
FROM (SELECT account_id, sum(amount)::bigint AS amount FROM reduced GROUP BY 1) AS sums
WHERE account.id = sums.account_id
"""


def place_hold(request: HoldRequest) -> None:
    """Freeze the money, in one statement; the same request again changes nothing.

    Raises InsufficientFunds, UnknownProject, BudgetExceeded, and HoldDiffers for a key that was
    used for something else.
    """
    if not request.project:
        _place(request, None)
        return
    with transaction.atomic():  # The account first, then the project, as whoever releases does.
        budget = Budgets.of([(request.organization_id, request.project)])
        project_id = budget.project_id(request.organization_id, request.project)
        if _place(request, project_id):
            reserve_budget(project_id, request.amount_micros)


def place_holds(requests: Sequence[HoldRequest]) -> list[bool]:
    """Freeze what fits, in order, account by account; return which requests were covered.

    A request that does not fit is passed over and smaller ones after it may still fit. Raises
    UnknownProject and HoldDiffers, with nothing placed, if a key was used before or stands here
    twice.
    """
    return [refusal is None for refusal in cover_holds(requests)]


def cover_holds(requests: Sequence[HoldRequest]) -> list[InsufficientFunds | BudgetExceeded | None]:
    """Freeze what fits, as ``place_holds`` does; return for each request what refused it."""
    accounts = accounts_of(AccountKind.AVAILABLE, {each.organization_id for each in requests})
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_ACCOUNTS, [list(accounts.values())])
        locked = cursor.fetchall()
        left: dict[int, int] = {account_id: free for account_id, free, _ in locked}
        named = [(each.organization_id, each.project) for each in requests if each.project]
        budgets = Budgets.of(named, locked=True)
        refusals: list[InsufficientFunds | BudgetExceeded | None] = []
        for request in requests:
            account_id = accounts[request.organization_id]
            refusal: InsufficientFunds | BudgetExceeded | None = None
            if request.amount_micros > left[account_id]:
                refusal = InsufficientFunds(NOT_COVERED)
            elif not budgets.reserve(
                request.organization_id, request.project, request.amount_micros
            ):
                refusal = BudgetExceeded(NOT_IN_BUDGET.format(request.project))
            else:
                left[account_id] -= request.amount_micros
            refusals.append(refusal)
        placed = [
            (
                each.key,
                accounts[each.organization_id],
                each.amount_micros,
                budgets.project_id(each.organization_id, each.project),
            )
            for each, refusal in zip(requests, refusals, strict=True)
            if not refusal
        ]
        if placed:
            _freeze(placed, at=locked[0][2])
        budgets.write()
    return refusals


def _freeze(placed: Sequence[tuple[str, int, int, int | None]], *, at: datetime) -> None:
    """Write many holds by one COPY, and what they freeze by one UPDATE. Raises HoldDiffers.

    Of each: its key, the account, the amount, the project.
    """
    frozen = Counter[int]()
    try:
        # What goes wrong in a COPY comes from the driver, past Django.
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(PLACE_MANY) as copy,
        ):
            for hold in placed:
                copy.write_row((*hold, at))
                frozen[hold[1]] += hold[2]
    except IntegrityError as error:
        raise HoldDiffers("a hold with one of these keys exists") from error
    with connection.cursor() as cursor:
        cursor.execute(FREEZE, [list(frozen), list(frozen.values())])


def resize_holds(still_needed: Mapping[str, int], reason: str) -> None:
    """Free of each hold all that is open beyond ``still_needed[key]`` micro-units.

    A hold that has just that much open stays as it is, so a repeat changes nothing. Raises
    UnknownHold or HoldTooSmall with nothing changed.
    """
    if not still_needed:
        return
    keys = sorted(still_needed)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ACCOUNTS_OF_HOLDS, [keys])
        cursor.execute(LOCK_ACCOUNTS, [[account_id for (account_id,) in cursor.fetchall()]])
        cursor.execute(LOCK_HOLDS, [keys])
        holds = {key: (hold_id, opened) for key, hold_id, _, opened in cursor.fetchall()}
        freed = {}
        for key, needed in still_needed.items():
            assert needed >= 0, (key, needed)
            if key not in holds:
                raise UnknownHold(f"there is no hold {key}")
            hold_id, opened = holds[key]
            if needed > opened:
                raise HoldTooSmall(f"hold {key} has {opened} micro-units open, not {needed}")
            freed[hold_id] = opened - needed
        freed = {hold_id: amount for hold_id, amount in freed.items() if amount}
        cursor.execute(RELEASE, [list(freed), list(freed.values()), reason])


def release_holds(keys: Iterable[str], reason: str) -> None:
    """Free all that is still open of these holds, each release recorded with its reason."""
    resize_holds(dict.fromkeys(keys, 0), reason)


def _place(request: HoldRequest, project_id: int | None) -> bool:
    """Freeze the money; return whether it was not frozen before."""
    with connection.cursor() as cursor:
        cursor.execute(
            PLACE,
            {
                "key": request.key,
                "owner": request.organization_id,
                "amount": request.amount_micros,
                "project": project_id,
                "currency": settings.MARKET_CURRENCY,
            },
        )
        if cursor.rowcount == 1:
            return True
        _explain(request)
        return False


def _explain(request: HoldRequest) -> None:
    """Accept a repeat; else say why nothing was frozen."""
    hold = Hold.objects.filter(key=request.key).select_related("account").first()
    if hold is None:
        raise InsufficientFunds(f"{request.amount_micros} micro-units are not available")
    if (hold.account.owner_id, hold.amount_micros) != (
        request.organization_id,
        request.amount_micros,
    ):
        raise HoldDiffers(f"hold {request.key} exists with other content")
