"""What must hold of the books, each as one query that returns no row (settlement.md, section 6)."""

from settlement.queries.invariants.registry import all_invariants, register
from settlement.queries.invariants.rule import Invariant

__all__ = ["Invariant", "all_invariants", "register"]
