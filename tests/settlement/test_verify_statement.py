"""A statement's file proves itself without a database; whatever is forged is named by its line."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from settlement.models import Batch, Contract, ExcusedOutage, Statement
from settlement.postings import inputs_sha256
from settlement.queries.chain import leaf_hex
from settlement.queries.proof_checks import NotAProof, Verdict, check_statement
from settlement.queries.run_inputs import inputs_of
from settlement.queries.statement_proof import statement_proof
from settlement.services.contract_life import curtail_contract
from settlement.services.contract_moves import advance_contracts
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.factories import api, member, operator
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    broken,
    play_at,
)
from tests.settlement.paper import settled, statement_of
from tests.settlement.test_credit_notes import FEBRUARY
from tests.settlement.test_focus import a_day

Proof = dict[str, Any]


@pytest.fixture
def delivery(db: None) -> Delivery:
    """A finalized day of 24 hours, some of them settled twice, and another buyer's hour."""
    found = a_day()
    settled(bid="bid_2")
    finalize_due(play_at(FEBRUARY))
    return found


@pytest.fixture
def proof(delivery: Delivery) -> Proof:
    return proof_of(statement_of(delivery.buyer))


def proof_of(statement: Statement) -> Proof:
    told: Proof = json.loads("".join(statement_proof(statement)))
    return told


def faults_of(proof: Proof) -> list[str]:
    return [str(fault) for fault in check_statement(proof).faults]


def test_what_went_into_every_run_can_be_told_again(delivery: Delivery) -> None:
    runs = list(inputs_of([period.pk for period in delivery.periods]))

    assert len(runs) > 24
    assert all(inputs_sha256(run.terms, run.metered) == run.inputs_sha256 for run in runs)


def test_both_sides_files_prove_themselves(delivery: Delivery) -> None:
    bought = check_statement(proof_of(statement_of(delivery.buyer)))
    provided = check_statement(proof_of(statement_of(delivery.provider)))

    assert bought.faults == provided.faults == []
    assert (bought.lines_count, provided.lines_count) != (0, 0)
    assert bought.head == bytes(Batch.objects.latest("pk").sha256).hex()
    assert bought.transfers_count > 24
    assert broken() == []


def test_the_file_tells_nothing_of_others(delivery: Delivery, proof: Proof) -> None:
    other = Statement.objects.exclude(organization__in=[delivery.buyer, delivery.provider])
    lines = [m["line"] for run in proof_of(other[0])["runs"] for m in run["transfers"]]

    text = json.dumps(proof)
    assert lines
    assert not any(line.split("\t")[0] in text for line in lines)


def first_line(proof: Proof, kind: str = "usage") -> dict[str, Any]:
    return next(line for line in proof["lines"] if line["kind"] == kind)


def run_of(proof: Proof, line: dict[str, Any]) -> dict[str, Any]:
    place = line["period"], line["run_no"]
    return next(run for run in proof["runs"] if (run["period"], run["run_no"]) == place)


def _amount(proof: Proof) -> int:
    line = first_line(proof)
    line["exact_micros"] += 1
    return int(line["line_no"])


def _reading(proof: Proof) -> int:
    line = first_line(proof)
    run_of(proof, line)["metered"]["provider_ms"] -= 1_000
    return int(line["line_no"])


def _price(proof: Proof) -> int:
    line = first_line(proof)
    run_of(proof, line)["terms"]["buyer_price"] += 10**18
    return int(line["line_no"])


def _minor_unit(proof: Proof) -> int:
    line = first_line(proof, "buyer_fee")
    line["billed_minor"] += 1
    return int(line["line_no"])


def _energy(proof: Proof) -> int:
    line = first_line(proof)
    line["co2_grams"] -= 1
    return int(line["line_no"])


def _dropped_line(proof: Proof) -> int:
    place = next(n for n, line in enumerate(proof["lines"]) if line["kind"] == "credit")
    gone = proof["lines"].pop(place)
    same = [line for line in proof["lines"] if line["period"] == gone["period"]]
    return int(next(line["line_no"] for line in same if line["run_no"] == gone["run_no"]))


def _repeated_line(proof: Proof) -> int:
    proof["lines"].append(first_line(proof) | {"line_no": len(proof["lines"]) + 1})
    return len(proof["lines"])


def _dropped_transfer(proof: Proof) -> int:
    line = first_line(proof)
    run_of(proof, line)["transfers"].pop()
    return int(run_of_first(proof, line))


