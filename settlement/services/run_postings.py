"""From what a batch of runs changed to the transfers that say so.

Each period moves what its buyer pays, what its provider earns and what it owes for a shortfall;
fees, rents, policy and rounding leave the auction's clearing account in one transfer each for
the whole batch. An auction's clearing account ends each batch at nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from settlement.models import AccountKind, Hold, TransferCode
from settlement.postings import Leg, Place, Postings, legs_between, shares_between
from settlement.services.due_periods import DuePeriod, Past
from settlement.services.ledger import (
    NewTransfer,
    accounts_of,
    clearing_account,
    house_account,
    post_all,
)

CODE_OF_LEG = {
    "capture": TransferCode.CHARGE,
    "charge": TransferCode.CHARGE,
    "earning": TransferCode.EARNING,
    "penalty": TransferCode.PENALTY,
}
HOUSE_OF_SHARE = {
    "buyer_fee": (AccountKind.FEE, TransferCode.BUYER_FEE),
    "seller_fee": (AccountKind.FEE, TransferCode.SELLER_FEE),
    "congestion": (AccountKind.CONGESTION_RENT, TransferCode.CONGESTION_RENT),
    "power": (AccountKind.POWER_RENT, TransferCode.POWER_RENT),
    "policy": (AccountKind.POLICY, TransferCode.POLICY),
    "rounding": (AccountKind.ROUNDING, TransferCode.ROUNDING),
}


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One period's run: what stood before and what stands after it."""

    period: DuePeriod
    past: Past
    after: Postings


def post_runs(reckoned: Sequence[Reckoned], *, now: datetime) -> None:
    """Post what these runs changed, all or nothing; the same runs again post nothing new."""
    accounts = _Accounts(reckoned)
    transfers = [transfer for each in reckoned for transfer in _transfers_of(each, accounts, now)]
    key = batch_key(reckoned)
    transfers += _house_transfers(reckoned, accounts, key=key, now=now)
    post_all(transfers, key=key)


def batch_key(reckoned: Sequence[Reckoned]) -> str:
    """Return the name of this batch of runs: the same runs have the same name."""
    named = sorted((each.period.id, int(each.period.run_no)) for each in reckoned)
    return f"settle/{hashlib.sha256(repr(named).encode()).hexdigest()[:32]}"


class _Accounts:
    """The accounts that a batch of runs moves, each looked up once."""

    def __init__(self, reckoned: Sequence[Reckoned]) -> None:
        periods = [each.period for each in reckoned]
        self.available = accounts_of(AccountKind.AVAILABLE, {each.buyer_id for each in periods})
        self.payable = accounts_of(AccountKind.PAYABLE, {each.provider_id for each in periods})
        self.clearing = {
            auction: clearing_account(auction)
            for auction in sorted({each.auction_id for each in periods})
        }
        keys = {each.hold_key for each in periods}
        self.holds = dict(Hold.objects.filter(key__in=keys).values_list("key", "id"))

    def of(self, place: Place, period: DuePeriod) -> int:
        """Return the id of the account that ``place`` means for this period."""
        if place == "available":
            return self.available[period.buyer_id]
        if place == "payable":
            return self.payable[period.provider_id]
        return self.clearing[period.auction_id]


def _transfers_of(each: Reckoned, accounts: _Accounts, now: datetime) -> Iterator[NewTransfer]:
    for leg in legs_between(each.past.last, each.after, peak=each.past.peak):
        yield _transfer(each.period, leg, accounts, now)


def _transfer(period: DuePeriod, leg: Leg, accounts: _Accounts, now: datetime) -> NewTransfer:
    return NewTransfer(
        key=f"period {period.id}, run {int(period.run_no)}, {leg.name}",
        debit_id=accounts.of(leg.debit, period),
        credit_id=accounts.of(leg.credit, period),
        amount_micros=leg.amount,
        code=CODE_OF_LEG[leg.name],
        event_at=now,
        hold_id=accounts.holds[period.hold_key] if leg.captures else None,
        period_id=period.id,
        run_no=int(period.run_no),
    )


def _house_transfers(
    reckoned: Sequence[Reckoned], accounts: _Accounts, *, key: str, now: datetime
) -> Iterator[NewTransfer]:
    for auction, shares in _shares_by_auction(reckoned).items():
        for name, amount in shares.items():
            if amount:
                yield _house_transfer(auction, name, amount, accounts, key=key, now=now)


def _shares_by_auction(reckoned: Sequence[Reckoned]) -> Mapping[str, Counter[str]]:
    sums: dict[str, Counter[str]] = {}
    for each in reckoned:
        shares = sums.setdefault(each.period.auction_id, Counter())
        for name, amount in shares_between(each.past.last, each.after).items():
            if amount:
                shares[name] += amount
    return sums


def _house_transfer(
    auction: str, name: str, amount: int, accounts: _Accounts, *, key: str, now: datetime
) -> NewTransfer:
    kind, code = HOUSE_OF_SHARE[name]
    clearing, house = accounts.clearing[auction], house_account(kind)
    debit, credit = (clearing, house) if amount > 0 else (house, clearing)
    return NewTransfer(
        key=f"{key}, {auction}, {name}",
        debit_id=debit,
        credit_id=credit,
        amount_micros=abs(amount),
        code=code,
        event_at=now,
    )
