"""Checks a statement's file (``compute-statement/1``) by recomputing all of it; no database.

Every run is reckoned again from its terms and figures, every line from its runs, every minor unit
from the lines, every tax from its rate; every transfer must be the one that the runs call for, and
stand in the chain of batches. Whatever differs is named by line.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from settlement.models.transfers import TRANSFER_IDS
from settlement.postings import (
    NOTHING_OWED,
    Metered,
    Postings,
    Terms,
    inputs_sha256,
    legs_between,
    settle,
)
from settlement.queries.allocation import allocate, round_half_even, tax_in
from settlement.queries.chain import content_of_leaves, leaf_hex, link_of

FORMAT = "compute-statement/1"
LEGS = {"buyer": ("capture", "charge", "penalty"), "provider": ("earning", "penalty")}
CODES = {"capture": 10, "charge": 10, "earning": 20, "penalty": 50}
Place = tuple[int, int]  # period and run
Told = Mapping[str, Any]


class NotAProof(Exception):
    """The file does not have the form of a statement's proof."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong; ``line_no`` is 0 where it concerns the whole statement."""

    line_no: int
    says: str

    def __str__(self) -> str:
        return f"line {self.line_no}: {self.says}" if self.line_no else self.says


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked, what is wrong, and the newest link that the chain leads to."""

    faults: list[Fault]
    lines_count: int
    runs_count: int
    transfers_count: int
    batches_count: int
    head: str


def check_statement(told: Any) -> Verdict:
    """Return what is wrong with a statement's file. Raises NotAProof."""
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise NotAProof(f"not a file of the format {FORMAT}")
    try:
        return _Check(told).verdict()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as wrong:
        raise NotAProof(f"malformed: {type(wrong).__name__} {wrong}") from wrong


