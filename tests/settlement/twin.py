"""The ledger as one would write it without a database: slow, obvious, and alone."""

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class TwinHold:
    owner: int
    amount: int
    captured: int = 0
    released: int = 0

    @property
    def open(self) -> int:
        return self.amount - self.captured - self.released


@dataclass
class Twin:
    """Money of buyers (by number), what sellers are owed, and holds by key."""

    paid_in: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    paid_out: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    owed: int = 0
    holds: dict[str, TwinHold] = field(default_factory=dict)

    def pending(self, buyer: int) -> int:
        return sum(hold.open for hold in self.holds.values() if hold.owner == buyer)

    def available(self, buyer: int) -> int:
        return self.paid_in[buyer] - self.paid_out[buyer] - self.pending(buyer)

    def place(self, key: str, buyer: int, amount: int) -> bool:
        if amount > self.available(buyer):
            return False
        self.holds[key] = TwinHold(buyer, amount)
        return True

    def can_capture(self, captures: list[tuple[str, int]]) -> bool:
        wanted: dict[str, int] = defaultdict(int)
        for key, amount in captures:
            wanted[key] += amount
        return all(amount <= self.holds[key].open for key, amount in wanted.items())

    def capture(self, captures: list[tuple[str, int]]) -> None:
        for key, amount in captures:
            hold = self.holds[key]
            hold.captured += amount
            self.paid_out[hold.owner] += amount
            self.owed += amount