def _forged_transfer(proof: Proof) -> int:
    """Another amount, with the batch's leaves forged to fit: the chain then tells on it."""
    line = first_line(proof)
    moved = run_of(proof, line)["transfers"][0]
    cells = moved["line"].split("\t")
    forged = "\t".join([*cells[:3], str(int(cells[3]) + 1), *cells[4:]])
    leaves = next(each["leaves"] for each in proof["batches"] if each["batch"] == moved["batch"])
    leaves[leaves.index(leaf_hex(moved["line"]))] = leaf_hex(forged)
    moved["line"] = forged
    return int(run_of_first(proof, line))


def _link(proof: Proof) -> int:
    line = first_line(proof)
    batch = run_of(proof, line)["transfers"][0]["batch"]
    link = next(each for each in proof["chain"]["links"] if each["batch"] == batch)
    link["facts"] = "0" * 64
    return int(run_of_first(proof, line))


def run_of_first(proof: Proof, line: dict[str, Any]) -> int:
    same = [each for each in proof["lines"] if each["period"] == line["period"]]
    return int(next(each["line_no"] for each in same if each["run_no"] == line["run_no"]))


FORGERIES = [
    *(_amount, _reading, _price, _minor_unit, _energy, _dropped_line, _repeated_line),
    *(_dropped_transfer, _forged_transfer, _link),
]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_what_is_forged_is_named_by_its_line(proof: Proof, forge: Callable[[Proof], int]) -> None:
    line_no = forge(proof)

    assert line_no in {fault.line_no for fault in check_statement(proof).faults}


@pytest.mark.parametrize("name", ["total_minor", "exact_micros", "lines_count", "energy_wh"])
def test_a_forged_total_is_found(proof: Proof, name: str) -> None:
    proof["statement"][name] += 1

    assert any(name in fault for fault in faults_of(proof))


def test_a_forged_tax_is_found(proof: Proof) -> None:
    proof["taxes"][0]["tax_minor"] += 1

    assert faults_of(proof) == ["tax 1 is 1, by its rate 0"]


@pytest.mark.parametrize(
    "told", [[], {}, {"format": "compute-statement/2"}, {"format": "compute-statement/1"}]
)
def test_what_is_no_proof_is_refused(told: object) -> None:
    with pytest.raises(NotAProof):
        check_statement(told)


def test_a_draft_proves_itself_too(db: None) -> None:
    found: Verdict = check_statement(proof_of(statement_of(settled().buyer)))

    assert found.faults == []
    assert found.lines_count == 3


def test_an_excused_outage_proves_itself_too(db: None) -> None:
    delivery, until = a_delivery(), TEN + HOUR // 4
    play_at(TEN)
    advance_contracts(TEN)
    curtail_contract(
        Contract.objects.get(),
        cause=ExcusedOutage.Cause.POWER,
        reason="a fuse",
        actor=member(operator()),
        until=until,
    )
    play_at(TEN + HOUR)
    ingest(delivery.meter, [an_event(delivery, total=HOUR_MS // 2)])
    settle_due(play_at(TEN + 3 * HOUR))

    proof = proof_of(statement_of(delivery.buyer))

    assert proof["runs"][0]["metered"]["excused_ms"] == HOUR_MS // 4
    assert faults_of(proof) == []


def test_the_command_says_where_the_chain_leads(proof: Proof, tmp_path: Path) -> None:
    out, err, file = StringIO(), StringIO(), tmp_path / "statement.json"
    file.write_text(json.dumps(proof))
    head = check_statement(proof).head

    call_command("verify_statement", str(file), head=head, stdout=out)
    with pytest.raises(CommandError, match="not to 00"):
        call_command("verify_statement", str(file), head="00")
    first_line(proof)["exact_micros"] += 1
    file.write_text(json.dumps(proof))
    with pytest.raises(CommandError, match="faults"):
        call_command("verify_statement", str(file), stderr=err)

    assert head in out.getvalue()
    assert f"line {first_line(proof)['line_no']}: exact_micros" in err.getvalue()


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_file_that_is_no_proof_ends_with_two(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)

    with pytest.raises(CommandError) as refused:
        call_command("verify_statement", str(tmp_path / "x.json"))
    assert refused.value.returncode == 2


def test_the_api_gives_the_file(delivery: Delivery, proof: Proof) -> None:
    statement = statement_of(delivery.buyer)

    answer = api(delivery.buyer).get(f"/api/v1/statements/{statement.public_id}.json")

    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.getvalue()) == proof