class _Check:
    def __init__(self, told: Told) -> None:
        self.head, self.lines, self.runs = told["statement"], told["lines"], told["runs"]
        self.taxes, self.batches, self.chain = told["taxes"], told["batches"], told["chain"]
        self.lines_at: defaultdict[Place, list[Told]] = defaultdict(list)
        for line in self.lines:
            self.lines_at[line["period"], line["run_no"]].append(line)
        self.faults: list[Fault] = []
        self.contents = {link["batch"]: link["content"] for link in self.chain["links"]}
        self.leaves = {each["batch"]: Counter(each["leaves"]) for each in self.batches}

    def verdict(self) -> Verdict:
        reckoned = {(run["period"], run["run_no"]): self._reckoned(run) for run in self.runs}
        self._check_lines(reckoned)
        self._check_transfers(reckoned)
        self._check_minor_units()
        self._check_taxes()
        self._check_batches()
        head = self._check_chain()
        return Verdict(
            faults=sorted(self.faults, key=lambda fault: (fault.line_no, fault.says)),
            lines_count=len(self.lines),
            runs_count=len(self.runs),
            transfers_count=sum(len(run["transfers"]) for run in self.runs),
            batches_count=len(self.batches),
            head=head,
        )

    def _reckoned(self, run: Told) -> Postings:
        """Reckon a run again; its inputs must be those whose hash was kept."""
        terms, metered = Terms(**run["terms"]), Metered(**run["metered"])
        if inputs_sha256(terms, metered).hex() != run["inputs_sha256"]:
            self._blame(run, "the inputs of its run are not those that were hashed")
        return settle(terms, metered)

    def _check_lines(self, reckoned: Mapping[Place, Postings]) -> None:
        numbers = [line["line_no"] for line in self.lines]
        if numbers != list(range(1, len(numbers) + 1)):
            self._add(0, "the lines are not numbered one by one")
        said: set[tuple[int, int, str]] = set()
        for line in self.lines:
            key = line["period"], line["run_no"], line["kind"]
            if key in said:
                self._add(line["line_no"], "says what an earlier line says")
            said.add(key)
            self._check_line(line, reckoned)
        for place, after in reckoned.items():
            if place in self.lines_at:
                before = _before(reckoned, *place)
                self._check_complete(place, _due(self.head["side"], before, after))

    def _check_complete(self, place: Place, due: Mapping[str, Sequence[int]]) -> None:
        """A run that has a line has one of each kind that it calls for."""
        own = self.lines_at[place]
        for kind in sorted(set(due) - {line["kind"] for line in own}):
            if due[kind][0]:
                self._add(own[0]["line_no"], f"a line of kind {kind} beside it is missing")

    def _check_line(self, line: Told, reckoned: Mapping[Place, Postings]) -> None:
        place = line["period"], line["run_no"]
        if place not in reckoned:
            self._add(line["line_no"], "its run is missing")
            return
        due = _due(self.head["side"], _before(reckoned, *place), reckoned[place])
        if line["kind"] not in due:
            self._add(line["line_no"], f"a {self.head['side']} has no lines of kind {line['kind']}")
            return
        names = ("exact_micros", "delivered_ms", "energy_wh", "co2_grams")
        for name, right in zip(names, due[line["kind"]], strict=True):
            if line[name] != right:
                self._add(line["line_no"], f"{name} is {line[name]}, by its inputs {right}")

    def _check_transfers(self, reckoned: Mapping[Place, Postings]) -> None:
        wanted_legs = LEGS[self.head["side"]]
        for run in self.runs:
            period, run_no = place = run["period"], run["run_no"]
            peak = max(
                (reckoned[period, n].charge for n in range(1, run_no) if (period, n) in reckoned),
                default=0,
            )
            before = reckoned.get((period, run_no - 1))
            legs = legs_between(before, reckoned[place], peak=peak)
            wanted = {
                uuid.uuid5(TRANSFER_IDS, f"period {period}, run {run_no}, {leg.name}").hex: leg
                for leg in legs
                if leg.name in wanted_legs
            }
            for moved in run["transfers"]:
                cells = moved["line"].split("\t")
                leg = wanted.pop(cells[0], None)
                right = None if leg is None else (leg.amount, CODES[leg.name], period, run_no)
                if right is None or right != tuple(int(cells[n]) for n in (3, 4, 6, 7)):
                    self._blame(run, f"its runs do not call for the transfer {cells[0]}")
                if leaf_hex(moved["line"]) not in self.leaves.get(moved["batch"], ()):
                    self._blame(run, f"the transfer {cells[0]} is not in its batch")
            for missing, leg in wanted.items():
                self._blame(run, f"the transfer {missing} of {leg.amount} is missing")

    def _check_minor_units(self) -> None:
        unit = 10 ** (6 - self.head["minor_digits"])
        exact = [line["exact_micros"] for line in self.lines]
        for line, right in zip(self.lines, allocate(exact, unit=unit), strict=True):
            if line["billed_minor"] != right:
                self._add(line["line_no"], f"bills {line['billed_minor']}, its part is {right}")
        sums = {
            "lines_count": len(self.lines),
            "exact_micros": sum(exact),
            "total_minor": round_half_even(sum(exact), unit),
            "energy_wh": sum(line["energy_wh"] for line in self.lines),
            "co2_grams": sum(line["co2_grams"] for line in self.lines),
        }
        for name, right in sums.items():
            if self.head[name] != right:
                self._add(0, f"the statement's {name} is {self.head[name]}, its lines say {right}")

    def _check_taxes(self) -> None:
        for number, tax in enumerate(self.taxes, start=1):
            right = tax_in(tax["gross_minor"], rate_ppm=tax["rate_ppm"] or 0)
            if (tax["tax_minor"], tax["net_minor"]) != (right, tax["gross_minor"] - right):
                self._add(0, f"tax {number} is {tax['tax_minor']}, by its rate {right}")
        gross = sum(tax["gross_minor"] for tax in self.taxes)
        if gross != self.head["total_minor"]:
            self._add(0, f"the taxes are of {gross}, the total is {self.head['total_minor']}")

    def _check_batches(self) -> None:
        """The leaves of each batch must make up its content in the chain."""
        for each in self.batches:
            content = content_of_leaves(each["leaves"]).hex()
            if content != self.contents.get(each["batch"]):
                self._blame_batch(each["batch"], "is not what the chain says it is")

    def _check_chain(self) -> str:
        """Follow the links; return the newest."""
        link = str(self.chain["before"])
        for each in self.chain["links"]:
            if link_of(link, each["content"], each["facts"]).hex() != each["link"]:
                self._blame_batch(each["batch"], "does not follow from the one before it")
            link = each["link"]
        return link

    def _blame(self, run: Told, says: str) -> None:
        """Put a fault of a run on its first line, or on a later one that follows from it."""
        own = self.lines_at.get((run["period"], run["run_no"]), ())
        later = (
            line
            for (period, run_no), lines in self.lines_at.items()
            if period == run["period"] and run_no > run["run_no"]
            for line in lines
        )
        line = own[0] if own else next(later, None)
        self._add(line["line_no"] if line else 0, says)

    def _blame_batch(self, batch: int, says: str) -> None:
        runs = [run for run in self.runs if any(m["batch"] == batch for m in run["transfers"])]
        for run in runs:
            self._blame(run, f"its batch {batch} {says}")
        if not runs:
            self._add(0, f"batch {batch} {says}")

    def _add(self, line_no: int, says: str) -> None:
        self.faults.append(Fault(line_no, says))


def _before(reckoned: Mapping[Place, Postings], period: int, run_no: int) -> Postings:
    return reckoned.get((period, run_no - 1), NOTHING_OWED)


def _due(side: str, before: Postings, after: Postings) -> dict[str, tuple[int, int, int, int]]:
    """Return by kind of line what a run changed: micro-units, milliseconds, Wh and grams."""
    figures = (
        after.delivered_ms - before.delivered_ms,
        after.energy_wh - before.energy_wh,
        after.co2_grams - before.co2_grams,
    )
    penalty = after.penalty - before.penalty
    if side == "buyer":
        return {
            "usage": (after.buyer_due - before.buyer_due, *figures),
            "buyer_fee": (after.buyer_fee - before.buyer_fee, 0, 0, 0),
            "credit": (-penalty, 0, 0, 0),
        }
    return {
        "earning": (after.seller_due - before.seller_due, *figures),
        "seller_fee": (before.seller_fee - after.seller_fee, 0, 0, 0),
        "penalty": (-penalty, 0, 0, 0),
    }
