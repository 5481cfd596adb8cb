from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Invariant:
    """A rule of settlement.md, section 6, by its number there; 0 for one that is not there.

    ``query`` returns one row for each thing that breaks the rule; its first column names it.
    The audit's queries may use ``transfer_sums`` (debit_id, credit_id, hold_id, amount, count)
    and ``period_sums`` (period_id, run_no, code, debit_id, credit_id, amount), which the audit
    makes once for all of them.
    """

    number: int
    says: str
    query: str

    def __str__(self) -> str:
        return f"{self.number:>2} {self.says}" if self.number else f" - {self.says}"
