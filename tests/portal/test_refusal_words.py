"""Whatever the services of the provider's pages can refuse has words in every language."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.portal.refusals import CODES, words_of
from exchange.services import (
    bid_choices,
    bid_terms,
    body_fields,
    csv_rows,
    maintenance,
    offer_imports,
    offer_terms,
    offers,
)

MODULES = [
    bid_choices,
    bid_terms,
    body_fields,
    csv_rows,
    maintenance,
    offer_imports,
    offer_terms,
    offers,
]
CALLS = {"fault": 1, "Fault": 1, "add": 1, "_refused": 1, "_header_fault": 1, "CsvFault": 2}


def codes_in(path: Path) -> Iterator[str]:
    """Yield the codes that a module gives to its faults, where they are written out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        place = CALLS.get(name)
        if place is None or len(node.args) <= place:
            continue
        argument = node.args[place]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


SAID = sorted({code for module in MODULES for code in codes_in(Path(str(module.__file__)))})


def test_codes_are_found_at_all() -> None:
    assert {"site_unknown", "csv_empty", "capacity_exceeded", "window_past"} <= set(SAID)


@pytest.mark.parametrize("code", SAID)
def test_a_code_has_words(code: str) -> None:
    assert words_of(code, "")


@pytest.mark.parametrize("code", ["price_missing", "quantity_malformed", "label_too_long"])
def test_a_code_of_any_field_has_words(code: str) -> None:
    assert words_of(code, "")


@pytest.mark.parametrize("code", sorted(filter(None, CODES.values())))
def test_a_refusal_as_a_whole_has_words(code: str) -> None:
    assert words_of(code, "")


def test_a_code_without_words_falls_back_on_the_services_own() -> None:
    assert words_of("brand_new_code", "the service's own words") == "the service's own words"
