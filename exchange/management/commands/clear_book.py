"""Clear an order book on disk; no database is needed."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.engine.desk import ResultFailed, audit_lines, clear_folder
from exchange.engine.files import BookRefused


class Command(BaseCommand):
    """``clear_book BOOK_DIR RESULT_DIR [--seconds N]``."""

    help = "Clear a compute-order-book/1 folder into a compute-clearing/1 folder."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the folders and the time limit."""
        parser.add_argument("book", type=Path, metavar="BOOK_DIR")
        parser.add_argument("result", type=Path, metavar="RESULT_DIR")
        parser.add_argument("--seconds", type=float, help="stop improving after this long")

    def handle(self, *, book: Path, result: Path, seconds: float | None, **options: Any) -> None:
        """Clear; status 2 for a refused book, 1 for a clearing that fails its own audit."""
        try:
            audit = clear_folder(book, result, seconds=seconds, clock=time.perf_counter)
        except BookRefused as refusal:
            text = "\n".join(str(problem) for problem in refusal.problems)
            raise CommandError(text, returncode=2) from refusal
        except ResultFailed as failure:
            raise CommandError("\n".join(audit_lines(failure.audit))) from failure
        except FileExistsError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write("\n".join(audit_lines(audit)))
