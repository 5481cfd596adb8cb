"""``clear_book`` and ``check_book``: exit status, words and files, without a database."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from exchange.engine.files import write_book, write_result
from tests.engine.hand import make_clearing
from tests.engine.markets import COUPLED, COUPLED_ANSWER, FAR_W, PLAIN


def run(command: str, *folders: Path, **options: object) -> str:
    """Run a command and give what it prints."""
    words = StringIO()
    call_command(command, *map(str, folders), stdout=words, **options)
    return words.getvalue()


def test_a_book_is_cleared_and_its_result_checks(tmp_path: Path) -> None:
    book, result = tmp_path / "book", tmp_path / "result"
    write_book(PLAIN, book)
    assert "proved gap: 0.000000000000" in run("clear_book", book, result, seconds=30)
    assert json.loads((result / "result.json").read_text())["welfare"] == "94.000000"
    assert "failures: 0" in run("check_book", book, result)


def test_each_failure_is_printed_with_its_order_and_the_status_is_not_zero(tmp_path: Path) -> None:
    book, result, words = tmp_path / "book", tmp_path / "result", StringIO()
    write_book(COUPLED, book)
    broken = COUPLED_ANSWER.less(FAR_W).plus(("far", "w", "gpu", 0, "ew", "4.001"))
    write_result(COUPLED, make_clearing(COUPLED, broken), result)
    with pytest.raises(CommandError) as caught:
        call_command("check_book", str(book), str(result), stdout=words)
    assert caught.value.returncode == 1
    assert "link l period 0: link_overloaded: 0.4001 Gbps over a limit of 0.4" in words.getvalue()
    assert "proved gap: " in words.getvalue()


@pytest.mark.parametrize("command", ["clear_book", "check_book"])
def test_a_refused_book_says_where_and_leaves_nothing_behind(command: str, tmp_path: Path) -> None:
    book, result = tmp_path / "book", tmp_path / "result"
    write_book(PLAIN, book)
    offers = book / "offers.csv"
    offers.write_text(offers.read_text().replace("o1,hall", "o1,cellar"))
    with pytest.raises(CommandError, match=r"offers\.csv:2 site: site_unknown") as caught:
        run(command, book, result)
    assert caught.value.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
